//! A source that is blocked for one kind of pull, and has no mirror for it.

use std::collections::HashSet;

use super::{
    Check, DependsOn, Finding, Fix, Level, Rule, SetWrite,
    conflicting_source_policy::conflicting_sources,
    explicit::{for_other_pulls, free_name},
    finding::some_sources,
    shared::Covering,
    swapped_source::is_swapped,
    tag_pull_not_mirrored,
};
use crate::{
    context::View,
    node::Rendering,
    objects::{
        Entry, MirrorSet,
        MirrorSourcePolicy::NeverContactSource,
        Pull, SetKind,
        scope::{is_nested, is_wildcard},
    },
};

pub(super) const RULE: Rule = Rule {
    id: "half-blocked-source",
    level: Level::Warn,
    summary: "NeverContactSource with mirrors for digest pulls or tag pulls only: the other pulls fail",
    page: include_str!("half_blocked_source.md"),
    check: Check::MirrorSet(check),
    depends_on: DependsOn::Entries,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let view = write.cluster.after;
    let other = other_pull(set);
    // Nothing renders before its policies agree, and until then it is open which of them the source is to have.
    let conflicting = conflicting_sources(write);
    let mut covering = Covering::new(view, |found| found.set.kind.pull() == other);
    // A source that is in several entries of the set is reported once.
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    for (index, entry) in set.usable_entries() {
        if entry.policy() == NeverContactSource
            && seen.insert(&*entry.source)
            && !conflicting.contains(&*entry.source)
            // Pulls of the other kind are served, or a broader source has mirrors for them: then it is for
            // shadowed-source.
            && !covering.covers(&entry.source)
            && !tag_pull_not_mirrored::is_reported(view, set, &entry.source)
        {
            found.push((index, entry));
        }
    }
    for found in write.apart_from_open(found, |(_, entry)| &entry.source) {
        findings.extend(finding(view, set, &found));
    }
}

/// The pulls that a set does not serve.
fn other_pull(set: &MirrorSet) -> Pull {
    match set.kind.pull() {
        Pull::Digest => Pull::Tag,
        Pull::Tag => Pull::Digest,
    }
}

/// One finding for all entries of a set, so that its fix is one object.
fn finding(view: View<'_>, set: &MirrorSet, found: &[(usize, &Entry)]) -> Option<Finding> {
    let (first, _) = found.first()?;
    let pull = other_pull(set);
    let sources: Vec<_> = found.iter().map(|(_, entry)| &*entry.source).collect();
    let what = if let [source] = &*sources {
        format!("source \"{source}\" has NeverContactSource, but no mirror for {pull} pulls")
    } else {
        format!("{} have NeverContactSource, but no mirror for {pull} pulls", some_sources(&sources))
    };
    let their = if sources.len() == 1 { "its" } else { "their" };
    Some(Finding {
        effect: format!("{pull} pulls of {their} images try nothing, and fail"),
        fix: fix(view, set, found),
        ..Finding::of_faults(set.field_path(*first, "mirrorSourcePolicy"), sources, what)
    })
}

fn fix(view: View<'_>, set: &MirrorSet, found: &[(usize, &Entry)]) -> Fix {
    let (kind, ending) = match other_pull(set) {
        Pull::Digest => (SetKind::Idms, "digests"),
        Pull::Tag => (SetKind::Itms, "tags"),
    };
    let plural = if found.len() == 1 { "" } else { "s" };
    let title = format!("add an {} with the same source{plural} and mirrors", kind.name());
    let registries = view.registries();
    if let Some((_, swapped)) = found.iter().find(|(_, entry)| is_swapped(view, &registries, entry)) {
        return format!("first exchange source and mirror of \"{}\"; then {title}", swapped.source).into();
    }
    let name = free_name(view, kind, &set.name, ending);
    let entries = found.iter().map(|(_, entry)| for_other_pulls(view, entry, set.kind.pull()));
    let added = MirrorSet::new(kind, &name, entries.collect());
    // The question of `is_beside_icsp`, for many entries.
    let mut icsps = Covering::new(view, |found| found.set.kind == SetKind::Icsp);
    let is_unsafe =
        |entry: &Entry| icsps.covers(&entry.source) || (is_wildcard(&entry.source) && is_trap(view, entry));
    if added.entries.iter().any(is_unsafe) {
        return title.into();
    }
    Fix::safe(title).create(added)
}

/// Whether a new entry for a wildcard would do more than give pulls its mirrors.
fn is_trap(view: View<'_>, entry: &Entry) -> bool {
    // Of a wildcard only the host is replaced: `quay.io` as a mirror of `*.io` leads the images of quay.io to
    // themselves, and opens what is blocked.
    let leads_back = entry.mirrors.iter().any(|mirror| is_nested(mirror, &entry.source));
    // A scope that image.config lists inherits mirrors from the first source over it in the file, which the new entry
    // may become. Nothing can inherit from a wildcard: nothing would render.
    let rendering = Rendering::new(view);
    leads_back || rendering.listed().into_iter().any(|scope| is_nested(scope, &entry.source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::SetKind::{Idms, Itms},
        rules::{
            Settings,
            testing::{assert_texts, findings, never, set},
        },
    };

    #[test]
    fn the_other_pulls_of_a_blocked_source_need_a_mirror() {
        let hub = |kind, name| set(kind, name, &[("docker.io", &["m.lab/hub"])]);
        let digests = Some("spec.imageDigestMirrors[0].mirrorSourcePolicy");
        let wide = never(set(Itms, "wide", &[("docker.io", &["m.lab/hub"])]));
        let narrow = never(set(Idms, "new", &[("docker.io/library", &["m.lab/library"])]));
        let table = [
            (never(hub(Idms, "new")), vec![], digests, "tag pulls try nothing"),
            (
                never(hub(Itms, "new")),
                vec![],
                Some("spec.imageTagMirrors[0].mirrorSourcePolicy"),
                "digest pulls",
            ),
            (hub(Idms, "new"), vec![], None, "tag pulls go to the source"),
            (never(hub(Idms, "new")), vec![never(hub(Itms, "t"))], None, "both have a mirror"),
            (never(hub(Idms, "new")), vec![hub(Idms, "open")], None, "for conflicting-source-policy"),
            (never(hub(Idms, "new")), vec![never(hub(Idms, "same"))], digests, "the policies agree"),
            (narrow, vec![wide], None, "for shadowed-source"),
        ];
        let mut all = Vec::new();
        for (new, others, expected, reason) in table {
            let others: Vec<_> = others.iter().collect();
            let found = findings(RULE.id, &Settings::default(), &others, None, &new);
            assert_eq!(found.first().map(|finding| &*finding.path), expected, "{reason}");
            all.extend(found);
        }
        let two = never(set(Idms, "new", &[("docker.io", &["m.lab/hub"]), ("quay.io/a", &["m.lab/a"])]));
        all.extend(findings(RULE.id, &Settings::default(), &[], None, &two));
        assert_texts(RULE.id, &all);
    }

    #[test]
    fn a_wildcard_is_not_opened_by_its_own_mirror() {
        let table: [(&str, &[&str], bool, &str); 3] = [
            ("*.lab", &["m.io"], true, "the mirrors are elsewhere"),
            ("*.lab", &["m.io", "m.lab"], false, "images of m.lab would be pulled from there"),
            ("q.lab", &["q.lab/m"], true, "below the source, but not its own images"),
        ];
        for (source, mirrors, expected, reason) in table {
            let new = never(set(Idms, "new", &[(source, mirrors)]));
            let found = findings(RULE.id, &Settings::default(), &[], None, &new);
            let [finding] = &*found else { panic!("{reason}: {found:?}") };
            assert_eq!(finding.fix.is_applicable(), expected, "{reason}");
        }
    }

    #[test]
    fn the_fix_is_one_object_with_a_free_name() {
        let digests = never(set(Idms, "new", &[("docker.io", &["m.lab/hub"]), ("quay.io/a", &["m.lab/a"])]));
        let taken = set(Itms, "new-tags", &[("r.io/a", &["m.lab/r"])]);
        let found = findings(RULE.id, &Settings::default(), &[&taken], None, &digests);
        let [finding] = &*found else { panic!("{found:?}") };
        let expected = MirrorSet::new(Itms, "new-tags-1", digests.entries.clone());
        assert_eq!(finding.fix.objects, [expected]);
    }

    #[test]
    fn the_fix_has_the_mirrors_that_nodes_try() {
        let split = never(set(Idms, "new", &[("quay.io/a", &["m.lab/a"]), ("quay.io/a", &["m.lab/b"])]));
        let found = findings(RULE.id, &Settings::default(), &[], None, &split);
        let [finding] = &*found else { panic!("{found:?}") };
        let expected = never(set(Itms, "new-tags", &[("quay.io/a", &["m.lab/a", "m.lab/b"])]));
        assert_eq!(finding.fix.objects, [expected]);
    }
}
