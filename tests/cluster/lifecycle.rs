//! What a release goes through, whoever makes its certificates.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::certificates::Authority;
use crate::cluster::Cluster;
use crate::injection::{configurations, inject, trusted};
use crate::load::under_load;
use crate::objects::{entry, icsp, idms};
use crate::release::Release;
use crate::rollout::{replaced, upgrade};
use crate::routing::FIRST;
use crate::wait::eventually;

/// For what the apiserver learns by a watch.
const PROPAGATION: Duration = Duration::from_secs(15);

/// `helm upgrade` under load, with a pod in place of the other: not one write fails, and what is trusted stays.
pub(crate) fn upgraded_under_load(cluster: &mut Cluster) -> Result<()> {
    cluster.release.config = json!({"rules": {"split-source": "off"}});
    let old = cluster.take_pod()?;
    let (plane, release) = (&cluster.plane, &cluster.release);
    let before = trusted(plane)?;
    let new = under_load(plane, &[], || {
        upgrade(plane, release)?;
        replaced(plane, &Release::deployment(plane)?, (old, FIRST), (1, "second"))
    })?;
    ensure!(trusted(plane)? == before, "the upgrade has changed what is trusted");
    cluster.release.config = json!({});
    cluster.go_on_with(new);
    Ok(())
}

/// Somebody has the webhooks trust another CA: new mirror sets are refused with the reason, deletions are not, until
/// it is mended.
pub(crate) fn broken_and_mended(cluster: &Cluster, mend: impl FnOnce() -> Result<()>) -> Result<()> {
    let kept = idms("kept", &[entry("quay.io/kept/app", "mirror.example.com/kept/app")]);
    cluster.create(&kept)?.succeeded()?;
    let stranger = Authority::new("stranger")?.pem();
    for configuration in configurations(&cluster.plane)? {
        inject(&cluster.plane, &configuration, Some(&stranger))?;
    }
    let wrong = icsp("refused", &[entry("https://quay.io/refused/app", "mirror.example.com/refused/app")]);
    eventually(PROPAGATION, "a refusal for the certificate", || {
        let refusal = cluster.create_dry(&wrong)?.refused()?.stderr;
        ensure!(
            refusal.contains("x509: certificate signed by unknown authority"),
            "refused otherwise: {refusal}"
        );
        Ok(())
    })?;
    cluster.delete(&kept)?.succeeded()?;
    mend()?;
    eventually(PROPAGATION, "a denial", || cluster.create_dry(&wrong)?.denied_for("invalid-source").map(drop))
}
