//! Names that Kubernetes takes, and that no two releases share.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::chart::{named, objects, one, refusal};

/// A Service's name begins with a letter, as no other object's has to (RFC 1035, not 1123).
#[test]
fn the_service_has_a_name_that_begins_with_a_letter() -> Result<()> {
    for (value, expected, reason) in [
        ("nameOverride=mirrors", "mirrorguard-mirrors", "a letter already"),
        ("fullnameOverride=a.b", "a-b", "no dots"),
    ] {
        let objects = objects(&[value], &[])?;
        named(&objects, "Service", expected).with_context(|| format!("{value}: {reason}"))?;
    }
    for (wrong, right, reason) in [
        ("fullnameOverride=4-19", "fullnameOverride=v4-19", "a digit"),
        ("fullnameOverride=Mirrors", "fullnameOverride=mirrors", "a capital"),
        ("fullnameOverride=mirrors-", "fullnameOverride=mirrors", "a hyphen at the end"),
        ("nameOverride=a_b", "nameOverride=a-b", "no part of a name"),
        ("nameOverride=Mirrors", "nameOverride=4-19", "a capital"),
    ] {
        let said = refusal(&[wrong], &[])?;
        let key = wrong.split('=').next().unwrap_or_default();
        ensure!(said.contains(key), "{wrong}, {reason}: {said}");
        objects(&[right], &[]).with_context(|| format!("{reason}: {right}"))?;
    }
    Ok(())
}

/// The sidecar of Grafana writes what it finds in all namespaces into one folder.
#[test]
fn dashboards_of_two_releases_share_neither_name_nor_file() -> Result<()> {
    let enabled = "monitoring.dashboard.enabled=true";
    let file = |map: &Value| map["data"].as_object().and_then(|data| data.keys().next().cloned());
    for (value, name, reason) in [
        ("", "mirrorguard-dashboard", "its own namespace"),
        ("monitoring.dashboard.namespace=mirrorguard", "mirrorguard-dashboard", "its own namespace, named"),
        (
            "monitoring.dashboard.namespace=openshift-config-managed",
            "mirrorguard.mirrorguard-dashboard",
            "a namespace of others",
        ),
    ] {
        let values: Vec<_> = [enabled, value].into_iter().filter(|value| !value.is_empty()).collect();
        let objects = objects(&values, &[])?;
        let map = named(&objects, "ConfigMap", name).context(reason)?;
        ensure!(file(map).as_deref() == Some("mirrorguard.mirrorguard.json"), "{reason}: {:?}", file(map));
    }
    Ok(())
}

/// An interrupted `helm test` leaves them: this label is how they are found.
#[test]
fn what_helm_test_makes_is_found_by_a_label() -> Result<()> {
    let objects = objects(&[], &[])?;
    let component = |object: &Value| object["metadata"]["labels"]["app.kubernetes.io/component"].clone();
    let mut hooks = 0;
    for object in &objects {
        let is_hook = object["metadata"]["annotations"]["helm.sh/hook"] == "test";
        ensure!(is_hook == (component(object) == "check"), "{object}");
        hooks += usize::from(is_hook);
    }
    ensure!(hooks == 6, "{hooks} objects: does the command in the README name their kinds?");
    one(&objects, "Pod")?;
    Ok(())
}
