//! Tests of image configurations and payloads that do not fit.

use std::fmt::Write;

use jiff::civil::date;

use crate::{
    objects::{Object, manifest},
    review::{Sequence, Verdict, existing::Found},
    rules::{
        Finding, Settings,
        testing::{assert_texts, of_rule},
    },
};

use super::RULE;

mod opened;
mod payloads;

const PAYLOAD: &str = "quay.io/openshift-release-dev/ocp-release@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A cluster in few words.
#[derive(Clone, Copy)]
struct Cluster {
    /// The fields of `registrySources`.
    sources: &'static str,
    /// `source=mirror` of an IDMS, `!source=mirror` with NeverContactSource; empty for none.
    entry: &'static str,
    /// Empty if it is not known.
    payload: &'static str,
    /// The scope of a ClusterImagePolicy; empty for none.
    signed: &'static str,
}

const EMPTY: Cluster = Cluster { sources: "", entry: "", payload: PAYLOAD, signed: "" };

impl Cluster {
    fn settings(self) -> String {
        let Self { sources, payload, signed, .. } = self;
        let mut yaml = String::new();
        if !payload.is_empty() {
            let _ = write!(
                yaml,
                "---\napiVersion: config.openshift.io/v1\nkind: ClusterVersion\nmetadata: {{name: version}}\n\
                 status: {{desired: {{image: \"{payload}\"}}}}\n"
            );
        }
        if !signed.is_empty() {
            let _ = write!(
                yaml,
                "---\napiVersion: config.openshift.io/v1\nkind: ClusterImagePolicy\nmetadata: {{name: p}}\n\
                 spec: {{scopes: [{signed}]}}\n"
            );
        }
        let _ = write!(
            yaml,
            "---\napiVersion: config.openshift.io/v1\nkind: Image\nmetadata: {{name: cluster}}\n\
             spec: {{registrySources: {{{sources}}}}}\n"
        );
        yaml
    }

    fn set(self) -> String {
        let Some((source, mirror)) = self.entry.split_once('=') else { return String::new() };
        let (policy, source) = match source.strip_prefix('!') {
            Some(source) => (", mirrorSourcePolicy: NeverContactSource", source),
            None => ("", source),
        };
        format!(
            "---\napiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {{name: a}}\n\
             spec: {{imageDigestMirrors: [{{source: \"{source}\", mirrors: [{mirror}]{policy}}}]}}\n"
        )
    }
}

fn objects(text: &str) -> Vec<Object> {
    let reading = manifest::read("test", text.to_owned());
    assert!(reading.errors.is_empty(), "{:?}", reading.errors);
    reading.objects.into_iter().map(|located| located.object).collect()
}

/// What the rule finds in the last of some writes to a cluster with the objects `there`; nothing without a write.
fn found(there: &str, writes: &str) -> Vec<Finding> {
    let (there, writes, settings) = (objects(there), objects(writes), Settings::default());
    let there: Vec<_> = there.iter().map(|object| Found { object, live: true }).collect();
    let mut cluster = Sequence::onto(&there, &settings, date(2026, 1, 1));
    let verdicts: Vec<Verdict> = writes.iter().map(|object| cluster.apply(object)).collect();
    of_rule(RULE.id, verdicts.into_iter().last().unwrap_or_default())
}

fn paths(found: &[Finding]) -> Vec<&str> {
    found.iter().map(|finding| &*finding.path).collect()
}

struct Case {
    cluster: Cluster,
    /// The path if the image configuration is written last.
    in_config: &'static [&'static str],
    /// The path if the IDMS is written last.
    in_set: &'static [&'static str],
    reason: &'static str,
}

const FINE: Case = Case { cluster: EMPTY, in_config: &[], in_set: &[], reason: "nothing is set" };
const BLOCKED: &[&str] = &["spec.registrySources.blockedRegistries"];
const SOURCE: &[&str] = &["spec.imageDigestMirrors[0].source"];

/// Compares what is found when either object is the last that is written, and when the IDMS is written again as it is,
/// which is nothing. Returns what is found in the image configuration.
fn assert_cases(table: impl IntoIterator<Item = Case>) -> Vec<Finding> {
    let mut all = Vec::new();
    for Case { cluster, in_config, in_set, reason } in table {
        let last = found(&cluster.set(), &cluster.settings());
        assert_eq!(paths(&last), in_config, "image.config, {reason}");
        all.extend(last);
        if !cluster.entry.is_empty() {
            let last = found(&cluster.settings(), &cluster.set());
            assert_eq!(paths(&last), in_set, "IDMS, {reason}");
        }
        let known = found(&(cluster.settings() + &cluster.set()), &cluster.set());
        assert_eq!(paths(&known), Vec::<&str>::new(), "as it was, {reason}");
    }
    all
}

#[test]
fn every_setting_that_spoils_the_files_is_found() {
    let mut all = assert_cases(payloads::blocked_payloads());
    all.extend(assert_cases(payloads::mirrored_payloads()));
    all.extend(assert_cases(refused_settings()));
    all.extend(assert_cases(unreadable_files()));
    all.extend(assert_cases(opened::opened_sources()));
    assert_texts(RULE.id, &all);
}

/// Settings for which nothing is rendered.
fn refused_settings() -> Vec<Case> {
    vec![
        Case {
            cluster: Cluster {
                sources: "allowedRegistries: [quay.io], blockedRegistries: [docker.io]",
                ..EMPTY
            },
            in_config: &["spec.registrySources.allowedRegistries"],
            reason: "both lists",
            ..FINE
        },
        Case {
            cluster: Cluster {
                sources: "allowedRegistries: [quay.io, m.lab], blockedRegistries: [docker.io]",
                payload: "",
                ..EMPTY
            },
            in_config: &["spec.registrySources.allowedRegistries"],
            reason: "both lists, without a payload that could be what is allowed",
            ..FINE
        },
        Case {
            cluster: Cluster { payload: "ocp-release", ..EMPTY },
            in_config: &["spec.registrySources"],
            reason: "the payload has no registry",
            ..FINE
        },
        Case {
            cluster: Cluster { sources: "blockedRegistries: ['*.lab']", payload: "m.lab.lab/r:1", ..EMPTY },
            in_config: &["spec.registrySources.blockedRegistries"],
            reason: "a wildcard matches only at the first occurrence of its domain",
            ..FINE
        },
        Case {
            cluster: Cluster { sources: "allowedRegistries: [quay.io]", signed: "docker.io/a", ..EMPTY },
            in_config: &["spec.registrySources.allowedRegistries"],
            reason: "a signed scope is not allowed",
            ..FINE
        },
        Case {
            cluster: Cluster { sources: "blockedRegistries: [docker.io]", signed: "docker.io/a", ..EMPTY },
            in_config: BLOCKED,
            reason: "a signed scope is blocked",
            ..FINE
        },
        Case {
            cluster: Cluster { sources: "allowedRegistries: [docker.io]", ..EMPTY },
            in_config: &["spec.registrySources.allowedRegistries"],
            reason: "the payload is not allowed",
            ..FINE
        },
        Case {
            cluster: Cluster {
                sources: "allowedRegistries: [docker.io, quay.io]",
                signed: "docker.io/a",
                ..EMPTY
            },
            reason: "a signed scope and the payload are allowed",
            ..FINE
        },
    ]
}

/// Scopes and search registries that nodes cannot read.
fn unreadable_files() -> Vec<Case> {
    vec![
        Case {
            cluster: Cluster { sources: "insecureRegistries: [a.lab, 'https://m.lab:8443/']", ..EMPTY },
            in_config: &["spec.registrySources.insecureRegistries[1]"],
            reason: "a scheme",
            ..FINE
        },
        Case {
            cluster: Cluster { sources: "blockedRegistries: ['http://m.lab', /]", ..EMPTY },
            in_config: &[
                "spec.registrySources.blockedRegistries[0]",
                "spec.registrySources.blockedRegistries[1]",
            ],
            reason: "each is found",
            ..FINE
        },
        Case {
            cluster: Cluster {
                sources: "blockedRegistries: [docker.io/]",
                entry: "docker.io=m.lab",
                ..EMPTY
            },
            in_config: &["spec.registrySources.blockedRegistries[0]"],
            in_set: SOURCE,
            reason: "a slash next to the source without it",
        },
        Case {
            cluster: Cluster { sources: "containerRuntimeSearchRegistries: [quay.io/team]", ..EMPTY },
            in_config: &["spec.registrySources.containerRuntimeSearchRegistries[0]"],
            reason: "a search registry with a path",
            ..FINE
        },
    ]
}
