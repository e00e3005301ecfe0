//! One pod in place of another.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::kubelet::Pod;
use crate::namespace::Ground;
use crate::release::{NAMESPACE, Release, objects_of};
use crate::routing::{forget, lead_also_to, lead_away_from};

/// What the controllers of Deployment and `EndpointSlice` and the kubelet do about one pod: a new one is ready before
/// the old one hears that it goes, and the old one hears it before anybody else. Both stand with the names of their
/// `EndpointSlices`; the new one also with its number, see [`Pod::start_beside`].
pub(crate) fn replaced(
    plane: &ControlPlane,
    deployment: &Value,
    (old, old_slice): (Pod, &str),
    (number, new_slice): (u64, &str),
) -> Result<Pod> {
    let new = Pod::start_beside(plane, deployment, number)?;
    lead_also_to(plane, NAMESPACE, &new, new_slice)?;
    old.begin_stop()?;
    lead_away_from(plane, NAMESPACE, &old, old_slice, &new)?;
    let status = old.finish_stop(plane)?;
    ensure!(status.success(), "the old pod ended with {status}");
    forget(plane, NAMESPACE, old_slice)?;
    Ok(new)
}

/// `helm upgrade`; on the host of all but the webhook configurations, which lead to a pod by URL there.
pub(crate) fn upgrade(plane: &ControlPlane, release: &Release) -> Result<()> {
    if plane.ground == Ground::Namespace {
        return release.upgrade(plane, &[]);
    }
    let objects = objects_of(&release.manifest(plane, &plane.binaries.helm)?)?;
    ["ConfigMap", "Deployment"].iter().filter_map(|kind| objects.get(*kind)).try_for_each(|o| plane.apply(o))
}
