//! Wrong input: what is named, and what is not done.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::command::{Run, command, mirrorguard, mirrorguard_of, mirrorguard_reads};

const IDMS: &str = "examples/icsp-to-idms/idms.yaml";
const ICSP: &str = "examples/icsp-to-idms/icsp.yaml";

/// Runs `mirrorguard` in a folder.
fn run_in(folder: &Path, line: &str) -> Result<Run> {
    Run::of(command(env!("CARGO_BIN_EXE_mirrorguard")).current_dir(folder).args(line.split_whitespace()))
}

#[test]
fn an_empty_side_of_diff_is_named_and_passes_no_check() -> Result<()> {
    let empty = tempfile::tempdir()?;
    let folder = empty.path().display();
    let table = [
        (
            format!("diff - {IDMS}"),
            0,
            "OLD (standard input) has no objects",
            "a failed command before the pipe",
        ),
        (
            format!("diff -q --fail-on drain - {IDMS}"),
            1,
            "OLD (standard input) has no objects",
            "not drained",
        ),
        (
            format!("diff --fail-on reboot {folder} {IDMS}"),
            1,
            "--fail-on has nothing to compare with",
            "a folder",
        ),
        (format!("diff {IDMS} /dev/null"), 0, "NEW (/dev/null) has no objects", "everything is removed"),
        (
            format!("diff --fail-on drain {IDMS} /dev/null"),
            1,
            "NEW (/dev/null) has no objects",
            "and drained",
        ),
    ];
    for (line, code, said, reason) in table {
        mirrorguard(&line)?.code(code).and_then(|run| run.says(said)).context(reason)?;
    }
    let run = mirrorguard(&format!("diff --fail-on drain {ICSP} {IDMS}"))?.code(0)?;
    ensure!(run.stderr.is_empty(), "both sides have objects: {}", run.stderr);
    Ok(())
}

#[test]
fn a_target_without_mirrors_is_not_written() -> Result<()> {
    let table = [
        ("idms /dev/null", "no mirror set has mirrors for digest pulls", "an IDMS of nothing"),
        ("hostedcluster -o json /dev/null", "for digest pulls", "oc patch would empty the list"),
        ("install-config /dev/null", "for digest pulls", "an empty list"),
        ("itms examples/icsp-to-idms/idms.yaml", "for tag pulls … use --to idms", "an ITMS of digest sets"),
    ];
    for (target, said, reason) in table {
        let run = mirrorguard(&format!("render --to {target}"))?.code(1).context(reason)?;
        ensure!(run.stdout.is_empty(), "{reason}: {}", run.stdout);
        run.says(said).context(reason)?;
    }
    Ok(())
}

#[test]
fn a_file_is_no_image() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("good.yaml"), "")?;
    for line in ["explain good.yaml", "explain ./good.yaml", "explain good.yaml quay.io/a"] {
        let run = run_in(folder.path(), line)?.code(2)?.prints("")?;
        run.says("good.yaml is a file; which image? write mirrorguard explain IMAGE").context(line)?;
    }
    run_in(folder.path(), "explain good.yaml.example/a:1 good.yaml")?.code(0)?;
    Ok(())
}

#[test]
fn a_folder_is_no_image_unless_it_is_named_like_one() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::create_dir_all(folder.path().join("app/deep"))?;
    fs::write(folder.path().join("good.yaml"), "")?;
    let lines = [
        "explain app",
        "explain app/",
        "explain ./app good.yaml",
        "explain . app",
        "explain app quay.io/a:1",
    ];
    for line in lines {
        let run = run_in(folder.path(), line)?.code(2)?.prints("")?;
        run.says("is a folder; which image? write mirrorguard explain IMAGE").context(line)?;
    }
    for line in ["explain app good.yaml", "explain app/deep app", "explain app:latest app"] {
        run_in(folder.path(), line)?.code(0).context(line)?;
    }
    Ok(())
}

#[test]
fn the_word_for_the_cluster_is_no_folder() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let text = fs::read_to_string(Path::new(crate::command::ROOT).join(IDMS))?;
    fs::create_dir(folder.path().join("cluster"))?;
    fs::write(folder.path().join("cluster/a.yaml"), &text)?;
    fs::write(folder.path().join("a.yaml"), text)?;
    let namesake = "write ./cluster for the file or folder … no cluster found";
    for line in ["diff cluster a.yaml", "diff a.yaml cluster", "lint --against cluster a.yaml"] {
        run_in(folder.path(), line)?.code(2)?.says(namesake).context(line)?;
    }
    for line in ["diff ./cluster a.yaml", "lint --against ./cluster a.yaml", "render cluster"] {
        let run = run_in(folder.path(), line)?.code(0).context(line)?;
        ensure!(!run.stderr.contains("kubeconfig"), "{line}: {}", run.stderr);
    }
    let other = tempfile::tempdir()?;
    run_in(other.path(), "render cluster")?.code(2)?.says("leave out PATH to read the cluster")?;
    Ok(())
}

#[test]
fn a_file_without_an_end_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("a.yaml"))?;
    let out = folder.path().display();
    // The name of each file that migrate would write.
    let names = mirrorguard(&format!("migrate --out {out}/new {ICSP}"))?.code(0)?.stdout;
    for written in names.lines().filter(|line| line.starts_with('/')) {
        let name = Path::new(written).file_name().context("no file")?;
        std::os::unix::fs::symlink("/dev/zero", folder.path().join(name))?;
    }
    let table = [
        (format!("lint --config /dev/zero {IDMS}"), "--config: cannot read /dev/zero: not a regular file"),
        (format!("lint --config /missing {IDMS}"), "--config: cannot read /missing: No such file"),
        ("lint /dev/zero".to_owned(), "cannot read /dev/zero: not a regular file"),
        (format!("lint {out}"), "a.yaml: not a regular file"),
        (format!("migrate --force --out {out} {ICSP}"), ".yaml: not a regular file"),
    ];
    for (line, said) in table {
        mirrorguard(&line)?.code(2)?.says(said).context(line)?;
    }
    Ok(())
}

#[test]
fn a_value_of_another_type_is_described_in_plain_words() -> Result<()> {
    let policy = "apiVersion: config.openshift.io/v1\nkind: ClusterImagePolicy\nmetadata: {name: a}\nspec: {scopes: quay.io}\n";
    mirrorguard_reads("lint -", policy)?
        .code(2)?
        .prints("spec.scopes: expected a list, found \"quay.io\"")?;
    let run = mirrorguard("serve --state a --tls-self-signed --shutdown-delay 1mo")?.code(2)?;
    run.says("expected a duration such as")?;
    Ok(())
}

#[test]
fn a_release_that_is_not_modelled_is_refused() -> Result<()> {
    for release in ["3.11", "4.13", "4.24", "5.2", "5", "latest"] {
        let run = mirrorguard_of(["overrides", "--release", release, IDMS])?.code(2)?;
        run.says("4.14 to 4.23, and 5.0 to 5.1").context(release)?;
    }
    mirrorguard_of(["overrides", "--release", "4.23", "--release", "5.1", IDMS])?.code(0)?;
    Ok(())
}

#[test]
fn ctrl_c_ends_the_demo_quietly() -> Result<()> {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_mirrorguard"));
    let demo = demo.arg("demo").env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut demo = demo.spawn()?;
    let mut said = BufReader::new(demo.stderr.take().context("no standard error")?);
    let mut line = String::new();
    said.read_line(&mut line)?;
    ensure!(line.contains("The webhook listens on"), "{line}");
    let interrupted = Command::new("kill").args(["-INT", &demo.id().to_string()]).status()?;
    ensure!(interrupted.success(), "kill: {interrupted}");
    let status = demo.wait()?;
    let rest: String = said.lines().collect::<Result<Vec<_>, _>>()?.join("\n");
    ensure!(!rest.contains("error"), "{rest}");
    // It may have been done already.
    ensure!(status.signal() == Some(2) || status.success(), "{status}");
    Ok(())
}

/// An IDMS with one entry, and what the entry has besides source and mirrors.
fn idms(policy: &str) -> String {
    format!(
        "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {{name: new}}\nspec:\n  \
         imageDigestMirrors:\n  - {{source: quay.io/a, mirrors: [m.lab/a]{policy}}}\n  - {{source: quay.io/b, mirrors: [m.lab/b]}}\n"
    )
}

/// The three steps that findings name, each upon what was there before it.
#[test]
fn the_steps_from_an_icsp_to_never_contact_source_are_admitted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let icsp = "apiVersion: operator.openshift.io/v1alpha1\nkind: ImageContentSourcePolicy\nmetadata: {name: old}\nspec:\n  \
                repositoryDigestMirrors:\n  - {source: quay.io/a, mirrors: [m.lab/a]}\n  - {source: quay.io/b, mirrors: [m.lab/b]}\n";
    let (open, never) = (idms(""), idms(", mirrorSourcePolicy: NeverContactSource"));
    for (name, text) in [("icsp.yaml", icsp), ("open.yaml", &open), ("never.yaml", &never)] {
        fs::write(folder.path().join(name), text)?;
    }
    let steps = "first apply ImageDigestMirrorSet/new without NeverContactSource and with every entry of \
                 ImageContentSourcePolicy/old; then run oc delete imagecontentsourcepolicy old; then set \
                 NeverContactSource in ImageDigestMirrorSet/new";
    run_in(folder.path(), "lint --against icsp.yaml never.yaml")?.code(1)?.prints(steps)?;
    // Where both are there, nothing renders, and the ICSP is all that is in the way.
    let removal = "remove \"quay.io/a\" from ImageContentSourcePolicy/old";
    let run = run_in(folder.path(), "lint icsp.yaml never.yaml")?.code(1)?;
    let helps = run.stdout.matches(removal).count();
    ensure!(helps == 4, "two rules about each object: {helps}\n{}", run.stdout);
    run_in(folder.path(), "migrate icsp.yaml never.yaml")?.code(1)?.says(removal)?;
    // Also from a cluster that has both, and renders nothing.
    for line in [
        "lint --against icsp.yaml open.yaml",
        "lint --against icsp.yaml --against never.yaml open.yaml",
        "render icsp.yaml open.yaml",
        "render open.yaml",
        "lint --against open.yaml never.yaml",
        "render never.yaml",
    ] {
        run_in(folder.path(), line)?.code(0).context(line)?;
    }
    Ok(())
}

#[test]
fn an_exemption_that_is_over_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let exempt = |until: &str| {
        format!(
            "exemptions:\n- rules: [invalid-source]\n  objects: [ImageDigestMirrorSet/with-scheme]\n  reason: CHG-1\n  until: {until}\n"
        )
    };
    fs::write(folder.path().join("over.yaml"), exempt("2020-01-01"))?;
    fs::write(folder.path().join("granted.yaml"), exempt("9999-12-31"))?;
    let text = fs::read_to_string(crate::command::fixture("typed-list.yaml"))?;
    let lint = |config: &str| {
        let config = folder.path().join(config).display().to_string();
        mirrorguard_reads(&format!("lint -o json --config {config} -"), &text)
    };
    let over = lint("over.yaml")?.code(1)?.says(
        "exempt until 2020-01-01, which has passed: [invalid-source] ImageDigestMirrorSet/with-scheme: CHG-1",
    )?;
    ensure!(over.json()?["lapsed"][0]["until"] == "2020-01-01", "{}", over.stdout);
    let granted = lint("granted.yaml")?.code(0)?;
    ensure!(granted.json()?["lapsed"].is_null(), "{}", granted.stdout);
    Ok(())
}
