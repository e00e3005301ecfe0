//! What is wrong at the start is said, and the process ends.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::ground::Ground;
use crate::process::Process;

/// A start that fails ends before anything is waited for.
const AT_ONCE: Duration = Duration::from_secs(20);

/// Starts the webhook, which must refuse to, and say so with this text.
fn refused(ground: &Ground, arguments: &[String], expected: &str) -> Result<()> {
    let mut process = Process::start(arguments, &[], ground.path("log"))?;
    let status = process.ended(AT_ONCE)?;
    let said = process.log()?;
    ensure!(status.code() == Some(2), "ended with {status}, saying:\n{said}");
    ensure!(said.contains(expected), "\"{expected}\" is not in\n{said}");
    Ok(())
}

/// Starts it with good arguments but for one flag; `{}` in what is expected stands for its value.
fn refused_for(
    ground: &Ground,
    (flag, value, expected, reason): (&str, impl AsRef<str>, &str, &str),
) -> Result<()> {
    let listeners = ["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"].map(str::to_owned);
    let mut arguments = [&listeners, &*ground.arguments()].concat();
    arguments.retain(|argument| !argument.starts_with(&format!("{flag}=")));
    let value = value.as_ref();
    arguments.push(format!("{flag}={value}"));
    refused(ground, &arguments, &expected.replace("{}", value)).with_context(|| reason.to_owned())
}

/// Writes a file and tells its path.
fn file(ground: &Ground, name: &str, text: &str) -> Result<String> {
    Ok(ground.write(name, text)?.display().to_string())
}

fn missing(ground: &Ground) -> String {
    ground.path("missing").display().to_string()
}

#[test]
fn certificates_that_cannot_be_used_are_refused() -> Result<()> {
    let ground = Ground::new()?;
    let missing = missing(&ground);
    let no_pem = file(&ground, "no.pem", "not a certificate\n")?;
    let other_key = file(&ground, "other.key", &ground.issue()?.key)?;
    let table = [
        ("--tls-cert", &missing, "--tls-cert: cannot read {}: No such file", "no certificate"),
        ("--tls-key", &missing, "--tls-key: cannot read {}: No such file", "no key"),
        ("--client-ca", &missing, "--client-ca: cannot read {}: No such file", "no client CA"),
        ("--tls-cert", &no_pem, "--tls-cert: {} holds no certificate in PEM form", "not a certificate"),
        ("--tls-key", &no_pem, "--tls-key: {} holds no private key in PEM form", "not a key"),
        ("--client-ca", &no_pem, "--client-ca: {} holds no certificate in PEM form", "not a client CA"),
        ("--tls-key", &other_key, "the key is not that of the certificate", "the key of another certificate"),
    ];
    table.into_iter().try_for_each(|row| refused_for(&ground, row))
}

#[test]
fn states_that_cannot_be_read_are_refused() -> Result<()> {
    let ground = Ground::new()?;
    let missing = missing(&ground);
    let syntax = file(&ground, "syntax.yaml", "kind: [\n")?;
    let number =
        "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: a}\nspec: 7\n";
    let number = file(&ground, "number.yaml", number)?;
    let table = [
        ("--state", &missing, "--state {}: cannot read {}: No such file", "neither file nor folder"),
        ("--state", &syntax, "--state {}: {}:2:1: ", "not YAML"),
        ("--state", &number, "--state {}: {}:4:7: ImageDigestMirrorSet: spec: ", "YAML, but no mirror set"),
    ];
    table.into_iter().try_for_each(|row| refused_for(&ground, row))
}

#[test]
fn configurations_with_mistakes_are_refused() -> Result<()> {
    let ground = Ground::new()?;
    let missing = missing(&ground);
    let folder = ground.path("mirrors").display().to_string();
    let rule = file(&ground, "rule.yaml", "rules:\n  root-levle-source: deny\n")?;
    let level = file(&ground, "level.yaml", "rules:\n  root-level-source: loud\n")?;
    let key = file(&ground, "key.yaml", "rule: {}\n")?;
    let unknown = "{}:2:22: rules.root-levle-source: unknown rule \"root-levle-source\"; did you mean \"root-level-source\"?";
    let table = [
        ("--config", &missing, "--config: cannot read {}: No such file", "no file"),
        ("--config", &folder, "--config: cannot read {}: Is a directory", "a folder"),
        ("--config", &rule, unknown, "a misspelt rule"),
        (
            "--config",
            &level,
            "{}:2:22: rules.root-level-source: unknown level \"loud\", expected deny",
            "no level",
        ),
        (
            "--config",
            &key,
            "{}:1:7: rule: unknown field `rule`, expected one of `profile`, `rules`",
            "no setting",
        ),
    ];
    table.into_iter().try_for_each(|row| refused_for(&ground, row))
}

#[test]
fn addresses_that_cannot_be_listened_on_are_refused() -> Result<()> {
    let ground = Ground::new()?;
    let holder = TcpListener::bind("127.0.0.1:0")?;
    let taken = holder.local_addr()?.to_string();
    let in_use = "--listen: cannot listen on {}: Address already in use (os error 98); end what listens there, or choose another port";
    let table = [
        ("--listen", &*taken, in_use, "taken"),
        ("--admin-listen", &*taken, "--admin-listen: cannot listen on {}: Address already in use", "taken"),
        ("--listen", "192.0.2.1:0", "--listen: cannot listen on {}: Cannot assign", "of another machine"),
        (
            "--listen",
            "localhost",
            "invalid value '{}' for '--listen <ADDRESS>': expected an IP address and a port",
            "no port",
        ),
        (
            "--admin-listen",
            "8080",
            "'--admin-listen <ADDRESS>': expected an IP address and a port",
            "no address",
        ),
    ];
    table.into_iter().try_for_each(|row| refused_for(&ground, row))
}

#[test]
fn a_ca_that_cannot_be_written_is_refused() -> Result<()> {
    let ground = Ground::new()?;
    let nowhere = ground.path("no/folder/ca.crt").display().to_string();
    let table = [
        (&*nowhere, "No such file or directory", "no folder"),
        ("/dev/full", "No space left", "a full disk"),
        ("/", "Is a directory", "a folder"),
    ];
    for (out, why, reason) in table {
        let state = format!("--state={}", ground.path("mirrors").display());
        let arguments = ["--tls-self-signed".to_owned(), format!("--tls-ca-out={out}"), state];
        let expected = format!("--tls-ca-out: cannot write {out}: {why}");
        refused(&ground, &arguments, &expected).context(reason)?;
    }
    Ok(())
}

#[test]
fn flags_that_do_not_go_together_are_refused() -> Result<()> {
    let ground = Ground::new()?;
    let table = [
        ("--state=a", "--tls-cert <FILE>", "no certificate and no word of making one"),
        ("--state=a --tls-cert=b", "--tls-key <FILE>", "a certificate without its key"),
        ("--state=a --tls-self-signed --tls-cert=b --tls-key=c", "cannot be used with", "two certificates"),
        ("--state=a --tls-self-signed --client-ca=b", "cannot be used with", "for trying out only"),
        ("--state=a --tls-cert=b --tls-key=c --tls-ca-out=d", "--tls-ca-out", "no CA is made"),
        ("--state=a --tls-managed-secret=a/b", "--tls-name <NAME>", "a certificate for nobody"),
        (
            "--state=a --tls-managed-secret=a/b --tls-name=c",
            "--webhook-configuration <NAME>",
            "a CA that nobody would trust",
        ),
        ("--state=a --tls-self-signed --tls-name=c", "--tls-managed-secret <NAMESPACE/NAME>", "not managed"),
        (
            "--state=a --tls-self-signed --tls-managed-secret=a/b --tls-name=c --webhook-configuration=d",
            "cannot be used with",
            "made up and managed",
        ),
        ("--tls-self-signed", "--state is missing: name a file or folder", "no state, and not in a pod"),
        (
            "--state=a --tls-self-signed --shutdown-delay=-1s",
            "expected a time from zero to an hour, such as 10s",
            "before the signal",
        ),
        (
            "--state=a --tls-self-signed --shutdown-delay=61m",
            "expected a time from zero to an hour, such as 10s",
            "the pod would be killed long before",
        ),
    ];
    for (flags, expected, reason) in table {
        let arguments: Vec<_> = flags.split(' ').map(str::to_owned).collect();
        refused(&ground, &arguments, expected).context(reason)?;
    }
    Ok(())
}

#[test]
fn managed_certificates_that_cannot_be_managed_are_refused() -> Result<()> {
    let ground = Ground::new()?;
    let state = format!("--state={}", ground.path("mirrors").display());
    let table = [
        ("--tls-managed-secret=secret", "expected NAMESPACE/NAME", "no namespace"),
        ("--tls-duration=soon", "expected a time such as 90d, 12h, 5m or 10s", "no time"),
        ("--tls-duration=10m", "--tls-overlap must be less than a third of --tls-duration", "too short"),
        (
            "--tls-ca-duration=100d",
            "--tls-duration must be at most a third of --tls-ca-duration",
            "too short",
        ),
        ("--tls-overlap=0s", "--tls-overlap must be more than nothing", "no time at all"),
    ];
    for (flag, expected, reason) in table {
        let name = flag.split_once('=').map_or(flag, |(name, _)| name);
        let mut arguments: Vec<String> =
            ["--tls-managed-secret=a/b", "--tls-name=c", "--webhook-configuration=d", &state]
                .map(str::to_owned)
                .to_vec();
        arguments.retain(|argument| !argument.starts_with(&format!("{name}=")));
        arguments.push(flag.to_owned());
        refused(&ground, &arguments, expected).context(reason)?;
    }
    Ok(())
}
