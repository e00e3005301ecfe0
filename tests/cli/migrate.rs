//! `mirrorguard migrate` as people run it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::command::{Run, mirrorguard, mirrorguard_of, mirrorguard_reads, text_of};
use crate::snapshot::Transcript;

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
fn an_equivalent_idms_is_printed_and_the_plan_is_a_message() -> Result<()> {
    let run = mirrorguard(&format!("migrate {ICSP}"))?.code(0)?;
    ensure!(run.stdout == text_of("examples/icsp-to-idms/idms.yaml")?, "another IDMS:\n{}", run.stdout);
    let run = run.says(
        "1. apply: … \n     mirrorguard migrate examples/icsp-to-idms/icsp.yaml | oc apply -f -\n\
         2. wait: … \n     oc wait machineconfigpools --all --for=condition=Updated … \n\
         3. delete: … \n     oc delete imagecontentsourcepolicies release-mirrors\n",
    )?;
    let mut transcript = Transcript::default();
    transcript.add_messages(&format!("migrate {ICSP}"), &run);
    for line in ["migrate examples/icsp-to-idms", "migrate examples/icsp-to-idms/idms.yaml"] {
        transcript.add_messages(line, &mirrorguard(line)?.code(0)?.prints("")?);
    }
    transcript.matches("messages/migrate.txt")?;
    mirrorguard(&format!("migrate -q {ICSP}"))?.code(0)?.prints("kind: ImageDigestMirrorSet")?.says("")?;
    Ok(())
}

#[test]
fn a_migration_continues_where_it_was_left() -> Result<()> {
    let run = mirrorguard("migrate examples/icsp-to-idms")?.code(0)?;
    run.prints("")?.says(
        "ImageDigestMirrorSet/release-mirrors in examples/icsp-to-idms/idms.yaml:4\n … 1. wait: … 2. delete: ",
    )?;
    let report = mirrorguard("migrate -o json examples/icsp-to-idms/idms.yaml")?.code(0)?.json()?;
    ensure!(report["plan"] == serde_json::json!([]), "{report}");
    Ok(())
}

#[test]
fn files_are_named_by_their_objects_and_only_overwritten_with_force() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("not/yet/there");
    let file = folder.join(FILE);
    let printed = format!("{}\n … oc apply -f {}\n", file.display(), file.display());
    migrate_into(&folder, ICSP)?.code(0)?.prints(&printed)?.says("")?;
    let written = fs::read_to_string(&file)?;
    ensure!(written == text_of("examples/icsp-to-idms/idms.yaml")?, "another IDMS:\n{written}");
    migrate_into(&folder, ICSP)?.code(0).context("the same once more")?;

    fs::write(&file, "another's content")?;
    let run = migrate_into(&folder, ICSP)?.code(2)?.prints("")?.says(&file.display().to_string())?;
    let mut transcript = Transcript::default();
    transcript.replace(&parent.path().display(), "/tmp/test");
    transcript.add_messages(&format!("migrate --out {} {ICSP}", folder.display()), &run);
    transcript.matches("messages/out.txt")?;
    ensure!(fs::read_to_string(&file)? == "another's content", "overwritten without --force");
    migrate_into(&folder, &format!("--force {ICSP}"))?.code(0)?;
    ensure!(fs::read_to_string(&file)? == written, "not overwritten by --force");
    let names: Vec<_> = fs::read_dir(&folder)?.map(|entry| Ok(entry?.file_name())).collect::<Result<_>>()?;
    ensure!(names == [FILE], "something else was left: {names:?}");
    Ok(())
}

#[test]
fn where_one_file_exists_none_is_written() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("imagedigestmirrorset-b.yaml"), "other")?;
    let input = format!("{}\n---\n{}\n", icsp("a", ""), icsp("b", ""));
    let line = format!("migrate --out {} -", folder.path().display());
    mirrorguard_reads(&line, &input)?.code(2)?.says("imagedigestmirrorset-b.yaml")?;
    ensure!(!folder.path().join("imagedigestmirrorset-a.yaml").exists(), "half of it was written");
    Ok(())
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() -> Result<()> {
    let occupied = tempfile::tempdir()?;
    fs::create_dir(occupied.path().join(FILE))?;
    let table = [
        ("README.md".as_ref(), "README.md: ", "a file"),
        ("README.md/out".as_ref(), "README.md/out: ", "below a file"),
        (occupied.path(), "imagedigestmirrorset-release-mirrors.yaml: ", "a folder in place of the file"),
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
    migrate_into(folder, ICSP)?.code(2)?.prints("")?.says(&format!("/proc/self/{FILE}: "))?;
    Ok(())
}

/// An entry of an ICSP for `quay.io/b`.
fn entry(mirrors: &str) -> String {
    format!(r#"{{"source": "quay.io/b", "mirrors": [{mirrors}]}}"#)
}

/// What cannot be migrated, and where the error is.
struct Refused {
    input: String,
    places: &'static str,
    reason: &'static str,
}

fn refused_inputs() -> Vec<Refused> {
    let blocked = r#"{"apiVersion": "config.openshift.io/v1", "kind": "Image", "spec": {"registrySources": {"blockedRegistries": ["a*b"]}}}"#;
    vec![
        Refused {
            input: format!("{}\n---\n{}\n", icsp("a", ""), icsp("a", &entry(""))),
            places: "\n  ImageContentSourcePolicy/a in <stdin>:1\n  ImageContentSourcePolicy/a in <stdin>:3\n",
            reason: "two of one name",
        },
        Refused {
            input: icsp("a", r#"{"source": "https://quay.io/b"}"#),
            places: "https://quay.io/b",
            reason: "a value that only an ICSP accepts",
        },
        Refused {
            input: format!(
                "{}\n---\n{}\n",
                icsp("a", &entry(r#""m.lab/b", "m.lab/b""#)),
                icsp("b", &entry(r#""m.lab/c""#))
            ),
            places: "quay.io/b: … (reload)\n    ImageContentSourcePolicy/a in <stdin>:1\n",
            reason: "another order on the nodes",
        },
        Refused {
            input: format!("{}\n---\n{blocked}", icsp("a", &entry(r#""m.lab/b""#))),
            places: "error: ",
            reason: "nothing to compare with",
        },
    ]
}

#[test]
fn what_cannot_be_migrated_is_an_error_and_nothing_is_written() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("out");
    let mut transcript = Transcript::default();
    for Refused { input, places, reason } in refused_inputs() {
        for line in ["migrate -".to_owned(), format!("migrate --out {} -", folder.display())] {
            let run = mirrorguard_reads(&line, &input)?.code(1)?.prints("")?;
            run.says("error: ")?.says(places).with_context(|| format!("{line} ({reason})"))?;
            ensure!(!folder.exists(), "{reason}: the folder was made");
        }
        let run = mirrorguard_reads("migrate -", &input)?;
        transcript.add_messages(&format!("migrate -  # {reason}"), &run);
        let report = mirrorguard_reads("migrate -o json -", &input)?.code(1)?.json()?;
        ensure!(report["objects"] == serde_json::json!([]), "{reason}: {report}");
        ensure!(report["plan"] == serde_json::json!([]), "{reason}: {report}");
    }
    transcript.matches("messages/migrate-errors.txt")
}

#[test]
fn a_part_of_the_input_is_not_migrated() -> Result<()> {
    mirrorguard("migrate missing.yaml")?.code(2)?.prints("")?.says("missing.yaml")?;
    mirrorguard("migrate tests/cli/fixtures/broken")?.code(2)?.prints("")?.says("syntax.yaml:4:1")?;
    mirrorguard(&format!("migrate --force {ICSP}"))?.code(2)?.says("--out <DIR>")?;
    Ok(())
}
