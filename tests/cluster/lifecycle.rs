//! What happens to a release, in every mode of certificates.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::answer::MIRROR_SETS;
use crate::certificates::Authority;
use crate::cluster::Cluster;
use crate::injection::{configurations, inject, trusted};
use crate::load::under_load;
use crate::objects::{entry, idms, invalid_icsp};
use crate::release::Release;
use crate::rollout::{replace, upgrade};
use crate::routing::FIRST;
use crate::wait::eventually;

/// Until the API server has seen a change by a watch.
const PROPAGATION: Duration = Duration::from_secs(15);

/// `helm upgrade` under load, which replaces the pod: no write fails, and the trusted CA stays.
pub(crate) fn upgrade_under_load(cluster: &mut Cluster) -> Result<()> {
    cluster.release.config = json!({"rules": {"split-source": "off"}});
    let old = cluster.take_pod()?;
    let (plane, release) = (&cluster.plane, &cluster.release);
    let before = trusted(plane)?;
    let new = under_load(plane, &[], || {
        upgrade(plane, release)?;
        replace(plane, &Release::deployment(plane)?, (old, FIRST), (1, "second"))
    })?;
    ensure!(trusted(plane)? == before, "the upgrade has changed the trusted CA");
    cluster.release.config = json!({});
    cluster.set_pod(new);
    Ok(())
}

/// Makes the webhooks trust a wrong CA: new mirror sets are rejected because of the certificate and deletions are not,
/// until the CA is repaired.
pub(crate) fn break_and_repair(cluster: &Cluster, repair: impl FnOnce() -> Result<()>) -> Result<()> {
    let kept = idms("kept", &[entry("quay.io/kept/app", "mirror.example.com/kept/app")]);
    cluster.create(&kept)?.succeeded()?;
    let stranger = Authority::new("stranger")?.pem();
    for configuration in configurations(&cluster.plane)? {
        inject(&cluster.plane, &configuration, Some(&stranger))?;
    }
    eventually(PROPAGATION, "an error because of the certificate", || {
        let failed = cluster.create_dry(&invalid_icsp())?.unanswered_by(MIRROR_SETS)?.stderr;
        // The errors of Go's package crypto/x509 begin with its name.
        ensure!(failed.contains("x509: "), "failed for another reason: {failed}");
        Ok(())
    })?;
    cluster.delete(&kept)?.succeeded()?;
    repair()?;
    cluster.wait_until_guarded()
}
