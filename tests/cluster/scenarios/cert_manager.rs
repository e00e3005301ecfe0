//! Certificates of cert-manager.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::cert_manager::CertManager;
use crate::cluster::{Cluster, nothing_is_left};
use crate::injection::trusted;
use crate::lifecycle::{break_and_repair, upgrade_under_load};
use crate::load::{served, under_load};
use crate::release::NAMESPACE;
use crate::wait::eventually;

scenarios![
    certificates_of_cert_manager_are_renewed_under_load_upgraded_and_repaired,
    cert_manager_uses_the_issuer_of_the_values,
];

/// How soon a renewed certificate is served after the kubelet has replaced the files.
const RENEWAL: Duration = Duration::from_secs(15);

fn certificates_of_cert_manager_are_renewed_under_load_upgraded_and_repaired(
    cluster: &mut Cluster,
) -> Result<()> {
    cluster.install_with(json!({"mode": "certManager"}))?;
    let mut manager = CertManager::default();
    let mut secrets = manager.issue(&cluster.plane, true)?;
    secrets.extend(manager.issue(&cluster.plane, false)?);
    ensure!(secrets.len() == 2, "not a CA and a serving certificate: {secrets:?}");
    let injected = CertManager::inject(&cluster.plane)?;
    ensure!(injected == 2, "two configurations ask for the CA, not {injected}");
    cluster.start_pod()?;

    under_load(&cluster.plane, &[cluster.pod()?], || {
        renew(cluster, &mut manager, true)?;
        // The CA: until the next serving certificate, the injector keeps the CA that it has.
        let before = trusted(&cluster.plane)?;
        manager.issue(&cluster.plane, true)?;
        renew(cluster, &mut manager, true)?;
        ensure!(trusted(&cluster.plane)? != before, "the CA was not renewed");
        // The kubelet and the injector do not wait for each other: the other order happens too.
        manager.issue(&cluster.plane, true)?;
        renew(cluster, &mut manager, false)
    })?;

    upgrade_under_load(cluster)?;
    break_and_repair(cluster, || CertManager::inject(&cluster.plane).map(drop))?;
    cluster.uninstall()?;
    // cert-manager keeps its Secrets, so that a new installation can use the certificates again.
    for secret in secrets {
        cluster.plane.kubectl(&["delete", "secret", &secret, "--namespace", NAMESPACE], "")?.succeeded()?;
    }
    nothing_is_left(cluster)?;
    cluster.install_as_before()
}

fn cert_manager_uses_the_issuer_of_the_values(cluster: &mut Cluster) -> Result<()> {
    let issuer = json!({"name": "corporate", "kind": "ClusterIssuer"});
    cluster.install_with(json!({"mode": "certManager", "certManager": {"issuer": issuer}}))?;
    let found = cluster.plane.get(&["certificates,issuers", "--namespace", NAMESPACE])?;
    // No pod has run: there was never a certificate.
    cluster.uninstall()?;
    cluster.install_as_before()?;
    let issuers: Vec<_> =
        found["items"].as_array().into_iter().flatten().map(|one| &one["spec"]["issuerRef"]).collect();
    let expected = json!({"name": "corporate", "kind": "ClusterIssuer", "group": "cert-manager.io"});
    ensure!(issuers == [&expected], "not one Certificate of that issuer, and no CA: {found}");
    Ok(())
}

/// Renews the serving certificate; the injector runs before the kubelet, or after it.
fn renew(cluster: &Cluster, manager: &mut CertManager, injected_first: bool) -> Result<()> {
    let address = cluster.pod()?.address(&"webhook".into())?;
    let before = served(&cluster.plane, address)?;
    manager.issue(&cluster.plane, false)?;
    if injected_first {
        CertManager::inject(&cluster.plane)?;
    }
    cluster.pod()?.sync_volumes(&cluster.plane)?;
    eventually(RENEWAL, "the renewed certificate", || {
        ensure!(served(&cluster.plane, address)? != before, "the old one is still served");
        Ok(())
    })?;
    if !injected_first {
        CertManager::inject(&cluster.plane)?;
    }
    Ok(())
}
