//! `lint --against`: the write is reviewed, as the webhook would review it.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tempfile::TempDir;

use crate::api::Api;
use crate::command::{Findings, Run, command, mirrorguard};

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

/// A write upon an existing object.
struct Case {
    old: String,
    new: String,
    code: i32,
    /// On standard output; empty where nothing is found.
    found: &'static str,
    reason: &'static str,
}

const MISREAD: &str = "registry.redhat.io=m.lab/redhat.io";

fn writes_of_mirror_sets() -> Vec<Case> {
    let good_and_bad = idms("a", &format!("{GOOD}{BAD}"));
    vec![
        Case { old: idms("a", BAD), new: idms("a", BAD), code: 0, found: "", reason: "it stays as it is" },
        Case {
            old: idms("a", BAD),
            new: idms("b", BAD),
            code: 1,
            found: "error[invalid-source]",
            reason: "a new one with the same fault",
        },
        Case {
            old: idms("a", BAD),
            new: good_and_bad.clone(),
            code: 0,
            found: "warning[invalid-source]",
            reason: "what was wrong before is a warning",
        },
        Case {
            old: idms("a", GOOD),
            new: good_and_bad,
            code: 1,
            found: "error[invalid-source]",
            reason: "what is wrong now is an error",
        },
    ]
}

fn writes_of_hosted_clusters() -> Vec<Case> {
    let hosted_cluster = hosted(MISREAD);
    vec![
        Case {
            old: hosted_cluster.clone(),
            new: hosted(&format!("{MISREAD} # again")).replace("issuerURL: ", "infraID: "),
            code: 0,
            found: "",
            reason: "nothing changes of what the rules read",
        },
        Case {
            old: hosted_cluster.clone(),
            new: hosted_cluster.replace("{issuerURL: \"true\"}", "{olmCatalogPlacement: management}"),
            code: 0,
            found: "warning[misread-catalog-overrides]",
            reason: "it was wrong before",
        },
        Case {
            old: hosted("registry.redhat.io/redhat=m.lab/redhat"),
            new: hosted_cluster,
            code: 1,
            found: "error[misread-catalog-overrides]",
            reason: "it is wrong now",
        },
    ]
}

#[test]
fn a_write_is_reviewed_as_the_webhook_reviews_it() -> Result<()> {
    for Case { old, new, code, found, reason } in
        writes_of_mirror_sets().into_iter().chain(writes_of_hosted_clusters())
    {
        let folder = folder(&old, &new)?;
        let run = lint(&folder, "--against old.yaml new.yaml")?.code(code);
        run.and_then(|run| run.prints(found)).context(reason)?;
    }
    Ok(())
}

#[test]
fn a_write_is_reported_with_its_impact() -> Result<()> {
    let both = format!("{GOOD}{OTHER}");
    let table = [
        (idms("a", GOOD), idms("b", OTHER), "reload", "created"),
        (idms("a", GOOD), idms("a", &both), "reload", "extended"),
        (idms("a", &both), idms("a", GOOD), "drain", "shortened"),
    ];
    for (old, new, impact, reason) in table {
        let folder = folder(&old, &new)?;
        lint(&folder, "--against old.yaml new.yaml")?
            .code(0)?
            .prints("warning[node-impact]")
            .context(reason)?;
        let report = lint(&folder, "-o json --against old.yaml new.yaml")?.json()?;
        let findings = report["findings"].as_array().context("no findings")?;
        let finding = findings.iter().find(|finding| finding["rule"] == "node-impact").context(reason)?;
        let text = finding["message"].as_str().unwrap_or_default();
        ensure!(text.contains(impact), "{reason}: {finding}");
    }
    Ok(())
}

#[test]
fn without_existing_objects_nothing_is_written() -> Result<()> {
    let folder = folder("", &idms("a", GOOD))?;
    lint(&folder, "new.yaml")?.code(0)?.prints("")?;
    Ok(())
}

#[test]
fn each_is_reviewed_with_all_the_others() -> Result<()> {
    let blocked = "  - {source: quay.io/a, mirrors: [m.lab/z], mirrorSourcePolicy: NeverContactSource}\n";
    let folder = folder(&idms("a", OTHER), &format!("{}---\n{}", idms("b", blocked), idms("c", OTHER)))?;
    fs::write(folder.path().join("more.yaml"), idms("d", GOOD))?;
    let apart = lint(&folder, "--against old.yaml new.yaml")?.code(0)?;
    ensure!(!apart.stdout.contains("conflicting-source-policy"), "{}", apart.stdout);
    let expected =
        "error[conflicting-source-policy] … --> new.yaml:7:65 … ::: more.yaml:7:5 … ImageDigestMirrorSet/d";
    lint(&folder, "--against old.yaml --against more.yaml new.yaml")?.code(1)?.prints(expected)?;
    let related =
        lint(&folder, "-o json --against old.yaml --against more.yaml new.yaml")?.code(1)?.json()?;
    let related = &related["findings"][0]["related"][0];
    ensure!((&related["file"], &related["line"]) == (&json!("more.yaml"), &json!(7)), "{related}");
    Ok(())
}

#[test]
fn without_the_existing_objects_there_is_no_answer() -> Result<()> {
    let folder = folder("kind: [", &idms("a", GOOD))?;
    lint(&folder, "--against old.yaml new.yaml")?.code(2)?.prints("")?.says("old.yaml:")?;
    mirrorguard("lint --against cluster examples/oc-mirror-v2")?.code(2)?.prints("")?;
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
    // The annotation is not in the file and stays on the object: kubectl did not write it.
    let new = "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\nmetadata: {name: h}\n\
               spec: {olmCatalogPlacement: management}\n";
    let folder = folder("", &format!("{}---\n{new}", idms("a", GOOD)))?;
    let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
    command.current_dir(folder.path()).env("KUBECONFIG", api.kubeconfig());
    let run = Run::of(command.args(["lint", "--against", "cluster", "new.yaml"]))?.code(0)?;
    ensure!(run.findings() == Findings { errors: 0, warnings: 3 }, "{}", run.stdout);
    run.prints("warning[node-impact] … warning[dropped-source] … warning[misread-catalog-overrides]")?;
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
            "error[wildcard-over-nested-scope] … ImageDigestMirrorSet/a … --> new.yaml:6:20 … old.yaml:7:",
            "it stops all rendering",
        ),
        (
            GOOD,
            "blockedRegistries: [m.lab]",
            0,
            "warning[blocked-mirror] … ImageDigestMirrorSet/a",
            "a mirror in use",
        ),
        (
            GOOD,
            "blockedRegistries: [n.lab]",
            0,
            "warning[node-impact] … new.yaml:6:20",
            "no mirror of theirs, but every node is drained",
        ),
    ];
    for (entries, sources, code, expected, reason) in table {
        let folder = folder(&idms("a", entries), &image(sources))?;
        let run = lint(&folder, "--against old.yaml new.yaml")?.code(code).context(reason)?;
        ensure!(!run.stderr.contains("warning: "), "it was checked, {reason}: {}", run.stderr);
        run.prints(expected).context(reason)?;
    }
    Ok(())
}

/// An IDMS and an ITMS with the same entry and policy.
fn idms_and_itms(policy: &str) -> String {
    let entry = format!("  - {{source: q.io/c, mirrors: [m.lab/c]{policy}}}\n");
    let itms = idms("t", &entry).replace("imageDigest", "imageTag").replace("ImageDigest", "ImageTag");
    format!("{}---\n{itms}", idms("a", &entry))
}

#[test]
fn two_objects_that_change_together_are_reviewed_one_by_one() -> Result<()> {
    let folder = folder(&idms_and_itms(""), &idms_and_itms(", mirrorSourcePolicy: NeverContactSource"))?;
    lint(&folder, "--against old.yaml new.yaml")?
        .code(1)?
        .prints("error[conflicting-source-policy] … new.yaml:7")?;
    lint(&folder, "--against old.yaml old.yaml")?.code(0)?.prints("")?;
    Ok(())
}

/// `ManifestWorks` with a set each, for the clusters of their namespaces.
fn works(sets: &[(&str, &str, &str)]) -> String {
    let work = |(cluster, name, entry): &(&str, &str, &str)| {
        format!(
            "apiVersion: work.open-cluster-management.io/v1\nkind: ManifestWork\n\
             metadata: {{name: w, namespace: {cluster}}}\nspec:\n  workload:\n    manifests:\n    - apiVersion: config.openshift.io/v1\n      \
             kind: ImageDigestMirrorSet\n      metadata: {{name: {name}}}\n      \
             spec: {{imageDigestMirrors: [{entry}]}}\n"
        )
    };
    sets.iter().map(work).collect::<Vec<_>>().join("---\n")
}

#[test]
fn existing_objects_of_several_clusters_are_not_taken_for_one() -> Result<()> {
    let never = "{source: quay.io/a, mirrors: [m.lab/a], mirrorSourcePolicy: NeverContactSource}";
    let contact = "{source: quay.io/a, mirrors: [m.lab/a], mirrorSourcePolicy: AllowContactingSource}";
    let other = "{source: quay.io/z, mirrors: [m.lab/z]}";
    let both = works(&[("c1", "a", never), ("c2", "b", contact)]);
    let table = [
        (both.clone(), idms("z", GOOD), 2, "no cluster is named"),
        (both.clone(), works(&[("c3", "z", other)]), 2, "another cluster is named"),
        (both.clone(), works(&[("c1", "z", other), ("c2", "z", other)]), 2, "both are named"),
        (both.clone(), works(&[("c1", "z", other)]), 0, "one of them is named"),
        (both.clone(), works(&[("c1", "z", never)]), 0, "as in its cluster"),
        (both, works(&[("c2", "z", never)]), 1, "it conflicts with the set of its own cluster"),
        (works(&[("c1", "a", never)]), works(&[("c3", "z", other)]), 0, "there is one cluster"),
    ];
    for (old, new, code, reason) in table {
        let folder = folder(&old, &new)?;
        let run = lint(&folder, "--against old.yaml new.yaml")?.code(code).context(reason)?;
        match code {
            2 => run.says("for different clusters (namespace c1 and namespace c2)"),
            1 => run.prints("error[conflicting-source-policy]"),
            _ => run.code(0),
        }
        .context(reason)?;
    }
    Ok(())
}
