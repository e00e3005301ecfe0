//! An entry whose source may be contacted.

use super::{Check, Finding, Level, Related, Rule, SetWrite, finding::some_names};
use crate::{
    context::EntryRef,
    objects::{MirrorSourcePolicy::AllowContactingSource, SetKind},
};

pub(super) const RULE: Rule = Rule {
    id: "contacting-source",
    level: Level::Off,
    summary: "an entry that is not NeverContactSource, in a cluster that reaches nothing outside",
    page: include_str!("contacting_source.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let is_effective = |found: &EntryRef<'_>| found.entry().is_effective();
    for (index, entry) in set.effective_entries() {
        if entry.policy() != AllowContactingSource {
            continue;
        }
        let elsewhere = |found: &EntryRef<'_>| !std::ptr::eq(found.set, set) && is_effective(found);
        let others: Vec<_> = write.cluster.after.entries(&entry.source).filter(elsewhere).collect();
        let fix = if set.kind == SetKind::Icsp {
            "an ICSP always contacts it: move the entry to an ImageDigestMirrorSet with NeverContactSource"
                .to_owned()
        } else if others.is_empty() {
            "set mirrorSourcePolicy: NeverContactSource".to_owned()
        } else {
            let names = some_names(others.iter().map(|other| other.set.id()));
            format!("set NeverContactSource; {names} must say the same")
        };
        findings.push(Finding {
            related: others.iter().map(Related::to_policy).collect(),
            key: entry.source.to_string(),
            ..Finding::new(
                set.policy_path(index),
                format!("source \"{}\" may be contacted", entry.source),
                "what no mirror has is looked for outside, until that times out",
                fix,
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Settings,
        testing::{findings, never, set},
    };
    use crate::objects::SetKind::{Icsp, Idms, Itms};

    #[test]
    fn every_source_that_may_be_contacted_is_told() {
        let there = set(Itms, "there", &[("quay.io/a", &["m/a"])]);
        let of = |kind, mirrors| set(kind, "new", &[("quay.io/a", mirrors)]);
        let table: [(_, &[_], _, _); 5] = [
            (of(Idms, &["m/a"]), &[], Some("set mirrorSourcePolicy: NeverContactSource"), "the default"),
            (
                of(Idms, &["m/a"]),
                &[&there],
                Some("set NeverContactSource; ImageTagMirrorSet/there must say the same"),
                "two policies for one source render nothing",
            ),
            (never(of(Idms, &["m/a"])), &[], None, "it may not"),
            (
                of(Icsp, &["m/a"]),
                &[],
                Some(
                    "an ICSP always contacts it: move the entry to an ImageDigestMirrorSet with NeverContactSource",
                ),
                "an ICSP has no policy",
            ),
            (of(Idms, &[]), &[], None, "for ineffective-entry"),
        ];
        for (new, others, expected, reason) in table {
            let found = findings("contacting-source", &Settings::default(), others, None, &new);
            assert_eq!(found.first().map(|finding| &*finding.fix), expected, "{reason}");
        }
    }
}
