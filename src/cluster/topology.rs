//! Whether a cluster's control plane is hosted by another cluster.

use std::time::Duration;

use kube::{
    Api, Client,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};

use super::cause;

/// How long a start waits for the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether this is the cluster of a hosted control plane; an error is the reason why that cannot be told.
///
/// `Infrastructure/cluster` says so in `status.controlPlaneTopology`, which `support/globalconfig/infrastructure.go`
/// of HyperShift sets to `External`. Its IDMS is written there from the HostedCluster, by `resources.go` of the
/// hosted cluster config operator. A cluster without the kind is no OpenShift, and hosted by nobody.
pub async fn is_hosted_control_plane(client: Client) -> Result<bool, String> {
    let gvk = GroupVersionKind::gvk("config.openshift.io", "v1", "Infrastructure");
    let resource = ApiResource::from_gvk_with_plural(&gvk, "infrastructures");
    let api = Api::<DynamicObject>::all_with(client, &resource);
    let answer = tokio::time::timeout(PATIENCE, api.get_opt("cluster")).await;
    let answer = answer.map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?;
    let infrastructure = answer.map_err(|error| cause(&error))?;
    let topology = infrastructure.as_ref().and_then(|i| i.data.pointer("/status/controlPlaneTopology"));
    Ok(topology.and_then(|topology| topology.as_str()) == Some("External"))
}
