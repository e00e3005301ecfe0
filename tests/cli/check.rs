//! `check`, against a stand-in for the apiserver.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::apiserver::{Answers, Apiserver};

const VALIDATING: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const MUTATING: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/guard/endpointslices";
const IDMS: &str = "/apis/config.openshift.io/v1/imagedigestmirrorsets";
const DENIAL: &str = "admission webhook \"mirror-sets.validate.mirrorguard.io\" denied the request: \
                      [never-contact-source-lists-source] spec: wrong";

/// A cluster with the webhooks, without a CA, and with this many ready endpoints.
fn cluster(ready: usize) -> Answers {
    let hook = |name: &str| {
        json!({
            "name": format!("{name}.mirrorguard.io"), "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "clientConfig": {"service": {"namespace": "guard", "name": "guard"}},
        })
    };
    let configuration = |name: &str, hook: &str| {
        json!({"metadata": {"name": name}, "webhooks": [{
            "name": hook, "admissionReviewVersions": ["v1"], "sideEffects": "None", "clientConfig": {},
        }]})
    };
    let ours = |name: &str| json!({"metadata": {"name": "guard.guard"}, "webhooks": [hook(name)]});
    let others = configuration("policies", "policies.other.example");
    let endpoint =
        |place: usize| json!({"addresses": [format!("192.0.2.{place}")], "conditions": {"ready": place > 0}});
    let endpoints: Vec<_> = (0..=ready).map(endpoint).collect();
    let slice = json!({"metadata": {"name": "guard-1"}, "addressType": "IPv4", "endpoints": endpoints});
    Answers::default()
        .list(VALIDATING, &[others.clone(), ours("mirror-sets.validate")])
        .list(MUTATING, &[others, ours("hosted-clusters.mutate")])
        .list(SLICES, &[slice])
}

#[test]
fn each_check_is_told_with_its_remedy() -> Result<()> {
    // Whatever is written is refused: the set without entries too.
    let server = Apiserver::start(cluster(0).refuse_with(IDMS, 403, DENIAL))?;
    let run = server.mirrorguard("check")?.code(1)?;
    run.prints("✓ validating-webhooks: ValidatingWebhookConfiguration guard.guard, 1 webhook\n")?
        .prints("✗ endpoints: Service guard/guard has no ready endpoint: nobody answers the apiserver\n  fix: see why")?
        .prints("✓ denial: a mirror set that no node could render is refused by mirror-sets.validate.mirrorguard.io")?
        .prints("✗ admission: a mirror set without entries is refused … \n  fix: ")?
        .says("6 checks: 2 failed, 0 not answered\n")?;
    for written in server.asked().iter().filter(|target| target.starts_with(IDMS)) {
        ensure!(written.contains("dryRun=All"), "written for good: {written}");
    }
    Ok(())
}

#[test]
fn programs_get_the_same_as_json() -> Result<()> {
    let server =
        Apiserver::start(cluster(2).object(IDMS, &json!({"metadata": {"name": "mirrorguard-check"}})))?;
    let json = server.mirrorguard("check -o json")?.code(1)?.says("")?.json()?;
    let checks = json["checks"].as_array().context("no checks")?;
    let status =
        |name: &str| checks.iter().find(|check| check["check"] == name).map(|check| &check["status"]);
    ensure!(status("endpoints") == Some(&json!("ok")), "two are ready: {json}");
    ensure!(json.to_string().contains("Service guard/guard has 2 ready"), "another count: {json}");
    ensure!(status("ca") == Some(&json!("failed")), "there is none: {json}");
    ensure!(status("denial") == Some(&json!("failed")), "it was admitted: {json}");
    ensure!(status("admission") == Some(&json!("ok")), "{json}");
    ensure!(
        checks.iter().all(|check| (check["status"] == "failed") == check["remedy"].is_string()),
        "{json}"
    );
    ensure!(json["summary"] == json!({"ok": 4, "failed": 2, "unknown": 0, "skipped": 0}), "{json}");
    Ok(())
}

#[test]
fn what_may_not_be_asked_is_no_answer() -> Result<()> {
    let answers =
        [VALIDATING, MUTATING, IDMS].into_iter().fold(Answers::default(), |a, path| a.refuse(path, 403));
    let run = Apiserver::start(answers)?.mirrorguard("check")?.code(2)?;
    run.prints("? validating-webhooks: ValidatingWebhookConfiguration: forbidden (403)\n  fix: grant list on validatingwebhookconfigurations.admissionregistration.k8s.io\n")?
        .says("error: not every check could be answered")?;
    let server = Apiserver::start(Answers::default().refuse(VALIDATING, 401))?;
    server.mirrorguard("check")?.code(2)?.prints("")?.says(&format!("cannot ask {}", server.url()))?;
    Ok(())
}

#[test]
fn a_configuration_that_is_not_there_is_named() -> Result<()> {
    let server = Apiserver::start(cluster(1).refuse_with(IDMS, 403, DENIAL))?;
    let run = server.mirrorguard("check --webhook-configuration misspelt")?.code(1)?;
    run.prints("✗ validating-webhooks: there is no ValidatingWebhookConfiguration \"misspelt\"")?;
    Ok(())
}
