//! Where hosted control planes look for an image with what they were started with: the part of
//! `mirrorguard explain` that asks the cluster.

use std::{collections::BTreeMap, fmt::Write};

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::{
    input::{self, Connection},
    output::Output,
};
use crate::cluster::{LiveState, Readings, cause, read_workloads};
use mirrorguard_core::{
    hypershift::{self, Era, Overrides, Release},
    inventory::{Inventory, Workload},
    objects::{HostedCluster, Object},
    state::State,
};

/// Where one workload of a hosted control plane looks for the image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HostedControlPlane {
    namespace: String,
    /// `namespace/name` of its HostedCluster, where that could be told.
    hosted_cluster: Option<String>,
    /// Name of the Deployment.
    deployment: String,
    release: Candidates,
    exact: Candidates,
    prefix: Candidates,
    /// Whether the mirror sets would now lead it elsewhere.
    differs: bool,
    /// The rules that its release follows; both where it is not known.
    #[serde(skip)]
    eras: &'static [Era],
}

/// References that the image may become, the original left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Candidates {
    candidates: Vec<String>,
}

/// Asks the cluster of the current kubeconfig what its hosted control planes were started with, and follows
/// the image through it.
pub(super) fn look_up(image: &str, state: &State, output: &Output) -> Result<Vec<HostedControlPlane>> {
    let Readings { inventory, unread } = input::runtime()?.block_on(async {
        let Connection { client, server } = input::connect().await?;
        let hosted = LiveState::hosted_clusters(client.clone()).await;
        let hosted = hosted.map_err(|error| {
            anyhow::anyhow!("--cluster: cannot list the HostedClusters of {server}: {}", cause(&error))
        })?;
        let hosted = hosted.into_iter().filter_map(|object| match object {
            Object::HostedCluster(hosted) => Some(hosted),
            _ => None,
        });
        anyhow::Ok(read_workloads(&client, hosted.collect()).await)
    })?;
    for line in unread {
        output.say(&format!("not checked: {line}\n"));
    }
    section(image, state, &inventory)
}

fn section(image: &str, state: &State, inventory: &Inventory) -> Result<Vec<HostedControlPlane>> {
    let now = hypershift::overrides(state.context().view());
    let mut found = Vec::new();
    for workload in inventory.control_planes() {
        let Some(handed) = workload.image_overrides() else { continue };
        let hosted = inventory.hosted_cluster_of(workload);
        let tag = hosted.and_then(|hosted| Release::of_image(&hosted.spec.release.image));
        let own = workload.registry_overrides();
        // The control plane operator adds its own from 4.18 on, so that what it starts has them already.
        let is_first = workload.name == Workload::CONTROL_PLANE_OPERATOR;
        let adds = tag.is_none_or(|release| release >= Release::ADDS_OWN_OVERRIDES);
        let would =
            if adds && (is_first || has(&handed, &own)) { hypershift::sum(&now, &own) } else { now.clone() };
        let started = if adds && is_first { hypershift::sum(&handed, &own) } else { handed };
        let (there, expected) = (follow(image, &started)?, follow(image, &would)?);
        let differs = there.iter().zip(&expected).any(|(a, b)| a.sorted() != b.sorted());
        let [release, exact, prefix] = there;
        found.push(HostedControlPlane {
            namespace: workload.namespace.clone(),
            hosted_cluster: hosted.map(HostedCluster::namespaced_name),
            deployment: workload.name.clone(),
            release,
            exact,
            prefix,
            differs,
            eras: eras(tag),
        });
    }
    Ok(found)
}

fn eras(release: Option<Release>) -> &'static [Era] {
    match release {
        Some(release) if release < Release::SECOND_ERA => &[Era::Exact],
        Some(_) => &[Era::Prefix],
        None => &[Era::Exact, Era::Prefix],
    }
}

/// Whether all of the second are in the first.
fn has(all: &Overrides<'_>, part: &Overrides<'_>) -> bool {
    part.iter().all(|(source, mirrors)| {
        all.get(source).is_some_and(|there| mirrors.iter().all(|mirror| there.contains(mirror)))
    })
}

/// The release look-up, and the metadata look-up in both eras.
fn follow(image: &str, overrides: &Overrides<'_>) -> Result<[Candidates; 3]> {
    let metadata = |era| {
        let lookup = hypershift::metadata_lookup(era, overrides, image);
        let lookup = lookup.with_context(|| format!("HyperShift cannot read the image \"{image}\""))?;
        anyhow::Ok(Candidates { candidates: lookup.candidates })
    };
    let release = Candidates { candidates: hypershift::release_lookup(overrides, image) };
    Ok([release, metadata(Era::Exact)?, metadata(Era::Prefix)?])
}

impl Candidates {
    /// Several objects are handed on in no order.
    fn sorted(&self) -> Vec<&String> {
        let mut sorted: Vec<_> = self.candidates.iter().collect();
        sorted.sort_unstable();
        sorted
    }

    fn told(&self) -> String {
        if self.candidates.is_empty() { "not redirected".to_owned() } else { self.candidates.join(", ") }
    }
}

/// The section as people read it: what agrees in a hosted control plane is told once.
pub(super) fn human(found: &[HostedControlPlane]) -> String {
    let mut text = "\nin hosted control planes (with what each was started with)\n".to_owned();
    if found.is_empty() {
        text += "  there are none\n";
    }
    let mut groups: BTreeMap<_, Vec<&HostedControlPlane>> = BTreeMap::new();
    for one in found {
        groups
            .entry((&one.namespace, &one.release, &one.exact, &one.prefix, one.differs))
            .or_default()
            .push(one);
    }
    for ((namespace, release, exact, prefix, differs), group) in groups {
        let names: Vec<_> = group.iter().map(|one| &*one.deployment).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {namespace}: {}", names.join(", "));
        let _ = writeln!(text, "    release look-up   {}", release.told());
        for era in group[0].eras {
            let (lookup, which) = match era {
                Era::Exact => (exact, "up to 4.16"),
                Era::Prefix => (prefix, "4.17 and later"),
            };
            let which = if group[0].eras.len() == 1 { String::new() } else { format!(" ({which})") };
            let _ = writeln!(text, "    metadata look-up  {}{which}", lookup.told());
        }
        if differs {
            text += "    <- not where the mirror sets lead now; mirrorguard audit tells why\n";
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirrorguard_core::{
        inventory::Setting,
        objects::{Kind, SetKind},
    };

    const IMAGE: &str = "quay.io/openshift-release-dev/ocp-release:4.18.9-x86_64";

    fn state(mirror: &str) -> State {
        let json = serde_json::json!({
            "metadata": {"name": "a"},
            "spec": {"imageDigestMirrors": [
                {"source": "quay.io/openshift-release-dev/ocp-release", "mirrors": [mirror]},
            ]},
        });
        std::iter::once(Object::from_json(Kind::Set(SetKind::Idms), &json.to_string()).unwrap()).collect()
    }

    fn workload(name: &str, image_overrides: &str, registry_overrides: &str) -> Workload {
        let setting = |value: &str| Some(Setting { path: String::new(), value: value.to_owned() });
        Workload {
            namespace: "clusters-lab".to_owned(),
            name: name.to_owned(),
            is_operator: false,
            registry_overrides: setting(registry_overrides),
            image_overrides: setting(image_overrides),
        }
    }

    fn inventory(workloads: Vec<Workload>) -> Inventory {
        let mut hosted = HostedCluster::default();
        hosted.metadata.name = "lab".to_owned();
        hosted.metadata.namespace = "clusters".to_owned();
        hosted.spec.release.image = IMAGE.to_owned();
        Inventory { hosted_clusters: vec![hosted.into()], workloads, ..Inventory::default() }
    }

    #[test]
    fn a_control_plane_that_was_started_before_the_mirror_changed_differs() {
        let handed = "quay.io/openshift-release-dev/ocp-release=old.lab/ocp/release";
        let inventory =
            inventory(["control-plane-operator", "ignition-server"].map(|n| workload(n, handed, "=")).into());
        for (mirror, differs) in [("new.lab/ocp/release", true), ("old.lab/ocp/release", false)] {
            let found = section(IMAGE, &state(mirror), &inventory).unwrap();
            assert_eq!(found.len(), 2);
            assert!(found.iter().all(|one| one.differs == differs), "{mirror}: {found:?}");
            assert_eq!(found[0].release.candidates, ["old.lab/ocp/release:4.18.9-x86_64"]);
            let text = human(&found);
            assert!(text.contains("clusters-lab: control-plane-operator, ignition-server\n"), "once: {text}");
        }
    }

    #[test]
    fn the_operators_own_overrides_are_no_difference() {
        let source = "quay.io/openshift-release-dev/ocp-release";
        let (sets, own) = (format!("{source}=m.lab/ocp/release"), "quay.io/openshift-release-dev=o.lab/ocp");
        let inventory = inventory(vec![
            workload("control-plane-operator", &sets, own),
            workload("ignition-server", &format!("{own},{sets}"), own),
        ]);
        let found = section(IMAGE, &state("m.lab/ocp/release"), &inventory).unwrap();
        let [operator, server] = found.as_slice() else { panic!("both workloads") };
        assert_eq!(operator.release, server.release, "the one adds what the other has");
        assert!(!operator.differs && !server.differs);
        assert_eq!(operator.hosted_cluster.as_deref(), Some("clusters/lab"));
    }
}
