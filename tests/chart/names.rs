//! Names that Kubernetes allows, and that no two releases share.

use anyhow::{Context as _, Result, ensure};
use serde_json::Map;

use crate::chart::{named, objects, one, rejection};

/// Only the name of a Service must begin with a letter (RFC 1035, not 1123).
#[test]
fn the_service_has_a_name_that_begins_with_a_letter() -> Result<()> {
    for (value, expected, reason) in [
        ("nameOverride=mirrors", "mirrorguard-mirrors", "it begins with a letter"),
        ("fullnameOverride=a.b", "a-b", "no dots"),
    ] {
        let objects = objects(&[value], &[])?;
        named(&objects, "Service", expected).with_context(|| format!("{value}: {reason}"))?;
    }
    for (wrong, right, reason) in [
        ("fullnameOverride=4-19", "fullnameOverride=v4-19", "a digit"),
        ("fullnameOverride=Mirrors", "fullnameOverride=mirrors", "a capital"),
        ("fullnameOverride=mirrors-", "fullnameOverride=mirrors", "a hyphen at the end"),
        ("nameOverride=a_b", "nameOverride=a-b", "not allowed in a name"),
        ("nameOverride=Mirrors", "nameOverride=4-19", "a capital"),
    ] {
        let error = rejection(&[wrong], &[])?;
        let key = wrong.split('=').next().unwrap_or_default();
        ensure!(error.contains(key), "{wrong}, {reason}: {error}");
        objects(&[right], &[]).with_context(|| format!("{reason}: {right}"))?;
    }
    Ok(())
}

/// The sidecar of Grafana writes the dashboards of all namespaces into one folder.
#[test]
fn dashboards_of_two_releases_share_neither_name_nor_file() -> Result<()> {
    let enabled = "monitoring.dashboard.enabled=true";
    for (value, name, reason) in [
        ("", "mirrorguard-dashboard", "its own namespace"),
        ("monitoring.dashboard.namespace=mirrorguard", "mirrorguard-dashboard", "its own namespace, named"),
        (
            "monitoring.dashboard.namespace=openshift-config-managed",
            "mirrorguard.mirrorguard-dashboard",
            "another namespace",
        ),
    ] {
        let values: Vec<_> = [enabled, value].into_iter().filter(|value| !value.is_empty()).collect();
        let objects = objects(&values, &[])?;
        let map = named(&objects, "ConfigMap", name).context(reason)?;
        let files: Vec<&String> = map["data"].as_object().into_iter().flat_map(Map::keys).collect();
        ensure!(files == ["mirrorguard.mirrorguard.json"], "{reason}: {files:?}");
    }
    Ok(())
}

/// An interrupted `helm test` leaves them behind: this label selects them.
#[test]
fn a_label_selects_the_objects_of_helm_test() -> Result<()> {
    let objects = objects(&[], &[])?;
    let mut hooks = 0;
    for object in &objects {
        let is_hook = object["metadata"]["annotations"]["helm.sh/hook"] == "test";
        let component = &object["metadata"]["labels"]["app.kubernetes.io/component"];
        ensure!(is_hook == (*component == "check"), "{object}");
        hooks += usize::from(is_hook);
    }
    ensure!(hooks == 6, "{hooks} objects: does the command in the README name their kinds?");
    one(&objects, "Pod")?;
    Ok(())
}
