//! Certificates of OpenShift's service CA.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::cluster::{Cluster, nothing_is_left};
use crate::lifecycle::{break_and_repair, upgrade_under_load};
use crate::load::{served, under_load};
use crate::service_ca::{ServiceCa, collect_garbage};
use crate::wait::eventually;

scenarios![certificates_of_the_service_ca_are_rotated_under_load_upgraded_and_repaired];

/// How soon a renewed certificate is served after the kubelet has replaced the files.
const RENEWAL: Duration = Duration::from_secs(15);

fn certificates_of_the_service_ca_are_rotated_under_load_upgraded_and_repaired(
    cluster: &mut Cluster,
) -> Result<()> {
    cluster.install_with(json!({"mode": "serviceCA"}))?;
    let mut operator = ServiceCa::new()?;
    let made = (operator.sign(&cluster.plane)?, operator.inject(&cluster.plane)?);
    ensure!(made == (1, 2), "not one Service and two configurations use the service CA: {made:?}");
    cluster.start_pod()?;

    under_load(&cluster.plane, &[cluster.pod()?], || {
        operator.rotate(2)?;
        operator.inject(&cluster.plane)?;
        renew(cluster, &operator)?;
        // The operator's two controllers do not wait for each other: the other order happens too.
        operator.rotate(3)?;
        renew(cluster, &operator)?;
        operator.inject(&cluster.plane)?;
        Ok(())
    })?;

    upgrade_under_load(cluster)?;
    break_and_repair(cluster, || operator.inject(&cluster.plane).map(drop))?;
    cluster.uninstall()?;
    collect_garbage(&cluster.plane)?;
    nothing_is_left(cluster)?;
    cluster.install_as_before()
}

fn renew(cluster: &Cluster, operator: &ServiceCa) -> Result<()> {
    let address = cluster.pod()?.address(&"webhook".into())?;
    let before = served(&cluster.plane, address)?;
    operator.sign(&cluster.plane)?;
    cluster.pod()?.sync_volumes(&cluster.plane)?;
    eventually(RENEWAL, "the renewed certificate", || {
        ensure!(served(&cluster.plane, address)? != before, "the old one is still served");
        Ok(())
    })
}
