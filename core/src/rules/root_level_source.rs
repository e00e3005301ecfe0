//! A source that leads the nodes to the release images, but not HyperShift.

use super::{
    Check, Finding, Level, Related, Rule, SetWrite,
    astray::{astray, eras_of, hosted_in, told},
    finding::some_hosted,
    paste::{entry_yaml, list_yaml},
};
use crate::{
    context::EntryRef,
    hypershift::{Era, RELEASE_REPOSITORIES, Releases},
    node::{Places, places},
};

pub(super) const RULE: Rule = Rule {
    id: "root-level-source",
    level: Level::Warn,
    summary: "a registry or namespace as source where HyperShift needs the release repositories written out",
    page: include_str!("root_level_source.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set().filter(|set| set.kind.is_digest()) else { return };
    for repository in RELEASE_REPOSITORIES {
        let found = places(write.cluster.after, repository, |found| found.set.kind.is_digest());
        let Some(found) = found.filter(|found| found.source != repository) else { continue };
        let Some(own) = found.entries.iter().find(|own| std::ptr::eq(own.set, set)) else { continue };
        findings.extend(covered_only(write, own, repository, &found));
    }
}

fn covered_only(
    write: &SetWrite<'_>,
    own: &EntryRef<'_>,
    repository: &str,
    found: &Places<'_>,
) -> Option<Finding> {
    let set = own.set;
    let source = found.source;
    let lists = found.entries.iter().flat_map(|entry| &*entry.entry().mirrors);
    let mut astray = astray(&Era::of(&Releases::default()), repository, source, &lists.collect::<Vec<_>>());
    let eras: Vec<_> = astray.iter().map(|one| one.era).collect();
    let hosted = hosted_in(write, &eras);
    // Hosted clusters add their releases to those of the configuration; where that has none, all count.
    let meant = Era::of(&write.settings.releases);
    let told_of: Vec<Vec<Era>> =
        hosted.iter().map(|hosted| eras_of(hosted, write.settings)).chain([meant]).collect();
    astray.retain(|one| told_of.iter().any(|eras| eras.contains(&one.era)));
    if astray.is_empty() {
        return None;
    }
    let yaml = entry_yaml(repository, &found.places);
    let others = found.entries.iter().filter(|entry| !std::ptr::eq(entry.set, set));
    let last = repository.rsplit('/').next().unwrap_or_default();
    let whose = if hosted.is_empty() { String::new() } else { format!(" of {}", some_hosted(&hosted)) };
    let hit = hosted.iter().map(|hosted| Related::to_hosted(hosted, "spec.release.image"));
    Some(Finding {
        related: others.map(|entry| Related::to_entry(entry, "source")).chain(hit).collect(),
        key: format!("{source} {repository}"),
        yaml: Some(list_yaml(set.kind.list_field(), std::slice::from_ref(&yaml))),
        ..Finding::new(
            set.field_path(own.index, "source"),
            format!("\"{source}\" leads nodes, but not HyperShift, to {last}{whose}"),
            &told(&astray),
            format!("add {yaml}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::SetKind::Idms,
        rules::testing::{for_releases, found_in, hosted, set},
    };

    const BOTH: &str = "up to 4.16 it asks the original, later m.lab/c/ocp-release";

    #[test]
    fn it_says_for_which_releases_it_holds() {
        type Case<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, &'a str);
        let up_to = "up to 4.16 it asks the original";
        let later = "from 4.17 on it asks m.lab/c/ocp-release";
        let table: [Case<'_>; 11] = [
            ("quay.io/openshift-release-dev", "m.lab/b/c", "", Some(BOTH), "a part of the path is lost"),
            ("quay.io/openshift-release-dev", "m.lab/b/c", "4.14 4.16", Some(up_to), "the early ones"),
            ("quay.io/openshift-release-dev", "m.lab/b/c", "4.18", Some(later), "the later ones"),
            ("quay.io/openshift-release-dev", "m.lab/b/c", "4.16 4.18", Some(BOTH), "some of both"),
            ("quay.io/openshift-release-dev", "m.lab/c", "", Some(up_to), "later it leads to the same place"),
            ("quay.io/openshift-release-dev", "m.lab/c", "4.18", None, "and only that is asked about"),
            ("quay.io", "m.lab/b/c", "4.18", None, "a registry keeps the whole path"),
            ("quay.io", "m.lab/b/c", "4.16", Some(up_to), "but not early"),
            ("*.io", "m.lab/c", "4.18", Some("from 4.17 on it asks the original"), "no wildcard is read"),
            ("*.io", "m.lab/c", "", Some("it asks the original"), "in no release"),
            ("quay.io/openshift-release-dev/ocp-release", "m.lab/b/c", "", None, "written out"),
        ];
        for (source, mirror, releases, expected, reason) in table {
            let own = set(Idms, "own", &[(source, &[mirror]), (RELEASE_REPOSITORIES[1], &["m.lab/a/b"])]);
            let found = found_in(RULE.id, &own, None, &for_releases(releases));
            let effects: Vec<_> = found.iter().map(|finding| finding.effect.clone()).collect();
            assert_eq!(effects, Vec::from_iter(expected), "{reason}");
        }
    }

    #[test]
    fn only_a_source_over_the_release_repositories_is_found() {
        let table = [
            ("docker.io", 0, "another registry"),
            ("registry.redhat.io", 0, "the registry of the operators"),
            ("*.redhat.io", 0, "and every other of that domain"),
            ("quay.io/other", 0, "another namespace"),
            ("quay.io", 2, "the registry of the release"),
        ];
        for (source, expected, reason) in table {
            let found = found_in(RULE.id, &set(Idms, "own", &[(source, &["m.lab"])]), [], &for_releases(""));
            assert_eq!(found.len(), expected, "{reason}");
        }
    }

    #[test]
    fn the_hosted_clusters_that_are_hit_are_named() {
        let image = |release: &str| format!("quay.io/openshift-release-dev/ocp-release:{release}.1-x86_64");
        let clusters = || {
            [("a", "4.14"), ("b", "4.16"), ("c", "4.18")]
                .map(|(name, release)| hosted(name, &image(release), ""))
        };
        let wide = set(Idms, "own", &[("quay.io/openshift-release-dev", &["m.lab/c"])]);
        for (releases, reason) in [("", "no release is named"), ("4.18", "a cluster tells of its own")] {
            let found = found_in(RULE.id, &wide, clusters(), &for_releases(releases));
            let [first, _second] = found.try_into().unwrap();
            assert!(
                first.what.ends_with("to ocp-release of clusters/a and 1 more"),
                "{reason}: {}",
                first.what
            );
            let names: Vec<_> = first.related.iter().map(|related| related.object.to_string()).collect();
            assert_eq!(names, ["HostedCluster/clusters/a", "HostedCluster/clusters/b"], "{reason}");
        }
    }
}
