//! An ICSP next to IDMS or ITMS, and the one step of a migration that needs it.

use std::collections::{BTreeMap, HashMap};

use super::{
    Check, Finding, IcspAlongsideIdms, Level, Related, Rule, SetWrite, finding::list_names,
    icsp_overlap::overlaps, paste::as_idms,
};
use crate::{
    node::merge,
    objects::{Entry, MirrorSet, SetKind},
    write::Operation,
};

pub(super) const RULE: Rule = Rule {
    id: "icsp-alongside-idms",
    level: Level::Deny,
    summary: "an ICSP created or extended next to IDMS or ITMS, or an IDMS or ITMS that conflicts with an ICSP",
    page: include_str!("icsp_alongside_idms.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    match set.kind {
        SetKind::Icsp => check_icsp(write, set, findings),
        SetKind::Idms | SetKind::Itms => check_against_icsps(write, set, findings),
    }
}

fn check_icsp<'a>(write: &SetWrite<'a>, set: &'a MirrorSet, findings: &mut Vec<Finding>) {
    let neighbours = write.cluster.others.count(SetKind::Idms) + write.cluster.others.count(SetKind::Itms);
    let fresh = fresh_entries(write.old_set(), set);
    let (Some(first), true) = (fresh.first(), neighbours > 0) else { return };
    if matches!(write.operation, Operation::Existing(_))
        && let Some(idms) = write.cluster.others.sets_of(SetKind::Idms).find(|idms| covers(idms, set))
    {
        findings.push(Finding {
            at_most: Level::Warn,
            related: vec![Related::to_set(idms, "metadata.name".to_owned())],
            ..Finding::new(
                "metadata.name",
                format!("{} has every entry of this ICSP", idms.id()),
                "the last step of the migration is left",
                format!("delete imagecontentsourcepolicy {}; no node changes", set.name),
            )
        });
        return;
    }
    if write.settings.icsp_alongside_idms == IcspAlongsideIdms::Conflicts {
        return findings.extend(overlaps(write, set).into_iter().map(|overlap| overlap.finding(set)));
    }
    let others =
        [SetKind::Idms, SetKind::Itms].into_iter().flat_map(|kind| write.cluster.others.sets_of(kind));
    let related: Vec<_> =
        others.take(3).map(|other| Related::to_set(other, "metadata.name".to_owned())).collect();
    let names: Vec<_> = related.iter().map(|related| related.object.to_string()).collect();
    let names = list_names(&names, neighbours - related.len());
    findings.push(Finding {
        related,
        yaml: Some(as_idms(set, &fresh)),
        key: format!("{:?}", fresh.iter().map(|index| &set.entries[*index]).collect::<Vec<_>>()),
        ..Finding::new(
            set.field_path(*first, "source"),
            format!("an ICSP next to {names}"),
            "it is merged with them in an order nobody chose, stops all rendering where they say NeverContactSource, \
             and older HyperShift releases ignore it",
            "put these entries into an ImageDigestMirrorSet instead".to_owned(),
        )
    });
}

/// Indices of the entries that were not there before.
fn fresh_entries(old: Option<&MirrorSet>, new: &MirrorSet) -> Vec<usize> {
    let mut known: HashMap<&Entry, usize> = HashMap::new();
    for entry in old.into_iter().flat_map(|old| &old.entries) {
        *known.entry(entry).or_default() += 1;
    }
    let mut is_known = |entry| match known.get_mut(entry) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    };
    let entries = new.entries.iter().enumerate();
    entries.filter_map(|(index, entry)| (!is_known(entry)).then_some(index)).collect()
}

fn check_against_icsps<'a>(write: &SetWrite<'a>, set: &'a MirrorSet, findings: &mut Vec<Finding>) {
    if write.cluster.others.count(SetKind::Icsp) == 0 {
        return;
    }
    let sharing: BTreeMap<&str, &MirrorSet> = set
        .entries
        .iter()
        .flat_map(|entry| write.cluster.others.entries(&entry.source))
        .filter(|found| found.set.kind == SetKind::Icsp)
        .map(|found| (&*found.set.name, found.set))
        .collect();
    let covered: Vec<_> = sharing.into_values().filter(|icsp| covers(set, icsp)).collect();
    for overlap in overlaps(write, set) {
        if !overlap.with.iter().all(|found| covered.iter().any(|icsp| std::ptr::eq(*icsp, found.set))) {
            findings.push(overlap.finding(set));
        }
    }
    for icsp in covered {
        findings.push(Finding {
            at_most: Level::Warn,
            related: vec![Related::to_set(icsp, "metadata.name".to_owned())],
            ..Finding::new(
                "metadata.name",
                format!("this has every entry of {}", icsp.id()),
                "it is the first step of the migration",
                format!("next, delete imagecontentsourcepolicy {}", icsp.name),
            )
        });
    }
}

/// Whether an IDMS has every effective entry of an ICSP, with at least its mirrors in the order in which nodes
/// try them, and nothing that says otherwise of the source itself.
fn covers(idms: &MirrorSet, icsp: &MirrorSet) -> bool {
    let has = |wanted: &Entry| {
        let order = merge(&wanted.source, &[&*wanted.mirrors]).mirrors;
        let same_source = idms.effective_entries().filter(|(_, entry)| entry.source == wanted.source);
        let candidates: Vec<_> = same_source.map(|(_, entry)| entry).collect();
        candidates.iter().all(|entry| entry.policy() == wanted.policy())
            && candidates.iter().any(|entry| {
                let tried = merge(&entry.source, &[&*entry.mirrors]).mirrors;
                let mut tried = tried.iter();
                order.iter().all(|wanted| tried.any(|mirror| mirror == wanted))
            })
    };
    idms.kind == SetKind::Idms && icsp.effective_entries().all(|(_, entry)| has(entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{
        Settings,
        testing::{findings, never, set},
    };

    const SOURCE: &str = "q.io/c";

    /// What is said of a set next to another: the level, where it is denied the path, and the objects named.
    fn told(there: &MirrorSet, new: &MirrorSet) -> Vec<(Level, String, String)> {
        let settings = Settings { icsp_alongside_idms: IcspAlongsideIdms::Conflicts, ..Settings::default() };
        let found = findings(RULE.id, &settings, &[there], None, new);
        let related =
            |finding: &Finding| format!("{} {}", finding.related[0].object, finding.related[0].path);
        found.into_iter().map(|finding| (finding.at_most, finding.path.clone(), related(&finding))).collect()
    }

    #[test]
    fn only_what_means_the_same_is_the_step_of_a_migration() {
        let step = (Level::Warn, "metadata.name", "ImageContentSourcePolicy/i metadata.name");
        let denied =
            |field| (Level::Deny, field, "ImageContentSourcePolicy/i spec.repositoryDigestMirrors[0].");
        let (source, mirrors) = ("spec.imageDigestMirrors[0].source", "spec.imageDigestMirrors[0].mirrors");
        let idms = |mirrors: &[&str]| set(SetKind::Idms, "new", &[(SOURCE, mirrors)]);
        let table: [(&[&str], MirrorSet, _, &str); 8] = [
            (&["m/b", "m/a"], idms(&["m/b", "m/a"]), step, "the same"),
            (&["m/b"], idms(&["m/b", "m/a"]), step, "one mirror more"),
            (&["m/b", "m/a", "m/b", "m/c"], idms(&["m/a", "m/b", "m/c"]), step, "as nodes try it"),
            (&["m/b", "m/b"], idms(&["m/b"]), step, "the repeated mirror once"),
            (&["m/b"], never(idms(&["m/b"])), denied(source), "another policy"),
            (&["m/b", "m/a"], idms(&["m/a", "m/b"]), denied(mirrors), "the other order, by name the first"),
            (&["m/a", "m/b"], idms(&["m/b", "m/a"]), denied(mirrors), "the other order, by name the last"),
            (&["m/b"], idms(&["n/b"]), denied(source), "another mirror"),
        ];
        for (icsp, new, (level, path, related), reason) in table {
            let told = told(&set(SetKind::Icsp, "i", &[(SOURCE, icsp)]), &new);
            let [first] = &*told else { panic!("{reason}: {told:?}") };
            assert_eq!((first.0, &*first.1), (level, path), "{reason}");
            assert!(first.2.starts_with(related), "{reason}: {}", first.2);
        }
    }

    #[test]
    fn an_icsp_contradicts_an_idms_whatever_the_mirrors_are_called() {
        for (there, new) in [(["m/a", "m/b"], ["m/b", "m/a"]), (["m/b", "m/a"], ["m/a", "m/b"])] {
            let there = set(SetKind::Idms, "there", &[(SOURCE, &there)]);
            let told = told(&there, &set(SetKind::Icsp, "new", &[(SOURCE, &new)]));
            let expected = "ImageDigestMirrorSet/there spec.imageDigestMirrors[0].mirrors";
            assert_eq!(
                told,
                [(Level::Deny, "spec.repositoryDigestMirrors[0].mirrors".to_owned(), expected.to_owned())]
            );
        }
    }

    #[test]
    fn what_is_left_of_a_migration_names_the_idms() {
        use crate::{objects::Object, rules::testing::found_in};
        let icsp = set(SetKind::Icsp, "i", &[(SOURCE, &["m/b"])]);
        let idms = || set(SetKind::Idms, "new", &[(SOURCE, &["m/b"])]);
        for (idms, expected) in
            [(idms(), "metadata.name"), (never(idms()), "spec.repositoryDigestMirrors[0].source")]
        {
            let found = found_in(RULE.id, &icsp, [Object::from(idms)], &Settings::default());
            let [finding] = found.try_into().unwrap();
            assert_eq!(finding.path, expected);
            assert_eq!(
                (finding.related[0].object.to_string(), &*finding.related[0].path),
                ("ImageDigestMirrorSet/new".to_owned(), "metadata.name")
            );
        }
    }
}
