//! Mirror sets that are created and deleted by kubectl.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use mirrorguard::clock::today;
use mirrorguard_core::objects::{Object, manifest};
use mirrorguard_core::review::Reviewer;
use mirrorguard_core::rules::{Finding, Settings};
use mirrorguard_core::state::State;
use mirrorguard_core::write::{Operation, Write};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::objects::{entry, icsp, idms, itms, with_policy};

scenarios![
    an_icsp_next_to_an_idms_is_rejected,
    an_icsp_is_migrated_to_an_equivalent_idms_without_a_denial_or_a_change_on_the_nodes,
    two_policies_for_one_source_are_rejected_across_kinds,
    a_source_that_hides_the_release_repositories_gets_a_warning,
    a_dry_run_gets_the_same_answer_and_stores_nothing,
    deleting_a_mirror_set_is_never_denied,
    a_denial_contains_the_finding_and_its_fix,
];

const SOURCE: &str = "quay.io/team/app";
const MIRROR: &str = "mirror.example.com:5000/team/app";

fn an_icsp_next_to_an_idms_is_rejected(cluster: &mut Cluster) -> Result<()> {
    let old = icsp("old", &[entry("quay.io/other/app", "mirror.example.com:5000/other/app")]);
    cluster.create(&old)?.succeeded()?;
    cluster.delete(&old)?.succeeded()?;

    cluster.create(&idms("new", &[entry(SOURCE, MIRROR)]))?.succeeded()?;
    cluster.create(&old)?.denied_for("icsp-alongside-idms")?;
    Ok(())
}

fn an_icsp_is_migrated_to_an_equivalent_idms_without_a_denial_or_a_change_on_the_nodes(
    cluster: &mut Cluster,
) -> Result<()> {
    let entries = [entry(SOURCE, MIRROR), entry("registry.redhat.io/ubi9", "mirror.example.com:5000/ubi9")];
    let old = icsp("to-be-migrated", &entries);
    cluster.create(&old)?.succeeded()?;
    let before = cluster.registries_conf()?;
    ensure!(before.contains(MIRROR), "the nodes do not get the mirror:\n{before}");

    let created = cluster.create(&idms("migrated", &entries))?.succeeded()?;
    let next_step = created.warnings_of("icsp-alongside-idms");
    ensure!(
        next_step.iter().any(|warning| warning.contains("to-be-migrated")),
        "no warning names the ICSP to delete next:\n{}",
        created.stderr
    );
    ensure!(cluster.registries_conf()? == before, "the nodes get another file with both");

    cluster.delete(&old)?.succeeded()?;
    ensure!(cluster.registries_conf()? == before, "the nodes get another file with the IDMS alone");
    Ok(())
}

fn two_policies_for_one_source_are_rejected_across_kinds(cluster: &mut Cluster) -> Result<()> {
    let never = [with_policy(entry(SOURCE, MIRROR), "NeverContactSource")];
    let allow = [with_policy(entry(SOURCE, MIRROR), "AllowContactingSource")];
    cluster.create(&idms("digests", &never))?.succeeded()?;
    cluster.create(&itms("tags", &allow))?.denied_for("conflicting-source-policy")?;
    cluster.create(&itms("tags", &never))?.succeeded()?;
    Ok(())
}

fn a_source_that_hides_the_release_repositories_gets_a_warning(cluster: &mut Cluster) -> Result<()> {
    let broad = idms("release", &[release_entry("")]);
    let warned = cluster.create(&broad)?.succeeded()?;
    ensure!(!warned.warnings_of("root-level-source").is_empty(), "no warning:\n{}", warned.stderr);
    cluster.delete(&broad)?.succeeded()?;

    let explicit = idms("release", &[release_entry("/ocp-release"), release_entry("/ocp-v4.0-art-dev")]);
    let silent = cluster.create(&explicit)?.succeeded()?;
    ensure!(silent.warnings_of("root-level-source").is_empty(), "an unexpected warning:\n{}", silent.stderr);
    Ok(())
}

/// An entry for a part of the release images.
fn release_entry(repository: &str) -> Value {
    entry(
        &format!("quay.io/openshift-release-dev{repository}"),
        &format!("mirror.example.com:5000/release{repository}"),
    )
}

fn a_dry_run_gets_the_same_answer_and_stores_nothing(cluster: &mut Cluster) -> Result<()> {
    let good = idms("first", &[entry(SOURCE, MIRROR)]);
    let dry = cluster.create_dry(&good)?.succeeded()?;
    ensure!(cluster.mirror_sets()? == 0, "the dry run stored something");
    let wet = cluster.create(&good)?.succeeded()?;
    ensure!(dry.stderr == wet.stderr, "other warnings:\n{}instead of\n{}", dry.stderr, wet.stderr);

    let bad = icsp("second", &[entry(SOURCE, MIRROR)]);
    let dry = cluster.create_dry(&bad)?.denied_for("icsp-alongside-idms")?;
    let wet = cluster.create(&bad)?.denied_for("icsp-alongside-idms")?;
    ensure!(dry.stderr == wet.stderr, "another denial:\n{}instead of\n{}", dry.stderr, wet.stderr);
    ensure!(cluster.mirror_sets()? == 1, "a denied object was stored");
    Ok(())
}

fn deleting_a_mirror_set_is_never_denied(cluster: &mut Cluster) -> Result<()> {
    let sets = [
        icsp("a", &[entry("quay.io/team/a", "mirror.example.com:5000/team/a")]),
        idms("b", &[entry("quay.io/team/a", "mirror.example.com:5000/team/a")]),
        itms("c", &[entry("registry.redhat.io/redhat", "mirror.example.com:5000/redhat")]),
    ];
    for set in &sets {
        cluster.create(set)?.succeeded()?;
    }
    for set in &sets {
        cluster.delete(set)?.succeeded()?;
    }
    ensure!(cluster.mirror_sets()? == 0, "not all were deleted");
    Ok(())
}

fn a_denial_contains_the_finding_and_its_fix(cluster: &mut Cluster) -> Result<()> {
    let bad = icsp("typed-by-hand", &[entry(SOURCE, MIRROR), entry("https://quay.io/team/web", MIRROR)]);
    let denied = cluster.create(&bad)?.denied_for("invalid-source")?.stderr;
    let finding = finding_of("invalid-source", &bad)?;
    ensure!(finding.path == "spec.repositoryDigestMirrors[1].source", "at another path: {finding:?}");
    for part in [&*finding.path, "https://quay.io/team/web", &*finding.fix.title] {
        ensure!(!part.is_empty() && denied.contains(part), "{part:?} is missing:\n{denied}");
    }
    Ok(())
}

/// The engine's finding of a rule for one object that is created in an empty cluster.
fn finding_of(rule: &str, object: &Value) -> Result<Finding> {
    let reading = manifest::read("object", object.to_string());
    let [Object::MirrorSet(set)] = reading.objects.iter().map(|found| &found.object).collect::<Vec<_>>()[..]
    else {
        bail!("not one mirror set: {object}")
    };
    let (state, settings) = (State::default(), Settings::default());
    let write = Write::MirrorSet(Operation::Create(Arc::clone(set)));
    let verdict = Reviewer::new(&state, &settings, today()).review(&write);
    let found = verdict.diagnostics.into_iter().find(|found| found.rule.id == rule);
    Ok(found.context("no such finding")?.finding)
}
