//! Without a cluster, and as a plugin of kubectl.

use std::net::TcpListener;
use std::os::unix::fs::symlink;

use anyhow::{Context as _, Result};

use crate::command::{Run, command};

const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
current-context: lab
contexts: [{name: lab, context: {cluster: lab, user: admin}}]
clusters: [{name: lab, cluster: {server: \"SERVER\"}}]
users: [{name: admin, user: {}}]
";

#[test]
fn without_paths_and_cluster_the_remedy_is_named() -> Result<()> {
    let commands = [
        "lint",
        "render",
        "migrate",
        "audit",
        "check",
        "overrides",
        "explain example.com/a:1",
        "diff cluster examples/hosted-cluster",
    ];
    for line in commands {
        let home = tempfile::tempdir()?;
        let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
        let run = Run::of(command.args(line.split(' ')).env("HOME", home.path()))?;
        let run = run.code(2).context(line)?;
        run.prints("")?
            .says("no cluster: set KUBECONFIG, or name files where the command takes them")
            .context(line)?;
    }
    Ok(())
}

#[test]
fn a_cluster_that_does_not_answer_is_named() -> Result<()> {
    let home = tempfile::tempdir()?;
    let kubeconfig = home.path().join("config");
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let server = format!("http://{}", listener.local_addr()?);
    drop(listener);
    std::fs::write(&kubeconfig, KUBECONFIG.replace("SERVER", &server))?;
    let mut lint = command(env!("CARGO_BIN_EXE_mirrorguard"));
    let run = Run::of(lint.arg("lint").env("KUBECONFIG", &kubeconfig))?.code(2)?;
    let expected = format!("cannot list the mirror sets of {server} (check server and certificates");
    run.prints("")?.says(&format!("{expected} … Connection refused"))?;
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
