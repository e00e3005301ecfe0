//! The first thing that people see.

use anyhow::{Result, ensure};

use crate::command::mirrorguard;

#[test]
fn the_demo_shows_two_rejections_a_warning_and_a_filled_annotation() -> Result<()> {
    let run = mirrorguard("demo")?.code(0)?;
    let rejected = "Error from server (Forbidden): error when creating";
    ensure!(run.stdout.matches(rejected).count() == 2, "not two rejections:\n{}", run.stdout);
    let in_order = [
        "\"icsp.yaml\": admission webhook \"mirror-sets.validate.mirrorguard.io\" denied the request: [icsp-alongside-idms]",
        "\"never-contact.yaml\": admission webhook \"mirror-sets.validate.mirrorguard.io\" denied the request: [conflicting-source-policy]",
        "Warning: [root-level-source]",
        "imagedigestmirrorset.config.openshift.io/release created",
        "hostedcluster.hypershift.openshift.io/lab created",
        "+ hypershift.openshift.io/olm-catalogs-is-registry-overrides: registry.redhat.io/redhat=mirror.lab.example:8443/redhat.io/redhat",
    ];
    run.prints(&in_order.join(" … "))?;
    Ok(())
}
