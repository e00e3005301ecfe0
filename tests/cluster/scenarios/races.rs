//! Two writes at once, each of which would be right alone.

use anyhow::{Context as _, Result, ensure};

use crate::cluster::Cluster;
use crate::control_plane::{ControlPlane, send};
use crate::objects::{entry, icsp, idms};

scenarios![an_icsp_right_after_an_idms_is_always_denied];

/// Enough to find a webhook that only reads its own watch, few enough for seconds.
const PAIRS: usize = 200;

const ICSPS: &str = "/apis/operator.openshift.io/v1alpha1/imagecontentsourcepolicies";
const IDMSS: &str = "/apis/config.openshift.io/v1/imagedigestmirrorsets";

fn an_icsp_right_after_an_idms_is_always_denied(cluster: &mut Cluster) -> Result<()> {
    (0..PAIRS).try_for_each(|number| {
        pair(&cluster.plane, &format!("pair-{number}")).with_context(|| format!("pair {number} of {PAIRS}"))
    })
}

fn pair(plane: &ControlPlane, name: &str) -> Result<()> {
    let entries = [entry("quay.io/team/app", "mirror.example.com:5000/team/app")];
    let (new, old) = (idms(name, &entries), icsp(name, &entries));
    // Connected before: the start of a kubectl would give the webhook's watch the time to catch up.
    let (first, second) = (plane.connect()?, plane.connect()?);
    let created = send(first, "POST", IDMSS, &new)?;
    let denied = send(second, "POST", ICSPS, &old)?;
    ensure!(created.status == 201, "the IDMS was not admitted: {created:?}");
    ensure!(denied.status == 403, "the ICSP was not denied: {denied:?}");
    // Because of the IDMS of this pair, and not an earlier one that is still cached.
    let expected = ["[icsp-alongside-idms]", name].iter().all(|part| denied.body.contains(part));
    ensure!(expected, "denied for another reason: {denied:?}");
    let deleted = send(plane.connect()?, "DELETE", &format!("{IDMSS}/{name}"), &serde_json::json!({}))?;
    ensure!(deleted.status == 200, "not deleted: {deleted:?}");
    Ok(())
}
