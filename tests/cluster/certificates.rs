//! Certificates made for one run: no key is ever committed.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// For a handshake, and for each read after it.
const DEADLINE: Duration = Duration::from_secs(10);

/// An open connection to a server whose certificate was verified.
pub(crate) type Connection = StreamOwned<ClientConnection, TcpStream>;

/// A certificate authority.
pub(crate) struct Authority {
    pub(crate) certificate: rcgen::Certificate,
    pub(crate) issuer: Issuer<'static, KeyPair>,
}

/// A certificate chain and its key, both as PEM.
pub(crate) struct Serving {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    /// Makes an authority with a key of its own.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// Its certificate, PEM.
    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Issues a certificate for a server of these names and addresses.
    pub(crate) fn issue(&self, names: &[String]) -> Result<Serving> {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, names.first().context("a server without a name")?);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Serving { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// Connects to the server of this name as a client that trusts this authority.
    pub(crate) fn connect(&self, address: SocketAddr, name: &str) -> Result<Connection> {
        connect([self.certificate.der().clone()], address, name)
    }
}

/// Connects to the server of this name as a client that trusts these authorities.
pub(crate) fn connect(
    authorities: impl IntoIterator<Item = CertificateDer<'static>>,
    address: SocketAddr,
    name: &str,
) -> Result<Connection> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut session = ClientConnection::new(Arc::new(config), ServerName::try_from(name.to_owned())?)?;
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_nodelay(true)?;
    while session.is_handshaking() {
        session.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(session, stream))
}

/// The certificate that the server showed.
pub(crate) fn shown(connection: &Connection) -> Result<CertificateDer<'static>> {
    let chain = connection.conn.peer_certificates().context("the server showed no certificate")?;
    Ok(chain.first().context("the server showed an empty chain")?.clone().into_owned())
}
