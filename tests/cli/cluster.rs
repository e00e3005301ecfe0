//! Without a cluster, and as a kubectl plugin.

use std::net::TcpListener;
use std::os::unix::fs::symlink;

use anyhow::{Context as _, Result, ensure};

use crate::command::{Run, command};
use crate::snapshot::matches_snapshot;

const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
current-context: lab
contexts: [{name: lab, context: {cluster: lab, user: admin}}]
clusters: [{name: lab, cluster: {server: \"SERVER\"}}]
users: [{name: admin, user: {}}]
";

#[test]
fn without_paths_and_cluster_there_is_an_error() -> Result<()> {
    let mut messages = Vec::new();
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
        let message = run.code(2).and_then(|run| run.prints("")).context(line)?.stderr;
        messages.push(message.replace(&home.path().display().to_string(), "/home/user"));
    }
    ensure!(messages.iter().all(|message| *message == messages[0]), "{messages:#?}");
    matches_snapshot(&messages[0], "messages/no-cluster.txt")
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
    run.prints("")?.says(&format!("{server} … Connection refused"))?;
    Ok(())
}

#[test]
fn a_link_makes_it_a_plugin_of_kubectl() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let link = folder.path().join("kubectl-mirrorguard");
    symlink(env!("CARGO_BIN_EXE_mirrorguard"), &link)?;
    let run = Run::of(command(&link).args(["lint", "examples/policy-conflict"]))?;
    let run = run.code(1)?.prints("error[conflicting-source-policy]")?;
    ensure!(run.findings().errors == 2, "{}", run.stdout);
    Ok(())
}
