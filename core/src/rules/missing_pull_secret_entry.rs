//! A mirror that a pull secret has no credentials for.

use std::collections::BTreeMap;

use super::{
    Check, DependsOn, Finding, Found, Level, Related, Rule, Survey,
    mirrors::{self, Mirrors},
};
use crate::{
    inventory::PullSecret,
    objects::{HostedCluster, scope},
};

pub(super) const RULE: Rule = Rule {
    id: "missing-pull-secret-entry",
    level: Level::Warn,
    summary: "a pull secret has no credentials for a mirror",
    page: include_str!("missing_pull_secret_entry.md"),
    check: Check::Cluster(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

const PATH: &str = "data[.dockerconfigjson]";
/// Related fields to report for one host.
const MAX_RELATED: usize = 3;

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    let view = survey.state.context().view();
    for secret in &survey.inventory.pull_secrets {
        let is_of_nodes = (&*secret.namespace, &*secret.name) == PullSecret::OF_NODES;
        let mut pulled = if is_of_nodes { mirrors::of_nodes(view) } else { Mirrors::new() };
        // Several hosted clusters of a namespace may share a secret.
        for write in survey.hosted().filter(|write| is_pull_secret_of(secret, write.new)) {
            for (mirror, places) in mirrors::of_hosted(view, &write) {
                pulled.entry(mirror).or_default().extend(places);
            }
        }
        check_secret(secret, &pulled, found);
    }
}

fn is_pull_secret_of(secret: &PullSecret, hosted: &HostedCluster) -> bool {
    hosted.metadata.namespace == secret.namespace && hosted.spec.pull_secret.name == secret.name
}

/// Reports the hosts of the mirrors, `pulled`, that the secret has no entry for.
fn check_secret(secret: &PullSecret, pulled: &Mirrors<'_>, found: &mut Vec<Found>) {
    if secret.keys.is_none() {
        found.push(Found { object: secret.object(), finding: unreadable() });
        return;
    }
    let mut missing: BTreeMap<&str, Vec<&Related>> = BTreeMap::new();
    for (mirror, places) in pulled.iter().filter(|(mirror, _)| !secret.has_entry_for(mirror)) {
        missing.entry(scope::host(mirror)).or_default().extend(places);
    }
    for (host, places) in missing {
        let finding = Finding {
            effect: "pulls from it are anonymous, and fail if it requires a login".to_owned(),
            fix: format!("add an entry for \"{host}\", or turn this rule off if it requires no login").into(),
            related: places.into_iter().take(MAX_RELATED).cloned().collect(),
            ..Finding::new(PATH, host, format!("the pull secret has no entry for mirror host {host}"))
        };
        found.push(Found { object: secret.object(), finding });
    }
}

fn unreadable() -> Finding {
    Finding {
        effect: "pulls from mirrors that require a login fail".to_owned(),
        fix: "set its key .dockerconfigjson to the JSON that \"podman login --authfile\" writes".into(),
        ..Finding::new(PATH, "unreadable", "the pull secret has no \"auths\", or they cannot be read")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::rules::{survey_testing::Cluster, testing::assert_texts};

    const SETS: [(&str, &str, &str, &str); 3] = [
        ("imageDigestMirrors", "release", "quay.io/openshift-release-dev", "release.lab/ocp"),
        ("imageDigestMirrors", "other", "quay.io/team", "other.lab/team"),
        ("imageTagMirrors", "tags", "quay.io/openshift-release-dev", "tags.lab/ocp"),
    ];

    #[test]
    fn every_mirror_of_the_nodes_needs_an_entry() {
        let table: [(&str, &[&str], &[&str], &str); 5] = [
            ("m.lab:8443/a", &["m.lab:8443"], &[], "there is one"),
            ("m.lab:8443/a", &["quay.io"], &["Secret/pull-secret: m.lab:8443"], "there is none"),
            ("m.lab:8443/a, m.lab:8443/b", &["quay.io"], &["Secret/pull-secret: m.lab:8443"], "one per host"),
            (
                "m.lab:8443/a, n.lab/a",
                &["n.lab/a"],
                &["Secret/pull-secret: m.lab:8443"],
                "another host has one",
            ),
            ("quay.io/a, n.lab/a", &["n.lab"], &[], "the source itself is not a mirror"),
        ];
        for (mirrors, keys, expected, reason) in table {
            for field in ["imageDigestMirrors", "imageTagMirrors", "repositoryDigestMirrors"] {
                let cluster = Cluster::new(&[(field, "a", "quay.io/a", mirrors)]);
                let cluster = cluster.secret("openshift-config", "pull-secret", Some(keys));
                assert_eq!(cluster.keys(RULE.id), expected, "{field}: {reason}");
            }
        }
    }

    /// The hosts that are missing in a hosted cluster's pull secret with these entries.
    fn missing_hosts(annotations: &str, spec: &str, entries: &[&str]) -> Vec<String> {
        let spec = format!("pullSecret: {{name: ps}}, {spec}");
        let cluster = Cluster::new(&SETS).hosted(annotations, &spec).secret("clusters", "ps", Some(entries));
        cluster.findings(RULE.id).into_iter().map(|finding| finding.key).collect()
    }

    #[test]
    fn a_hosted_clusters_secret_needs_an_entry_for_what_is_pulled_with_it() {
        let overrides = "hypershift.openshift.io/olm-catalogs-is-registry-overrides: registry.redhat.io/redhat=catalogs.lab/redhat";
        let sources = "imageContentSources: [{source: quay.io/x, mirrors: [data.lab/x]}]";
        assert_eq!(missing_hosts("", "", &[]), ["release.lab"]);
        assert_eq!(missing_hosts(overrides, sources, &[]), ["catalogs.lab", "data.lab", "release.lab"]);
        let all = ["release.lab/ocp", "data.lab", "catalogs.lab"];
        assert_eq!(missing_hosts(overrides, sources, &all), [""; 0]);
        let disabled = "configuration: {operatorhub: {disableAllDefaultSources: true}}";
        assert_eq!(missing_hosts(overrides, disabled, &[]), ["release.lab"], "no catalog is pulled");
        let elsewhere = Cluster::new(&SETS).hosted("", "pullSecret: {name: ps}");
        let elsewhere = elsewhere.secret("another", "ps", Some(&[]));
        assert!(elsewhere.keys(RULE.id).is_empty(), "a secret of another namespace");
    }

    #[test]
    fn catalogs_of_guest_placement_are_pulled_with_the_same_secret() {
        let overrides = "hypershift.openshift.io/olm-catalogs-is-registry-overrides: registry.redhat.io/redhat=catalogs.lab/redhat";
        let of_release =
            |release: &str| format!("quay.io/openshift-release-dev/ocp-release:{release}-x86_64");
        for (release, expected, reason) in [
            ("4.18.9", vec!["catalogs.lab", "release.lab"], "from 4.17 on, the annotation is read"),
            ("4.16.9", vec!["release.lab"], "before, it is not"),
        ] {
            let cluster =
                Cluster::new(&SETS).hosted(overrides, "pullSecret: {name: ps}, olmCatalogPlacement: guest");
            let mut cluster = cluster.secret("clusters", "ps", Some(&[]));
            let [hosted] = &mut *cluster.inventory.hosted_clusters else { panic!("one hosted cluster") };
            Arc::make_mut(hosted).spec.release.image = of_release(release);
            let hosts: Vec<_> = cluster.findings(RULE.id).into_iter().map(|finding| finding.key).collect();
            assert_eq!(hosts, expected, "{reason}");
        }
    }

    #[test]
    fn a_secret_that_cannot_be_read_is_reported_without_its_content() {
        let unreadable = Cluster::new(&[]).secret("openshift-config", "pull-secret", None);
        assert_eq!(unreadable.keys(RULE.id), ["Secret/pull-secret: unreadable"]);
        let missing = Cluster::new(&SETS).secret("openshift-config", "pull-secret", Some(&[]));
        assert_texts(RULE.id, &[missing.findings(RULE.id), unreadable.findings(RULE.id)].concat());
    }
}
