//! Certificates that mirrorguard makes by itself.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};

use crate::certificates::{Authority, shown};
use crate::cluster::{Cluster, nothing_is_left};
use crate::control_plane::ControlPlane;
use crate::injection::{configurations, inject, trusted};
use crate::kubelet::Pod;
use crate::lifecycle::upgraded_under_load;
use crate::load::{call, under_load};
use crate::release::{NAMESPACE, Release};
use crate::renewal::certificates;
use crate::routing::{CONFIGURATIONS, lead_also_to};
use crate::wait::eventually;

scenarios![
    two_replicas_renew_certificate_and_ca_under_load,
    an_upgrade_under_load_keeps_the_certificates_and_a_foreign_ca_goes_at_once,
    an_emptied_ca_bundle_is_put_back_at_once,
    a_damaged_secret_is_repaired_under_load,
    a_foreign_secret_is_refused_with_a_message,
    self_managed_certificates_replace_other_ones_and_leave_nothing,
];

/// For a whole CA's life as below, on a busy machine.
const LIFE: Duration = Duration::from_mins(2);

/// For what follows from a watch.
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
            let (served, bundle) = (served(plane, pods[0])?, trusted(plane)?);
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
        ensure!(served(plane, pods[0])? == served(plane, pods[1])?, "they differ");
        Ok(())
    })?;
    second.stop(&cluster.plane)?;
    end(cluster)
}

fn an_emptied_ca_bundle_is_put_back_at_once(cluster: &mut Cluster) -> Result<()> {
    cluster.install_with(long())?;
    cluster.start_pod()?;
    let (before, old) = (trusted(&cluster.plane)?, served(&cluster.plane, cluster.pod()?)?);
    for configuration in configurations(&cluster.plane)? {
        inject(&cluster.plane, &configuration, None)?;
    }
    eventually(SOON, "the CA in the configurations", || {
        ensure!(trusted(&cluster.plane)? == before, "it is not there");
        let status = cluster.pod()?.probe("readinessProbe")?;
        ensure!(status == 200, "the pod is not ready: {status}");
        Ok(())
    })?;
    cluster.release.upgrade(&cluster.plane, &[])?;
    ensure!(trusted(&cluster.plane)? == before, "an upgrade takes the CA away");
    // This one replaces every object, the Secret too. It reads each before it writes it, and mirrorguard may
    // have put the CA back in between: then Helm has to be told again.
    eventually(SOON, "a forced upgrade", || {
        cluster.release.upgrade(&cluster.plane, &["--force-replace", "--server-side=false"])
    })?;
    eventually(SOON, "a CA after a forced upgrade", || {
        let served = served(&cluster.plane, cluster.pod()?)?;
        ensure!(served != old, "the certificate of the CA that was lost is still served");
        Ok(())
    })?;
    end(cluster)
}

fn an_upgrade_under_load_keeps_the_certificates_and_a_foreign_ca_goes_at_once(
    cluster: &mut Cluster,
) -> Result<()> {
    cluster.install_with(long())?;
    cluster.start_pod()?;
    upgraded_under_load(cluster)?;
    let plane = &cluster.plane;
    let before = trusted(plane)?;
    for configuration in configurations(plane)? {
        inject(plane, &configuration, Some(&Authority::new("stranger")?.pem()))?;
    }
    eventually(SOON, "the CA that was there before", || {
        ensure!(trusted(plane)? == before, "somebody else's CA is trusted");
        Ok(())
    })?;
    end(cluster)
}

fn a_damaged_secret_is_repaired_under_load(cluster: &mut Cluster) -> Result<()> {
    cluster.install_with(long())?;
    cluster.start_pod()?;
    let second = start_second(cluster)?;
    let plane = &cluster.plane;
    let garbage = |keys: &[&str]| {
        let data: serde_json::Map<_, _> =
            keys.iter().map(|key| ((*key).to_owned(), BASE64_STANDARD.encode("garbage").into())).collect();
        json!([{"op": "replace", "path": "/data", "value": data}])
    };
    let broken = |key: &str| json!([{"op": "replace", "path": format!("/data/{key}"), "value": ""}]);
    let damages = [
        ("the key of the certificate is gone", broken("tls.key")),
        ("the CA's key is gone", broken("ca.key")),
        ("all of it is garbage", garbage(&["ca.crt", "ca.key", "tls.crt", "tls.key"])),
        ("something emptied it", json!([{"op": "remove", "path": "/data"}])),
    ];
    for (reason, damage) in damages {
        let before = served(plane, &second)?;
        under_load(plane, &[cluster.pod()?, &second], || {
            let arguments = ["patch", "secret", SECRET, "--namespace", NAMESPACE, "--type=json", "--patch"];
            plane.kubectl(&[&arguments[..], &[&damage.to_string()]].concat(), "")?.succeeded()?;
            eventually(LIFE, "one CA, and a new certificate served by both", || {
                let (first, second) = (served(plane, cluster.pod()?)?, served(plane, &second)?);
                ensure!(first == second && first != before, "the new one is not served by both");
                ensure!(certificates(&trusted(plane)?)?.len() == 1, "two CAs are trusted still");
                Ok(())
            })
        })
        .context(reason)?;
    }
    second.stop(&cluster.plane)?;
    end(cluster)
}

fn a_foreign_secret_is_refused_with_a_message(cluster: &mut Cluster) -> Result<()> {
    cluster.install_with(long())?;
    let secret = format!("Secret {NAMESPACE}/{SECRET}");
    replace_data(&cluster.plane, &json!({"password": "of somebody else"}))?;
    let said = refusal(&cluster.plane)?;
    let expected = format!("{secret} holds something that mirrorguard has not written");
    ensure!(said.contains(&expected) && said.contains("name an empty one"), "refused otherwise: {said}");
    let kept = cluster.plane.get(&["secret", SECRET, "--namespace", NAMESPACE])?;
    ensure!(kept["data"] == json!({"password": BASE64_STANDARD.encode("of somebody else")}), "{kept}");

    // Its twin is empty, and taken.
    replace_data(&cluster.plane, &json!({}))?;
    cluster.start_pod()?;
    cluster.stop_pod()?;
    let delete = ["delete", "secret", SECRET, "--namespace", NAMESPACE];
    cluster.plane.kubectl(&delete, "")?.succeeded()?;
    let said = refusal(&cluster.plane)?;
    ensure!(said.contains(&format!("there is no {secret}")), "not refused for want of it: {said}");
    end(cluster)
}

fn replace_data(plane: &ControlPlane, data: &Value) -> Result<()> {
    let patch = json!({"data": null, "stringData": data}).to_string();
    let patch = ["patch", "secret", SECRET, "--namespace", NAMESPACE, "--type=merge", "--patch", &patch];
    plane.kubectl(&patch, "")?.succeeded()?;
    Ok(())
}

/// What a pod says that is to end at its start.
fn refusal(plane: &ControlPlane) -> Result<String> {
    let started = Pod::start(plane, &Release::deployment(plane)?);
    let delete = ["delete", "pods", "--all", "--namespace", NAMESPACE, "--grace-period=0", "--force"];
    plane.kubectl(&delete, "")?.succeeded()?;
    match started {
        Ok(_) => bail!("it has started"),
        Err(error) => Ok(format!("{error:#}")),
    }
}

fn self_managed_certificates_replace_other_ones_and_leave_nothing(cluster: &mut Cluster) -> Result<()> {
    cluster.install_with(json!({"mode": "selfManaged"}))?;
    // What another issuer's injector had written.
    let other = cluster.release.authority.pem();
    for configuration in configurations(&cluster.plane)? {
        inject(&cluster.plane, &configuration, Some(&other))?;
    }
    cluster.start_pod()?;
    let bundle = certificates(&trusted(&cluster.plane)?)?;
    ensure!(bundle.len() == 2, "the CA of before is kept for pods of before: {} CAs", bundle.len());
    ensure!(certificates(other.as_bytes())?[0] == bundle[0], "the CA of before is another one");
    end(cluster)
}

fn end(cluster: &mut Cluster) -> Result<()> {
    cluster.uninstall()?;
    nothing_is_left(cluster)?;
    cluster.install_as_before()
}

fn start_second(cluster: &Cluster) -> Result<Pod> {
    let pod = Pod::start_beside(&cluster.plane, &Release::deployment(&cluster.plane)?, 1)?;
    lead_also_to(&cluster.plane, NAMESPACE, &pod, "second")?;
    Ok(pod)
}

fn served(plane: &ControlPlane, pod: &Pod) -> Result<CertificateDer<'static>> {
    shown(&call(plane, CONFIGURATIONS[0], pod.address(&"webhook".into())?)?)
}
