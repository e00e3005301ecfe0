//! An entry whose source and mirror look exchanged.

use super::{Check, DependsOn, Finding, Level, Rule, SetWrite};
use crate::{
    context::{View, ViewRegistries, mirror_hosts},
    objects::{Entry, MirrorSet, SetKind, scope::host},
};

pub(super) const RULE: Rule = Rule {
    id: "swapped-source",
    level: Level::Warn,
    summary: "an entry whose source lies on the registry that is the mirror everywhere else",
    page: include_str!("swapped_source.md"),
    check: Check::Entries(check),
    depends_on: DependsOn::Entries,
    ..Rule::BASE
};

/// Registries that images are published in.
const PUBLIC: [&str; 8] = [
    "docker.io",
    "gcr.io",
    "ghcr.io",
    "quay.io",
    "registry.access.redhat.com",
    "registry.connect.redhat.com",
    "registry.k8s.io",
    "registry.redhat.io",
];

/// How many other entries must have the mirror: one alone is no pattern.
const MIN_OTHERS: usize = 2;

/// How many entries may have the same exchanged source: one of each kind.
const MAX_TWINS: usize = SetKind::ALL.len();

/// How many entries with the mirror there must be for each one with its source there, if these have several sources.
const MAJORITY: usize = 2;

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let view = write.cluster.after;
    let registries = view.registries();
    for (index, entry) in set.usable_entries() {
        if let Some(mirror) = find_swapped(view, &registries, entry) {
            findings.push(finding(set, index, mirror));
        }
    }
}

/// Whether source and mirror of an entry look exchanged: then no fix of another rule should repeat them.
pub(super) fn is_swapped(view: View<'_>, registries: &ViewRegistries<'_>, entry: &Entry) -> bool {
    entry.is_usable() && find_swapped(view, registries, entry).is_some()
}

/// The mirror that should be the source: it lies where the images of other entries come from, and the source lies where
/// every entry with its source elsewhere has a mirror.
fn find_swapped<'e>(view: View<'_>, registries: &ViewRegistries<'_>, entry: &'e Entry) -> Option<&'e str> {
    let own = host(&entry.source);
    let exchanged = registries.sources_on(own);
    let others = registries.entries() - exchanged;
    let is_mirror_elsewhere = others >= MIN_OTHERS && registries.mirrors_on(own) == others;
    if !is_mirror_elsewhere || mirror_hosts(entry).contains(&own) {
        return None;
    }
    let is_minority = exchanged * MAJORITY <= others;
    let are_alike = || exchanged <= MAX_TWINS && are_swapped_alike(view, &entry.source, exchanged);
    if !is_minority && !are_alike() {
        return None;
    }
    let mut mirrors = entry.real_mirrors().map(|(_, mirror)| mirror);
    mirrors.find(|mirror| registries.sources_on(host(mirror)) > 0 || PUBLIC.contains(&host(mirror)))
}

/// Whether all sources on the registry are this one, and none of its entries has a mirror there.
fn are_swapped_alike(view: View<'_>, source: &str, sources_on_registry: usize) -> bool {
    let twins = view.entries(source).map(|found| found.entry()).filter(|entry| entry.is_usable());
    twins.filter(|twin| !mirror_hosts(twin).contains(&host(source))).count() == sources_on_registry
}

fn finding(set: &MirrorSet, index: usize, mirror: &str) -> Finding {
    let source = &*set.entries[index].source;
    Finding {
        effect: format!(
            "nodes look in {} for images of {}, and images of {mirror} are not mirrored here",
            host(mirror),
            host(source)
        ),
        fix: format!("exchange source and mirror: {{source: {mirror}, mirrors: [{source}]}}").into(),
        ..Finding::new(
            set.field_path(index, "source"),
            format!("{source} {mirror}"),
            format!("source \"{source}\" lies on {}, which is the mirror of the other entries", host(source)),
        )
    }
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
    fn the_pattern_is_that_of_the_whole_cluster() {
        let swapped: &[(&str, &[&str])] = &[("m.lab/o", &["quay.io/o"])];
        let two = set(Idms, "two", &[("quay.io/a", &["m.lab/a"]), ("r.io/u", &["m.lab/u"])]);
        let one = set(Idms, "one", &[("quay.io/a", &["m.lab/a"])]);
        let elsewhere = set(Idms, "elsewhere", &[("docker.io", &["hub.lab"])]);
        let broken = set(Idms, "broken", &[("docker.io", &["hub/x"]), ("r/u", &["n.lab"])]);
        let other = set(Idms, "other", &[("m.lab/p", &["quay.io/p"])]);
        let within = set(Idms, "within", &[("m.lab/x", &["m.lab/y"])]);
        let three = set(
            Idms,
            "three",
            &[("quay.io/a", &["m.lab/a"]), ("r.io/u", &["m.lab/u"]), ("r.io/v", &["m.lab/v"])],
        );
        let table: [(&[&MirrorSet], _, bool, &str); 9] = [
            (&[&two], set(Idms, "new", swapped), true, "the pattern is in another set"),
            (&[&two], set(Itms, "new", swapped), true, "of another kind"),
            (
                &[&two, &set(Idms, "twin", swapped)],
                set(Itms, "new", swapped),
                true,
                "the same mistake for tags",
            ),
            (&[&two, &other], set(Idms, "new", swapped), false, "another source on the mirror"),
            (&[&two, &elsewhere], set(Idms, "new", swapped), false, "an entry with another mirror"),
            (&[&two, &broken], set(Idms, "new", swapped), true, "entries that nodes cannot pull with"),
            (&[&two, &three, &within], set(Idms, "new", swapped), true, "an entry within the mirror"),
            (
                &[&three, &elsewhere, &within],
                set(Idms, "new", swapped),
                false,
                "an entry within the mirror does not stand for one with another mirror",
            ),
            (&[&one], set(Idms, "new", swapped), false, "one entry is no pattern"),
        ];
        for (others, new, expected, reason) in table {
            let found = findings(RULE.id, &Settings::default(), others, None, &new);
            assert_eq!(!found.is_empty(), expected, "{reason}");
        }
    }

    #[test]
    fn only_an_entry_against_the_pattern_of_its_set_is_found() {
        type Source<'a> = (&'a str, &'a [&'a str]);
        let two: [Source<'_>; 2] = [("quay.io/a", &["m.lab/a"]), ("r.io/u", &["n.lab/u", "m.lab/u"])];
        let table: [(&[Source<'_>], Source<'_>, bool, &str); 6] = [
            (&two, ("m.lab/o", &["quay.io/o"]), true, "the mirror is a source elsewhere"),
            (&two, ("m.lab/o", &["registry.redhat.io/o"]), true, "a public registry"),
            (&two, ("m.lab/o", &["backup.lab/o"]), false, "a mirror of the mirror"),
            (&two, ("m.lab/o", &["m.lab/p"]), false, "another place on the mirror"),
            (&two, ("n.lab/o", &["quay.io/o"]), false, "the mirror of some entries only"),
            (&two[..1], ("m.lab/o", &["quay.io/o"]), false, "one entry is no pattern"),
        ];
        let mut all = Vec::new();
        for (others, own, expected, reason) in table {
            let new = set(Idms, "new", &[others, &[own]].concat());
            let found = findings(RULE.id, &Settings::default(), &[], None, &new);
            let paths: Vec<_> = found.iter().map(|finding| finding.path.clone()).collect();
            let path = format!("spec.imageDigestMirrors[{}].source", others.len());
            assert_eq!(paths, Vec::from_iter(expected.then_some(path)), "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }

    #[test]
    fn swapped_entries_are_compared_with_the_majority() {
        let right: [(&str, &[&str]); 4] = [
            ("quay.io/a", &["m.lab/a"]),
            ("quay.io/x", &["m.lab/x"]),
            ("quay.io/z", &["m.lab/z"]),
            ("quay.io/w", &["m.lab/w"]),
        ];
        let swapped: [(&str, &[&str]); 2] = [("m.lab/b", &["quay.io/b"]), ("m.lab/c", &["quay.io/c"])];
        for (count, expected, reason) in
            [(4, &["m.lab/b quay.io/b", "m.lab/c quay.io/c"][..], "two of six"), (3, &[], "two of five")]
        {
            let new = set(Idms, "new", &[&right[..count], &swapped].concat());
            let found = findings(RULE.id, &Settings::default(), &[], None, &new);
            let keys: Vec<_> = found.iter().map(|finding| &*finding.key).collect();
            assert_eq!(keys, expected, "{reason}");
            let half = findings("half-blocked-source", &Settings::default(), &[], None, &never(new));
            assert_eq!(half[0].fix.is_applicable(), expected.is_empty(), "{reason}");
        }
    }
}
