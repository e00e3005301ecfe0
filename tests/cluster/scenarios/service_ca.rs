//! Certificates of OpenShift's service CA.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::certificates::shown;
use crate::cluster::{Cluster, nothing_is_left};
use crate::lifecycle::{broken_and_mended, upgraded_under_load};
use crate::load::{call, under_load};
use crate::routing::CONFIGURATIONS;
use crate::service_ca::{ServiceCa, collect_garbage};
use crate::wait::eventually;

scenarios![the_service_ca_rotates_under_load_and_survives_an_upgrade_and_a_break];

/// How soon a renewed certificate is served after the kubelet has replaced the files.
const RENEWAL: Duration = Duration::from_secs(15);

fn the_service_ca_rotates_under_load_and_survives_an_upgrade_and_a_break(
    cluster: &mut Cluster,
) -> Result<()> {
    cluster.install_with(json!({"mode": "serviceCA"}))?;
    let mut operator = ServiceCa::new()?;
    let made = (operator.sign(&cluster.plane)?, operator.inject(&cluster.plane)?);
    ensure!(made == (1, 2), "one Service and two configurations ask the service CA, not {made:?}");
    cluster.start_pod()?;

    under_load(&cluster.plane, &[cluster.pod()?], || {
        operator.rotate(2)?;
        operator.inject(&cluster.plane)?;
        renew(cluster, &operator)?;
        // The operator's two controllers wait for nobody: the other order happens too.
        operator.rotate(3)?;
        renew(cluster, &operator)?;
        operator.inject(&cluster.plane)?;
        Ok(())
    })?;

    upgraded_under_load(cluster)?;
    broken_and_mended(cluster, || operator.inject(&cluster.plane).map(drop))?;
    cluster.uninstall()?;
    collect_garbage(&cluster.plane)?;
    nothing_is_left(cluster)?;
    cluster.install_as_before()
}

fn renew(cluster: &Cluster, operator: &ServiceCa) -> Result<()> {
    let address = cluster.pod()?.address(&"webhook".into())?;
    let served = || shown(&call(&cluster.plane, CONFIGURATIONS[0], address)?);
    let before = served()?;
    operator.sign(&cluster.plane)?;
    cluster.pod()?.sync_volumes(&cluster.plane)?;
    eventually(RENEWAL, "the renewed certificate", || {
        ensure!(served()? != before, "the old one is still served");
        Ok(())
    })
}
