//! Trust and HTTP versions.

use std::fs;

use anyhow::{Result, bail, ensure};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::certificates::{Authority, shown};
use crate::client::{Client, trusting};
use crate::ground::Ground;
use crate::reviews::new_icsp;
use crate::webhook::Webhook;

#[test]
fn a_self_signed_webhook_is_trusted_only_with_the_ca_that_it_wrote() -> Result<()> {
    let ground = Ground::new()?;
    let (ca, state) = (ground.path("ca.crt"), ground.path("mirrors"));
    let arguments = [
        "--tls-self-signed".to_owned(),
        format!("--tls-ca-out={}", ca.display()),
        format!("--state={}", state.display()),
    ];
    let webhook = Webhook::start(&arguments, &[], &ground.path(""))?;
    let ca = fs::read_to_string(ca)?;
    Client::connect(webhook.address, trusting(&ca)?)?.validate(&new_icsp())?.allowed()?;

    let stranger = trusting(&Authority::new("another CA")?.pem())?;
    let Err(error) = Client::connect(webhook.address, stranger) else {
        bail!("a client that does not trust the CA connected");
    };
    let text = format!("{error:#}");
    ensure!(text.contains("invalid peer certificate"), "refused for another reason: {text}");
    Client::connect(webhook.address, trusting(&ca)?)?.validate(&new_icsp())?.allowed()
}

#[test]
fn a_connection_is_kept_for_further_requests() -> Result<()> {
    let ground = Ground::new()?;
    let webhook = ground.start()?;
    let mut client = ground.client(&webhook)?;
    ensure!(!client.is_http2(), "HTTP/2 although the client did not offer it");
    for _ in 0..3 {
        // The client never reconnects, so each answer but the first is on a kept connection.
        client.validate(&new_icsp())?.allowed()?;
    }
    Ok(())
}

#[test]
fn http_2_is_used_with_clients_that_offer_it() -> Result<()> {
    let ground = Ground::new()?;
    let webhook = ground.start()?;
    let mut tls = trusting(&ground.authority.pem())?;
    // The offer of Go's client, which API servers use.
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut client = Client::connect(webhook.address, tls)?;
    ensure!(client.is_http2(), "HTTP/2 was offered and not used");
    client.validate(&new_icsp())?.allowed()?;
    client.validate(&new_icsp())?.allowed()
}

#[test]
fn the_certificate_of_the_file_is_served() -> Result<()> {
    let mut ground = Ground::new()?;
    let pair = ground.issue()?;
    ground.publish(&pair)?;
    let webhook = ground.start()?;
    let expected = CertificateDer::from_pem_slice(pair.certificate.as_bytes())?;
    ensure!(shown(&ground.connection(&webhook)?)? == expected, "another certificate is served");
    Ok(())
}
