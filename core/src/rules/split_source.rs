//! One source in several entries, whose mirrors are merged.

use super::{
    Check, Finding, Level, Related, Rule, SetWrite, SharedSource,
    finding::some_names,
    mirror_order_conflict::{ORDER_UNSPECIFIED, contradicted, in_order},
    paste::{entry_yaml, list_yaml},
};
use crate::{context::EntryRef, node::merge, objects::SetKind};

pub(super) const RULE: Rule = Rule {
    id: "split-source",
    level: Level::Warn,
    summary: "one source in several objects, or twice in one object",
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
    let mut others = shared.merged_with();
    if !contradicted(own, &others).is_empty() {
        return None;
    }
    others.retain(|other| is_alike(own, *other));
    if others.is_empty() {
        return None;
    }
    let source = &entry.source;
    let elsewhere: Vec<_> = others.iter().filter(|other| !std::ptr::eq(other.set, set)).collect();
    let place = if elsewhere.is_empty() {
        "an earlier entry".to_owned()
    } else {
        some_names(elsewhere.iter().map(|other| other.set.id()))
    };
    let entries: Vec<_> = std::iter::once(own).chain(others.iter().copied()).collect();
    let lists: Vec<_> = entries.iter().map(|entry| &*entry.entry().mirrors).collect();
    let merged = merge(source, &lists);
    let have_same_mirrors = others.iter().all(|other| other.entry().mirrors == entry.mirrors);
    let (at_most, fix) = if have_same_mirrors {
        (Level::Warn, "keep the source in only one entry")
    } else {
        (Level::Deny, "put all mirrors into one entry, in the order to try")
    };
    let effect = if have_same_mirrors || (!merged.contradictory && is_only_order(&merged.mirrors, &entries)) {
        "if the source is removed here, the mirrors there stay in effect"
    } else {
        ORDER_UNSPECIFIED
    };
    let yaml = entry_yaml(source, &merged.mirrors);
    let path = set.field_path(own.index, "source");
    let key = format!("{source} {}", entry.mirrors.join(" "));
    Some(Finding {
        at_most,
        effect: effect.to_owned(),
        fix: fix.to_owned(),
        yaml: Some(list_yaml(set.kind.list_field(), &[yaml])),
        related: others.iter().map(|other| Related::to_entry(other, "source")).collect(),
        ..Finding::new(path, key, format!("source \"{source}\" is also in {place}"))
    })
}

/// Whether the entries leave no other order of their mirrors: each mirror directly precedes the next in some entry.
fn is_only_order(mirrors: &[&str], entries: &[EntryRef<'_>]) -> bool {
    let lists: Vec<_> = entries.iter().map(|entry| in_order(*entry)).collect();
    mirrors.windows(2).all(|pair| lists.iter().any(|list| list.windows(2).any(|own| own == pair)))
}

/// Whether this rule reports two entries of one source: other rules report an ICSP next to an IDMS, and two
/// policies for one source.
fn is_alike(own: EntryRef<'_>, other: EntryRef<'_>) -> bool {
    (other.set.kind == SetKind::Icsp) == (own.set.kind == SetKind::Icsp)
        && other.entry().policy() == own.entry().policy()
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

    /// A set with the source that every set has here.
    fn of(kind: SetKind, name: &str, mirrors: &[&str]) -> MirrorSet {
        set(kind, name, &[("quay.io/a", mirrors)])
    }

    fn find(others: &[&MirrorSet], new: &MirrorSet) -> Vec<Finding> {
        findings(RULE.id, &Settings::default(), others, None, new)
    }

    #[test]
    fn one_source_is_reported_where_its_mirrors_are_merged_and_no_other_rule_reports_it() {
        let new = of(Idms, "new", &["m/a"]);
        let table = [
            (of(Idms, "there", &["n/a"]), Some(Level::Deny), "another mirror"),
            (of(Idms, "there", &["m/a", "n/a"]), Some(Level::Deny), "another mirror, in the only order"),
            (of(Idms, "there", &["m/a"]), Some(Level::Warn), "the same mirror: one may be forgotten"),
            (of(Itms, "there", &["m/a"]), None, "an IDMS and an ITMS are the normal pair"),
            (of(Icsp, "there", &["n/a"]), None, "for icsp-alongside-idms"),
            (never(of(Idms, "there", &["n/a"])), None, "for conflicting-source-policy"),
            (of(Idms, "there", &["quay.io/a", "m/a"]), None, "for mirror-order-conflict"),
            (of(Idms, "there", &[]), None, "without a mirror there is nothing to merge"),
            (set(Idms, "there", &[("quay.io/a/b", &["n/a"])]), None, "another source"),
        ];
        let mut all = Vec::new();
        for (there, expected, reason) in table {
            let found = find(&[&there], &new);
            assert_eq!(found.first().map(|finding| finding.at_most), expected, "{reason}");
            all.extend(found);
        }
        let icsps = find(&[&of(Icsp, "there", &["n/a"])], &of(Icsp, "new", &["m/a"]));
        assert_eq!(icsps.len(), 1, "two ICSPs are merged as two IDMSs are");
        all.extend(icsps);
        all.extend(find(&[], &set(Idms, "new", &[("quay.io/a", &["m/a"]), ("quay.io/a", &["n/a"])])));
        assert_texts(RULE.id, &all);
    }

    #[test]
    fn the_entry_to_paste_has_every_mirror_in_the_merged_order() {
        let found = find(&[&of(Idms, "there", &["b/a", "c/a"])], &of(Idms, "new", &["a/a", "b/a"]));
        let yaml = found[0].yaml.as_deref();
        assert_eq!(yaml, Some("  imageDigestMirrors:\n  - {source: quay.io/a, mirrors: [a/a, b/a, c/a]}\n"));
    }

    #[test]
    fn a_source_that_is_twice_in_one_set_is_reported_at_the_second() {
        let new = set(Idms, "new", &[("quay.io/a", &["m/a"]), ("quay.io/a", &["n/a"])]);
        let found = find(&[], &new);
        let paths: Vec<_> = found.iter().map(|finding| &*finding.path).collect();
        assert_eq!(paths, ["spec.imageDigestMirrors[1].source"]);
    }
}
