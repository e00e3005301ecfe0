//! The mirror sets in other forms than registries.conf.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::command::{mirrorguard, mirrorguard_of, mirrorguard_reads};
use crate::examples::is_seen;

/// The words after `render --to`, the exit code, what is on standard output and on standard error, and why.
type Row<'a> = (&'a str, i32, &'a str, &'a str, &'a str);

fn holds(table: &[Row<'_>]) -> Result<()> {
    for (line, code, stdout, stderr, reason) in table {
        let run = mirrorguard(&format!("render --to {line}"))?.code(*code);
        let run = run.and_then(|run| run.prints(stdout)?.says(stderr));
        run.with_context(|| format!("{line} ({reason})"))?;
    }
    Ok(())
}

#[test]
fn each_form_is_written_from_the_examples() -> Result<()> {
    let hosted = "examples/hosted-cluster";
    let tags = "left out: ImageTagMirrorSet/hosted-clusters with 3 entries";
    holds(&[
        (&format!("registries-conf {hosted}"), 0, "[[registry]]", "", "the default, named"),
        (
            &format!("idms {hosted}"),
            0,
            "kind: ImageDigestMirrorSet … - source: registry.redhat.io/redhat\n      mirrors:\n        - mirror.lab",
            tags,
            "tags are no loss",
        ),
        (
            "idms examples/icsp-to-idms/icsp.yaml",
            0,
            "kind: ImageDigestMirrorSet",
            "",
            "an ICSP becomes an IDMS",
        ),
        (
            &format!("itms {hosted}"),
            0,
            "kind: ImageTagMirrorSet",
            "left out: ImageDigestMirrorSet/",
            "nor digests",
        ),
        (
            &format!("hostedcluster {hosted}"),
            0,
            "spec:\n  imageContentSources:\n    - source: ",
            tags,
            "a part",
        ),
        (&format!("install-config {hosted}"), 0, "imageDigestSources:\n  - source: ", tags, "a part"),
        (
            &format!("annotation {hosted}"),
            0,
            "# oc annotate hostedcluster … olm-catalogs-is-registry-overrides: registry.redhat.io/redhat=mirror.lab",
            "",
            "to paste, or to run",
        ),
        (
            "vap",
            0,
            "kind: ValidatingAdmissionPolicy\n … validationActions:\n    - Deny",
            "left out: ",
            "without PATH",
        ),
        (&format!("vap {hosted}"), 0, "ValidatingAdmissionPolicy", "no PATH is read", "the same for all"),
    ])
}

#[test]
fn what_is_lost_is_told_and_fails_and_the_rest_is_printed() -> Result<()> {
    let [never, allowed, wildcard] =
        ["never-contact", "allowed", "wildcard"].map(|name| format!("tests/cli/fixtures/forms/{name}.yaml"));
    let entry =
        "source \"registry.redhat.io/ubi9\" (ImageDigestMirrorSet/air-gap, spec.imageDigestMirrors[0])";
    let lost = format!("lost: {entry} is NeverContactSource, which a HostedCluster cannot say");
    holds(&[
        (
            &format!("hostedcluster {never}"),
            1,
            "- source: registry.redhat.io/ubi9",
            &lost,
            "no policies there",
        ),
        (&format!("hostedcluster {allowed}"), 0, "- source: registry.redhat.io/ubi9", "", "the default"),
        (&format!("install-config {never}"), 0, "sourcePolicy: NeverContactSource", "", "policies there"),
        (&format!("idms {never}"), 0, "mirrorSourcePolicy: NeverContactSource", "", "and there"),
        (
            &format!("install-config {wildcard}"),
            1,
            "imageDigestSources:\n  - source: quay.io/team",
            "lost: source \"*.redhat.io\" (ImageDigestMirrorSet/wildcard, … the installer takes no wildcards",
            "no wildcards there",
        ),
        (&format!("hostedcluster {wildcard}"), 0, "- source: \"*.redhat.io\"", "", "wildcards there"),
        (
            &format!("hostedcluster -q {never}"),
            1,
            "imageContentSources",
            "lost: ",
            "why the code is 1 is said quietly too",
        ),
    ])
}

#[test]
fn what_has_no_form_is_not_printed() -> Result<()> {
    let refused = "denied[conflicting-source-policy] … the nodes get no new configuration: ";
    let conflict = "examples/policy-conflict";
    holds(&[
        (&format!("idms {conflict}"), 1, "", refused, "what the nodes refuse"),
        (&format!("hostedcluster -o json {conflict}"), 1, "", refused, "nor as JSON"),
        (
            "annotation examples/oc-mirror-v2",
            1,
            "",
            "no value of the annotation is right in every release: no mirror set covers",
            "no catalog is mirrored",
        ),
        (
            "vap --config tests/cli/fixtures/forms/all-off.yaml",
            1,
            "",
            "every rule that a policy could hold is off: conflicting-source-policy, ",
            "nothing to hold",
        ),
        ("vap --config missing.yaml", 2, "", "--config: cannot read", "not answered"),
        ("idms missing.yaml", 2, "", "cannot read missing.yaml", "not answered"),
        (
            "yaml .",
            2,
            "",
            "invalid value 'yaml' … idms, itms, hostedcluster, install-config, annotation, vap",
            "no form",
        ),
    ])
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

#[test]
fn the_limits_of_a_hosted_cluster_are_kept() -> Result<()> {
    let table = [
        (idms(255, 1)?, 0, "", "255 sources"),
        (
            idms(256, 1)?,
            1,
            "the first too many is source \"quay.io/s255\" (ImageDigestMirrorSet/many",
            "256 sources",
        ),
        (idms(1, 255)?, 0, "", "255 mirrors"),
        (
            idms(1, 256)?,
            1,
            "source \"quay.io/s000\" (Image … has 256 mirrors; a HostedCluster takes 255",
            "256 mirrors",
        ),
        (idms(1, 1)?.replace("quay.io/s000", &"a".repeat(255)), 0, "", "a source of 255"),
        (
            idms(1, 1)?.replace("quay.io/s000", &"a".repeat(256)),
            1,
            "is 256 characters long",
            "a source of 256",
        ),
        (idms(1, 1)?.replace("m0.lab.example/x", &"m".repeat(255)), 0, "", "a mirror of 255"),
        (
            idms(1, 1)?.replace("m0.lab.example/x", &"m".repeat(256)),
            1,
            "the mirror \"mmm … 256 characters",
            "a mirror",
        ),
    ];
    for (yaml, code, stderr, reason) in table {
        let run = mirrorguard_reads("render --to hostedcluster -", &yaml)?.code(code).context(reason)?;
        ensure!(run.stdout.is_empty() == (code == 1), "{reason}: {}", run.stdout);
        run.says(stderr).context(reason)?;
    }
    Ok(())
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
        let form = |to: &str| mirrorguard(&format!("render --to {to} examples/{example}"))?.code(0);
        let sets = format!("{}---\n{}", form("idms")?.stdout, form("itms")?.stdout);
        let again = mirrorguard_reads("render -", &sets)?.code(0)?.stdout;
        ensure!(again == form("registries-conf")?.stdout, "{example}:\n{again}");
        let canonical = mirrorguard_reads("render --to idms -", &sets)?.code(0)?.stdout;
        ensure!(canonical == form("idms")?.stdout, "{example} is not written alike again:\n{canonical}");
    }
    Ok(())
}

#[test]
fn json_has_the_same_objects() -> Result<()> {
    let of = |line: &str| mirrorguard(&format!("render -o json --to {line}"))?.code(0)?.json();
    let hosted = "examples/hosted-cluster";
    let idms = of(&format!("idms {hosted}"))?;
    let entry = json!({"source": "registry.redhat.io/redhat", "mirrors": ["mirror.lab.example:8443/redhat"]});
    ensure!(
        idms["kind"] == "ImageDigestMirrorSet" && idms["spec"]["imageDigestMirrors"][2] == entry,
        "{idms}"
    );
    let patch = of(&format!("hostedcluster {hosted}"))?;
    ensure!(patch["spec"]["imageContentSources"][2] == entry, "{patch}");
    let part = of(&format!("install-config {hosted}"))?;
    ensure!(part["imageDigestSources"][2] == entry, "{part}");
    let list = of("vap")?;
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
