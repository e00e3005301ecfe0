//! The mirror sets written for other targets than registries.conf.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::command::{mirrorguard, mirrorguard_of, mirrorguard_reads};
use crate::examples::is_seen;

/// A run of `render --to`. The messages are held in `messages.rs`.
struct Case<'a> {
    arguments: &'a str,
    code: i32,
    /// On standard output; empty where nothing is printed.
    stdout: &'a str,
    reason: &'a str,
}

fn hold(cases: &[Case<'_>]) -> Result<()> {
    for Case { arguments, code, stdout, reason } in cases {
        let run = mirrorguard(&format!("render --to {arguments}"))?.code(*code);
        run.and_then(|run| run.prints(stdout)).with_context(|| format!("{arguments} ({reason})"))?;
    }
    Ok(())
}

const HOSTED: &str = "examples/hosted-cluster";
const CONFLICT: &str = "examples/policy-conflict";
const NEVER: &str = "tests/cli/fixtures/forms/never-contact.yaml";
const ALLOWED: &str = "tests/cli/fixtures/forms/allowed.yaml";
const WILDCARD: &str = "tests/cli/fixtures/forms/wildcard.yaml";

/// `target examples/hosted-cluster`.
fn from_hosted(target: &str) -> String {
    format!("{target} {HOSTED}")
}

#[test]
fn each_target_is_written_from_the_examples() -> Result<()> {
    let idms = "kind: ImageDigestMirrorSet … - source: registry.redhat.io/redhat\n      mirrors:\n        - mirror.lab";
    let annotation = "# oc annotate hostedcluster … olm-catalogs-is-registry-overrides: registry.redhat.io/redhat=mirror.lab";
    let policy = "kind: ValidatingAdmissionPolicy\n … validationActions:\n    - Deny";
    let from_icsp = "idms examples/icsp-to-idms/icsp.yaml";
    let content_sources = "spec:\n  imageContentSources:\n    - source: ";
    let digest_sources = "imageDigestSources:\n  - source: ";
    hold(&[
        Case {
            arguments: &from_hosted("registries-conf"),
            code: 0,
            stdout: "[[registry]]",
            reason: "the default",
        },
        Case { arguments: &from_hosted("idms"), code: 0, stdout: idms, reason: "tag pulls are not lost" },
        Case { arguments: from_icsp, code: 0, stdout: "kind: ImageDigestMirrorSet", reason: "from an ICSP" },
        Case {
            arguments: &from_hosted("itms"),
            code: 0,
            stdout: "kind: ImageTagMirrorSet",
            reason: "by tag",
        },
        Case { arguments: &from_hosted("hostedcluster"), code: 0, stdout: content_sources, reason: "a part" },
        Case { arguments: &from_hosted("install-config"), code: 0, stdout: digest_sources, reason: "a part" },
        Case {
            arguments: &from_hosted("annotation"),
            code: 0,
            stdout: annotation,
            reason: "a part, or a command",
        },
        Case { arguments: "vap", code: 0, stdout: policy, reason: "without PATH" },
        Case {
            arguments: &from_hosted("vap"),
            code: 0,
            stdout: policy,
            reason: "the same for all mirror sets",
        },
    ])
}

#[test]
fn what_is_lost_fails_and_the_rest_is_printed() -> Result<()> {
    let source = "- source: registry.redhat.io/ubi9";
    let policy = "ourcePolicy: NeverContactSource";
    hold(&[
        Case {
            arguments: &format!("hostedcluster {NEVER}"),
            code: 1,
            stdout: source,
            reason: "no policies there",
        },
        Case {
            arguments: &format!("hostedcluster {ALLOWED}"),
            code: 0,
            stdout: source,
            reason: "the default",
        },
        Case {
            arguments: &format!("install-config {NEVER}"),
            code: 0,
            stdout: policy,
            reason: "policies there",
        },
        Case { arguments: &format!("idms {NEVER}"), code: 0, stdout: policy, reason: "and there" },
        Case {
            arguments: &format!("install-config {WILDCARD}"),
            code: 1,
            stdout: "imageDigestSources:\n  - source: quay.io/team",
            reason: "no wildcards there",
        },
        Case {
            arguments: &format!("hostedcluster {WILDCARD}"),
            code: 0,
            stdout: "- source: \"*.redhat.io\"",
            reason: "wildcards there",
        },
    ])?;
    // With -q too, since the exit code is 1.
    let run = mirrorguard(&format!("render -q --to hostedcluster {NEVER}"))?.code(1)?;
    run.says("registry.redhat.io/ubi9 … ImageDigestMirrorSet/air-gap, spec.imageDigestMirrors[0]")?;
    Ok(())
}

#[test]
fn what_has_no_form_is_not_printed() -> Result<()> {
    let all_off = "vap --config tests/cli/fixtures/forms/all-off.yaml";
    hold(&[
        Case { arguments: &format!("idms {CONFLICT}"), code: 1, stdout: "", reason: "the nodes refuse it" },
        Case {
            arguments: &format!("hostedcluster -o json {CONFLICT}"),
            code: 1,
            stdout: "",
            reason: "nor JSON",
        },
        Case {
            arguments: "annotation examples/oc-mirror-v2",
            code: 1,
            stdout: "",
            reason: "no catalog is mirrored",
        },
        Case { arguments: all_off, code: 1, stdout: "", reason: "no rule is on" },
        Case { arguments: "vap --config missing.yaml", code: 2, stdout: "", reason: "no configuration" },
        Case { arguments: "idms missing.yaml", code: 2, stdout: "", reason: "no file" },
        Case { arguments: "yaml .", code: 2, stdout: "", reason: "no such target" },
    ])?;
    let run = mirrorguard(&format!("render --to idms {CONFLICT}"))?.code(1)?;
    run.says("error[conflicting-source-policy] … \nerror: ")?;
    Ok(())
}

/// An IDMS with this many sources, each with this many mirrors.
fn idms(sources: usize, mirrors: usize) -> Result<String> {
    let mut yaml =
        "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: many}\nspec:\n  \
                    imageDigestMirrors:\n"
            .to_owned();
    for source in 0..sources {
        let list: Vec<_> = (0..mirrors).map(|at| format!("m{at}.lab.example/x")).collect();
        writeln!(yaml, "  - source: quay.io/s{source:03}\n    mirrors: [{}]", list.join(", "))?;
    }
    Ok(yaml)
}

/// Mirror sets at a limit of `spec.imageContentSources`, or past it.
struct Limit {
    yaml: String,
    code: i32,
    /// On standard error.
    blamed: &'static str,
    reason: &'static str,
}

/// A mirror with this many characters, on a registry.
fn long_mirror(length: usize) -> String {
    format!("{}.lab", "m".repeat(length - ".lab".len()))
}

fn limits() -> Result<Vec<Limit>> {
    let (source, mirror) = ("quay.io/s000", "m0.lab.example/x");
    let one = idms(1, 1)?;
    Ok(vec![
        Limit { yaml: idms(255, 1)?, code: 0, blamed: "", reason: "255 sources" },
        Limit { yaml: idms(256, 1)?, code: 1, blamed: "quay.io/s255", reason: "256 sources" },
        Limit { yaml: idms(1, 255)?, code: 0, blamed: "", reason: "255 mirrors" },
        Limit { yaml: idms(1, 256)?, code: 1, blamed: "quay.io/s000", reason: "256 mirrors" },
        Limit { yaml: one.replace(source, &"a".repeat(255)), code: 0, blamed: "", reason: "a source of 255" },
        Limit {
            yaml: one.replace(source, &"a".repeat(256)),
            code: 1,
            blamed: "256",
            reason: "a source of 256",
        },
        Limit {
            yaml: one.replace(mirror, &long_mirror(255)),
            code: 0,
            blamed: "",
            reason: "a mirror of 255",
        },
        Limit {
            yaml: one.replace(mirror, &long_mirror(256)),
            code: 1,
            blamed: "mmm.lab … 256",
            reason: "a mirror of 256",
        },
    ])
}

#[test]
fn the_limits_of_a_hosted_cluster_are_kept() -> Result<()> {
    for Limit { yaml, code, blamed, reason } in limits()? {
        let run = mirrorguard_reads("render --to hostedcluster -", &yaml)?.code(code).context(reason)?;
        ensure!(run.stdout.is_empty() == (code == 1), "{reason}: {}", run.stdout);
        run.says(blamed).context(reason)?;
    }
    Ok(())
}

/// The result of `render --to`.
fn rendered(arguments: &str) -> Result<String> {
    Ok(mirrorguard(&format!("render --to {arguments}"))?.code(0)?.stdout)
}

/// The result of `render -o json --to`.
fn rendered_json(arguments: &str) -> Result<Value> {
    mirrorguard(&format!("render -o json --to {arguments}"))?.code(0)?.json()
}

#[test]
fn rendered_mirror_sets_render_the_same_file() -> Result<()> {
    let examples = [
        "oc-mirror-v2",
        "hosted-cluster",
        "icsp-to-idms",
        "root-level-only",
        "no-release-repository",
        "demo/cluster.yaml",
    ];
    for example in examples {
        let digest_set = rendered(&format!("idms examples/{example}"))?;
        // Some have no mirrors for tag pulls.
        let tag_set = mirrorguard(&format!("render --to itms examples/{example}"))?.answers()?.stdout;
        let sets = format!("{digest_set}---\n{tag_set}");
        let again = mirrorguard_reads("render -", &sets)?.code(0)?.stdout;
        ensure!(again == rendered(&format!("registries-conf examples/{example}"))?, "{example}:\n{again}");
        let canonical = mirrorguard_reads("render --to idms -", &sets)?.code(0)?.stdout;
        ensure!(canonical == digest_set, "{example} is not written alike again:\n{canonical}");
    }
    Ok(())
}

#[test]
fn json_has_the_same_objects() -> Result<()> {
    let idms = rendered_json(&from_hosted("idms"))?;
    let entry = json!({"source": "registry.redhat.io/redhat", "mirrors": ["mirror.lab.example:8443/redhat"]});
    ensure!(
        idms["kind"] == "ImageDigestMirrorSet" && idms["spec"]["imageDigestMirrors"][2] == entry,
        "{idms}"
    );
    let patch = rendered_json(&from_hosted("hostedcluster"))?;
    ensure!(patch["spec"]["imageContentSources"][2] == entry, "{patch}");
    let part = rendered_json(&from_hosted("install-config"))?;
    ensure!(part["imageDigestSources"][2] == entry, "{part}");
    let list = rendered_json("vap")?;
    let kinds: Vec<_> = list["items"].as_array().into_iter().flatten().map(|item| &item["kind"]).collect();
    let [policy, binding] =
        ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"].map(Value::from);
    ensure!(list["kind"] == "List" && kinds == [&policy, &binding, &policy, &binding], "{list}");
    Ok(())
}

#[test]
fn the_configuration_decides_what_a_policy_does() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("config.yaml");
    fs::write(&config, "rules:\n  deprecated-icsp: deny\n  invalid-source: \"off\"\n")?;
    let arguments = ["render", "--to", "vap", "--config"].map(AsRef::as_ref);
    let run = mirrorguard_of(arguments.into_iter().chain([config.as_os_str()]))?.code(0)?;
    let denying = run.stdout.split("\n---\n").next().context("nothing printed")?;
    ensure!(
        denying.contains("[deprecated-icsp]") && !run.stdout.contains("[invalid-source]"),
        "{}",
        run.stdout
    );
    Ok(())
}

#[test]
fn people_see_the_policies() -> Result<()> {
    is_seen(&mirrorguard("render -q --to vap")?.code(0)?, "admission-policies.txt")
}

#[test]
fn only_what_stops_rendering_is_given_as_the_reason() -> Result<()> {
    let unrenderable = "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: a}\n\
                        spec: {imageDigestMirrors: [{source: q.io/a, mirrors: [q.io/a, m.lab/a], \
                        mirrorSourcePolicy: NeverContactSource}]}\n";
    let hosted = "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\n\
                  metadata: {name: h, namespace: n, annotations: \
                  {hypershift.openshift.io/olm-catalogs-is-registry-overrides: registry.redhat.io=m.lab/a}}\n";
    let both = format!("{unrenderable}---\n{hosted}");
    let found = mirrorguard_reads("lint -o json -", &both)?.code(1)?.json()?;
    let rules: Vec<_> = found["findings"].as_array().context("no findings")?.iter().collect();
    ensure!(rules.iter().any(|finding| finding["rule"] == "misread-catalog-overrides"), "{found:#}");
    let stderr = mirrorguard_reads("render -", &both)?.code(1)?.stderr;
    ensure!(stderr.contains("[never-contact-source-lists-source]"), "{stderr}");
    ensure!(!stderr.contains("[misread-catalog-overrides]"), "{stderr}");
    Ok(())
}
