//! The drawing of a pull.

use anyhow::{Result, ensure};

use crate::command::{Run, command, mirrorguard};
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
fn what_differs_is_a_word_and_not_a_colour_alone() -> Result<()> {
    let coloured = mirrorguard(&format!("--color always explain quay.io/a/b:v1 {FIXTURE}"))?.code(0)?.stdout;
    let marked = coloured.lines().filter(|line| line.contains("\u{1b}[33m"));
    for line in marked {
        let words = [
            "DIFFERS",
            "AT RANDOM",
            "not asked",
            "no effect",
            "insecure",
            "skipped",
            "sorted",
            "first of them",
        ];
        ensure!(words.iter().any(|word| line.contains(word)), "only a colour says it: {line}");
    }
    ensure!(coloured.contains("\u{1b}[33mDIFFERS"), "nothing differs:\n{coloured}");
    Ok(())
}

#[test]
fn an_image_of_the_blocked_registry_is_refused() -> Result<()> {
    let run = mirrorguard(&format!("explain docker.io/library/nginx:1 {FIXTURE}"))?.code(0)?;
    run.prints("NOTHING is tried … REFUSED … blockedRegistries has docker.io")?;
    let allowed = mirrorguard(&format!("explain quay.io/library/nginx:1 {FIXTURE}"))?.code(0)?;
    ensure!(!allowed.stdout.contains("REFUSED"), "{}", allowed.stdout);
    Ok(())
}
