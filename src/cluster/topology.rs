//! Whether the control plane of a cluster is hosted by another cluster.

use std::time::Duration;

use kube::{
    Api, Client,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};

use super::cause;

/// How long the start waits for the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether this is a hosted cluster; the error is the reason why that is unknown.
///
/// `support/globalconfig/infrastructure.go` of HyperShift sets `status.controlPlaneTopology` of
/// `Infrastructure/cluster` to `External`. In such a cluster, `resources.go` of the hosted cluster config operator
/// writes the IDMS from the HostedCluster. A cluster without this kind is not OpenShift.
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
