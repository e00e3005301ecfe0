//! `lint --against`: what is judged is the write, as the webhook would judge it.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tempfile::TempDir;

use crate::api::Api;
use crate::command::{Run, command, mirrorguard};

/// An IDMS with these entries.
fn idms(name: &str, entries: &str) -> String {
    format!(
        "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata:\n  name: {name}\nspec:\n  imageDigestMirrors:\n{entries}"
    )
}

/// A HostedCluster with this value of the catalog overrides.
fn hosted(overrides: &str) -> String {
    format!(
        "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\nmetadata:\n  name: h\n  namespace: clusters\n  annotations:\n    hypershift.openshift.io/olm-catalogs-is-registry-overrides: {overrides}\nspec: {{issuerURL: \"true\"}}\n"
    )
}

const GOOD: &str = "  - {source: quay.io/a, mirrors: [m.lab/a]}\n";
const OTHER: &str = "  - {source: quay.io/b, mirrors: [m.lab/b]}\n";
const BAD: &str = "  - {source: https://quay.io/c, mirrors: [m.lab/c]}\n";

/// A folder with the existing objects in one file and the new ones in another.
fn folder(old: &str, new: &str) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("old.yaml"), old)?;
    fs::write(folder.path().join("new.yaml"), new)?;
    Ok(folder)
}

fn lint(folder: &TempDir, line: &str) -> Result<Run> {
    let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
    Run::of(command.current_dir(folder.path()).arg("lint").args(line.split(' ')))
}

#[test]
fn a_write_is_judged_as_the_webhook_judges_it() -> Result<()> {
    let both = format!("{GOOD}{OTHER}");
    let (misread, read) = ("registry.redhat.io=m.lab/redhat.io", "registry.redhat.io/redhat=m.lab/redhat");
    let table = [
        (idms("a", BAD), idms("a", BAD), 0, "", "it stays as it is"),
        (idms("a", BAD), idms("b", BAD), 1, "denied[invalid-source]", "a new one with the same fault"),
        (
            idms("a", BAD),
            idms("a", &format!("{GOOD}{BAD}")),
            0,
            "warning[invalid-source]",
            "what was wrong before only warns",
        ),
        (
            idms("a", GOOD),
            idms("a", &format!("{GOOD}{BAD}")),
            1,
            "denied[invalid-source]",
            "what is wrong now denies",
        ),
        (
            idms("a", GOOD),
            idms("b", OTHER),
            0,
            "warning[node-impact]: this write reloads CRI-O on every node",
            "created",
        ),
        (idms("a", GOOD), idms("a", &both), 0, "this write reloads CRI-O on every node", "extended"),
        (idms("a", &both), idms("a", GOOD), 0, "this write drains every node", "shortened"),
        (
            hosted(misread),
            hosted(&format!("{misread} # again")).replace("issuerURL", "autoscaling"),
            0,
            "",
            "a HostedCluster that stays the same as far as it is read",
        ),
        (
            hosted(misread),
            hosted(misread).replace("{issuerURL: \"true\"}", "{olmCatalogPlacement: management}"),
            0,
            "warning[misread-catalog-overrides]",
            "a HostedCluster that was wrong before",
        ),
        (hosted(read), hosted(misread), 1, "denied[misread-catalog-overrides]", "one that is wrong now"),
    ];
    for (old, new, code, expected, reason) in table {
        let folder = folder(&old, &new)?;
        let run = lint(&folder, "--against old.yaml new.yaml")?.code(code);
        run.and_then(|run| run.prints(expected)).context(reason)?;
    }
    Ok(())
}

#[test]
fn without_existing_objects_nothing_is_written() -> Result<()> {
    let folder = folder("", &idms("a", GOOD))?;
    lint(&folder, "new.yaml")?
        .code(0)?
        .prints("")?
        .says("nothing found: 0 denied, 0 warned, in 1 object\n")?;
    Ok(())
}

#[test]
fn each_is_judged_beside_all_the_others() -> Result<()> {
    let blocked = "  - {source: quay.io/a, mirrors: [m.lab/z], mirrorSourcePolicy: NeverContactSource}\n";
    let folder = folder(&idms("a", OTHER), &format!("{}---\n{}", idms("b", blocked), idms("c", OTHER)))?;
    fs::write(folder.path().join("more.yaml"), idms("d", GOOD))?;
    let apart = lint(&folder, "--against old.yaml new.yaml")?.code(0)?;
    ensure!(!apart.stdout.contains("conflicting-source-policy"), "{}", apart.stdout);
    let expected = "denied[conflicting-source-policy] … --> new.yaml:7:65 … ::: more.yaml:7:5 … in ImageDigestMirrorSet/d";
    lint(&folder, "--against old.yaml --against more.yaml new.yaml")?.code(1)?.prints(expected)?;
    let related =
        lint(&folder, "-o json --against old.yaml --against more.yaml new.yaml")?.code(1)?.json()?;
    let related = &related["findings"][0]["related"][0];
    ensure!((&related["file"], &related["line"]) == (&json!("more.yaml"), &json!(7)), "{related}");
    Ok(())
}

#[test]
fn existing_objects_that_cannot_be_read_are_no_ground() -> Result<()> {
    let folder = folder("kind: [", &idms("a", GOOD))?;
    lint(&folder, "--against old.yaml new.yaml")?
        .code(2)?
        .prints("")?
        .says("not everything could be read")?;
    mirrorguard("lint --against cluster examples/oc-mirror-v2")?.code(2)?.prints("")?.says("no cluster")?;
    Ok(())
}

#[test]
fn a_cluster_is_what_is_written_to() -> Result<()> {
    let set = json!({"metadata": {"name": "a"}, "spec": {"imageDigestMirrors": [
        {"source": "quay.io/a", "mirrors": ["m.lab/a"]}, {"source": "quay.io/b", "mirrors": ["m.lab/b"]}]}});
    let annotation = "hypershift.openshift.io/olm-catalogs-is-registry-overrides";
    let cluster = json!({"metadata": {"name": "h", "namespace": "clusters", "annotations": {
        annotation: "registry.redhat.io=m.lab/redhat.io"}}});
    let api = Api::with(&[("imagedigestmirrorsets", set), ("hostedclusters", cluster)])?;
    // The annotation is not in the file, and stays on the object: kubectl did not put it there.
    let new = "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\nmetadata: {name: h}\n\
               spec: {olmCatalogPlacement: management}\n";
    let folder = folder("", &format!("{}---\n{new}", idms("a", GOOD)))?;
    let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
    command.current_dir(folder.path()).env("KUBECONFIG", api.kubeconfig());
    let run = Run::of(command.args(["lint", "--against", "cluster", "new.yaml"]))?.code(0)?;
    run.prints(
        "warning[dropped-source] … this write drains every node … warning[misread-catalog-overrides]",
    )?
    .says("0 denied, 3 warned")?;
    Ok(())
}

/// The image configuration with these sources, in a flow mapping.
fn image(sources: &str) -> String {
    format!(
        "apiVersion: config.openshift.io/v1\nkind: Image\nmetadata:\n  name: cluster\nspec:\n  registrySources: {{{sources}}}\n"
    )
}

#[test]
fn the_image_configuration_is_blamed_for_what_it_newly_breaks() -> Result<()> {
    let wildcard = "  - {source: \"*.redhat.io\", mirrors: [m.lab/r]}\n";
    let table = [
        (
            wildcard,
            "insecureRegistries: [registry.redhat.io]",
            1,
            "denied[wildcard-over-nested-scope]: in ImageDigestMirrorSet/a, … --> new.yaml:6:20 … old.yaml:7:",
            "it stops all rendering",
        ),
        (
            GOOD,
            "blockedRegistries: [m.lab]",
            0,
            "warning[blocked-mirror]: in ImageDigestMirrorSet/a, mirror",
            "a mirror in use",
        ),
        (GOOD, "blockedRegistries: [n.lab]", 0, "", "no mirror of theirs"),
    ];
    for (entries, sources, code, expected, reason) in table {
        let folder = folder(&idms("a", entries), &image(sources))?;
        let run = lint(&folder, "--against old.yaml new.yaml")?.code(code).context(reason)?;
        ensure!(!run.stderr.contains("nothing to check"), "{reason}: {}", run.stderr);
        run.prints(expected).context(reason)?;
    }
    Ok(())
}

#[test]
fn two_objects_that_change_together_are_denied_one_by_one() -> Result<()> {
    let set = |never: bool| {
        let policy = if never { ", mirrorSourcePolicy: NeverContactSource" } else { "" };
        let entry = format!("  - {{source: q.io/c, mirrors: [m.lab/c]{policy}}}\n");
        let itms = idms("t", &entry).replace("imageDigest", "imageTag").replace("ImageDigest", "ImageTag");
        format!("{}---\n{}", idms("a", &entry), itms)
    };
    let folder = folder(&set(false), &set(true))?;
    lint(&folder, "--against old.yaml new.yaml")?
        .code(1)?
        .prints("denied[conflicting-source-policy] … new.yaml:7")?;
    lint(&folder, "--against old.yaml old.yaml")?.code(0)?.prints("")?;
    Ok(())
}
