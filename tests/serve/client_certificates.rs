//! `--client-ca`: only API servers are answered.

use anyhow::{Result, ensure};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::ClientConfig;

use crate::certificates::Serving;
use crate::client::{Answer, Client, presenting, trusting};
use crate::ground::Ground;
use crate::reviews::new_icsp;
use crate::webhook::Webhook;

/// A CA for clients.
struct ClientAuthority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl ClientAuthority {
    fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }

    fn issue(&self) -> Result<Serving> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Serving { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

#[test]
fn only_clients_with_a_certificate_of_the_client_ca_are_answered() -> Result<()> {
    let ground = Ground::new()?;
    let known = ClientAuthority::new("clients")?;
    let file = ground.write("clients.crt", &known.pem)?;
    let webhook = ground.start_with(&[format!("--client-ca={}", file.display())])?;
    let trusted = ground.authority.pem();

    let strangers = [
        ("no certificate", trusting(&trusted)?),
        ("a certificate of a CA with another name", issued_by(&trusted, "others")?),
        ("a certificate of another CA with that name", issued_by(&trusted, "clients")?),
    ];
    for (who, tls) in strangers {
        // The test does not wait for an alert: the end of the connection may overtake it.
        let answer = validate(&webhook, tls);
        ensure!(answer.is_err(), "a client with {who} was answered: {answer:?}");
    }
    // The allowed twin differs only in the issuer of its certificate.
    validate(&webhook, presenting(&trusted, &known.issue()?)?)?.allowed()
}

#[test]
fn a_client_ca_that_is_none_is_warned_about() -> Result<()> {
    let authority = ClientAuthority::new("clients")?;
    let table = [
        (authority.pem.clone(), 0, "a CA"),
        (authority.issue()?.certificate, 1, "a certificate of a client"),
    ];
    for (pem, expected, reason) in table {
        let ground = Ground::new()?;
        let file = ground.write("clients.crt", &pem)?;
        let lines = ground.start_with(&[format!("--client-ca={}", file.display())])?.lines()?;
        let warnings: Vec<_> = lines.iter().filter(|line| line["level"] == "WARN").collect();
        ensure!(warnings.len() == expected, "{reason}: {lines:?}");
        let file = file.display().to_string();
        ensure!(warnings.iter().all(|warning| warning["client_ca"] == file), "{reason}: {lines:?}");
    }
    Ok(())
}

fn validate(webhook: &Webhook, tls: ClientConfig) -> Result<Answer> {
    Client::connect(webhook.address, tls)?.validate(&new_icsp())
}

/// TLS of a client with a certificate that a new CA of this name issued.
fn issued_by(trusted: &str, name: &str) -> Result<ClientConfig> {
    presenting(trusted, &ClientAuthority::new(name)?.issue()?)
}
