//! What was seen becomes checks.

use std::collections::BTreeSet;

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::tried::{Tried, is_ours};
use crate::certificates::{Certificate, ConfigurationKind};

/// The rule that the unrenderable mirror set breaks.
const RULE: &str = "never-contact-source-lists-source";

/// Everything that was looked at. What could not be read is its reason.
#[derive(Debug)]
pub(super) struct Seen {
    /// The configurations' name, where one was given.
    pub(super) named: Option<String>,
    pub(super) validating: Result<Vec<Configuration>, Unread>,
    pub(super) mutating: Result<Vec<Configuration>, Unread>,
    /// Of each Service that the webhooks name.
    pub(super) endpoints: Vec<Endpoints>,
    /// What became of a mirror set that no node could render.
    pub(super) bad: Tried,
    /// What became of one without entries.
    pub(super) good: Tried,
    pub(super) now: Timestamp,
}

/// A webhook configuration.
#[derive(Debug, Clone)]
pub(super) struct Configuration {
    pub(super) kind: ConfigurationKind,
    pub(super) name: String,
    pub(super) webhooks: Vec<Webhook>,
}

/// A webhook of it.
#[derive(Debug, Clone)]
pub(super) struct Webhook {
    pub(super) name: String,
    /// `caBundle`, PEM; empty where there is none.
    pub(super) bundle: Vec<u8>,
    /// Namespace and name; none where it is called by URL.
    pub(super) service: Option<(String, String)>,
}

/// Why something could not be read.
#[derive(Debug, Clone)]
pub(super) struct Unread {
    pub(super) why: String,
    /// Whether the account lacks the right.
    pub(super) is_forbidden: bool,
}

impl Unread {
    fn remedy(&self, right: &str) -> String {
        if self.is_forbidden {
            return format!("grant {right}");
        }
        "see whether the apiserver is well, and check again: kubectl get --raw '/readyz?verbose'".to_owned()
    }
}

/// How many ready endpoints a Service has.
#[derive(Debug, Clone)]
pub(super) struct Endpoints {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) ready: Result<usize, Unread>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    #[serde(rename = "check")]
    pub(super) name: &'static str,
    pub(super) status: Status,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    Failed,
    /// It could not be asked.
    Unknown,
    /// There is nothing to ask about.
    Skipped,
}

impl Check {
    fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, message: message.into(), remedy: None }
    }

    fn skipped(name: &'static str, message: impl Into<String>) -> Self {
        Self { status: Status::Skipped, ..Self::ok(name, message) }
    }

    fn failed(name: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, status: Status::Failed, message: message.into(), remedy: Some(remedy.into()) }
    }

    fn unknown(name: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Unknown, ..Self::failed(name, message, remedy) }
    }
}

/// The checks, in the order in which a webhook comes to work.
pub(super) fn judge(seen: &Seen) -> Vec<Check> {
    let configured = |check, kind: ConfigurationKind, read| configured(check, kind, read, seen);
    let mut checks = vec![
        configured("validating-webhooks", ConfigurationKind::Validating, &seen.validating),
        configured("mutating-webhook", ConfigurationKind::Mutating, &seen.mutating),
    ];
    let configurations: Vec<_> =
        [&seen.validating, &seen.mutating].into_iter().flat_map(|read| read.iter().flatten()).collect();
    if !configurations.is_empty() {
        checks.push(trust(&configurations, seen));
        checks.extend(seen.endpoints.iter().map(endpoints));
    }
    checks.push(denial(&seen.bad));
    checks.push(admission(&seen.good));
    checks
}

fn configured(
    check: &'static str,
    kind: ConfigurationKind,
    read: &Result<Vec<Configuration>, Unread>,
    seen: &Seen,
) -> Check {
    let kind = kind.name();
    match read.as_deref() {
        Err(unread) => {
            let verb = if seen.named.is_some() { "get" } else { "list" };
            let right = format!("{verb} on {}s.admissionregistration.k8s.io", kind.to_lowercase());
            Check::unknown(check, format!("{kind}: {}", unread.why), unread.remedy(&right))
        }
        Ok([]) => {
            let which = seen.named.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
            let message = format!("there is no {kind}{which} with webhooks of mirrorguard");
            Check::failed(check, message, "install the chart, or helm upgrade it if it was deleted")
        }
        Ok(found) => {
            let told = found.iter().map(|one| match one.webhooks.len() {
                1 => format!("{kind} {}, 1 webhook", one.name),
                several => format!("{kind} {}, {several} webhooks", one.name),
            });
            Check::ok(check, told.collect::<Vec<_>>().join("; "))
        }
    }
}

fn trust(configurations: &[&Configuration], seen: &Seen) -> Check {
    const CHECK: &str = "ca";
    const REMEDY: &str = "see which certificates.mode the release has, and whether what it relies on runs: the \
                          pods, OpenShift's service CA, cert-manager, or whoever sets certificates.caBundle";
    let mut hooks = configurations.iter().flat_map(|configuration| &configuration.webhooks);
    if hooks.all(|hook| hook.bundle.is_empty()) && seen.bad.is_denied_by_us() {
        return Check::ok(CHECK, "none is given, the apiserver trusts the certificate by its own roots");
    }
    let mut ends = BTreeSet::new();
    for configuration in configurations {
        for hook in &configuration.webhooks {
            let place =
                format!("{} {}, webhook {}", configuration.kind.name(), configuration.name, hook.name);
            if hook.bundle.is_empty() {
                return Check::failed(CHECK, format!("{place}: no caBundle"), REMEDY);
            }
            match Certificate::read_all(&hook.bundle).iter().map(|ca| ca.end).max() {
                None => return Check::failed(CHECK, format!("{place}: no certificate in caBundle"), REMEDY),
                Some(end) if end < seen.now => {
                    return Check::failed(CHECK, format!("{place}: the CA ended on {}", day(end)), REMEDY);
                }
                Some(end) => ends.insert(end),
            };
        }
    }
    let end = ends.first().map(|end| day(*end)).unwrap_or_default();
    Check::ok(CHECK, format!("every webhook trusts a CA, the first until {end}"))
}

fn day(moment: Timestamp) -> String {
    TimeZone::UTC.to_datetime(moment).date().to_string()
}

fn endpoints(Endpoints { namespace, name, ready }: &Endpoints) -> Check {
    const CHECK: &str = "endpoints";
    match ready {
        Err(unread) => {
            let right = format!("list on endpointslices.discovery.k8s.io in {namespace}");
            let message = format!("Service {namespace}/{name}: {}", unread.why);
            Check::unknown(CHECK, message, unread.remedy(&right))
        }
        Ok(0) => Check::failed(
            CHECK,
            format!("Service {namespace}/{name} has no ready endpoint: nobody answers the apiserver"),
            format!(
                "see why no pod is ready: kubectl --namespace {namespace} get pods, then describe and logs"
            ),
        ),
        Ok(ready) => Check::ok(CHECK, format!("Service {namespace}/{name} has {ready} ready")),
    }
}

fn denial(bad: &Tried) -> Check {
    const CHECK: &str = "denial";
    match bad {
        Tried::Denied { webhook, why } if is_ours(webhook) && why.contains(&format!("[{RULE}]")) => {
            Check::ok(
                CHECK,
                format!("a mirror set that no node could render is refused by {webhook} [{RULE}]"),
            )
        }
        Tried::Denied { webhook, why } if is_ours(webhook) => Check::failed(
            CHECK,
            format!(
                "a mirror set that no node could render is refused by {webhook}, but not for {RULE}: {why}"
            ),
            "see the logs of the pods; the configuration should deny what it is refused for",
        ),
        Tried::Admitted => Check::failed(
            CHECK,
            "a mirror set that no node could render is admitted",
            format!(
                "bring the pods back where none is ready; otherwise see whether the configuration sets {RULE} to \
                 warn or off, or a webhook was taken out of the ValidatingWebhookConfiguration"
            ),
        ),
        other => unasked(CHECK, other),
    }
}

fn admission(good: &Tried) -> Check {
    const CHECK: &str = "admission";
    match good {
        Tried::Admitted => Check::ok(CHECK, "a mirror set without entries is admitted"),
        Tried::Denied { webhook, why } if is_ours(webhook) => Check::failed(
            CHECK,
            format!("a mirror set without entries is refused by {webhook}: {why}"),
            "do what the reason says; where it cannot ask the apiserver, see the logs and the roles of the pods",
        ),
        other => unasked(CHECK, other),
    }
}

/// A write that mirrorguard did not decide on.
fn unasked(check: &'static str, tried: &Tried) -> Check {
    match tried {
        Tried::Unreached { webhook, why } if is_ours(webhook) => Check::failed(
            check,
            format!("the apiserver cannot ask {webhook}: {why}"),
            "bring the pods back; where they are ready, see whether the CA fits their certificate and a \
             NetworkPolicy lets the apiserver through",
        ),
        Tried::Denied { webhook, why } | Tried::Unreached { webhook, why } => Check::unknown(
            check,
            format!("webhook {webhook} stood before mirrorguard: {why}"),
            "have that webhook let ImageDigestMirrorSet/mirrorguard-check pass",
        ),
        Tried::DeniedByPolicy { policy, why } if is_ours(policy) => Check::unknown(
            check,
            format!("refused by the admission policy {policy}, before the webhook was asked: {why}"),
            format!("take the binding of {policy} off for the check, and put it back"),
        ),
        Tried::DeniedByPolicy { policy, why } => Check::unknown(
            check,
            format!("the admission policy {policy} stood before mirrorguard: {why}"),
            "have that policy let ImageDigestMirrorSet/mirrorguard-check pass",
        ),
        Tried::NotServed => Check::skipped(check, "not tried, this cluster has no ImageDigestMirrorSets"),
        Tried::Forbidden(why) => Check::unknown(
            check,
            format!("the write did not come to mirrorguard: {why}"),
            "grant create on imagedigestmirrorsets.config.openshift.io; nothing is stored, it is a dry run",
        ),
        Tried::Failed(why) => Check::unknown(
            check,
            format!("the write did not come to mirrorguard: {why}"),
            "mend what the apiserver says, and check again",
        ),
        Tried::Admitted => Check::ok(check, "admitted"),
    }
}

#[cfg(test)]
mod tests;
