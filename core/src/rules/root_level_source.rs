//! A registry or namespace that redirects nodes, but not HyperShift, for the release images.

use super::{
    Check, DependsOn, Finding, Level, Related, Rule, SetWrite,
    astray::{Astray, astray, describe_lookups, eras_in_use, hosted_in},
    explicit::add_explicit,
    finding::some_hosted,
    shared::offers_fix_of,
};
use crate::{
    context::EntryRef,
    hypershift::RELEASE_REPOSITORIES,
    node::{Places, places},
    objects::HostedCluster,
};

pub(super) const RULE: Rule = Rule {
    id: "root-level-source",
    level: Level::Warn,
    summary: "a registry or namespace as a source, where HyperShift requires the release repositories",
    page: include_str!("root_level_source.md"),
    check: Check::MirrorSet(check),
    depends_on: DependsOn::Entries,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set().filter(|set| set.kind.is_digest()) else { return };
    for repository in RELEASE_REPOSITORIES {
        let found = places(write.cluster.after, repository, |found| found.set.kind.is_digest());
        let Some(mut found) = found.filter(|found| found.source != repository && found.are_usable()) else {
            continue;
        };
        // Sorted, so that the first set is always the same, and the place that is named.
        found.entries.sort_by_key(EntryRef::order);
        // Reported for a set that has the source, and for no other: one explicit entry is enough for all of them.
        let first = found.entries[0];
        if !write.reports_for(first) {
            continue;
        }
        let Some(own) = found.entries.iter().find(|own| std::ptr::eq(own.set, set)) else { continue };
        let affected = Affected::find(write, repository, &found);
        if !affected.lookups.is_empty() {
            let fix = add_explicit(write.cluster.after, set, repository, &found.places);
            // Many sets that are written one after another do not all repeat the entry.
            let is_offered = offers_fix_of(set, first, found.entries.len());
            let fix = if is_offered { fix } else { fix.title.into() };
            findings.push(Finding { fix, ..finding(*own, repository, &found, &affected) });
        }
    }
}

/// What goes wrong in HyperShift, and where.
struct Affected<'a> {
    /// Where HyperShift looks, for each era in which that is not where nodes pull from.
    lookups: Vec<Astray>,
    hosted: Vec<&'a HostedCluster>,
}

impl<'a> Affected<'a> {
    fn find(write: &SetWrite<'a>, repository: &str, found: &Places<'_>) -> Self {
        let mirrors: Vec<_> = found.entries.iter().flat_map(|entry| &*entry.entry().mirrors).collect();
        let lookups = astray(&eras_in_use(write), repository, found.source, &mirrors);
        let eras: Vec<_> = lookups.iter().map(|lookup| lookup.era).collect();
        Self { hosted: hosted_in(write, &eras), lookups }
    }
}

fn finding(own: EntryRef<'_>, repository: &str, found: &Places<'_>, affected: &Affected<'_>) -> Finding {
    let EntryRef { set, index } = own;
    let source = found.source;
    let name = repository.rsplit('/').next().unwrap_or_default();
    let hosted = &affected.hosted;
    let users = if hosted.is_empty() { String::new() } else { format!(" (affects {})", some_hosted(hosted)) };
    let others = found.entries.iter().filter(|entry| !std::ptr::eq(entry.set, set));
    let others = others.map(|entry| Related::to_entry(entry, "source"));
    let hosted = hosted.iter().map(|hosted| Related::to_hosted(hosted, "spec.release.image"));
    let what = format!("HyperShift interprets source \"{source}\" differently from nodes for {name}{users}");
    Finding {
        effect: describe_lookups(&affected.lookups),
        related: others.chain(hosted).collect(),
        ..Finding::new(set.field_path(index, "source"), format!("{source} {repository}"), what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        hypershift::{Era, Redirect},
        objects::{
            ImageConfig, MirrorSet, Object,
            SetKind::{Icsp, Idms, Itms},
        },
        rules::{
            AsWritten, Settings, Views,
            testing::{assert_texts, findings, for_releases, found_in, hosted, review, set},
        },
        state::State,
        write::Operation,
    };

    const NAMESPACE: &str = "quay.io/openshift-release-dev";

    /// Where HyperShift looks for the release image in the affected eras; `None` is the image itself.
    fn find_lookups(own: &MirrorSet, settings: &Settings) -> Vec<(Era, Option<String>)> {
        let state: State = [Object::from(own.clone())].into_iter().collect();
        let view = state.context().view();
        let cluster = Views { before: view, after: view, others: view };
        let written = AsWritten { operation: Operation::Existing(own), before: view, after: view };
        let write = SetWrite::new(Operation::Existing(own), written, cluster, settings);
        let [release, _] = RELEASE_REPOSITORIES;
        let found = places(view, release, |found| found.set.kind.is_digest()).unwrap();
        let lookups = Affected::find(&write, release, &found).lookups.into_iter();
        let lookups = lookups.map(|lookup| match lookup.look {
            Redirect::None => (lookup.era, None),
            Redirect::To(location) => (lookup.era, Some(location)),
        });
        lookups.collect()
    }

    #[test]
    fn the_affected_releases_are_those_that_are_configured() {
        let early = (Era::Exact, None);
        let late = (Era::Prefix, Some("m.lab/c/ocp-release".to_owned()));
        let both = vec![early.clone(), late.clone()];
        let late_original = (Era::Prefix, None);
        let table = [
            ((NAMESPACE, "m.lab/b/c"), "", both.clone(), "a part of the path is lost"),
            ((NAMESPACE, "m.lab/b/c"), "4.14 4.16", vec![early.clone()], "the early ones"),
            ((NAMESPACE, "m.lab/b/c"), "4.18", vec![late], "the later ones"),
            ((NAMESPACE, "m.lab/b/c"), "4.16 4.18", both, "some of both"),
            ((NAMESPACE, "m.lab/c"), "", vec![early.clone()], "later, it resolves to the same location"),
            ((NAMESPACE, "m.lab/c"), "4.18", vec![], "and only that is configured"),
            (("quay.io", "m.lab/b/c"), "4.18", vec![], "a registry keeps the whole path"),
            (("quay.io", "m.lab/b/c"), "4.16", vec![early.clone()], "but not early"),
            (("*.io", "m.lab/c"), "4.18", vec![late_original.clone()], "wildcards are not read"),
            (("*.io", "m.lab/c"), "", vec![early, late_original], "in no release"),
        ];
        let [_, components] = RELEASE_REPOSITORIES;
        let mut findings = Vec::new();
        for ((source, mirror), releases, expected, reason) in table {
            let own = set(Idms, "own", &[(source, &[mirror]), (components, &["m.lab/a/b"])]);
            let settings = for_releases(releases);
            assert_eq!(find_lookups(&own, &settings), expected, "{reason}");
            let found = found_in(RULE.id, &own, None, &settings);
            assert_eq!(found.is_empty(), expected.is_empty(), "{reason}");
            findings.extend(found);
        }
        findings.extend(found_in(RULE.id, &namespace_set(), clusters(), &for_releases("")));
        assert_texts(RULE.id, &findings);
    }

    #[test]
    fn only_a_source_over_the_release_repositories_is_found() {
        let [release, components] = RELEASE_REPOSITORIES;
        let table: [(&str, &[&str], &str); 6] = [
            ("docker.io", &[], "another registry"),
            ("registry.redhat.io", &[], "the registry of the operators"),
            ("*.redhat.io", &[], "and every other of that domain"),
            ("quay.io/other", &[], "another namespace"),
            (release, &[], "one of them itself"),
            ("quay.io", &[release, components], "the registry of the release"),
        ];
        for (source, repositories, reason) in table {
            let found = found_in(RULE.id, &set(Idms, "own", &[(source, &["m.lab"])]), [], &for_releases(""));
            let keys: Vec<_> = found.iter().map(|finding| &*finding.key).collect();
            let expected: Vec<_> = repositories.iter().map(|name| format!("{source} {name}")).collect();
            assert_eq!(keys, expected, "{reason}");
        }
    }

    #[test]
    fn of_existing_sets_with_one_source_the_first_reports_it() {
        let sets = ["a", "b"].map(|name| set(Idms, name, &[("quay.io", &[&*format!("{name}.lab")])]));
        let [a, b] = &sets;
        let related = |found: &[Finding]| -> Vec<String> {
            found.iter().flat_map(|finding| &finding.related).map(|one| one.object.to_string()).collect()
        };
        let first = found_in(RULE.id, a, [b.clone().into()], &for_releases(""));
        assert_eq!(related(&first), ["ImageDigestMirrorSet/b"; 2], "for each repository");
        assert_eq!(found_in(RULE.id, b, [a.clone().into()], &for_releases("")), []);
        let written = findings(RULE.id, &for_releases(""), &[a], None, b);
        assert_eq!(related(&written), ["ImageDigestMirrorSet/a"; 2], "a write reports for itself");
    }

    #[test]
    fn what_a_set_shared_before_an_update_is_lowered() {
        let [a, old] = ["a", "b"].map(|name| set(Idms, name, &[("quay.io", &["m.lab"])]));
        let new = set(Idms, "b", &[("quay.io", &["m.lab"]), ("r.io", &["m.lab/r"])]);
        let mut settings = for_releases("");
        settings.levels.insert(RULE.id.to_owned(), Level::Deny);
        let there: State = [a, old.clone()].into_iter().map(Object::from).collect();
        let update = review(&there, &settings, Operation::Update { old, new: new.clone() });
        assert!(update.is_allowed(), "it was so before: {update:?}");
        let alone: State = [Object::from(set(Idms, "b", &[]))].into_iter().collect();
        let update =
            review(&alone, &settings, Operation::Update { old: set(Idms, "b", &[]), new: new.clone() });
        assert!(!update.is_allowed(), "the source is new");
    }

    #[test]
    fn many_sets_with_one_source_are_answered_in_few_words() {
        let many = |name: &str| set(Idms, name, &[("quay.io", &[&*format!("{name}.lab/q")])]);
        let others: Vec<_> = (0..50).map(|at| many(&format!("s{at:02}"))).collect();
        let table = [("s99", 0, "the first set offers the entry"), ("a", 1, "it is the first")];
        for (name, changes, reason) in table {
            let there: Vec<_> = others.iter().collect();
            for finding in findings(RULE.id, &for_releases(""), &there, None, &many(name)) {
                assert_eq!((finding.related.len(), finding.related.more()), (10, 40), "{reason}");
                assert_eq!(finding.fix.changes.len(), changes, "{reason}");
                assert!(finding.fix.title.len() < 250, "{reason}: {}", finding.fix.title);
            }
        }
    }

    fn namespace_set() -> MirrorSet {
        set(Idms, "own", &[(NAMESPACE, &["m.lab/c"])])
    }

    /// HostedClusters a of 4.14, b of 4.16 and c of 4.18.
    fn clusters() -> [Object; 3] {
        [("a", "4.14"), ("b", "4.16"), ("c", "4.18")].map(|(name, release)| {
            hosted(name, &format!("quay.io/openshift-release-dev/ocp-release:{release}.1-x86_64"), "")
        })
    }

    #[test]
    fn the_affected_hosted_clusters_are_named() {
        for (releases, reason) in [("", "no release is configured"), ("4.18", "clusters add their own")] {
            let found = found_in(RULE.id, &namespace_set(), clusters(), &for_releases(releases));
            let [first, _second] = found.try_into().unwrap();
            let names: Vec<_> = first.related.iter().map(|related| related.object.to_string()).collect();
            assert_eq!(names, ["HostedCluster/clusters/a", "HostedCluster/clusters/b"], "{reason}");
        }
    }

    #[test]
    fn an_explicit_entry_keeps_the_mirrors_of_tag_pulls() {
        let own = set(Idms, "own", &[("quay.io", &["m.lab"])]);
        let tags = Object::from(set(Itms, "tags", &[("quay.io", &["t.lab"])]));
        let [release, components] = RELEASE_REPOSITORIES;
        let listed =
            ImageConfig { insecure_registries: vec![components.to_owned()], ..ImageConfig::default() };
        let found = found_in(RULE.id, &own, [tags, listed.into()], &for_releases(""));
        let reasons =
            ["not in the file, so quay.io decides", "in the file, where it inherits the tag mirrors"];
        for (finding, reason) in found.iter().zip(reasons) {
            let changed: Vec<_> = finding.fix.changes.iter().map(|(set, _)| set.to_string()).collect();
            let expected = ["ImageDigestMirrorSet/own", "ImageTagMirrorSet/tags"];
            assert_eq!(changed, expected, "{}: {reason}", finding.key);
        }
        let keys: Vec<_> = found.iter().map(|finding| &*finding.key).collect();
        assert_eq!(keys, [format!("quay.io {release}"), format!("quay.io {components}")]);
    }

    #[test]
    fn what_a_person_adds_keeps_the_mirrors_of_tag_pulls() {
        let own = set(Icsp, "own", &[("quay.io", &["m.lab"])]);
        let tags = |source| Object::from(set(Itms, "tags", &[(source, &["t.lab"])]));
        let table = [("quay.io", true, "an ITMS of the same source"), ("r.io", false, "of another source")];
        for (source, expected, reason) in table {
            let found = found_in(RULE.id, &own, [tags(source)], &for_releases(""));
            for (finding, repository) in found.iter().zip(RELEASE_REPOSITORIES) {
                let mirror = repository.replace("quay.io", "t.lab");
                let shown = [&*mirror, "ImageTagMirrorSet/tags"].map(|text| finding.fix.title.contains(text));
                assert_eq!(shown, [expected; 2], "{reason}: {}", finding.fix.title);
                // The webhook admits no more entries in an ICSP next to an ITMS.
                assert!(!finding.fix.is_applicable(), "{reason}");
            }
            assert_eq!(found.len(), 2, "{reason}");
        }
    }
}
