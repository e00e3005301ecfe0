//! The drawing of a pull.

use anyhow::{Result, ensure};

use crate::command::{Run, command, mirrorguard, mirrorguard_reads, without_colours};
use crate::snapshot::matches_snapshot;

const FIXTURE: &str = "tests/cli/fixtures/explain.yaml";

fn drawn(image: &str, path: &str, columns: &str) -> Result<String> {
    let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
    command.args(["explain", image, path]).env("COLUMNS", columns);
    Ok(Run::of(&mut command)?.code(0)?.says("")?.stdout)
}

#[test]
fn drawings_are_as_people_see_them() -> Result<()> {
    let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let release = "quay.io/openshift-release-dev/ocp-release";
    let (by_digest, by_tag) = (format!("{release}@{digest}"), format!("{release}:4.20.4-x86_64"));
    let table: [(&str, &str, &str, &str); 5] = [
        ("everything", &by_digest, FIXTURE, "120"),
        ("narrow", &by_digest, FIXTURE, "72"),
        ("hosted-cluster", &by_tag, "examples/hosted-cluster", "120"),
        ("short-name", "nginx", FIXTURE, "120"),
        ("nothing-covers-it", "registry.lab.example/app:v1", FIXTURE, "120"),
    ];
    for (name, image, path, columns) in table {
        matches_snapshot(&drawn(image, path, columns)?, &format!("explain/{name}.txt"))?;
    }
    Ok(())
}

#[test]
fn colours_add_nothing_to_the_words() -> Result<()> {
    let line = format!("explain quay.io/a/b:v1 {FIXTURE}");
    let plain = mirrorguard(&line)?.code(0)?.stdout;
    let coloured = mirrorguard(&format!("--color always {line}"))?.code(0)?.stdout;
    ensure!(coloured.contains("\u{1b}[33m"), "nothing is marked:\n{coloured}");
    ensure!(without_colours(&coloured) == plain, "the words differ:\n{coloured}\nand\n{plain}");
    Ok(())
}

#[test]
fn an_image_of_the_blocked_registry_is_refused() -> Result<()> {
    let image = "docker.io/library/nginx:1";
    matches_snapshot(&drawn(image, FIXTURE, "120")?, "explain/blocked.txt")?;
    let node = mirrorguard(&format!("explain -o json {image} {FIXTURE}"))?.code(0)?.json()?["node"].clone();
    ensure!(node["tries"].as_array().is_some_and(Vec::is_empty), "{node}");
    ensure!(node["refused"].as_str().is_some_and(|refused| refused.contains("docker.io")), "{node}");
    let allowed =
        mirrorguard(&format!("explain -o json quay.io/library/nginx:1 {FIXTURE}"))?.code(0)?.json()?;
    ensure!(allowed["node"].get("refused").is_none(), "{allowed}");
    Ok(())
}

#[test]
fn a_source_that_crashes_early_control_planes_is_told() -> Result<()> {
    let set = "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: a}\nspec:\n  \
               imageDigestMirrors:\n  - {source: '*.redhat.io', mirrors: [m.lab/r]}\n";
    let image = "registry.redhat.io/ubi9/ubi:1";
    let explained = mirrorguard_reads(&format!("explain -o json {image} -"), set)?.code(0)?.json()?;
    let lookups = &explained["hypershift"];
    ensure!(lookups["exact"]["crashesOn"] == serde_json::json!(["*.redhat.io"]), "{lookups}");
    ensure!(lookups["exact"].get("errors").is_none(), "{lookups}");
    ensure!(lookups["prefix"].get("crashesOn").is_none(), "{lookups}");
    ensure!(lookups["prefix"]["errors"].as_array().is_some_and(|errors| errors.len() == 1), "{lookups}");
    mirrorguard_reads(&format!("explain {image} -"), set)?
        .code(0)?
        .prints("*.redhat.io cannot be parsed  CRASHES")?;
    Ok(())
}
