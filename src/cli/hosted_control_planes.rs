//! How running hosted control planes resolve an image, with the overrides that they were started with: the part of
//! `mirrorguard explain` that reads a cluster.

use std::{collections::BTreeMap, fmt::Write};

use anyhow::{Context as _, Result};
use mirrorguard_core::{
    hypershift::{self, Era, Overrides, Release, ReleaseLookupEra, Releases, Span},
    inventory::{Inventory, Workload},
    objects::{HostedCluster, Kind, Object},
    state::State,
};
use serde::Serialize;

use super::{
    connect::{cannot_list, connect, runtime},
    output::Output,
};
use crate::cluster::{ListError, Readings, list, read_workloads};

/// How one workload of a hosted control plane resolves the image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HostedControlPlane {
    namespace: String,
    /// `namespace/name` of its HostedCluster, where it is known.
    hosted_cluster: Option<String>,
    /// Name of the Deployment.
    deployment: String,
    release: Candidates,
    exact: Candidates,
    prefix: Candidates,
    /// Whether the current mirror sets give other results.
    differs: bool,
    /// The era of its release; both where the release is not known.
    #[serde(skip)]
    eras: Vec<Era>,
}

/// References that the image may resolve to, without the original. A struct, because the JSON has an object here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Candidates {
    candidates: Vec<String>,
}

/// Reads the overrides of hosted control planes in the cluster of the current kubeconfig, and resolves the image with
/// them.
pub(super) fn resolve(image: &str, state: &State, output: &Output) -> Result<Vec<HostedControlPlane>> {
    let Readings { inventory, unread } = runtime()?.block_on(async {
        let connection = connect(output).await?;
        let hosted = list(&connection.client, Kind::HostedCluster).await;
        let listed = hosted.map_err(|error| {
            let error = ListError { kind: Kind::HostedCluster, error };
            cannot_list(&connection.server, &error).context("--cluster")
        })?;
        let mut hosted_clusters = Vec::new();
        for object in listed.objects {
            if let Object::HostedCluster(hosted) = object {
                hosted_clusters.push(hosted);
            }
        }
        anyhow::Ok(read_workloads(&connection.client, hosted_clusters).await)
    })?;
    for line in unread {
        output.message(&format!("not checked: {line}\n"));
    }
    resolve_in_each(image, state, &inventory)
}

/// The results of all workloads with overrides: those that each runs with, compared with those that it would be
/// started with now.
fn resolve_in_each(image: &str, state: &State, inventory: &Inventory) -> Result<Vec<HostedControlPlane>> {
    // What workloads would be started with now.
    let now = hypershift::overrides(state.context().view());
    let mut found = Vec::new();
    for workload in inventory.control_planes() {
        let Some(given) = workload.image_overrides() else { continue };
        let hosted = inventory.hosted_cluster_of(workload);
        // Empty if the release is not known, which stands for every release.
        let releases: Releases = hosted.and_then(Release::of_hosted).into_iter().collect();
        let own = workload.registry_overrides();
        // In later releases, the control plane operator appends what its --registry-overrides holds to the overrides
        // that it was given, and gives the sum to the workloads that it starts.
        let appends = Span::ADDS_OWN_OVERRIDES.contains_any(&releases);
        let is_control_plane_operator = workload.name == Workload::CONTROL_PLANE_OPERATOR;
        // Of another workload, a sum is expected only if it was started with one.
        let expected = if appends && (is_control_plane_operator || contains_all(&given, &own)) {
            hypershift::append_own(&now, &own)
        } else {
            now.clone()
        };
        let running =
            if appends && is_control_plane_operator { hypershift::append_own(&given, &own) } else { given };
        let (running, expected) =
            (candidates(image, &running, &releases)?, candidates(image, &expected, &releases)?);
        let eras = Era::of(&releases);
        // The metadata lookup of an era counts only if the hosted cluster's release is of that era.
        let is_used = [true, eras.contains(&Era::Exact), eras.contains(&Era::Prefix)];
        let mut pairs = running.iter().zip(&expected).zip(is_used).filter(|(_, is_used)| *is_used);
        let differs = pairs.any(|((running, expected), _)| running.sorted() != expected.sorted());
        let [release, exact, prefix] = running;
        found.push(HostedControlPlane {
            namespace: workload.namespace.clone(),
            hosted_cluster: hosted.map(HostedCluster::namespaced_name),
            deployment: workload.name.clone(),
            release,
            exact,
            prefix,
            differs,
            eras,
        });
    }
    Ok(found)
}

/// Whether `all` has every mirror of every source of `part`.
fn contains_all(all: &Overrides<'_>, part: &Overrides<'_>) -> bool {
    part.iter().all(|(source, mirrors)| {
        all.get(source).is_some_and(|there| mirrors.iter().all(|mirror| there.contains(mirror)))
    })
}

/// The results of the release lookup, and of the metadata lookup in both eras.
fn candidates(image: &str, overrides: &Overrides<'_>, releases: &Releases) -> Result<[Candidates; 3]> {
    let mut release = Vec::new();
    // The results of later releases come first.
    for era in ReleaseLookupEra::of(releases).into_iter().rev() {
        for candidate in hypershift::release_lookup(era, overrides, image) {
            if !release.contains(&candidate) {
                release.push(candidate);
            }
        }
    }
    let release = Candidates { candidates: release };
    let exact = metadata_candidates(Era::Exact, image, overrides)?;
    Ok([release, exact, metadata_candidates(Era::Prefix, image, overrides)?])
}

/// Where the metadata lookup tries the image. What it skips, and the sources that the operator crashes on, are left out:
/// they are printed for the current mirror sets only.
fn metadata_candidates(era: Era, image: &str, overrides: &Overrides<'_>) -> Result<Candidates> {
    let lookup = hypershift::metadata_lookup(era, overrides, image);
    let lookup = lookup.with_context(|| format!("HyperShift cannot parse the image \"{image}\""))?;
    Ok(Candidates { candidates: lookup.candidates })
}

impl Candidates {
    /// The candidates by name, to compare them. Between the mirrors of several objects, the order is random, so no order
    /// is compared, not even that of the mirrors of one object: `mirrorguard audit` reports where that has changed.
    fn sorted(&self) -> Vec<&String> {
        let mut sorted: Vec<_> = self.candidates.iter().collect();
        sorted.sort_unstable();
        sorted
    }

    /// The candidates for people.
    fn describe(&self) -> String {
        if self.candidates.is_empty() { "not redirected".to_owned() } else { self.candidates.join(", ") }
    }
}

/// The results for people: workloads of a hosted control plane with the same results are shown together.
pub(super) fn human(found: &[HostedControlPlane]) -> String {
    let mut text = "\nrunning hosted control planes\n".to_owned();
    if found.is_empty() {
        text += "  none found\n";
    }
    let mut groups: BTreeMap<_, Vec<&HostedControlPlane>> = BTreeMap::new();
    for one in found {
        groups
            .entry((&one.namespace, &one.release, &one.exact, &one.prefix, one.differs))
            .or_default()
            .push(one);
    }
    for ((namespace, release, exact, prefix, differs), group) in groups {
        // A namespace has one hosted control plane, so the eras of a group are the same.
        let names: Vec<_> = group.iter().map(|one| &*one.deployment).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {namespace}: {}", names.join(", "));
        let _ = writeln!(text, "    release lookup   {}", release.describe());
        for era in &group[0].eras {
            let lookup = match era {
                Era::Exact => exact,
                Era::Prefix => prefix,
            };
            let which = if group[0].eras.len() == 1 { String::new() } else { format!(" ({})", era.span()) };
            let _ = writeln!(text, "    metadata lookup  {}{which}", lookup.describe());
        }
        if differs {
            text += "    <- differs from the current mirror sets; run mirrorguard audit for details\n";
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

    fn setting(value: &str) -> Setting {
        Setting { path: String::new(), value: value.to_owned() }
    }

    fn workload(name: &str, image_overrides: &str, registry_overrides: &str) -> Workload {
        Workload {
            namespace: "clusters-lab".to_owned(),
            name: name.to_owned(),
            is_operator: false,
            registry_overrides: Some(setting(registry_overrides)),
            image_overrides: Some(setting(image_overrides)),
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
        let given = "quay.io/openshift-release-dev/ocp-release=old.lab/ocp/release";
        let inventory =
            inventory(["control-plane-operator", "ignition-server"].map(|n| workload(n, given, "=")).into());
        for (mirror, differs) in [("new.lab/ocp/release", true), ("old.lab/ocp/release", false)] {
            let found = resolve_in_each(IMAGE, &state(mirror), &inventory).unwrap();
            assert_eq!(found.len(), 2);
            assert!(found.iter().all(|one| one.differs == differs), "{mirror}: {found:?}");
            assert_eq!(found[0].release.candidates, ["old.lab/ocp/release:4.18.9-x86_64"]);
            let text = human(&found);
            assert!(text.contains("clusters-lab: control-plane-operator, ignition-server\n"), "once: {text}");
        }
    }

    #[test]
    fn only_lookups_that_the_release_has_are_compared() {
        // Up to 4.16 the metadata lookup uses only the first mirror that can be parsed, and of one repository in any
        // registry.
        let source = "quay.io/openshift-release-dev/ocp-release";
        let given = format!("{source}=m.lab/ocp/release,docker.io/openshift-release-dev/ocp-release=o.lab/x");
        for (release, differs) in [("4.18.9", false), ("4.16.9", true)] {
            let image = IMAGE.replace("4.18.9", release);
            let mut inventory = inventory(vec![workload("ignition-server", &given, "=")]);
            let mut hosted = HostedCluster::clone(&inventory.hosted_clusters[0]);
            hosted.spec.release.image.clone_from(&image);
            inventory.hosted_clusters = vec![hosted.into()];
            let found = resolve_in_each(&image, &state("m.lab/ocp/release"), &inventory).unwrap();
            assert_eq!(found[0].differs, differs, "{release}: {found:?}");
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
        let found = resolve_in_each(IMAGE, &state("m.lab/ocp/release"), &inventory).unwrap();
        let [operator, server] = found.as_slice() else { panic!("both workloads") };
        assert_eq!(operator.release, server.release, "the operator appends what the server was given");
        assert!(!operator.differs && !server.differs);
        assert_eq!(operator.hosted_cluster.as_deref(), Some("clusters/lab"));
    }
}
