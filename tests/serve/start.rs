//! A start that fails reports the reason, and the process ends.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use pem::Pem;

use crate::ground::Ground;
use crate::process::Process;
use crate::texts::matches_snapshot;

/// A start that fails ends before it waits for anything.
const AT_ONCE: Duration = Duration::from_secs(20);

/// A start that fails.
struct Start {
    arguments: Vec<String>,
    /// Flags, paths and positions that the error names.
    names: Vec<String>,
    reason: &'static str,
}

impl Start {
    /// A start with these arguments alone.
    fn with(arguments: &str, names: &[&str], reason: &'static str) -> Self {
        let arguments = arguments.split(' ').map(str::to_owned).collect();
        Self { arguments, names: owned(names), reason }
    }

    /// A start with valid arguments except for one flag.
    fn with_flag(ground: &Ground, flag: &str, value: &str, names: &[&str], reason: &'static str) -> Self {
        let mut arguments = ground.arguments();
        arguments.extend(owned(&["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"]));
        replace(&mut arguments, flag, value);
        Self { arguments, names: owned(names), reason }
    }

    /// Starts the webhook, which must fail, and returns what it reports.
    fn fail(&self, ground: &Ground) -> Result<String> {
        let mut process = Process::start(&self.arguments, &[], ground.path("log"))?;
        let status = process.ended(AT_ONCE)?;
        let output = process.log()?;
        let reason = self.reason;
        ensure!(status.code() == Some(2), "{reason}: ended with {status}, reporting:\n{output}");
        for name in &self.names {
            ensure!(output.contains(name), "{reason}: {name} is not in\n{output}");
        }
        Ok(output)
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn replace(arguments: &mut Vec<String>, flag: &str, value: &str) {
    arguments.retain(|argument| !argument.starts_with(&format!("{flag}=")));
    arguments.push(format!("{flag}={value}"));
}

/// Writes a file and returns its path.
fn file(ground: &Ground, name: &str, text: &str) -> Result<String> {
    Ok(ground.write(name, text)?.display().to_string())
}

fn path(ground: &Ground, name: &str) -> String {
    ground.path(name).display().to_string()
}

/// Starts with certificates that cannot be used.
fn certificates(ground: &Ground) -> Result<Vec<Start>> {
    let missing = path(ground, "missing");
    let no_pem = file(ground, "no.pem", "not a certificate\n")?;
    let other_key = file(ground, "other.key", &ground.issue()?.key)?;
    let table = [
        ("--tls-cert", &missing, "no certificate"),
        ("--tls-key", &missing, "no key"),
        ("--client-ca", &missing, "no client CA"),
        ("--tls-cert", &no_pem, "not a certificate"),
        ("--tls-key", &no_pem, "not a key"),
        ("--client-ca", &no_pem, "not a client CA"),
    ];
    let mut starts: Vec<Start> =
        table.map(|(flag, file, reason)| Start::with_flag(ground, flag, file, &[flag, file], reason)).into();
    for (flag, text, expected, reason) in wrong_files() {
        let file = file(ground, &format!("wrong-{}", starts.len()), &text)?;
        starts.push(Start::with_flag(ground, flag, &file, &[flag, &file, expected], reason));
    }
    let pipe = path(ground, "pipe");
    let made = Command::new("mkfifo").arg(&pipe).status()?;
    ensure!(made.success(), "mkfifo: {made}");
    for flag in ["--tls-cert", "--tls-key", "--client-ca"] {
        for file in [&*pipe, "/dev/zero"] {
            let names = [flag, file, "not a regular file"];
            starts.push(Start::with_flag(ground, flag, file, &names, "neither has an end"));
        }
    }
    let names = ["--tls-cert", "--tls-key"];
    starts.push(Start::with_flag(ground, "--tls-key", &other_key, &names, "the key of another certificate"));
    Ok(starts)
}

/// Files that are something else: the flag, the content, a word of the error, and why.
fn wrong_files() -> Vec<(&'static str, String, &'static str, &'static str)> {
    let block = |label: &str| pem::encode(&Pem::new(label, vec![0; 8]));
    let version_1 = include_str!("../../src/certificates/tests/files/v1.pem").to_owned();
    vec![
        ("--tls-cert", version_1, "X.509 version 1 ", "a certificate without extensions"),
        ("--tls-cert", block("CERTIFICATE REQUEST"), "CSR", "a request for a certificate"),
        ("--tls-cert", block("PRIVATE KEY"), "swapped", "the key for the certificate"),
        ("--tls-key", block("CERTIFICATE"), "swapped", "the certificate for the key"),
        ("--tls-key", block("ENCRYPTED PRIVATE KEY"), "passphrase", "an encrypted key"),
        ("--tls-key", block("PUBLIC KEY"), "public key", "half a key"),
        ("--client-ca", block("EC PRIVATE KEY"), "certificate of the CA", "the key of the CA"),
        ("--client-ca", String::new(), "is empty", "an empty file"),
    ]
}

/// Starts with addresses that cannot be listened on; `taken` is in use.
fn addresses(ground: &Ground, taken: &str) -> Vec<Start> {
    let table = [
        ("--listen", taken, "in use"),
        ("--admin-listen", taken, "in use, for probes"),
        ("--listen", "192.0.2.1:0", "of another machine"),
        ("--listen", "localhost", "no port"),
        ("--admin-listen", "8080", "no address"),
    ];
    table
        .map(|(flag, address, reason)| Start::with_flag(ground, flag, address, &[flag, address], reason))
        .into()
}

/// Starts that cannot write the CA.
fn unwritable_authorities(ground: &Ground) -> Vec<Start> {
    let state = path(ground, "mirrors");
    let nowhere = path(ground, "no/folder/ca.crt");
    let table = [(&*nowhere, "no folder"), ("/dev/full", "a full disk"), ("/", "a folder")];
    table
        .map(|(file, reason)| {
            let arguments = format!("--tls-self-signed --tls-ca-out={file} --state={state}");
            Start::with(&arguments, &["--tls-ca-out", file], reason)
        })
        .into()
}

/// Starts with flags that do not go together.
fn flags() -> Vec<Start> {
    let self_signed = "--state=a --tls-self-signed";
    let managed = "--tls-managed-secret=a/b --tls-name=c";
    let table = [
        ("--state=a".to_owned(), "--tls-cert", "no way to get a certificate"),
        ("--state=a --tls-cert=b".to_owned(), "--tls-key", "a certificate without its key"),
        (format!("{self_signed} --tls-cert=b --tls-key=c"), "--tls-self-signed", "two certificates"),
        (format!("{self_signed} --client-ca=b"), "--client-ca", "a test certificate with a client CA"),
        ("--state=a --tls-cert=b --tls-key=c --tls-ca-out=d".to_owned(), "--tls-ca-out", "no CA is issued"),
        ("--state=a --tls-managed-secret=a/b".to_owned(), "--tls-name", "a certificate without a name"),
        (format!("--state=a {managed}"), "--webhook-configuration", "a CA that nobody would trust"),
        (format!("{self_signed} --tls-name=c"), "--tls-managed-secret", "a name that nothing uses"),
        (
            format!("{self_signed} {managed} --webhook-configuration=d"),
            "--tls-managed-secret",
            "self-signed and managed",
        ),
        ("--tls-self-signed".to_owned(), "--state", "no state, and not in a pod"),
        (format!("{self_signed} --shutdown-delay=-1s"), "--shutdown-delay", "before the signal"),
        (
            format!("{self_signed} --shutdown-delay=61m"),
            "--shutdown-delay",
            "the kubelet would kill the pod long before",
        ),
    ];
    table.map(|(arguments, flag, reason)| Start::with(&arguments, &[flag], reason)).into()
}

/// Starts with certificates that cannot be managed.
fn managed_certificates(ground: &Ground) -> Vec<Start> {
    let table: [(&str, &str, &[&str], _); 5] = [
        ("--tls-managed-secret", "secret", &["--tls-managed-secret"], "a Secret without a namespace"),
        ("--tls-duration", "soon", &["--tls-duration"], "not a duration"),
        ("--tls-duration", "10m", &["--tls-overlap", "--tls-duration"], "shorter than three overlaps"),
        ("--tls-ca-duration", "100d", &["--tls-duration", "--tls-ca-duration"], "too short a life of the CA"),
        ("--tls-overlap", "0s", &["--tls-overlap"], "no overlap"),
    ];
    let state = format!("--state={}", path(ground, "mirrors"));
    table
        .map(|(flag, value, names, reason)| {
            let mut arguments =
                owned(&["--tls-managed-secret=a/b", "--tls-name=c", "--webhook-configuration=d", &state]);
            replace(&mut arguments, flag, value);
            Start { arguments, names: owned(names), reason }
        })
        .into()
}

#[test]
fn a_start_that_fails_reports_the_reason() -> Result<()> {
    let ground = Ground::new()?;
    let holder = TcpListener::bind("127.0.0.1:0")?;
    let taken = holder.local_addr()?.to_string();
    let folder = ground.path("").display().to_string();
    let groups = [
        certificates(&ground)?,
        addresses(&ground, &taken),
        unwritable_authorities(&ground),
        flags(),
        managed_certificates(&ground),
    ];
    let mut texts = String::new();
    for start in groups.iter().flatten() {
        let output = start.fail(&ground)?.replace(&folder, "FOLDER/").replace(&taken, "127.0.0.1:PORT");
        // What follows the first empty line is the usage, which the snapshots of the help hold.
        let error = output.split("\n\n").next().unwrap_or_default().trim_end();
        writeln!(texts, "# {}\n{error}\n", start.reason)?;
    }
    matches_snapshot(&texts, "start.txt")
}

#[test]
fn a_state_that_cannot_be_read_is_refused() -> Result<()> {
    let ground = Ground::new()?;
    let missing = path(&ground, "missing");
    let syntax = file(&ground, "syntax.yaml", "kind: [\n")?;
    let number =
        "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: a}\nspec: 7\n";
    let number = file(&ground, "number.yaml", number)?;
    let table = [
        (&missing, "", "neither a file nor a folder"),
        (&syntax, ":2:1: ", "not YAML"),
        (&number, ":4:7: ImageDigestMirrorSet: spec: ", "YAML, but not a mirror set"),
    ];
    let pipe = path(&ground, "pipe");
    let made = Command::new("mkfifo").arg(&pipe).status()?;
    ensure!(made.success(), "mkfifo: {made}");
    for state in [&*pipe, "/dev/zero"] {
        let names = ["--state", state, "not a regular file"];
        Start::with_flag(&ground, "--state", state, &names, "neither has an end").fail(&ground)?;
    }
    for (state, place, reason) in table {
        let place = format!("{state}{place}");
        Start::with_flag(&ground, "--state", state, &["--state", &place], reason).fail(&ground)?;
    }
    Ok(())
}

#[test]
fn a_configuration_with_mistakes_is_refused() -> Result<()> {
    let ground = Ground::new()?;
    let missing = path(&ground, "missing");
    let folder = path(&ground, "mirrors");
    let rule = file(&ground, "rule.yaml", "rules:\n  root-levle-source: deny\n")?;
    let level = file(&ground, "level.yaml", "rules:\n  root-level-source: loud\n")?;
    let key = file(&ground, "key.yaml", "rule: {}\n")?;
    let table: [(&str, &str, &[&str], _); 5] = [
        (&missing, "", &["--config"], "no file"),
        (&folder, "", &["--config"], "a folder"),
        (&rule, ":2:22: rules.root-levle-source: ", &["\"root-level-source\""], "a misspelt rule"),
        (&level, ":2:22: rules.root-level-source: ", &["\"loud\""], "not a level"),
        (&key, ":1:7: rule: ", &["\"rules\""], "not a setting"),
    ];
    for (config, place, names, reason) in table {
        let place = format!("{config}{place}");
        let names = [names, &[&*place]].concat();
        Start::with_flag(&ground, "--config", config, &names, reason).fail(&ground)?;
    }
    Ok(())
}
