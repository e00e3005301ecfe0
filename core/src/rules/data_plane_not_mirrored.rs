//! A mirrored management cluster, and a hosted cluster whose own nodes do not know the mirror.

use super::{Check, DependsOn, Finding, Fix, HostedWrite, Level, Related, Rule, explicit::entry};
use crate::{
    hypershift::RELEASE_REPOSITORIES,
    node::{Places, places},
    objects::{
        MirrorSourcePolicy::AllowContactingSource,
        SetKind,
        grammar::is_valid_mirror,
        scope::{is_nested, names_registry},
    },
};

pub(super) const RULE: Rule = Rule {
    id: "data-plane-not-mirrored",
    level: Level::Warn,
    summary: "a HostedCluster whose imageContentSources do not cover the mirrored release images",
    page: include_str!("data_plane_not_mirrored.md"),
    check: Check::HostedCluster(check),
    depends_on: DependsOn::Objects,
    ..Rule::BASE
};

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    if write.new.metadata.deletion_timestamp.is_some() {
        return;
    }
    let missing = find_missing(write);
    if missing.is_empty() {
        return;
    }
    let (mut names, mut additions, mut entries, mut related) = (vec![], vec![], vec![], vec![]);
    for (repository, mirrored) in &missing {
        let name = repository.rsplit('/').next().unwrap_or_default();
        names.push(name);
        additions.push(format!("{name} ({})", mirrored.places.join(", ")));
        let mirrors = mirrored.places.iter().map(|mirror| mirror.as_str().into()).collect();
        entries.push(entry(repository, mirrors, AllowContactingSource, SetKind::Idms));
        related.extend(mirrored.entries.iter().map(|entry| Related::to_entry(entry, "source")));
    }
    findings.push(Finding {
        effect: "the nodes of the hosted cluster pull from quay.io".to_owned(),
        fix: Fix::changing_pulls(format!("add mirrors for {}", additions.join(" and "))).append(
            write.new.id(),
            "spec.imageContentSources",
            &entries,
        ),
        related: related.into(),
        ..Finding::of_faults(
            "spec.imageContentSources",
            &names,
            format!("no source covers {}, which the management cluster mirrors", names.join(" or ")),
        )
    });
}

/// The release repositories that the management cluster mirrors and the HostedCluster does not, with their mirrors.
fn find_missing<'a>(write: &HostedWrite<'a>) -> Vec<(&'static str, Places<'a>)> {
    let sources = &write.new.spec.image_content_sources;
    let mut missing = Vec::new();
    for repository in RELEASE_REPOSITORIES {
        // The hosted nodes read registries.conf: a source covers everything below it.
        if sources.iter().any(|entry| entry.is_effective() && is_nested(repository, &entry.source)) {
            continue;
        }
        let mirrored = places(write.cluster(), repository, |found| found.set.kind.is_digest());
        let Some(mut mirrored) = mirrored else { continue };
        // An ICSP may have mirrors that the IDMS of the hosted cluster would not accept.
        mirrored.places.retain(|place| is_valid_mirror(place) && names_registry(place));
        // A source that is its only mirror redirects nothing.
        if mirrored.places.iter().any(|place| place != repository) {
            missing.push((repository, mirrored));
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::SetKind::{Icsp, Idms, Itms},
        rules::{
            hosted_testing::findings_in_hosted,
            testing::{assert_texts, set},
        },
    };

    #[test]
    fn each_repository_that_is_mirrored_for_the_management_cluster_alone_is_found() {
        let [release, art] = RELEASE_REPOSITORIES;
        let both =
            [set(Idms, "a", &[(release, &["m.lab/o/release"]), (art, &["m.lab/o/art", "n.lab/o/art"])])];
        let none = "";
        let only_release = "imageContentSources: [{source: quay.io/openshift-release-dev/ocp-release, mirrors: [m.lab/o/release]}]";
        let namespace = "imageContentSources: [{source: quay.io/openshift-release-dev, mirrors: [m.lab/o]}]";
        let wildcard =
            [set(Icsp, "i", &[("quay.io/openshift-release-dev", &["*.io/openshift-release-dev"])])];
        let table: [(&[_], &str, Option<&str>, &str); 6] = [
            (&wildcard, none, None, "no mirror that the hosted cluster would accept"),
            (&both, none, Some("ocp-release\nocp-v4.0-art-dev"), "none is covered"),
            (&both, only_release, Some("ocp-v4.0-art-dev"), "one is covered"),
            (&both, namespace, None, "a namespace covers both"),
            (&[], none, None, "the management cluster mirrors nothing"),
            (&[set(Itms, "t", &[("quay.io", &["m.lab"])])], none, None, "releases are pulled by digest"),
        ];
        let mut all = Vec::new();
        for (sets, spec, expected, reason) in table {
            let found = findings_in_hosted(RULE.id, "quay.io/r:4.18.1", "", spec, sets);
            let found_at = found.first().map(|finding| (&*finding.path, &*finding.key));
            assert_eq!(found_at, expected.map(|key| ("spec.imageContentSources", key)), "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
