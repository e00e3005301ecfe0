//! Replacing one pod by another.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::kubelet::Pod;
use crate::namespace::Ground;
use crate::release::{NAMESPACE, Release, objects_of};
use crate::routing::{lead_also_to, lead_away_from, remove_slice};

/// Replaces one pod as the controllers of Deployment and `EndpointSlice` and the kubelet do: the new one is ready before
/// the old one gets SIGTERM, and the old one gets SIGTERM before its endpoint is removed. Takes the names of their
/// `EndpointSlices`, and the number of the new one for [`Pod::start_another`].
pub(crate) fn replace(
    plane: &ControlPlane,
    deployment: &Value,
    (old, old_slice): (Pod, &str),
    (number, new_slice): (u64, &str),
) -> Result<Pod> {
    let new = Pod::start_another(plane, deployment, number)?;
    lead_also_to(plane, NAMESPACE, &new, new_slice)?;
    old.begin_stop()?;
    lead_away_from(plane, NAMESPACE, &old, old_slice, &new)?;
    let status = old.finish_stop(plane)?;
    ensure!(status.success(), "the old pod ended with {status}");
    remove_slice(plane, NAMESPACE, old_slice)?;
    Ok(new)
}

/// `helm upgrade`; on the host without the webhook configurations, which have the URL of a pod there.
pub(crate) fn upgrade(plane: &ControlPlane, release: &Release) -> Result<()> {
    if plane.ground == Ground::Namespace {
        return release.upgrade(plane, &[]);
    }
    let objects = objects_of(&release.manifest(plane, &plane.binaries.helm)?)?;
    ["ConfigMap", "Deployment"].iter().filter_map(|kind| objects.get(*kind)).try_for_each(|o| plane.apply(o))
}
