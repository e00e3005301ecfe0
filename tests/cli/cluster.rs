//! Without a cluster, and as a kubectl plugin.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result, anyhow, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;

use crate::apiserver::{kubeconfig, with_kubeconfig};
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

/// A file with this kubeconfig, in a folder that is removed with the first value.
fn written(kubeconfig: &str) -> Result<(tempfile::TempDir, PathBuf)> {
    let home = tempfile::tempdir()?;
    let path = home.path().join("config");
    std::fs::write(&path, kubeconfig)?;
    Ok((home, path))
}

/// A file with a kubeconfig for this server.
fn kubeconfig_of(server: &str) -> Result<(tempfile::TempDir, PathBuf)> {
    written(&KUBECONFIG.replace("SERVER", server))
}

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

/// A kubeconfig with one thing that is not as in [`KUBECONFIG`].
struct Wrong {
    from: &'static str,
    to: &'static str,
    /// The command that is run.
    command: &'static str,
}

const fn wrong(from: &'static str, to: &'static str) -> Wrong {
    Wrong { from, to, command: "render" }
}

#[test]
fn a_wrong_kubeconfig_is_named_with_what_is_wrong() -> Result<()> {
    let table = [
        wrong("kind: Config", "kind: {"),
        wrong("contexts: [{", "contexts: lab #"),
        wrong("current-context: lab", ""),
        wrong("current-context: lab", "current-context: \"\""),
        wrong("current-context: lab", "current-context: other"),
        wrong("contexts: [{name: lab, context: {cluster: lab, user: admin}}]", "contexts: []"),
        wrong("cluster: lab, user", "cluster: other, user"),
        wrong("user: admin", "user: other"),
        wrong("{server: \"SERVER\"}", "{}"),
        wrong("SERVER", "ht tp://x"),
        wrong("SERVER", "api.lab.example:6443"),
        wrong("server: \"SERVER\"", "server: \"SERVER\", certificate-authority: /missing"),
        wrong("server: \"SERVER\"", "server: \"SERVER\", certificate-authority-data: \"!\""),
        wrong("server: \"SERVER\"", "server: \"SERVER\", proxy-url: \"socks5://127.0.0.1:9\""),
        wrong("user: {}", "user: {tokenFile: /missing}"),
        wrong("user: {}", "user: {client-certificate: /missing, client-key: /missing}"),
        wrong("user: {}", "user: {exec: {command: no-such-plugin, installHint: install it from the wiki}}"),
        wrong("user: {}", "user: {exec: {command: no-such-plugin}}"),
        wrong("user: {}", "user: {exec: {command: \"false\"}}"),
        wrong(
            "user: {}",
            "user: {exec: {command: sh, args: [-c, \"echo the session has expired >&2; echo usage >&2; exit 3\"]}}",
        ),
        wrong("user: {}", "user: {exec: {command: /}}"),
        Wrong {
            command: "render --request-timeout 1s",
            ..wrong("user: {}", "user: {exec: {command: sleep, args: [\"60\"]}}")
        },
        wrong("user: {}", "user: {exec: {command: echo, args: [hello]}}"),
        wrong("user: {}", "user: {exec: {}}"),
        wrong("user: {}", "user: {auth-provider: {name: gcp}}"),
        Wrong { command: "migrate", ..wrong("current-context: lab", "") },
        Wrong { command: "audit", ..wrong("current-context: lab", "") },
        Wrong { command: "check", ..wrong("current-context: lab", "") },
        Wrong {
            command: "lint --against cluster examples/hosted-cluster",
            ..wrong("current-context: lab", "")
        },
        Wrong { command: "serve --state cluster --tls-self-signed", ..wrong("current-context: lab", "") },
    ];
    let mut messages = String::new();
    for Wrong { from, to, command: line } in table {
        ensure!(KUBECONFIG.contains(from), "{from}");
        let (home, kubeconfig) =
            written(&KUBECONFIG.replace(from, to).replace("SERVER", "https://127.0.0.1:9"))?;
        let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.args(line.split(' ')).env("KUBECONFIG", &kubeconfig).env("PATH", path);
        let message = Run::of(&mut command)?.code(2).and_then(|run| run.prints("")).context(to)?.stderr;
        let message = message.replace(&home.path().display().to_string(), "/home/user");
        ensure!(message.contains("/home/user/config"), "{to}: {message}");
        messages += &message;
    }
    matches_snapshot(&messages, "messages/kubeconfig.txt")
}

#[test]
fn a_missing_kubeconfig_is_named_unless_another_one_exists() -> Result<()> {
    let (_home, kubeconfig) = kubeconfig_of("http://127.0.0.1:9")?;
    let there = kubeconfig.display();
    let table = [
        ("/missing".to_owned(), "KUBECONFIG is /missing, which does not exist", "one file"),
        ("/missing:/gone".to_owned(), "/missing:/gone, and none of these files exists", "two"),
        ("/".to_owned(), "kubeconfig /: not a regular file", "a folder"),
        ("/dev/zero".to_owned(), "kubeconfig /dev/zero: not a regular file", "a file without an end"),
        (format!("/missing:{there}"), "http://127.0.0.1:9 (context lab)", "kubectl skips a missing one"),
    ];
    for (variable, expected, reason) in table {
        let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
        let run = Run::of(command.arg("render").env("KUBECONFIG", variable))?;
        run.code(2).and_then(|run| run.says(expected)).context(reason)?;
    }
    Ok(())
}

#[test]
fn a_cluster_that_accepts_and_never_answers_is_named_and_given_up() -> Result<()> {
    // Connections are accepted by the kernel, and never read.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let server = format!("http://{}", listener.local_addr()?);
    let (_home, kubeconfig) = kubeconfig_of(&server)?;
    let run = |line: &str| {
        let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
        Run::of(command.args(line.split(' ')).env("KUBECONFIG", &kubeconfig))?.code(2)?.prints("")
    };
    let error = format!("error: … {server} (context lab): no response within 3s (--request-timeout)");
    let waiting = format!("waiting for {server} (context lab)");
    let lines =
        ["render", "migrate", "audit", "check", "explain --cluster quay.io/a:1 examples/hosted-cluster"];
    let runs = thread::scope(|scope| {
        let run = &run;
        let start = |line| (line, scope.spawn(move || run(&format!("--request-timeout 3s {line}"))));
        lines.map(start).map(|(line, run)| (line, run.join()))
    });
    for (line, run) in runs {
        let said = run.map_err(|_| anyhow!("{line} panicked"))??.says(&error).context(line)?.stderr;
        ensure!(said.starts_with(&waiting), "{line}: {said}");
    }
    let quiet = run("-q --request-timeout 3s render")?.says(&error)?;
    ensure!(!quiet.stderr.contains("waiting"), "{}", quiet.stderr);
    let prompt = run("--request-timeout 1 render")?.says("no response within 1s")?;
    ensure!(!prompt.stderr.contains("waiting"), "{}", prompt.stderr);
    run("--request-timeout soon render")?.says("'soon' … '--request-timeout … 30s")?;
    Ok(())
}

#[test]
fn a_cluster_that_does_not_answer_is_named() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let server = format!("http://{}", listener.local_addr()?);
    drop(listener);
    let (_home, kubeconfig) = kubeconfig_of(&server)?;
    let mut lint = command(env!("CARGO_BIN_EXE_mirrorguard"));
    let run = Run::of(lint.arg("lint").env("KUBECONFIG", &kubeconfig))?.code(2)?;
    run.prints("")?.says(&format!("{server} (context lab): Connection refused"))?;
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

#[test]
fn an_expired_certificate_is_named_as_such() -> Result<()> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()])?;
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let certificate = params.self_signed(&key)?;
    let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let tls = Arc::new(tls);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let Ok(mut connection) = rustls::ServerConnection::new(Arc::clone(&tls)) else { return };
            // The client ends the handshake.
            connection.complete_io(&mut stream).ok();
        }
    });
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("kubeconfig");
    let server = format!("https://{address}");
    let ca = BASE64_STANDARD.encode(certificate.pem());
    std::fs::write(&config, kubeconfig(&json!({"server": server, "certificate-authority-data": ca})))?;
    with_kubeconfig("audit", config)?.code(2)?.prints("")?.says(&format!("{server} … expired"))?;
    Ok(())
}
