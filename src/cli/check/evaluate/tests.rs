//! Faults, and the checks that fail because of them.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;
use crate::cli::check::status::Status;

const SETS: &str = "mirror-sets.validate.mirrorguard.io";
const POLICY: &str = "mirror-sets.deny.mirrorguard.io";

fn ca(last_year: i32) -> Vec<u8> {
    let mut params = CertificateParams::new(["ca.mirror.lab.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(last_year, 12, 31);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem().into_bytes()
}

fn configuration(kind: ConfigurationKind, bundle: Vec<u8>) -> Configuration {
    let service = Some(("mirrorguard".to_owned(), "mirrorguard".to_owned()));
    let webhooks = vec![Webhook { name: SETS.to_owned(), bundle, service }];
    Configuration { kind, name: "mirrorguard.mirrorguard".to_owned(), webhooks }
}

fn forbidden() -> Unread {
    Unread { why: "forbidden (403)".to_owned(), is_forbidden: true }
}

fn denied_by(webhook: &str, rule: &str) -> Outcome {
    Outcome::Denied { webhook: webhook.to_owned(), why: format!("[{rule}] spec.x: wrong") }
}

fn denied_by_policy(policy: &str) -> Outcome {
    Outcome::DeniedByPolicy { policy: policy.to_owned(), why: "wrong".to_owned() }
}

fn unreached(webhook: &str) -> Outcome {
    Outcome::Unreached { webhook: webhook.to_owned(), why: "connection refused".to_owned() }
}

/// A cluster with a working webhook.
fn working() -> Observed {
    let bundle = ca(2029);
    Observed {
        named: None,
        validating: Ok(vec![configuration(ConfigurationKind::Validating, bundle.clone())]),
        mutating: Ok(vec![configuration(ConfigurationKind::Mutating, bundle)]),
        endpoints: vec![Endpoints {
            namespace: "mirrorguard".to_owned(),
            name: "mirrorguard".to_owned(),
            ready: Ok(2),
        }],
        invalid: denied_by(SETS, RULE),
        valid: Outcome::Admitted,
        now: "2026-06-01T00:00:00Z".parse().unwrap(),
    }
}

#[test]
fn a_working_webhook_passes_all_checks() {
    let checks = evaluate(&working());
    let names: Vec<_> = checks.iter().map(|check| check.name).collect();
    let expected = ["validating-webhooks", "mutating-webhook", "ca", "endpoints", "denial", "admission"];
    assert_eq!(names, expected);
    assert!(checks.iter().all(|check| check.status == Status::Ok && check.remedy.is_none()), "{checks:?}");
    assert!(checks[2].message.contains("2029-12-31"), "{checks:?}");
}

/// A change to the cluster with a working webhook.
type Fault = fn(&mut Observed);

/// Applies each fault, after which the check of this name has this status. A remedy is given unless it is skipped; no
/// fault leaves a check [`Status::Ok`].
fn assert_statuses(table: &[(Fault, &str, Status, &str)]) {
    for (fault, name, expected, reason) in table {
        let mut observed = working();
        // A denial would prove that no CA is needed.
        if *name == "ca" {
            observed.invalid = unreached(SETS);
        }
        fault(&mut observed);
        let checks = evaluate(&observed);
        let check = checks.iter().find(|check| check.name == *name).unwrap();
        assert_eq!(check.status, *expected, "{reason}: {check:?}");
        assert_eq!(check.remedy.is_some(), *expected != Status::Skipped, "{reason}: {check:?}");
    }
}

#[test]
fn a_fault_of_the_installation_shows_in_its_check_with_a_remedy() {
    use Status::{Failed, Unknown};
    assert_statuses(&[
        (|s| s.validating = Ok(vec![]), "validating-webhooks", Failed, "the validating one was deleted"),
        (|s| s.mutating = Ok(vec![]), "mutating-webhook", Failed, "the mutating one was deleted"),
        (|s| s.validating = Err(forbidden()), "validating-webhooks", Unknown, "a permission is missing"),
        (|s| hook(s).bundle.clear(), "ca", Failed, "the CA was not injected"),
        (
            |s| s.mutating.as_mut().unwrap()[0].webhooks[0].bundle.clear(),
            "ca",
            Failed,
            "the CA of one webhook was not injected",
        ),
        (
            |s| s.mutating.as_mut().unwrap()[0].webhooks[0].bundle = ca(2025),
            "ca",
            Failed,
            "the CA of one webhook was not renewed",
        ),
        (|s| hook(s).bundle = b"CA".to_vec(), "ca", Failed, "the CA is not PEM"),
        (|s| hook(s).bundle = ca(2025), "ca", Failed, "no CA was renewed"),
        (|s| s.endpoints[0].ready = Ok(0), "endpoints", Failed, "no pod is ready"),
        (|s| s.endpoints[0].ready = Err(forbidden()), "endpoints", Unknown, "a permission is missing"),
    ]);
}

#[test]
fn a_wrong_outcome_shows_in_its_check_with_a_remedy() {
    use Status::{Failed, Skipped, Unknown};
    assert_statuses(&[
        (|s| s.invalid = Outcome::Admitted, "denial", Failed, "the webhook was not called"),
        (|s| s.invalid = unreached(SETS), "denial", Failed, "no response, and failurePolicy is Fail"),
        (
            |s| s.invalid = denied_by(SETS, "invalid-source"),
            "denial",
            Failed,
            "denied because of another rule",
        ),
        (
            |s| s.invalid = denied_by("policy.other.example", RULE),
            "denial",
            Unknown,
            "another webhook denies first",
        ),
        (
            |s| s.invalid = unreached("policy.other.example"),
            "denial",
            Unknown,
            "another webhook does not answer",
        ),
        (
            |s| s.invalid = Outcome::Forbidden("may not (403)".to_owned()),
            "denial",
            Unknown,
            "a permission is missing",
        ),
        (
            |s| s.invalid = Outcome::NotServed,
            "denial",
            Skipped,
            "HyperShift on a Kubernetes without mirror sets",
        ),
        (|s| s.valid = denied_by(SETS, "unverified"), "admission", Failed, "everything is denied"),
        (|s| s.valid = unreached(SETS), "admission", Failed, "no response"),
        (
            |s| s.valid = denied_by("policy.other.example", "x"),
            "admission",
            Unknown,
            "another webhook denies",
        ),
    ]);
}

#[test]
fn a_right_is_named_only_where_it_is_missing() {
    for is_forbidden in [true, false] {
        let unread = Unread { is_forbidden, ..forbidden() };
        let check = &evaluate(&Observed { validating: Err(unread), ..working() })[0];
        let remedy = check.remedy.as_ref().unwrap();
        assert_eq!(remedy.contains("validatingwebhookconfigurations"), is_forbidden, "{check:?}");
    }
}

fn hook(observed: &mut Observed) -> &mut Webhook {
    &mut observed.validating.as_mut().unwrap()[0].webhooks[0]
}

#[test]
fn without_any_ca_a_denial_proves_that_the_certificate_is_trusted() {
    // Whether the bundle is missing in the validating and in the mutating configuration, the outcome of the invalid
    // mirror set, and whether the check passes.
    let table = [
        ([true, true], denied_by(SETS, RULE), true, "the system roots verify the certificate"),
        ([true, true], unreached(SETS), false, "nothing proves that they do"),
        ([true, true], denied_by_policy(POLICY), false, "the webhook was not called"),
        ([true, false], denied_by(SETS, RULE), false, "another one was injected, and this one was not"),
        ([false, true], denied_by(SETS, RULE), false, "the one that denied has a CA and proves nothing"),
    ];
    for (missing, invalid, is_ok, reason) in table {
        let mut observed = Observed { invalid, ..working() };
        for (read, is_missing) in [&mut observed.validating, &mut observed.mutating].into_iter().zip(missing)
        {
            if is_missing {
                read.as_mut().unwrap()[0].webhooks[0].bundle.clear();
            }
        }
        let check = &evaluate(&observed)[2];
        assert_eq!((check.name, check.status == Status::Ok), ("ca", is_ok), "{reason}: {check:?}");
    }
}

#[test]
fn the_remedy_names_the_right_or_the_policy() {
    // The outcome of both writes, and what the remedies contain.
    let table = [
        (
            Outcome::Forbidden("may not (403)".to_owned()),
            "imagedigestmirrorsets.config.openshift.io",
            "a right",
        ),
        (Outcome::Failed("no etcd (500)".to_owned()), "", "something else"),
        (denied_by_policy(POLICY), POLICY, "our policy"),
        (denied_by_policy("other.example"), "ImageDigestMirrorSet/mirrorguard-check", "another's policy"),
    ];
    for (outcome, expected, reason) in table {
        let is_forbidden = matches!(outcome, Outcome::Forbidden(_));
        let observed = Observed { valid: outcome.clone(), invalid: outcome, ..working() };
        // The checks of the two writes come last.
        for check in &evaluate(&observed)[4..] {
            assert_eq!(check.status, Status::Unknown, "{reason}: {check:?}");
            let remedy = check.remedy.as_ref().unwrap();
            assert!(remedy.contains(expected), "{reason}: {remedy}");
            assert_eq!(remedy.contains("create"), is_forbidden, "{reason}: {remedy}");
        }
    }
}

#[test]
fn a_missing_configuration_is_named_as_on_the_command_line() {
    let mut observed = working();
    observed.named = Some("misspelt".to_owned());
    observed.validating = Ok(vec![]);
    assert!(evaluate(&observed)[0].message.contains("\"misspelt\""));
}
