//! A `ConfigMap` with CAs that does not exist, or whose key for a mirror has the wrong port.

use super::{Check, DependsOn, Finding, Found, Level, Rule, Survey, mirrors};
use crate::{
    inventory::CaBundle,
    objects::{
        ObjectId,
        scope::{self, bare_host, is_nested},
    },
};

pub(super) const RULE: Rule = Rule {
    id: "missing-mirror-ca",
    level: Level::Warn,
    summary: "a ConfigMap with CAs that does not exist, or whose key for a mirror has the wrong port",
    page: include_str!("missing_mirror_ca.md"),
    check: Check::Cluster(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

/// The key of a hosted cluster's bundle that HyperShift reads.
const BUNDLE_KEY: &str = "ca-bundle.crt";
const NOT_RECONCILED: &str = "HyperShift does not reconcile the HostedCluster";

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    for bundle in &survey.inventory.ca_bundles {
        if let Some(finding) = missing(bundle).or_else(|| missing_key(bundle)) {
            found.push(Found { object: bundle.used_by.0.clone(), finding });
        } else if bundle.is_of_nodes() {
            check_ports(survey, bundle, found);
        }
    }
}

/// A reference to a `ConfigMap` that does not exist.
fn missing(bundle: &CaBundle) -> Option<Finding> {
    if bundle.keys.is_some() {
        return None;
    }
    let name = bundle.namespaced_name();
    let effect = if bundle.is_of_nodes() {
        "nodes get no additional CAs, and pulls from mirrors that need one fail"
    } else {
        NOT_RECONCILED
    };
    Some(Finding {
        effect: effect.to_owned(),
        fix: "create the ConfigMap, or correct its name in this field".into(),
        ..Finding::new(
            &bundle.used_by.1,
            format!("missing {name}"),
            format!("ConfigMap {name} does not exist"),
        )
    })
}

/// A hosted cluster's bundle without the key that HyperShift reads.
fn missing_key(bundle: &CaBundle) -> Option<Finding> {
    let keys = bundle.keys.as_ref()?;
    if bundle.is_of_nodes() || keys.contains(BUNDLE_KEY) {
        return None;
    }
    let name = bundle.namespaced_name();
    let what = format!("ConfigMap {name} has no key {BUNDLE_KEY}");
    Some(Finding {
        effect: NOT_RECONCILED.to_owned(),
        fix: format!("put the certificates into the key {BUNDLE_KEY}").into(),
        ..Finding::new(&bundle.used_by.1, format!("no-key {name}"), what)
    })
}

/// Reports each mirror host without a key if the same host has one for another port: that key was meant for it. A
/// mirror whose host has no key at all may have a CA that nodes trust anyway. `bundle` is that of the nodes.
fn check_ports(survey: &Survey<'_>, bundle: &CaBundle, found: &mut Vec<Found>) {
    let view = survey.state.context().view();
    // The key of a `ConfigMap` cannot have a colon, so that a registry with a port is written `host..port`.
    let registries: Vec<_> = bundle.keys.iter().flatten().map(|key| key.replace("..", ":")).collect();
    let mut reported = Vec::new();
    for (mirror, places) in mirrors::of_nodes(view) {
        let host = scope::host(mirror);
        let insecure = view.image_config().insecure_registries.iter().any(|scope| is_nested(mirror, scope));
        if insecure || reported.contains(&host) || registries.iter().any(|registry| registry == host) {
            continue;
        }
        let Some(other) = registries.iter().find(|other| bare_host(other) == bare_host(host)) else {
            continue;
        };
        reported.push(host);
        let key = other.replace(':', "..");
        let what = format!("the CA for mirror host {host} has the key \"{key}\"");
        let finding = Finding {
            effect: "nodes look up a CA by host and port, and do not find it".to_owned(),
            fix: format!("rename the key to \"{}\"", host.replace(':', "..")).into(),
            related: places.into_iter().take(1).collect(),
            ..Finding::new(format!("data[{key}]"), format!("port {host}"), what)
        };
        let object = ObjectId::new("ConfigMap", &bundle.namespace, &bundle.name);
        found.push(Found { object, finding });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{survey_testing::Cluster, testing::assert_texts};

    /// Keys of a `ConfigMap`; `None` if there is none.
    type Keys<'a> = Option<&'a [&'a str]>;

    /// A cluster with one mirror, and the keys of the `ConfigMap` that nodes trust.
    fn cluster_with(mirror: &str, keys: Keys<'_>) -> Cluster {
        Cluster::new(&[("imageDigestMirrors", "a", "quay.io/a", mirror)]).ca_of_nodes(keys)
    }

    #[test]
    fn a_ca_under_another_port_is_found_and_none_at_all_is_not() {
        let missing = "Image/cluster: missing openshift-config/cas";
        let port = "ConfigMap/cas: port m.lab:8443";
        let table: [(&str, Keys<'_>, &[&str], &str); 6] = [
            ("m.lab:8443/a", Some(&["m.lab..8443"]), &[], "host and port"),
            ("m.lab/a", Some(&["m.lab"]), &[], "no port"),
            ("m.lab:8443/a", Some(&["m.lab"]), &[port], "the port is missing"),
            ("m.lab:8443/a", Some(&["m.lab..5000"]), &[port], "another port"),
            ("m.lab:8443/a", Some(&["n.lab"]), &[], "its CA may be public"),
            ("m.lab:8443/a", None, &[missing], "a reference to nothing"),
        ];
        for (mirror, keys, expected, reason) in table {
            assert_eq!(cluster_with(mirror, keys).keys(RULE.id), expected, "{mirror}: {reason}");
        }
    }

    #[test]
    fn an_insecure_mirror_needs_no_ca() {
        let insecure = "apiVersion: config.openshift.io/v1\nkind: Image\nmetadata: {name: cluster}\n\
                        spec: {registrySources: {insecureRegistries: [\"m.lab:8443\"]}}\n";
        let cluster = cluster_with("m.lab:8443/a", Some(&["m.lab"]));
        assert_eq!(cluster.keys(RULE.id).len(), 1);
        assert_eq!(cluster.with(insecure).keys(RULE.id).len(), 0);
    }

    /// A hosted cluster, and the keys of its bundle.
    fn hosted_with(keys: Keys<'_>) -> Cluster {
        Cluster::new(&[]).hosted("", "additionalTrustBundle: {name: trust}").ca_of_hosted(keys)
    }

    #[test]
    fn a_hosted_clusters_bundle_has_its_key() {
        let table: [(Keys<'_>, &[&str], &str); 3] = [
            (Some(&["ca-bundle.crt"]), &[], "as it should be"),
            (Some(&["ca.crt"]), &["HostedCluster/lab: no-key clusters/trust"], "another key"),
            (None, &["HostedCluster/lab: missing clusters/trust"], "a reference to nothing"),
        ];
        for (keys, expected, reason) in table {
            assert_eq!(hosted_with(keys).keys(RULE.id), expected, "{reason}");
        }
    }

    #[test]
    fn texts() {
        let clusters = [
            cluster_with("m.lab:8443/a", Some(&["m.lab..5000"])),
            cluster_with("m.lab:8443/a", None),
            hosted_with(Some(&["ca.crt"])),
            hosted_with(None),
        ];
        let findings: Vec<_> = clusters.iter().flat_map(|cluster| cluster.findings(RULE.id)).collect();
        assert_texts(RULE.id, &findings);
    }
}
