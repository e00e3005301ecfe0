//! Mirror sets that are created and deleted by kubectl.

use anyhow::{Result, ensure};

use crate::cluster::Cluster;
use crate::objects::{entry, icsp, idms, itms, with_policy};

scenarios![
    an_icsp_next_to_an_idms_is_rejected,
    an_icsp_moves_to_an_equal_idms_without_a_denial_or_a_change_on_the_nodes,
    two_policies_for_one_source_are_rejected_across_kinds,
    a_source_that_hides_the_release_repositories_is_warned_about,
    a_dry_run_gets_the_same_verdict_and_stores_nothing,
    deleting_a_mirror_set_is_never_denied,
    a_denial_can_be_understood_and_acted_upon,
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

fn an_icsp_moves_to_an_equal_idms_without_a_denial_or_a_change_on_the_nodes(
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
    let tags = |policy| itms("tags", &[with_policy(entry(SOURCE, MIRROR), policy)]);
    cluster
        .create(&idms("digests", &[with_policy(entry(SOURCE, MIRROR), "NeverContactSource")]))?
        .succeeded()?;
    cluster.create(&tags("AllowContactingSource"))?.denied_for("conflicting-source-policy")?;
    cluster.create(&tags("NeverContactSource"))?.succeeded()?;
    Ok(())
}

fn a_source_that_hides_the_release_repositories_is_warned_about(cluster: &mut Cluster) -> Result<()> {
    let release = |repository: &str| {
        entry(
            &format!("quay.io/openshift-release-dev{repository}"),
            &format!("mirror.example.com:5000/release{repository}"),
        )
    };
    let broad = idms("release", &[release("")]);
    let warned = cluster.create(&broad)?.succeeded()?;
    ensure!(!warned.warnings_of("root-level-source").is_empty(), "no warning:\n{}", warned.stderr);
    cluster.delete(&broad)?.succeeded()?;

    let explicit = idms("release", &[release("/ocp-release"), release("/ocp-v4.0-art-dev")]);
    let silent = cluster.create(&explicit)?.succeeded()?;
    ensure!(silent.warnings_of("root-level-source").is_empty(), "a warning too many:\n{}", silent.stderr);
    Ok(())
}

fn a_dry_run_gets_the_same_verdict_and_stores_nothing(cluster: &mut Cluster) -> Result<()> {
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

fn a_denial_can_be_understood_and_acted_upon(cluster: &mut Cluster) -> Result<()> {
    let bad = icsp("typed-by-hand", &[entry(SOURCE, MIRROR), entry("https://quay.io/team/web", MIRROR)]);
    let denied = cluster.create(&bad)?.denied_for("invalid-source")?;
    eprint!("\n{}", denied.stderr);
    for part in ["spec.repositoryDigestMirrors[1].source", "https://quay.io/team/web", "Fix: "] {
        ensure!(denied.stderr.contains(part), "the message lacks {part:?}");
    }
    Ok(())
}
