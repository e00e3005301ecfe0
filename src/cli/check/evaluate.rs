//! Evaluates the checks on what was observed.

use std::collections::BTreeSet;

use jiff::{Timestamp, tz::TimeZone};

use super::{
    outcome::{Outcome, is_ours},
    status::Check,
};
use crate::{
    certificates::{Certificate, ConfigurationKind},
    cli::words::plural,
};

/// The rule with a finding in the invalid mirror set.
const RULE: &str = "never-contact-source-lists-source";

/// What was observed in a cluster.
#[derive(Debug)]
pub(super) struct Observed {
    /// The name of `--webhook-configuration`.
    pub(super) named: Option<String>,
    pub(super) validating: Result<Vec<Configuration>, Unread>,
    pub(super) mutating: Result<Vec<Configuration>, Unread>,
    /// Of each Service that the webhooks name.
    pub(super) endpoints: Vec<Endpoints>,
    /// The outcome of writing an invalid mirror set.
    pub(super) invalid: Outcome,
    /// The outcome of writing a valid one, without entries.
    pub(super) valid: Outcome,
    pub(super) now: Timestamp,
}

/// A webhook configuration.
#[derive(Debug, Clone)]
pub(super) struct Configuration {
    pub(super) kind: ConfigurationKind,
    pub(super) name: String,
    pub(super) webhooks: Vec<Webhook>,
}

/// A webhook of a configuration.
#[derive(Debug, Clone)]
pub(super) struct Webhook {
    pub(super) name: String,
    /// `caBundle`, PEM; empty where it is not set.
    pub(super) bundle: Vec<u8>,
    /// Namespace and name; none for a webhook with a URL.
    pub(super) service: Option<(String, String)>,
}

/// Why something could not be read.
#[derive(Debug, Clone)]
pub(super) struct Unread {
    pub(super) why: String,
    /// Whether the user lacks the permission.
    pub(super) is_forbidden: bool,
}

impl Unread {
    /// What to do about it; `right` is the permission that reading requires.
    fn remedy(&self, right: &str) -> String {
        if self.is_forbidden {
            return format!("grant {right}");
        }
        "check the API server with kubectl get --raw '/readyz?verbose', then run the check again".to_owned()
    }
}

/// The number of ready pods of a Service.
#[derive(Debug, Clone)]
pub(super) struct Endpoints {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) ready: Result<usize, Unread>,
}

/// All checks: whether the webhooks are configured and can be reached, then what they answer. CA and endpoints are
/// checked for the webhooks that were found, so not at all if there are none.
pub(super) fn evaluate(observed: &Observed) -> Vec<Check> {
    let Observed { validating, mutating, .. } = observed;
    let mut checks = vec![
        configuration("validating-webhooks", ConfigurationKind::Validating, validating, observed),
        configuration("mutating-webhook", ConfigurationKind::Mutating, mutating, observed),
    ];
    let configurations: Vec<_> = [validating, mutating].into_iter().flatten().flatten().collect();
    if !configurations.is_empty() {
        checks.push(ca(&configurations, observed));
        checks.extend(observed.endpoints.iter().map(endpoints));
    }
    checks.push(denial(&observed.invalid));
    checks.push(admission(&observed.valid));
    checks
}

/// Whether there is a configuration of this kind with webhooks of mirrorguard: `read` holds only such ones.
fn configuration(
    check: &'static str,
    kind: ConfigurationKind,
    read: &Result<Vec<Configuration>, Unread>,
    observed: &Observed,
) -> Check {
    let kind = kind.name();
    match read.as_deref() {
        Err(unread) => {
            let verb = if observed.named.is_some() { "get" } else { "list" };
            let right = format!("{verb} on {}s.admissionregistration.k8s.io", kind.to_lowercase());
            Check::unknown(check, format!("{kind}: {}", unread.why), unread.remedy(&right))
        }
        Ok([]) => {
            let which = observed.named.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
            let message = format!("no {kind}{which} with webhooks of mirrorguard found");
            Check::failed(
                check,
                message,
                "install the chart; if the configuration was deleted, run helm upgrade",
            )
        }
        Ok(found) => {
            let webhooks = found.iter().map(|configuration| {
                let count = plural(configuration.webhooks.len(), "webhook");
                format!("{kind} {} has {count}", configuration.name)
            });
            Check::ok(check, webhooks.collect::<Vec<_>>().join("; "))
        }
    }
}

/// Whether every webhook has a CA that has not expired. The one that expires first is named.
fn ca(configurations: &[&Configuration], observed: &Observed) -> Check {
    const CHECK: &str = "ca";
    const REMEDY: &str = "check what writes the CA, which depends on certificates.mode of the Helm release: the pods of \
                          mirrorguard, OpenShift's service CA, cert-manager, or your value of certificates.caBundle";
    // A denial by mirrorguard proves that the API server accepts the certificate without any `caBundle`.
    let mut hooks = configurations.iter().flat_map(|configuration| &configuration.webhooks);
    if hooks.all(|hook| hook.bundle.is_empty()) && observed.invalid.is_denied_by_mirrorguard() {
        return Check::ok(
            CHECK,
            "no caBundle is set; the API server trusts the certificate with its system roots",
        );
    }
    let mut ends = BTreeSet::new();
    for configuration in configurations {
        for hook in &configuration.webhooks {
            let place =
                format!("{} {}, webhook {}", configuration.kind.name(), configuration.name, hook.name);
            if hook.bundle.is_empty() {
                return Check::failed(CHECK, format!("{place}: caBundle is empty"), REMEDY);
            }
            // While one CA replaces another, a bundle has both, and is of use until the last one expires.
            match Certificate::read_all(&hook.bundle).iter().map(|ca| ca.end).max() {
                None => {
                    return Check::failed(
                        CHECK,
                        format!("{place}: caBundle contains no certificate"),
                        REMEDY,
                    );
                }
                Some(end) if end < observed.now => {
                    return Check::failed(CHECK, format!("{place}: the CA expired on {}", day(end)), REMEDY);
                }
                Some(end) => ends.insert(end),
            };
        }
    }
    let end = ends.first().map(|end| day(*end)).unwrap_or_default();
    Check::ok(CHECK, format!("every webhook has a CA; the earliest expires on {end}"))
}

fn day(moment: Timestamp) -> String {
    TimeZone::UTC.to_datetime(moment).date().to_string()
}

/// Whether a Service has ready pods.
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
            format!(
                "Service {namespace}/{name} has no ready pods, so the API server cannot call the webhook"
            ),
            format!(
                "find out why no pod is ready: run kubectl --namespace {namespace} get pods, then kubectl describe and \
                 kubectl logs on those pods"
            ),
        ),
        Ok(ready) => {
            Check::ok(CHECK, format!("Service {namespace}/{name} has {}", plural(*ready, "ready pod")))
        }
    }
}

/// Whether mirrorguard denies the invalid mirror set, and for the right reason.
fn denial(invalid: &Outcome) -> Check {
    const CHECK: &str = "denial";
    match invalid {
        Outcome::Denied { webhook, why } if is_ours(webhook) && why.contains(&format!("[{RULE}]")) => {
            Check::ok(CHECK, format!("{webhook} denies an invalid mirror set [{RULE}]"))
        }
        Outcome::Denied { webhook, why } if is_ours(webhook) => Check::failed(
            CHECK,
            format!("{webhook} denies an invalid mirror set, but not because of {RULE}: {why}"),
            "check the logs of the pods, and that the configuration sets the rule to deny",
        ),
        Outcome::Admitted => Check::failed(
            CHECK,
            "the API server admits an invalid mirror set",
            format!(
                "check that pods are ready, that the configuration does not set {RULE} to warn or off, and that \
                 no webhook was removed from the ValidatingWebhookConfiguration"
            ),
        ),
        other => not_reached(CHECK, other),
    }
}

/// Whether mirrorguard admits the valid mirror set.
fn admission(valid: &Outcome) -> Check {
    const CHECK: &str = "admission";
    match valid {
        Outcome::Admitted => Check::ok(CHECK, "a mirror set without entries is admitted"),
        Outcome::Denied { webhook, why } if is_ours(webhook) => Check::failed(
            CHECK,
            format!("{webhook} denies a mirror set without entries: {why}"),
            "fix the reported problem; if the webhook could not query the API server, check the logs and the roles of the pods",
        ),
        other => not_reached(CHECK, other),
    }
}

/// The check of a write that mirrorguard neither admitted nor denied. The callers evaluate [`Outcome::Admitted`] and a
/// denial by mirrorguard themselves.
fn not_reached(check: &'static str, outcome: &Outcome) -> Check {
    match outcome {
        Outcome::Unreached { webhook, why } if is_ours(webhook) => Check::failed(
            check,
            format!("the API server cannot call {webhook}: {why}"),
            "check that pods are ready, that their certificate is signed by the CA, and that NetworkPolicies allow \
             the API server",
        ),
        Outcome::Denied { webhook, why } | Outcome::Unreached { webhook, why } => Check::unknown(
            check,
            format!("another webhook ({webhook}) handled the request before mirrorguard: {why}"),
            "exempt ImageDigestMirrorSet/mirrorguard-check from that webhook",
        ),
        Outcome::DeniedByPolicy { policy, why } if is_ours(policy) => Check::unknown(
            check,
            format!("the admission policy {policy} denied the request before the webhook was called: {why}"),
            format!("delete the binding of {policy}, run the check again, then restore the binding"),
        ),
        Outcome::DeniedByPolicy { policy, why } => Check::unknown(
            check,
            format!("another admission policy ({policy}) denied the request before mirrorguard: {why}"),
            "exempt ImageDigestMirrorSet/mirrorguard-check from that policy",
        ),
        Outcome::NotServed => Check::skipped(check, "this cluster does not serve ImageDigestMirrorSets"),
        Outcome::Forbidden(why) => Check::unknown(
            check,
            format!("the request did not reach mirrorguard: {why}"),
            "grant create on imagedigestmirrorsets.config.openshift.io; a dry run needs it too, but stores nothing",
        ),
        Outcome::Failed(why) => Check::unknown(
            check,
            format!("the request did not reach mirrorguard: {why}"),
            "fix the error that the API server reported, then run the check again",
        ),
        // Does not get here.
        Outcome::Admitted => Check::ok(check, "admitted"),
    }
}

#[cfg(test)]
mod tests;
