//! `check`, against a test API server.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::{Value, json};

use crate::apiserver::{Answers, Apiserver};
use crate::snapshot::Transcript;

const VALIDATING: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const MUTATING: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/guard/endpointslices";
const IDMS: &str = "/apis/config.openshift.io/v1/imagedigestmirrorsets";
const DENIAL: &str = "admission webhook \"mirror-sets.validate.mirrorguard.io\" denied the request: \
                      [never-contact-source-lists-source] spec: wrong";

fn webhook_configuration(name: &str, webhook: &str, client: &Value) -> Value {
    json!({"metadata": {"name": name}, "webhooks": [{
        "name": webhook, "admissionReviewVersions": ["v1"], "sideEffects": "None", "clientConfig": client,
    }]})
}

/// A configuration of mirrorguard with a CA bundle.
fn ours(webhook: &str, bundle: &str) -> Value {
    let service = json!({"namespace": "guard", "name": "guard"});
    let bundle = BASE64_STANDARD.encode(bundle);
    webhook_configuration("guard.guard", webhook, &json!({"service": service, "caBundle": bundle}))
}

/// Endpoints, of which the first is not ready.
fn endpoint_slice(ready: usize) -> Value {
    let mut endpoints = vec![json!({"addresses": ["192.0.2.1"], "conditions": {"ready": false}})];
    for address in 0..ready {
        endpoints
            .push(json!({"addresses": [format!("192.0.2.{}", address + 2)], "conditions": {"ready": true}}));
    }
    json!({"metadata": {"name": "guard-1"}, "addressType": "IPv4", "endpoints": endpoints})
}

/// A cluster with the webhooks, with a CA bundle, and with this many ready endpoints.
fn cluster_with_ca(ready: usize, bundle: &str) -> Answers {
    let others = webhook_configuration("policies", "policies.other.example", &json!({}));
    Answers::default()
        .list(VALIDATING, &[others.clone(), ours("mirror-sets.validate.mirrorguard.io", bundle)])
        .list(MUTATING, &[others, ours("hosted-clusters.mutate.mirrorguard.io", bundle)])
        .list(SLICES, &[endpoint_slice(ready)])
}

fn cluster(ready: usize) -> Answers {
    cluster_with_ca(ready, "")
}

/// A cluster without webhook configurations.
fn no_configurations() -> Answers {
    Answers::default().list(VALIDATING, &[]).list(MUTATING, &[])
}

/// The answer to a write that is admitted.
fn admitted() -> Value {
    json!({"metadata": {"name": "mirrorguard-check"}})
}

/// A CA that is valid to the end of a year.
fn ca(last_year: i32) -> Result<String> {
    let mut params = CertificateParams::new(["ca.lab.example".to_owned()])?;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(last_year, 12, 31);
    Ok(params.self_signed(&KeyPair::generate()?)?.pem())
}

/// A cluster whose webhooks trust a CA and have ready pods.
fn trusted_cluster() -> Result<Answers> {
    Ok(cluster_with_ca(2, &ca(2099)?))
}

fn denied_by_policy(name: &str) -> String {
    format!("ValidatingAdmissionPolicy '{name}' with binding 'b' denied request: wrong")
}

/// A cluster with a fault, and what it is.
struct Case {
    fault: &'static str,
    answers: Answers,
    code: i32,
}

fn faults_of_the_webhook() -> Result<Vec<Case>> {
    Ok(vec![
        Case { fault: "no configuration", answers: no_configurations().object(IDMS, &admitted()), code: 1 },
        Case { fault: "no ready pod, no CA", answers: cluster(0).refuse_with(IDMS, 403, DENIAL), code: 1 },
        Case {
            fault: "an expired CA, and nothing is denied",
            answers: cluster_with_ca(2, &ca(2021)?).object(IDMS, &admitted()),
            code: 1,
        },
        Case {
            fault: "a CA that is not PEM",
            answers: cluster_with_ca(2, "CA").refuse_with(IDMS, 403, DENIAL),
            code: 1,
        },
        Case {
            fault: "denied by another rule",
            answers: trusted_cluster()?.refuse_with(
                IDMS,
                403,
                &DENIAL.replace("never-contact-source-lists-source", "invalid-source"),
            ),
            code: 1,
        },
        Case {
            fault: "the webhook does not answer",
            answers: trusted_cluster()?.refuse_with(
                IDMS,
                500,
                "failed calling webhook \"mirror-sets.validate.mirrorguard.io\": connection refused",
            ),
            code: 1,
        },
    ])
}

fn writes_that_do_not_reach_the_webhook() -> Result<Vec<Case>> {
    Ok(vec![
        Case {
            fault: "another webhook denies",
            answers: trusted_cluster()?.refuse_with(
                IDMS,
                403,
                "admission webhook \"policies.other.example\" denied the request: no",
            ),
            code: 2,
        },
        Case {
            fault: "an admission policy of mirrorguard denies",
            answers: trusted_cluster()?.refuse_with(
                IDMS,
                422,
                &denied_by_policy("mirror-sets.deny.mirrorguard.io"),
            ),
            code: 2,
        },
        Case {
            fault: "another admission policy denies",
            answers: trusted_cluster()?.refuse_with(IDMS, 422, &denied_by_policy("other.example")),
            code: 2,
        },
        Case { fault: "no such kind", answers: trusted_cluster()?, code: 0 },
        Case {
            fault: "the API server fails",
            answers: trusted_cluster()?.refuse_with(IDMS, 500, "etcdserver: request timed out"),
            code: 2,
        },
        Case {
            fault: "no rights",
            answers: cluster(1).refuse(VALIDATING, 403).refuse(MUTATING, 403).refuse(IDMS, 403),
            code: 2,
        },
        Case { fault: "no rights to endpoints", answers: trusted_cluster()?.refuse(SLICES, 403), code: 2 },
    ])
}

#[test]
fn faults_are_as_people_see_them() -> Result<()> {
    let mut transcript = Transcript::default();
    for Case { fault, answers, code } in
        faults_of_the_webhook()?.into_iter().chain(writes_that_do_not_reach_the_webhook()?)
    {
        let run = Apiserver::start(answers)?.mirrorguard("check")?.code(code).context(fault)?;
        transcript.add_all(&format!("check  # {fault}"), &run);
    }
    let server = Apiserver::start(cluster(1).refuse_with(IDMS, 403, DENIAL))?;
    let run =
        server.mirrorguard("check --webhook-configuration misspelt")?.code(1)?.prints("\"misspelt\"")?;
    transcript.add_all("check --webhook-configuration misspelt", &run);
    let server = Apiserver::start(Answers::default().refuse(VALIDATING, 401))?;
    let run = server.mirrorguard("check")?.code(2)?.prints("")?.says(&server.url())?;
    transcript.replace(&server.url(), "https://api.lab.example:6443");
    transcript.add_all("check  # not logged in", &run);
    transcript.matches("messages/check.txt")
}

#[test]
fn nothing_is_stored() -> Result<()> {
    let server = Apiserver::start(cluster(0).refuse_with(IDMS, 403, DENIAL))?;
    server.mirrorguard("check")?.code(1)?;
    let requests = server.requests();
    let writes: Vec<_> = requests.iter().filter(|target| target.starts_with(IDMS)).collect();
    ensure!(writes.len() == 2 && writes.iter().all(|write| write.contains("dryRun=All")), "{writes:?}");
    Ok(())
}

#[test]
fn programs_get_the_same_as_json() -> Result<()> {
    let server = Apiserver::start(cluster(2).object(IDMS, &admitted()))?;
    let json = server.mirrorguard("check -o json")?.code(1)?.says("")?.json()?;
    let checks = json["checks"].as_array().context("no checks")?;
    let expected = [
        ("validating-webhooks", "ok"),
        ("mutating-webhook", "ok"),
        ("ca", "failed"),
        ("endpoints", "ok"),
        ("denial", "failed"),
        ("admission", "ok"),
    ];
    let found: Vec<_> = checks.iter().map(|check| (&check["check"], &check["status"])).collect();
    ensure!(found.len() == expected.len(), "{json}");
    for ((check, status), expected) in found.into_iter().zip(expected) {
        ensure!((check, status) == (&json!(expected.0), &json!(expected.1)), "not {expected:?}: {json}");
    }
    ensure!(
        checks[3]["message"].as_str().is_some_and(|message| message.contains(" 2 ")),
        "another count: {json}"
    );
    ensure!(
        checks.iter().all(|check| (check["status"] == "failed") == check["remedy"].is_string()),
        "{json}"
    );
    ensure!(json["summary"] == json!({"ok": 4, "failed": 2, "unknown": 0, "skipped": 0}), "{json}");
    Ok(())
}
