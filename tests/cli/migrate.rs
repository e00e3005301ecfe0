//! `mirrorguard migrate` as people run it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::command::{Run, mirrorguard, mirrorguard_of, mirrorguard_reads, text_of};

const ICSP: &str = "examples/icsp-to-idms/icsp.yaml";
const FILE: &str = "imagedigestmirrorset-release-mirrors.yaml";

/// Runs `mirrorguard migrate --out` into a folder.
fn migrate_into(folder: &Path, rest: &str) -> Result<Run> {
    let arguments = ["migrate".as_ref(), "--out".as_ref(), folder.as_os_str()];
    mirrorguard_of(arguments.into_iter().chain(rest.split(' ').map(AsRef::as_ref)))
}

/// An ICSP with this name and entries, in JSON.
fn icsp(name: &str, entries: &str) -> String {
    format!(
        r#"{{"apiVersion": "operator.openshift.io/v1alpha1", "kind": "ImageContentSourcePolicy", "metadata": {{"name": "{name}"}}, "spec": {{"repositoryDigestMirrors": [{entries}]}}}}"#
    )
}

#[test]
fn the_equal_idms_is_printed_and_the_steps_are_told_beside() -> Result<()> {
    let run = mirrorguard(&format!("migrate {ICSP}"))?.code(0)?;
    ensure!(run.stdout == text_of("examples/icsp-to-idms/idms.yaml")?, "another IDMS:\n{}", run.stdout);
    run.says(
        "registries.conf stays the same with the ICSPs, with both kinds, and with the IDMSs alone (1 mirror sets given)\n\
         1. apply: … \n     mirrorguard migrate examples/icsp-to-idms/icsp.yaml | oc apply -f -\n\
         2. wait: … \n     oc wait machineconfigpools --all --for=condition=Updated … \n\
         3. delete: … \n     oc delete imagecontentsourcepolicies release-mirrors\n",
    )?;
    mirrorguard(&format!("migrate -q {ICSP}"))?.code(0)?.prints("kind: ImageDigestMirrorSet")?.says("")?;
    Ok(())
}

#[test]
fn a_migration_half_way_goes_on_with_what_is_left() -> Result<()> {
    let run = mirrorguard("migrate examples/icsp-to-idms")?.code(0)?;
    run.prints("")?.says(
        "there already with the same entries: ImageDigestMirrorSet/release-mirrors in \
         examples/icsp-to-idms/idms.yaml:4\n … 1. wait: … 2. delete: ",
    )?;
    mirrorguard("migrate examples/icsp-to-idms/idms.yaml")?
        .code(0)?
        .prints("")?
        .says("nothing to migrate: no ImageContentSourcePolicy among 1 mirror sets\n")?;
    Ok(())
}

#[test]
fn files_are_named_by_their_objects_and_never_overwritten_unasked() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("not/yet/there");
    let file = folder.join(FILE);
    let told = format!("{}\nregistries.conf stays … oc apply -f {}\n", file.display(), file.display());
    migrate_into(&folder, ICSP)?.code(0)?.prints(&told)?.says("")?;
    let written = fs::read_to_string(&file)?;
    ensure!(written == text_of("examples/icsp-to-idms/idms.yaml")?, "another IDMS:\n{written}");
    migrate_into(&folder, ICSP)?.code(0).context("the same once more")?;

    fs::write(&file, "something of somebody else")?;
    let refused = format!("{} is there already with other content; --force overwrites it", file.display());
    migrate_into(&folder, ICSP)?.code(2)?.prints("")?.says(&refused)?;
    ensure!(fs::read_to_string(&file)? == "something of somebody else", "overwritten without --force");
    migrate_into(&folder, &format!("--force {ICSP}"))?.code(0)?;
    ensure!(fs::read_to_string(&file)? == written, "not overwritten by --force");
    let names: Vec<_> = fs::read_dir(&folder)?.map(|entry| Ok(entry?.file_name())).collect::<Result<_>>()?;
    ensure!(names == [FILE], "something else was left: {names:?}");
    Ok(())
}

#[test]
fn one_file_in_the_way_keeps_all_from_being_written() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("imagedigestmirrorset-b.yaml"), "other")?;
    let input = format!("{}\n---\n{}\n", icsp("a", ""), icsp("b", ""));
    let line = format!("migrate --out {} -", folder.path().display());
    mirrorguard_reads(&line, &input)?.code(2)?.says("imagedigestmirrorset-b.yaml is there already")?;
    ensure!(!folder.path().join("imagedigestmirrorset-a.yaml").exists(), "half of it was written");
    Ok(())
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() -> Result<()> {
    let occupied = tempfile::tempdir()?;
    fs::create_dir(occupied.path().join(FILE))?;
    let table = [
        ("README.md".as_ref(), "cannot make the folder README.md: ", "a file"),
        ("README.md/out".as_ref(), "cannot make the folder README.md/out: ", "below a file"),
        (
            occupied.path(),
            "cannot read … imagedigestmirrorset-release-mirrors.yaml: ",
            "a folder where a file is to be",
        ),
    ];
    for (folder, expected, reason) in table {
        migrate_into(folder, ICSP)?.code(2)?.prints("")?.says(expected).context(reason)?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_written_is_named() -> Result<()> {
    // Nobody may make a file there, not even root.
    let folder = Path::new("/proc/self");
    migrate_into(folder, ICSP)?.code(2)?.prints("")?.says(&format!("cannot write /proc/self/{FILE}: "))?;
    Ok(())
}

#[test]
fn where_it_would_not_be_right_nothing_is_written_anywhere() -> Result<()> {
    let b = |mirrors: &str| format!(r#"{{"source": "quay.io/b", "mirrors": [{mirrors}]}}"#);
    let two =
        format!("{}\n---\n{}\n", icsp("a", &b(r#""m.lab/b", "m.lab/b""#)), icsp("b", &b(r#""m.lab/c""#)));
    let table = [
        (
            format!("{}\n---\n{}\n", icsp("a", ""), icsp("a", &b(""))),
            "error: ImageContentSourcePolicy/a stands here twice with different entries\n  \
             ImageContentSourcePolicy/a in <stdin>:1\n  ImageContentSourcePolicy/a in <stdin>:3\n  fix: ",
            "two of one name",
        ),
        (
            icsp("a", r#"{"source": "https://quay.io/b"}"#),
            "error: source \"https://quay.io/b\" has a scheme: … fix: write \"quay.io/b\" in the ICSP first\n",
            "what only an ICSP can carry",
        ),
        (
            two,
            "error: registries.conf would not stay the same\n  with the IDMSs alone: quay.io/b: order or flags of the \
             mirrors change (reload)\n    ImageContentSourcePolicy/a in <stdin>:1\n",
            "another order on the nodes",
        ),
        (
            format!(
                "{}\n---\n{}",
                icsp("a", &b(r#""m.lab/b""#)),
                r#"{"apiVersion": "config.openshift.io/v1", "kind": "Image", "spec": {"registrySources": {"blockedRegistries": ["a*b"]}}}"#
            ),
            "error: the nodes get no new configuration as things are, so that there is nothing to compare: invalid entry",
            "nothing to compare with",
        ),
    ];
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("out");
    for (input, expected, reason) in table {
        let says = |line: &str| {
            mirrorguard_reads(line, &input)?.code(1)?.prints("")?.says(expected)?.says("nothing is written\n")
        };
        says("migrate -").context(reason)?;
        says(&format!("migrate --out {} -", folder.display())).context(reason)?;
        ensure!(!folder.exists(), "{reason}: the folder was made");
        let report = mirrorguard_reads("migrate -o json -", &input)?.code(1)?.json()?;
        ensure!(report["objects"] == serde_json::json!([]), "{reason}: {report}");
        ensure!(report["plan"] == serde_json::json!([]), "{reason}: {report}");
    }
    Ok(())
}

#[test]
fn half_of_the_input_is_not_migrated() -> Result<()> {
    mirrorguard("migrate missing.yaml")?
        .code(2)?
        .prints("")?
        .says("cannot read missing.yaml: No such file")?;
    mirrorguard("migrate tests/cli/fixtures/broken")?
        .code(2)?
        .prints("")?
        .says("not everything could be read")?;
    mirrorguard(&format!("migrate --force {ICSP}"))?.code(2)?.says("--out <DIR>")?;
    Ok(())
}
