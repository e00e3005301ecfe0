//! An entry whose source and mirror look exchanged.

use std::collections::{BTreeSet, HashMap};

use super::{Check, Finding, Level, Rule, SetWrite};
use crate::objects::{Entry, MirrorSet, scope::host};

pub(super) const RULE: Rule = Rule {
    id: "swapped-source",
    level: Level::Warn,
    summary: "an entry whose source lies on the registry that is the mirror everywhere else",
    page: include_str!("swapped_source.md"),
    check: Check::MirrorSet(check),
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

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let hosts = Hosts::of(set);
    for (index, entry) in set.effective_entries() {
        if let Some(mirror) = hosts.swapped_with(entry) {
            findings.push(finding(set, index, mirror));
        }
    }
}

/// How many entries of a set have a source, and how many a mirror, on each host.
struct Hosts<'a> {
    entries: usize,
    sources: HashMap<&'a str, usize>,
    mirrors: HashMap<&'a str, usize>,
}

impl<'a> Hosts<'a> {
    fn of(set: &'a MirrorSet) -> Self {
        let mut hosts = Self { entries: 0, sources: HashMap::new(), mirrors: HashMap::new() };
        for (_, entry) in set.effective_entries() {
            hosts.entries += 1;
            *hosts.sources.entry(host(&entry.source)).or_default() += 1;
            for mirror in mirror_hosts(entry) {
                *hosts.mirrors.entry(mirror).or_default() += 1;
            }
        }
        hosts
    }

    /// The mirror that should be the source: it lies where the images of other entries come from, and the source where
    /// all other entries have their mirror. The entry is one of those that were counted.
    fn swapped_with<'e>(&self, entry: &'e Entry) -> Option<&'e str> {
        let (own, others) = (host(&entry.source), self.entries - 1);
        let is_mirror_elsewhere = self.mirrors.get(own) == Some(&others) && self.sources.get(own) == Some(&1);
        if others < MIN_OTHERS || !is_mirror_elsewhere || mirror_hosts(entry).contains(own) {
            return None;
        }
        let mut mirrors = entry.real_mirrors().map(|(_, mirror)| mirror);
        mirrors.find(|mirror| self.sources.contains_key(host(mirror)) || PUBLIC.contains(&host(mirror)))
    }
}

fn mirror_hosts(entry: &Entry) -> BTreeSet<&str> {
    entry.real_mirrors().map(|(_, mirror)| host(mirror)).collect()
}

fn finding(set: &MirrorSet, index: usize, mirror: &str) -> Finding {
    let source = &*set.entries[index].source;
    Finding {
        effect: format!(
            "nodes look in {} for images of {}, and images of {} are not mirrored",
            host(mirror),
            host(source),
            host(mirror)
        ),
        fix: format!("exchange source and mirror: {{source: {mirror}, mirrors: [{source}]}}").into(),
        ..Finding::new(
            set.field_path(index, "source"),
            format!("{source} {mirror}"),
            format!("source \"{source}\" lies on {}, which is the mirror in every other entry", host(source)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::SetKind::Idms,
        rules::{
            Settings,
            testing::{assert_texts, findings, set},
        },
    };

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
}
