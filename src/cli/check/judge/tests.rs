//! The table of what can be wrong.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;

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

fn denied_by(webhook: &str, rule: &str) -> Tried {
    Tried::Denied { webhook: webhook.to_owned(), why: format!("[{rule}] spec.x: wrong") }
}

fn denied_by_policy(policy: &str) -> Tried {
    Tried::DeniedByPolicy { policy: policy.to_owned(), why: "wrong".to_owned() }
}

fn unreached(webhook: &str) -> Tried {
    Tried::Unreached { webhook: webhook.to_owned(), why: "connection refused".to_owned() }
}

/// A cluster in which all is well.
fn guarded() -> Seen {
    let bundle = ca(2029);
    Seen {
        named: None,
        validating: Ok(vec![configuration(ConfigurationKind::Validating, bundle.clone())]),
        mutating: Ok(vec![configuration(ConfigurationKind::Mutating, bundle)]),
        endpoints: vec![Endpoints {
            namespace: "mirrorguard".to_owned(),
            name: "mirrorguard".to_owned(),
            ready: Ok(2),
        }],
        bad: denied_by(SETS, RULE),
        good: Tried::Admitted,
        now: "2026-06-01T00:00:00Z".parse().unwrap(),
    }
}

#[test]
fn all_is_well_where_the_webhook_refuses_and_admits() {
    let checks = judge(&guarded());
    let names: Vec<_> = checks.iter().map(|check| check.name).collect();
    let expected = ["validating-webhooks", "mutating-webhook", "ca", "endpoints", "denial", "admission"];
    assert_eq!(names, expected);
    assert!(checks.iter().all(|check| check.status == Status::Ok && check.remedy.is_none()), "{checks:?}");
    assert!(checks[2].message.contains("2029-12-31"), "{checks:?}");
}

/// One thing that differs from the cluster in which all is well.
type Fault = fn(&mut Seen);

#[test]
fn one_fault_fails_one_check_with_a_remedy() {
    use Status::{Failed, Skipped, Unknown};
    let table: [(Fault, &str, Status, &str); 20] = [
        (|s| s.validating = Ok(vec![]), "validating-webhooks", Failed, "somebody deleted the configuration"),
        (|s| s.mutating = Ok(vec![]), "mutating-webhook", Failed, "or the other one"),
        (|s| s.validating = Err(forbidden()), "validating-webhooks", Unknown, "a right is missing"),
        (|s| hook(s).bundle.clear(), "ca", Failed, "nothing injected it"),
        (|s| s.mutating.as_mut().unwrap()[0].webhooks[0].bundle.clear(), "ca", Failed, "of one alone"),
        (
            |s| s.mutating.as_mut().unwrap()[0].webhooks[0].bundle = ca(2025),
            "ca",
            Failed,
            "one alone was not renewed",
        ),
        (|s| hook(s).bundle = b"CA".to_vec(), "ca", Failed, "it is no PEM"),
        (|s| hook(s).bundle = ca(2025), "ca", Failed, "nobody renewed it"),
        (|s| s.endpoints[0].ready = Ok(0), "endpoints", Failed, "the pods are dead"),
        (|s| s.endpoints[0].ready = Err(forbidden()), "endpoints", Unknown, "a right is missing"),
        (|s| s.bad = Tried::Admitted, "denial", Failed, "nobody was asked"),
        (|s| s.bad = unreached(SETS), "denial", Failed, "nobody answered, and failurePolicy is Fail"),
        (|s| s.bad = denied_by(SETS, "invalid-source"), "denial", Failed, "refused for something else"),
        (
            |s| s.bad = denied_by("policy.other.example", RULE),
            "denial",
            Unknown,
            "somebody else refused it first",
        ),
        (|s| s.bad = unreached("policy.other.example"), "denial", Unknown, "somebody else's webhook is dead"),
        (|s| s.bad = Tried::Forbidden("may not (403)".to_owned()), "denial", Unknown, "a right is missing"),
        (|s| s.bad = Tried::NotServed, "denial", Skipped, "HyperShift on a Kubernetes without mirror sets"),
        (|s| s.good = denied_by(SETS, "unverified"), "admission", Failed, "everything is refused"),
        (|s| s.good = unreached(SETS), "admission", Failed, "nobody answered"),
        (
            |s| s.good = denied_by("policy.other.example", "x"),
            "admission",
            Unknown,
            "somebody else refused it",
        ),
    ];
    for (fault, name, expected, reason) in table {
        let mut seen = guarded();
        // A denial would prove that a CA is not needed.
        if name == "ca" {
            seen.bad = unreached(SETS);
        }
        fault(&mut seen);
        let checks = judge(&seen);
        let check = checks.iter().find(|check| check.name == name).unwrap();
        assert_eq!(check.status, expected, "{reason}: {check:?}");
        assert_eq!(check.remedy.is_some(), expected != Skipped, "{reason}: {check:?}");
    }
}

#[test]
fn a_right_is_named_only_where_it_is_missing() {
    for is_forbidden in [true, false] {
        let unread = Unread { is_forbidden, ..forbidden() };
        let check = &judge(&Seen { validating: Err(unread), ..guarded() })[0];
        let remedy = check.remedy.as_ref().unwrap();
        assert_eq!(remedy.contains("validatingwebhookconfigurations"), is_forbidden, "{check:?}");
    }
}

fn hook(seen: &mut Seen) -> &mut Webhook {
    &mut seen.validating.as_mut().unwrap()[0].webhooks[0]
}

#[test]
fn without_any_ca_a_denial_proves_that_the_certificate_is_trusted() {
    // Which bundle is missing, what became of the mirror set, whether that is fine, and why.
    let table = [
        ([true, true], denied_by(SETS, RULE), true, "the apiserver's own roots do"),
        ([true, true], unreached(SETS), false, "they do not"),
        ([true, true], denied_by_policy(POLICY), false, "the webhook was not asked"),
        ([true, false], denied_by(SETS, RULE), false, "another one was injected, and this one was not"),
        ([false, true], denied_by(SETS, RULE), false, "the one that denied has a CA and proves nothing"),
    ];
    for (missing, bad, is_fine, reason) in table {
        let mut seen = Seen { bad, ..guarded() };
        for (read, is_missing) in [&mut seen.validating, &mut seen.mutating].into_iter().zip(missing) {
            if is_missing {
                read.as_mut().unwrap()[0].webhooks[0].bundle.clear();
            }
        }
        let check = &judge(&seen)[2];
        assert_eq!(check.status == Status::Ok, is_fine, "{reason}: {check:?}");
    }
}

#[test]
fn the_remedy_names_the_right_or_the_policy() {
    let table = [
        (
            Tried::Forbidden("may not (403)".to_owned()),
            "imagedigestmirrorsets.config.openshift.io",
            "a right",
        ),
        (Tried::Failed("no etcd (500)".to_owned()), "", "something else"),
        (denied_by_policy(POLICY), POLICY, "our policy"),
        (denied_by_policy("other.example"), "ImageDigestMirrorSet/mirrorguard-check", "another's policy"),
    ];
    for (bad, expected, reason) in table {
        let seen = Seen { good: bad.clone(), bad, ..guarded() };
        for check in &judge(&seen)[4..] {
            assert_eq!(check.status, Status::Unknown, "{reason}: {check:?}");
            let remedy = check.remedy.as_ref().unwrap();
            assert!(remedy.contains(expected), "{reason}: {remedy}");
            assert_eq!(remedy.contains("create"), reason == "a right", "{reason}: {remedy}");
        }
    }
}

#[test]
fn a_missing_configuration_is_named_as_on_the_command_line() {
    let mut seen = guarded();
    seen.named = Some("misspelt".to_owned());
    seen.validating = Ok(vec![]);
    assert!(judge(&seen)[0].message.contains("\"misspelt\""));
}
