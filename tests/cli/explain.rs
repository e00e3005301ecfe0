//! The drawing of a pull.

use anyhow::{Result, ensure};

use crate::command::{Run, command, mirrorguard, without_colours};
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
