//! `GitOps` tools: they apply what was rendered without a cluster, and compare it repeatedly.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::cluster::{Cluster, nothing_is_left};
use crate::injection::{configurations, inject};
use crate::release::existing_secret;

scenarios![nothing_differs_after_a_sync_in_any_mode_of_certificates];

fn nothing_differs_after_a_sync_in_any_mode_of_certificates(cluster: &mut Cluster) -> Result<()> {
    let modes = [
        json!({"mode": "selfManaged"}),
        json!({"mode": "serviceCA"}),
        json!({"mode": "certManager"}),
        existing_secret(&cluster.release.authority),
    ];
    for certificates in modes {
        let mode = certificates["mode"].to_string();
        cluster.install_with(certificates.clone())?;
        compare(cluster, &certificates).context(mode)?;
    }
    cluster.uninstall()?;
    nothing_is_left(cluster)?;
    cluster.install_as_before()
}

/// Compares the manifest with what Helm has installed, and then with what such a tool has applied.
fn compare(cluster: &Cluster, certificates: &Value) -> Result<()> {
    let manifest = cluster.release.manifest(&cluster.plane, &cluster.plane.binaries.helm)?;
    // `--skip-tests`.
    let manifest: Vec<&str> =
        manifest.split("\n---\n").filter(|object| !object.contains("helm.sh/hook: test")).collect();
    let manifest = manifest.join("\n---\n");
    let is_injected = certificates["mode"] != "existingSecret";
    ensure!(
        manifest.contains("caBundle: ") != is_injected,
        "the manifest has a CA that something else writes"
    );
    if is_injected {
        let ca = cluster.release.authority.pem();
        for configuration in configurations(&cluster.plane)? {
            inject(&cluster.plane, &configuration, Some(&ca))?;
        }
    }
    for step in ["diff", "apply", "diff"] {
        let arguments =
            [step, "--server-side", "--force-conflicts", "--field-manager=gitops", "--filename", "-"];
        // A difference makes `kubectl diff` fail, and is printed.
        cluster.plane.kubectl(&arguments, &manifest)?.succeeded().context(step)?;
    }
    Ok(())
}
