//! The texts that people read, each of which one file in `tests/serve/texts` holds.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use mirrorguard::certificates::{ConfigurationKind, Obstacle};
use mirrorguard::server::managed::{ManagedError, SecretName, describe_obstacle};
use mirrorguard::server::tls::TlsError;

/// Compares a text with a file in `tests/serve/texts`; `make generate` writes the file instead.
pub(crate) fn matches_snapshot(text: &str, name: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/texts").join(name);
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        return fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()));
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    ensure!(text == expected, "{} differs: run make generate:\n{text}", path.display());
    Ok(())
}

/// Errors about managed certificates, and those of TLS that no file brings about.
fn errors() -> Result<Vec<ManagedError>> {
    let secret: SecretName = "mirrorguard/tls".parse().map_err(anyhow::Error::msg)?;
    let object = "Secret mirrorguard/tls".to_owned();
    let flag = "--tls-managed-secret";
    Ok(vec![
        ManagedError::NoSecret(secret.clone()),
        ManagedError::Foreign(secret),
        ManagedError::Forbidden { flag, verb: "get", object: object.clone(), message: "MESSAGE".to_owned() },
        ManagedError::Failed { flag, verb: "patch", object: object.clone(), why: "REASON".to_owned() },
        ManagedError::Contested { flag, object, resource: "secret tls --namespace mirrorguard".to_owned() },
        ManagedError::Issue(rcgen::Error::CouldNotParseCertificate),
        TlsError::Pair(rustls::Error::EncryptError).into(),
        TlsError::ClientCa("REASON".to_owned()).into(),
        TlsError::Managed("REASON".to_owned()).into(),
        TlsError::SelfSignedKey("REASON").into(),
        TlsError::SelfSigned(rcgen::Error::CouldNotParseCertificate).into(),
    ])
}

#[test]
fn errors_about_certificates_are_those_of_the_snapshot() -> Result<()> {
    let mut texts = String::new();
    for error in errors()? {
        writeln!(texts, "{error}")?;
    }
    let obstacles =
        [Obstacle::Expired(Timestamp::UNIX_EPOCH), Obstacle::Untrusted(ConfigurationKind::Mutating)];
    for obstacle in obstacles {
        writeln!(texts, "{}", describe_obstacle(obstacle, "mirrorguard"))?;
    }
    matches_snapshot(&texts, "certificates.txt")
}
