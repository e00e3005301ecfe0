//! Without a cluster, and as a plugin of kubectl.

use std::os::unix::fs::symlink;

use anyhow::{Context as _, Result};

use crate::command::{Run, command};

#[test]
fn without_paths_and_cluster_the_remedy_is_named() -> Result<()> {
    let commands = [
        "lint",
        "render",
        "migrate",
        "audit",
        "overrides",
        "explain example.com/a:1",
        "diff cluster examples/hosted-cluster",
    ];
    for line in commands {
        let home = tempfile::tempdir()?;
        let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
        let run = Run::of(command.args(line.split(' ')).env("HOME", home.path()))?;
        let run = run.code(2).context(line)?;
        run.prints("")?.says("no cluster: name files or folders, or set KUBECONFIG").context(line)?;
    }
    Ok(())
}

#[test]
fn a_link_makes_it_a_plugin_of_kubectl() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let link = folder.path().join("kubectl-mirrorguard");
    symlink(env!("CARGO_BIN_EXE_mirrorguard"), &link)?;
    let run = Run::of(command(&link).args(["lint", "examples/policy-conflict"]))?;
    run.code(1)?.prints("denied[conflicting-source-policy]")?.says("2 denied")?;
    Ok(())
}
