//! An entry whose source may be contacted.

use hashbrown::HashSet;

use super::{
    Check, DependsOn, Finding, Fix, Level, Related, RelatedFields, Rule, SetWrite, explicit::never_contact,
    finding::some_sets,
};
use crate::{
    context::{EntryRef, View},
    objects::{MirrorSourcePolicy::AllowContactingSource, SetKind, scope::names_registry},
};

pub(super) const RULE: Rule = Rule {
    id: "contacting-source",
    level: Level::Off,
    summary: "an entry without NeverContactSource in a disconnected cluster",
    page: include_str!("contacting_source.md"),
    check: Check::MirrorSet(check),
    depends_on: DependsOn::Sources,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let mut seen = HashSet::new();
    for (index, entry) in set.effective_entries() {
        // A source without a registry matches no image.
        let is_contacted = entry.policy() == AllowContactingSource && names_registry(&entry.source);
        if !is_contacted || !seen.insert(&*entry.source) {
            continue;
        }
        let mut others: Vec<_> = write.cluster.others.effective(&entry.source).collect();
        others.sort_by_key(EntryRef::order);
        findings.push(Finding {
            effect: "images missing from the mirrors are pulled from the source, which times out in a \
                     disconnected cluster"
                .to_owned(),
            fix: fix(write.cluster.after, EntryRef { set, index }, &others),
            related: RelatedFields::of(&others, Related::to_policy),
            ..Finding::new(
                set.policy_path(index),
                &*entry.source,
                format!("nodes may contact source \"{}\"", entry.source),
            )
        });
    }
}

fn fix(view: View<'_>, own: EntryRef<'_>, others: &[EntryRef<'_>]) -> Fix {
    if own.set.kind == SetKind::Icsp {
        return "move the entry to an IDMS with NeverContactSource, which an ICSP cannot set".into();
    }
    let title = if others.is_empty() {
        "set mirrorSourcePolicy: NeverContactSource".to_owned()
    } else {
        let names = some_sets(others);
        format!("set mirrorSourcePolicy: NeverContactSource here and in {names}")
    };
    never_contact(view, own.set, &own.entry().source, title.clone()).unwrap_or_else(|| title.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{
            MirrorSet,
            SetKind::{Icsp, Idms, Itms},
        },
        rules::{
            Settings,
            testing::{assert_texts, findings, never, set},
        },
    };

    fn of(kind: SetKind, mirrors: &[&str]) -> MirrorSet {
        set(kind, "new", &[("quay.io/a", mirrors)])
    }

    #[test]
    fn every_source_that_may_be_contacted_is_found() {
        let there = set(Itms, "there", &[("quay.io/a", &["m/a"])]);
        let idms = Some("spec.imageDigestMirrors[0].mirrorSourcePolicy");
        let table: [(_, &[_], _, _); 5] = [
            (of(Idms, &["m/a"]), &[], idms, "the default"),
            (of(Idms, &["m/a"]), &[&there], idms, "two policies for one source render nothing"),
            (never(of(Idms, &["m/a"])), &[], None, "it may not"),
            (
                of(Icsp, &["m/a"]),
                &[],
                Some("spec.repositoryDigestMirrors[0].source"),
                "an ICSP has no policy",
            ),
            (of(Idms, &[]), &[], None, "for ineffective-entry"),
        ];
        let mut all = Vec::new();
        for (new, others, expected, reason) in table {
            let found = findings(RULE.id, &Settings::default(), others, None, &new);
            let related = found.first().map_or(0, |finding| finding.related.len());
            assert_eq!(related, others.len(), "{reason}");
            let found_at = found.first().map(|finding| (&*finding.path, &*finding.key));
            assert_eq!(found_at, expected.map(|path| (path, "quay.io/a")), "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
