//! What `lint` finds in each of the examples.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::command::{ROOT, Run, mirrorguard};
use crate::snapshot::matches_snapshot;

/// The folder, the exit code, the findings as [`line`] writes them, and why these.
const EXAMPLES: [(&str, i32, &[&str], &str); 7] = [
    ("hosted-cluster", 0, &[], "every entry is there, and the annotation is left to be filled in"),
    (
        "icsp-to-idms",
        0,
        &[
            "warn deprecated-icsp ImageContentSourcePolicy/release-mirrors kind icsp.yaml:2:7",
            "warn icsp-alongside-idms ImageContentSourcePolicy/release-mirrors metadata.name icsp.yaml:4:9",
            "warn icsp-alongside-idms ImageDigestMirrorSet/release-mirrors metadata.name idms.yaml:4:9",
            "warn tag-pull-not-mirrored ImageDigestMirrorSet/release-mirrors spec.imageDigestMirrors[2].source idms.yaml:15:15",
        ],
        "a step of the migration: to be finished, but no conflict; an ICSP never served the catalogs' tags",
    ),
    (
        "no-release-repository",
        0,
        &[],
        "no source covers the release images, and nothing shows that one should",
    ),
    (
        "oc-mirror-v1-deltas",
        0,
        &[
            "warn deprecated-icsp ImageContentSourcePolicy/operator-0 kind imageContentSourcePolicy.yaml:3:7",
            "warn deprecated-icsp ImageContentSourcePolicy/release-0 kind imageContentSourcePolicy.yaml:18:7",
            "warn deprecated-icsp ImageContentSourcePolicy/generic-0 kind imageContentSourcePolicy.yaml:3:7",
            "warn deprecated-icsp ImageContentSourcePolicy/operator-0 kind imageContentSourcePolicy.yaml:13:7",
            "warn duplicate-object ImageContentSourcePolicy/operator-0 metadata.name imageContentSourcePolicy.yaml:17:9",
        ],
        "each of them alone is right but for its kind",
    ),
    ("oc-mirror-v2", 0, &[], "what oc-mirror writes is right"),
    (
        "policy-conflict",
        1,
        &[
            "deny conflicting-source-policy ImageDigestMirrorSet/never-contact spec.imageDigestMirrors[0].mirrorSourcePolicy idms.yaml:10:27",
            "deny conflicting-source-policy ImageTagMirrorSet/by-tag spec.imageTagMirrors[0].mirrorSourcePolicy itms.yaml:8:7",
        ],
        "both sides are found; the one without a policy at the start of its entry",
    ),
    (
        "root-level-only",
        0,
        &[
            "warn root-level-source ImageDigestMirrorSet/root-level-only spec.imageDigestMirrors[0].source idms.yaml:7:15",
            "warn root-level-source ImageDigestMirrorSet/root-level-only spec.imageDigestMirrors[0].source idms.yaml:7:15",
        ],
        "one for each of the two release repositories",
    ),
];

/// A value of a finding, as text.
fn text(finding: &Value, pointer: &str) -> Result<String> {
    let found = finding.pointer(pointer).with_context(|| format!("no {pointer} in {finding}"))?;
    Ok(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
}

/// A finding on one line.
fn line(finding: &Value) -> Result<String> {
    let file = text(finding, "/file")?;
    let file = Path::new(&file).file_name().context("a file without a name")?.display();
    Ok(format!(
        "{} {} {}/{} {} {file}:{}:{}",
        text(finding, "/severity")?,
        text(finding, "/rule")?,
        text(finding, "/object/kind")?,
        text(finding, "/object/name")?,
        text(finding, "/path")?,
        text(finding, "/line")?,
        text(finding, "/column")?,
    ))
}

#[test]
fn each_example_has_the_findings_that_it_is_there_for() -> Result<()> {
    for (folder, code, expected, reason) in EXAMPLES {
        let report =
            mirrorguard(&format!("lint -o json examples/{folder}"))?.code(code).context(folder)?.json()?;
        let findings = report["findings"].as_array().context("no list of findings")?;
        let found = findings.iter().map(line).collect::<Result<Vec<_>>>()?;
        ensure!(found == expected, "{folder} ({reason}): {found:#?}");
        let summary = &report["summary"];
        let errors = expected.iter().filter(|finding| finding.starts_with("deny ")).count();
        ensure!(
            summary["deny"] == errors && summary["warn"] == expected.len() - errors,
            "{folder}: {report}"
        );
    }
    Ok(())
}

#[test]
fn no_example_is_left_out() -> Result<()> {
    let folders = fs::read_dir(Path::new(ROOT).join("examples"))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<BTreeSet<_>>>()?;
    // The demo's files belong to a cluster and to writes upon it, not to one state.
    let expected = EXAMPLES.iter().map(|(folder, ..)| (*folder).to_owned()).chain(["demo".to_owned()]);
    let expected: BTreeSet<_> = expected.collect();
    ensure!(folders == expected, "{:?}", folders.symmetric_difference(&expected));
    Ok(())
}

/// Holds the result and the messages of a run against a file.
pub(crate) fn is_seen(run: &Run, name: &str) -> Result<()> {
    matches_snapshot(&format!("{}--- standard error\n{}", run.stdout, run.stderr), name)
}

#[test]
fn people_see_the_conflict_in_both_files() -> Result<()> {
    is_seen(&mirrorguard("lint examples/policy-conflict")?.code(1)?, "policy-conflict.txt")
}

#[test]
fn people_see_the_entries_to_add() -> Result<()> {
    is_seen(&mirrorguard("lint examples/root-level-only")?.code(0)?, "root-level-only.txt")
}
