//! A `ConfigMap` of CAs that is not there, or whose key names a mirror under another port.

use super::{Check, Finding, Found, Level, Rule, Survey, mirrors};
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
    summary: "a CA ConfigMap that is not there, or names a mirror under another port",
    page: include_str!("missing_mirror_ca.md"),
    check: Check::Cluster(check),
    ..Rule::BASE
};

/// The key of a hosted cluster's bundle.
const BUNDLE_KEY: &str = "ca-bundle.crt";

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    for bundle in &survey.inventory.ca_bundles {
        let CaBundle { namespace, name, used_by: (object, path), keys } = bundle;
        let Some(keys) = keys else {
            let finding = Finding::new(
                path,
                format!("there is no ConfigMap {namespace}/{name}"),
                "no certificate of it is trusted, and what is signed by it is not pulled",
                format!("create it, or correct {path}"),
            );
            found.push(Found { object: object.clone(), finding });
            continue;
        };
        if !bundle.is_of_nodes() {
            if !keys.contains(BUNDLE_KEY) {
                let finding = Finding::new(
                    path,
                    format!("ConfigMap {namespace}/{name} has no key {BUNDLE_KEY}"),
                    "HyperShift does not reconcile the hosted cluster",
                    format!("put the certificates into its key {BUNDLE_KEY}"),
                );
                found.push(Found { object: object.clone(), finding });
            }
            continue;
        }
        other_ports(survey, bundle, found);
    }
}

/// A mirror without a key of its own may be signed by a CA that is trusted anyway; one whose host has a
/// key under another port was meant to have one.
fn other_ports(survey: &Survey<'_>, bundle: &CaBundle, found: &mut Vec<Found>) {
    let view = survey.state.context().view();
    let mut told = Vec::new();
    for (mirror, places) in mirrors::of_nodes(view) {
        let host = scope::host(mirror);
        let insecure = view.image_config().insecure_registries.iter().any(|scope| is_nested(mirror, scope));
        let registries = || bundle.keys.iter().flatten().map(|key| key.replace("..", ":"));
        if insecure || told.contains(&host) || registries().any(|registry| registry == host) {
            continue;
        }
        let Some(other) = registries().find(|registry| bare_host(registry) == bare_host(host)) else {
            continue;
        };
        told.push(host);
        let (key, there) = (host.replace(':', ".."), other.replace(':', ".."));
        let finding = Finding {
            related: places.into_iter().take(1).collect(),
            ..Finding::new(
                format!("data[{there}]"),
                format!("the CA for mirror host {host} stands under \"{there}\""),
                "nodes look for it by host and port, and do not find it",
                format!("name the key \"{key}\""),
            )
        };
        let object = ObjectId::new("ConfigMap", &bundle.namespace, &bundle.name);
        found.push(Found { object, finding });
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::survey_testing::Cluster;

    const ID: &str = "missing-mirror-ca";
    /// Of a `ConfigMap`; `None` where there is none.
    type Keys<'a> = Option<&'a [&'a str]>;
    type Told<'a> = &'a [&'a str];

    #[test]
    fn a_ca_under_another_port_is_found_and_none_at_all_is_not() {
        let table: [(&str, Keys<'_>, Told<'_>, &str); 6] = [
            ("m.lab:8443/a", Some(&["m.lab..8443"]), &[], "host and port"),
            ("m.lab/a", Some(&["m.lab"]), &[], "no port"),
            (
                "m.lab:8443/a",
                Some(&["m.lab"]),
                &["ConfigMap/cas: the CA for mirror host m.lab:8443 stands under \"m.lab\""],
                "the port is missing",
            ),
            (
                "m.lab:8443/a",
                Some(&["m.lab..5000"]),
                &["ConfigMap/cas: the CA for mirror host m.lab:8443 stands under \"m.lab..5000\""],
                "another port",
            ),
            ("m.lab:8443/a", Some(&["n.lab"]), &[], "its CA may be public"),
            (
                "m.lab:8443/a",
                None,
                &["Image/cluster: there is no ConfigMap openshift-config/cas"],
                "a reference to nothing",
            ),
        ];
        for (mirror, keys, expected, reason) in table {
            let cluster = Cluster::new(&[("imageDigestMirrors", "a", "quay.io/a", mirror)]);
            assert_eq!(cluster.ca_of_nodes(keys).told(ID), expected, "{mirror}: {reason}");
        }
    }

    #[test]
    fn an_insecure_mirror_needs_no_ca() {
        let insecure = "apiVersion: config.openshift.io/v1\nkind: Image\nmetadata: {name: cluster}\n\
                        spec: {registrySources: {insecureRegistries: [\"m.lab:8443\"]}}\n";
        let cluster = || Cluster::new(&[("imageDigestMirrors", "a", "quay.io/a", "m.lab:8443/a")]);
        assert_eq!(cluster().ca_of_nodes(Some(&["m.lab"])).told(ID).len(), 1);
        assert_eq!(cluster().with(insecure).ca_of_nodes(Some(&["m.lab"])).told(ID).len(), 0);
    }

    #[test]
    fn a_hosted_clusters_bundle_has_its_key() {
        let table: [(Keys<'_>, Told<'_>, &str); 3] = [
            (Some(&["ca-bundle.crt"]), &[], "as it should be"),
            (
                Some(&["ca.crt"]),
                &["HostedCluster/lab: ConfigMap clusters/trust has no key ca-bundle.crt"],
                "another key",
            ),
            (None, &["HostedCluster/lab: there is no ConfigMap clusters/trust"], "a reference to nothing"),
        ];
        for (keys, expected, reason) in table {
            let cluster = Cluster::new(&[]).hosted("", "additionalTrustBundle: {name: trust}");
            assert_eq!(cluster.ca_of_hosted(keys).told(ID), expected, "{reason}");
        }
    }
}
