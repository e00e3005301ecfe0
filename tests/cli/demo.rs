//! The first thing that people see.

use anyhow::{Context as _, Result, ensure};

use crate::command::{Run, command};
use crate::snapshot::Transcript;

#[test]
fn the_demo_is_as_people_see_it() -> Result<()> {
    let mut demo = command(env!("CARGO_BIN_EXE_mirrorguard"));
    let run = Run::of(demo.arg("demo").env("COLUMNS", "80"))?.code(0)?;
    let port = run.stderr.split_once("https://127.0.0.1:").context("no address")?.1;
    let port = port.split(|c: char| !c.is_ascii_digit()).next().context("no port")?;
    let mut transcript = Transcript::default();
    transcript.replace(&format!("127.0.0.1:{port}"), "127.0.0.1:PORT");
    transcript.add_all("demo", &run);
    transcript.matches("demo.txt")?;
    let in_order = [
        "icsp.yaml\": … \"mirror-sets.validate.mirrorguard.io\" … [icsp-alongside-idms]",
        "never-contact.yaml\": … \"mirror-sets.validate.mirrorguard.io\" … [conflicting-source-policy]",
        "Warning: [root-level-source]",
        "imagedigestmirrorset.config.openshift.io/release created",
        "hostedcluster.hypershift.openshift.io/lab created",
        "+ hypershift.openshift.io/olm-catalogs-is-registry-overrides: … registry.redhat.io/redhat=mirror.lab.example:8443/redhat.io/redhat",
    ];
    let run = run.prints(&in_order.join(" … "))?;
    ensure!(run.stdout.matches("Error from server (Forbidden): ").count() == 2, "{}", run.stdout);
    Ok(())
}
