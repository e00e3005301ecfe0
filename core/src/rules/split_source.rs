//! One source in several entries that are merged.

use super::{
    Check, Finding, Level, Related, Rule, SetWrite, SharedSource,
    finding::some_names,
    mirror_order_conflict::contradicted,
    paste::{entry_yaml, list_yaml},
};
use crate::{context::EntryRef, node::merge, objects::SetKind};

pub(super) const RULE: Rule = Rule {
    id: "split-source",
    level: Level::Warn,
    summary: "one source in several objects, or twice in one, whose mirrors are merged",
    page: include_str!("split_source.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    findings.extend(write.shared_sources().iter().filter_map(split));
}

fn split(shared: &SharedSource<'_>) -> Option<Finding> {
    let own = shared.own;
    let (set, entry) = (own.set, own.entry());
    let merged = shared.merged_with();
    if !contradicted(own, &merged).is_empty() {
        return None;
    }
    // An ICSP next to an IDMS, and two policies for one source, are told by rules of their own.
    let counts = |other: &EntryRef<'_>| {
        (other.set.kind == SetKind::Icsp) == (set.kind == SetKind::Icsp)
            && other.entry().policy() == entry.policy()
    };
    let others: Vec<_> = merged.into_iter().filter(counts).collect();
    let elsewhere: Vec<_> = others.iter().filter(|other| !std::ptr::eq(other.set, set)).collect();
    let source = &entry.source;
    let what = match (others.is_empty(), elsewhere.is_empty()) {
        (true, _) => return None,
        (false, true) => format!("source \"{source}\" stands in an entry above too"),
        (false, false) => {
            let names = some_names(elsewhere.iter().map(|other| other.set.id()));
            format!("source \"{source}\" is in {names} too")
        }
    };
    let alike = others.iter().all(|other| other.entry().mirrors == entry.mirrors);
    let (at_most, effect, fix) = if alike {
        (Level::Warn, "taken away here, it still stays in force", "keep it in one entry")
    } else {
        (
            Level::Deny,
            "the mirrors are tried in an order nobody chose, and an object that goes takes its own along",
            "put all its mirrors into one entry, in the order to be tried",
        )
    };
    let lists: Vec<_> = std::iter::once(&own).chain(&others).map(|entry| &*entry.entry().mirrors).collect();
    let yaml = entry_yaml(source, &merge(source, &lists).mirrors);
    Some(Finding {
        at_most,
        yaml: Some(list_yaml(set.kind.list_field(), &[yaml])),
        related: others.iter().map(|other| Related::to_entry(other, "source")).collect(),
        key: format!("{source} {}", entry.mirrors.join(" ")),
        ..Finding::new(set.field_path(own.index, "source"), what, effect, fix.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::super::{
        Level, Settings,
        testing::{findings, never, set},
    };
    use crate::objects::SetKind::{Icsp, Idms, Itms};

    #[test]
    fn one_source_is_told_where_its_mirrors_are_merged_and_no_other_rule_speaks() {
        let of = |kind, mirrors: &[&str]| set(kind, "there", &[("quay.io/a", mirrors)]);
        let new = set(Idms, "new", &[("quay.io/a", &["m/a"])]);
        let table = [
            (of(Idms, &["n/a"]), Some(Level::Deny), "another mirror"),
            (
                of(Idms, &["m/a"]),
                Some(Level::Warn),
                "the same mirror: nothing goes wrong, but one may be forgotten",
            ),
            (of(Itms, &["m/a"]), None, "an IDMS and an ITMS are the normal pair"),
            (of(Icsp, &["n/a"]), None, "for icsp-alongside-idms"),
            (never(of(Idms, &["n/a"])), None, "for conflicting-source-policy"),
            (of(Idms, &["quay.io/a", "m/a"]), None, "for mirror-order-conflict"),
            (of(Idms, &[]), None, "without a mirror there is nothing to merge"),
            (set(Idms, "there", &[("quay.io/a/b", &["n/a"])]), None, "another source"),
        ];
        for (there, expected, reason) in table {
            let found = findings("split-source", &Settings::default(), &[&there], None, &new);
            assert_eq!(found.first().map(|finding| finding.at_most), expected, "{reason}");
        }
        let icsps = [of(Icsp, &["n/a"]), set(Icsp, "new", &[("quay.io/a", &["m/a"])])];
        let found = findings("split-source", &Settings::default(), &[&icsps[0]], None, &icsps[1]);
        assert_eq!(found.len(), 1, "two ICSPs are merged as two IDMSs are");
    }

    #[test]
    fn the_entry_to_paste_has_every_mirror_in_the_merged_order() {
        let there = set(Idms, "there", &[("quay.io/a", &["b/a", "c/a"])]);
        let new = set(Idms, "new", &[("quay.io/a", &["a/a", "b/a"])]);
        let found = findings("split-source", &Settings::default(), &[&there], None, &new);
        let yaml = found[0].yaml.as_deref();
        assert_eq!(yaml, Some("  imageDigestMirrors:\n  - {source: quay.io/a, mirrors: [a/a, b/a, c/a]}\n"));
    }

    #[test]
    fn twice_in_one_set_is_told_at_the_second() {
        let new = set(Idms, "new", &[("quay.io/a", &["m/a"]), ("quay.io/a", &["n/a"])]);
        let found = findings("split-source", &Settings::default(), &[], None, &new);
        let paths: Vec<_> = found.iter().map(|finding| &*finding.path).collect();
        assert_eq!(paths, ["spec.imageDigestMirrors[1].source"]);
    }
}
