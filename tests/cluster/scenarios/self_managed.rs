//! Certificates that mirrorguard issues itself.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};

use crate::certificates::Authority;
use crate::cluster::{Cluster, nothing_is_left};
use crate::control_plane::ControlPlane;
use crate::injection::{configurations, inject, trusted};
use crate::kubelet::{Pod, expect_no_start};
use crate::lifecycle::upgrade_under_load;
use crate::load::{served, under_load};
use crate::release::{NAMESPACE, Release};
use crate::renewal::certificates;
use crate::routing::lead_also_to;
use crate::wait::eventually;

scenarios![
    two_replicas_renew_certificate_and_ca_under_load,
    an_upgrade_under_load_keeps_the_certificates_and_a_foreign_ca_is_removed_at_once,
    a_removed_ca_bundle_is_restored_at_once,
    a_damaged_secret_is_repaired_under_load,
    a_pod_does_not_start_with_a_foreign_secret,
    self_managed_certificates_replace_others_and_leave_nothing_behind,
];

/// For the whole life of a CA as below, on a busy machine.
const LIFE: Duration = Duration::from_mins(2);

/// Until a pod has acted on a change that it has seen by a watch.
const SOON: Duration = Duration::from_secs(15);

/// The Secret that the chart makes.
const SECRET: &str = "mirrorguard-self-managed-tls";

/// Lives that a test can wait for.
fn short() -> Value {
    json!({"mode": "selfManaged", "selfManaged": {"duration": "30s", "caDuration": "90s", "overlap": "2s"}})
}

/// Lives in which nothing is renewed during a test, and what is damaged is soon replaced.
fn long() -> Value {
    json!({"mode": "selfManaged", "selfManaged": {"overlap": "2s"}})
}

fn two_replicas_renew_certificate_and_ca_under_load(cluster: &mut Cluster) -> Result<()> {
    cluster.install_with(short())?;
    cluster.start_pod()?;
    let second = start_second(cluster)?;
    let plane = &cluster.plane;
    let pods = [cluster.pod()?, &second];
    let first_ca = trusted(plane)?;
    let (mut seen, mut bundles) = (Vec::new(), vec![first_ca.clone()]);
    under_load(plane, &pods, || {
        eventually(LIFE, "a certificate of the second CA, and the end of the first", || {
            let (served, bundle) = (served_by(pods[0], plane)?, trusted(plane)?);
            if !seen.contains(&served) {
                seen.push(served);
            }
            if bundles.last() != Some(&bundle) {
                bundles.push(bundle.clone());
            }
            ensure!(bundles.len() >= 3, "the bundles so far: {}", bundles.len());
            Ok(())
        })
    })?;
    ensure!(seen.len() >= 3, "renewed before the CA was, and with it: {}", seen.len());
    let sizes = bundles.iter().map(|bundle| Ok(certificates(bundle)?.len())).collect::<Result<Vec<_>>>()?;
    ensure!(sizes[..3] == [1, 2, 1], "one CA, both, the next one; but {sizes:?}");
    ensure!(
        certificates(&bundles[1])?.starts_with(&certificates(&first_ca)?),
        "both are the old and a new one"
    );
    eventually(SOON, "both replicas to serve the same certificate", || {
        ensure!(served_by(pods[0], plane)? == served_by(pods[1], plane)?, "they differ");
        Ok(())
    })?;
    second.stop(&cluster.plane)?;
    end(cluster)
}

fn a_removed_ca_bundle_is_restored_at_once(cluster: &mut Cluster) -> Result<()> {
    cluster.install_with(long())?;
    cluster.start_pod()?;
    let (before, old) = (trusted(&cluster.plane)?, served_by(cluster.pod()?, &cluster.plane)?);
    for configuration in configurations(&cluster.plane)? {
        inject(&cluster.plane, &configuration, None)?;
    }
    eventually(SOON, "the CA in the configurations", || {
        ensure!(trusted(&cluster.plane)? == before, "it is missing");
        let status = cluster.pod()?.probe("readinessProbe")?;
        ensure!(status == 200, "the pod is not ready: {status}");
        Ok(())
    })?;
    cluster.release.upgrade(&cluster.plane, &[])?;
    ensure!(trusted(&cluster.plane)? == before, "an upgrade removes the CA");
    // This one replaces every object, including the Secret. It reads each object before it writes it, and fails if
    // mirrorguard has restored the CA in between.
    eventually(SOON, "a forced upgrade", || {
        cluster.release.upgrade(&cluster.plane, &["--force-replace", "--server-side=false"])
    })?;
    eventually(SOON, "a CA after a forced upgrade", || {
        let served = served_by(cluster.pod()?, &cluster.plane)?;
        ensure!(served != old, "the certificate of the CA that was lost is still served");
        Ok(())
    })?;
    end(cluster)
}

fn an_upgrade_under_load_keeps_the_certificates_and_a_foreign_ca_is_removed_at_once(
    cluster: &mut Cluster,
) -> Result<()> {
    cluster.install_with(long())?;
    cluster.start_pod()?;
    upgrade_under_load(cluster)?;
    let plane = &cluster.plane;
    let before = trusted(plane)?;
    for configuration in configurations(plane)? {
        inject(plane, &configuration, Some(&Authority::new("stranger")?.pem()))?;
    }
    eventually(SOON, "the CA that was there before", || {
        ensure!(trusted(plane)? == before, "the other CA is trusted");
        Ok(())
    })?;
    end(cluster)
}

fn a_damaged_secret_is_repaired_under_load(cluster: &mut Cluster) -> Result<()> {
    cluster.install_with(long())?;
    cluster.start_pod()?;
    let second = start_second(cluster)?;
    let plane = &cluster.plane;
    let garbage = BASE64_STANDARD.encode("garbage");
    let garbage = json!({"ca.crt": garbage, "ca.key": garbage, "tls.crt": garbage, "tls.key": garbage});
    let damages = [
        ("no key of the certificate", json!([{"op": "replace", "path": "/data/tls.key", "value": ""}])),
        ("no key of the CA", json!([{"op": "replace", "path": "/data/ca.key", "value": ""}])),
        ("garbage", json!([{"op": "replace", "path": "/data", "value": garbage}])),
        ("no data", json!([{"op": "remove", "path": "/data"}])),
    ];
    for (reason, damage) in damages {
        let before = served_by(&second, plane)?;
        under_load(plane, &[cluster.pod()?, &second], || {
            let arguments = ["patch", "secret", SECRET, "--namespace", NAMESPACE, "--type=json", "--patch"];
            plane.kubectl(&[&arguments[..], &[&damage.to_string()]].concat(), "")?.succeeded()?;
            eventually(LIFE, "one CA, and a new certificate served by both", || {
                let (first, second) = (served_by(cluster.pod()?, plane)?, served_by(&second, plane)?);
                ensure!(first == second && first != before, "the new one is not served by both");
                ensure!(certificates(&trusted(plane)?)?.len() == 1, "two CAs are still trusted");
                Ok(())
            })
        })
        .context(reason)?;
    }
    second.stop(&cluster.plane)?;
    end(cluster)
}

fn a_pod_does_not_start_with_a_foreign_secret(cluster: &mut Cluster) -> Result<()> {
    cluster.install_with(long())?;
    replace_data(&cluster.plane, &json!({"password": "of another application"}))?;
    expect_no_start_for_secret(&cluster.plane)?;
    let kept = cluster.plane.get(&["secret", SECRET, "--namespace", NAMESPACE])?;
    ensure!(kept["data"] == json!({"password": BASE64_STANDARD.encode("of another application")}), "{kept}");

    // The twin: an empty one is used.
    replace_data(&cluster.plane, &json!({}))?;
    cluster.start_pod()?;
    cluster.stop_pod()?;
    let delete = ["delete", "secret", SECRET, "--namespace", NAMESPACE];
    cluster.plane.kubectl(&delete, "")?.succeeded()?;
    expect_no_start_for_secret(&cluster.plane)?;
    end(cluster)
}

/// Expects that a pod ends at its start, with an error that names the Secret.
fn expect_no_start_for_secret(plane: &ControlPlane) -> Result<()> {
    let ended = expect_no_start(plane, &Release::deployment(plane)?)?;
    let names_secret = ended.log.contains(&format!("{NAMESPACE}/{SECRET}"));
    ensure!(ended.status.code() == Some(2) && names_secret, "ended for another reason: {ended}");
    Ok(())
}

fn replace_data(plane: &ControlPlane, data: &Value) -> Result<()> {
    let patch = json!({"data": null, "stringData": data}).to_string();
    let patch = ["patch", "secret", SECRET, "--namespace", NAMESPACE, "--type=merge", "--patch", &patch];
    plane.kubectl(&patch, "")?.succeeded()?;
    Ok(())
}

fn self_managed_certificates_replace_others_and_leave_nothing_behind(cluster: &mut Cluster) -> Result<()> {
    cluster.install_with(json!({"mode": "selfManaged"}))?;
    // As the injector of another issuer has written it.
    let other = cluster.release.authority.pem();
    for configuration in configurations(&cluster.plane)? {
        inject(&cluster.plane, &configuration, Some(&other))?;
    }
    cluster.start_pod()?;
    let bundle = certificates(&trusted(&cluster.plane)?)?;
    ensure!(bundle.len() == 2, "the previous CA is not kept for previous pods: {} CAs", bundle.len());
    ensure!(certificates(other.as_bytes())?[0] == bundle[0], "the previous CA is not the first one");
    end(cluster)
}

fn end(cluster: &mut Cluster) -> Result<()> {
    cluster.uninstall()?;
    nothing_is_left(cluster)?;
    cluster.install_as_before()
}

fn start_second(cluster: &Cluster) -> Result<Pod> {
    let pod = Pod::start_another(&cluster.plane, &Release::deployment(&cluster.plane)?, 1)?;
    lead_also_to(&cluster.plane, NAMESPACE, &pod, "second")?;
    Ok(pod)
}

fn served_by(pod: &Pod, plane: &ControlPlane) -> Result<CertificateDer<'static>> {
    served(plane, pod.address(&"webhook".into())?)
}
