//! A mirror that a pull secret has no credentials for.

use std::collections::BTreeMap;

use super::{
    Check, Finding, Found, Level, Related, Rule, Survey,
    mirrors::{self, Mirrors},
};
use crate::{inventory::PullSecret, objects::scope};

pub(super) const RULE: Rule = Rule {
    id: "missing-pull-secret-entry",
    level: Level::Warn,
    summary: "a pull secret has no credentials for a mirror",
    page: include_str!("missing_pull_secret_entry.md"),
    check: Check::Cluster(check),
    ..Rule::BASE
};

const PATH: &str = "data[.dockerconfigjson]";
/// Places worth naming of one host.
const MAX_RELATED: usize = 3;

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    let view = survey.state.context().view();
    for secret in &survey.inventory.pull_secrets {
        let mut pulled = Mirrors::new();
        if (&*secret.namespace, &*secret.name) == PullSecret::OF_NODES {
            pulled.append(&mut mirrors::of_nodes(view));
        }
        let uses = |hosted: &crate::objects::HostedCluster| {
            hosted.metadata.namespace == secret.namespace && hosted.spec.pull_secret.name == secret.name
        };
        for write in survey.hosted().filter(|write| uses(write.new)) {
            for (mirror, places) in mirrors::of_hosted(view, &write) {
                pulled.entry(mirror).or_default().extend(places);
            }
        }
        judge(secret, &pulled, found);
    }
}

fn judge(secret: &PullSecret, pulled: &Mirrors<'_>, found: &mut Vec<Found>) {
    let object = secret.object();
    if secret.keys.is_none() {
        let what = "the pull secret has no auths that can be read".to_owned();
        let fix = "write the JSON that \"podman login --authfile\" writes into its key .dockerconfigjson";
        let finding =
            Finding::new(PATH, what, "no mirror that asks for a login can be pulled from", fix.to_owned());
        found.push(Found { object, finding });
        return;
    }
    let mut lacking: BTreeMap<&str, Vec<&Related>> = BTreeMap::new();
    for (mirror, places) in pulled.iter().filter(|(mirror, _)| !secret.speaks_of(mirror)) {
        lacking.entry(scope::host(mirror)).or_default().extend(places);
    }
    for (host, places) in lacking {
        let fix = format!(
            "add an entry \"{host}\" to its auths; for a mirror that asks for no login set {}: \"off\" in the configuration",
            RULE.id
        );
        let finding = Finding {
            related: places.into_iter().take(MAX_RELATED).cloned().collect(),
            ..Finding::new(
                PATH,
                format!("mirror host {host} has no entry in the pull secret"),
                "pulls from it are anonymous, and fail unless it allows that",
                fix,
            )
        };
        found.push(Found { object: object.clone(), finding });
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::survey_testing::Cluster;

    const ID: &str = "missing-pull-secret-entry";

    #[test]
    fn every_mirror_of_the_nodes_wants_an_entry() {
        let table: [(&str, &[&str], &[&str], &str); 5] = [
            ("m.lab:8443/a", &["m.lab:8443"], &[], "there is one"),
            ("m.lab:8443/a", &["quay.io"], &["m.lab:8443"], "there is none"),
            ("m.lab:8443/a, m.lab:8443/b", &["quay.io"], &["m.lab:8443"], "a host is told once"),
            ("m.lab:8443/a, n.lab/a", &["n.lab/a"], &["m.lab:8443"], "another host has one"),
            ("quay.io/a, n.lab/a", &["n.lab"], &[], "the source itself is no mirror"),
        ];
        for (mirrors, keys, hosts, reason) in table {
            for field in ["imageDigestMirrors", "imageTagMirrors", "repositoryDigestMirrors"] {
                let cluster = Cluster::new(&[(field, "a", "quay.io/a", mirrors)]);
                let told = cluster.secret("openshift-config", "pull-secret", Some(keys)).told(ID);
                let line =
                    |h: &&str| format!("Secret/pull-secret: mirror host {h} has no entry in the pull secret");
                assert_eq!(told, hosts.iter().map(line).collect::<Vec<_>>(), "{field}: {reason}");
            }
        }
    }

    #[test]
    fn a_hosted_clusters_secret_is_asked_for_what_is_pulled_with_it() {
        let sets = [
            ("imageDigestMirrors", "release", "quay.io/openshift-release-dev", "release.lab/ocp"),
            ("imageDigestMirrors", "other", "quay.io/team", "other.lab/team"),
            ("imageTagMirrors", "tags", "quay.io/openshift-release-dev", "tags.lab/ocp"),
        ];
        let overrides = "hypershift.openshift.io/olm-catalogs-is-registry-overrides: registry.redhat.io/redhat=catalogs.lab/redhat";
        let sources = "imageContentSources: [{source: quay.io/x, mirrors: [data.lab/x]}]";
        let told = |annotations: &str, spec: &str, keys| {
            let cluster =
                Cluster::new(&sets).hosted(annotations, &format!("pullSecret: {{name: ps}}, {spec}"));
            let told = cluster.secret("clusters", "ps", Some(keys)).told(ID);
            let host = |line: &String| line.split_whitespace().nth(3).unwrap().to_owned();
            told.iter().map(host).collect::<Vec<_>>()
        };
        assert_eq!(told("", "", &[]), ["release.lab"]);
        assert_eq!(told(overrides, sources, &[]), ["catalogs.lab", "data.lab", "release.lab"]);
        assert_eq!(told(overrides, sources, &["release.lab/ocp", "data.lab", "catalogs.lab"]), [""; 0]);
        let guest = format!("olmCatalogPlacement: guest, {sources}");
        assert_eq!(told(overrides, &guest, &["release.lab"]), ["data.lab"], "no catalog is pulled");
        let elsewhere = Cluster::new(&sets).hosted("", "pullSecret: {name: ps}");
        assert!(elsewhere.secret("another", "ps", Some(&[])).told(ID).is_empty(), "another namespace's");
    }

    #[test]
    fn what_cannot_be_understood_is_told_without_its_content() {
        let cluster = Cluster::new(&[]).secret("openshift-config", "pull-secret", None);
        assert_eq!(cluster.told(ID), ["Secret/pull-secret: the pull secret has no auths that can be read"]);
    }
}
