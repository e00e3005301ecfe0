//! Whether certificates that can be loaded are the right ones: a serving certificate by its names, and client CAs.

use rustls::{
    client::verify_server_name,
    pki_types::{CertificateDer, ServerName},
    server::ParsedCertificate,
};
use x509_parser::{
    extensions::GeneralName,
    parse_x509_certificate,
    prelude::{X509Certificate, X509Version},
};

/// How many names a message has.
const MAX_NAMES: usize = 5;

/// What is known of the name that API servers call a webhook by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// This one.
    Name(String),
    /// That of a Service, `SERVICE.NAMESPACE.svc`.
    Service,
    /// Nothing: it may be the host of a URL.
    Unknown,
}

impl Called {
    /// Whether a certificate is valid for the name. API servers only read subjectAltName.
    fn is_name_of(&self, der: &CertificateDer<'_>, names: &[String]) -> bool {
        match self {
            Self::Name(name) => {
                let parsed = ParsedCertificate::try_from(der);
                let name = ServerName::try_from(name.as_str());
                parsed.is_ok_and(|parsed| name.is_ok_and(|name| verify_server_name(&parsed, &name).is_ok()))
            }
            Self::Service => names.iter().any(|name| is_of_service(name)),
            Self::Unknown => !names.is_empty(),
        }
    }

    /// The name that a certificate should have.
    fn wanted(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Service | Self::Unknown => "SERVICE.NAMESPACE.svc",
        }
    }
}

/// Whether a name is `SERVICE.NAMESPACE.svc`, where the service may be a wildcard.
fn is_of_service(name: &str) -> bool {
    let labels: Vec<_> = name.split('.').collect();
    matches!(labels.as_slice(), [service, namespace, last] if !service.is_empty() && !namespace.is_empty() && last.eq_ignore_ascii_case("svc"))
}

/// Why API servers reject a serving certificate for its names, and what to do, after "the serving certificate"; `None`
/// if they do not.
///
/// Follows Go `crypto/x509/verify.go` `VerifyHostname`, which ignores the common name.
pub fn describe_names(der: &CertificateDer<'_>, called: &Called) -> Option<String> {
    let (_, certificate) = parse_x509_certificate(der).ok()?;
    let names = names_of(&certificate);
    if called.is_name_of(der, &names) {
        return None;
    }
    let wanted = called.wanted();
    let fix = format!("issue one with the DNS name {wanted} in subjectAltName");
    if names.is_empty() {
        let subject = certificate.subject();
        return Some(format!(
            "has no name in subjectAltName, and the API server ignores the subject \"{subject}\", so it rejects the \
             certificate; {fix}"
        ));
    }
    let found = list(&names);
    if *called == Called::Service {
        return Some(format!(
            "is valid for {found}, but for no Service, so the API server rejects it unless the webhook configuration \
             has a url; {fix}"
        ));
    }
    Some(format!(
        "is valid for {found}, but not for {wanted}, the name that the API server calls, so the API server rejects it; \
         {fix}"
    ))
}

/// The DNS names and IP addresses in subjectAltName.
fn names_of(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let names = extension.value.general_names.iter();
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => Some(address(bytes)?.to_string()),
            _ => None,
        })
        .collect()
}

fn address(bytes: &[u8]) -> Option<std::net::IpAddr> {
    let short = <[u8; 4]>::try_from(bytes).map(Into::into);
    short.or_else(|_| <[u8; 16]>::try_from(bytes).map(Into::into)).ok()
}

/// The first names of a list, and how many others there are.
fn list(names: &[String]) -> String {
    let shown = names.iter().take(MAX_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Why client CAs accept no certificate that a CA has issued, and what to do, after the name of the file; `None` if
/// one of them is a CA, or if there are none. Certificates of version 1 do not say what they are, so each may be a CA.
pub fn describe_authorities(certificates: &[CertificateDer<'_>]) -> Option<String> {
    let parsed = certificates.iter().filter_map(|der| Some(parse_x509_certificate(der).ok()?.1));
    let parsed: Vec<_> = parsed.collect();
    if parsed.is_empty() || parsed.iter().any(may_issue) {
        return None;
    }
    let subjects: Vec<_> = parsed.iter().map(|certificate| certificate.subject().to_string()).collect();
    Some(format!(
        "contains no CA certificate, only {}, so clients with a certificate of a CA are rejected; specify the \
         certificate of the CA that issues client certificates",
        list(&subjects)
    ))
}

fn may_issue(certificate: &X509Certificate<'_>) -> bool {
    certificate.version() != X509Version::V3 || certificate.is_ca()
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};

    use super::*;

    fn certificate(names: &[&str], is_ca: IsCa) -> CertificateDer<'static> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.is_ca = is_ca;
        params.distinguished_name.push(DnType::CommonName, "webhook.lab.svc");
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn a_certificate_without_the_name_that_is_called_is_described() {
        let name = || Called::Name("webhook.lab.svc".to_owned());
        let many = ["a", "b", "c", "d", "e", "f"];
        // The names, what is called, and a part of the description.
        let table: [(&[&str], Called, Option<&str>, &str); 13] = [
            (&["webhook.lab.svc"], name(), None, "the name"),
            (&["localhost", "WEBHOOK.lab.svc"], name(), None, "one of two, in other letters"),
            (&["*.lab.svc"], name(), None, "a wildcard"),
            (&["webhook.lab.svc.cluster.local"], name(), Some("not for webhook.lab.svc"), "a longer name"),
            (&["webhook.other.svc", "10.0.0.1"], name(), Some("for webhook.other.svc, 10.0.0.1,"), "others"),
            (&many, name(), Some("for a, b, c, d, e and 1 more,"), "many"),
            (&[], name(), Some("no name in subjectAltName"), "only the common name"),
            (&["webhook.lab.svc"], Called::Service, None, "that of a Service"),
            (&["*.lab.svc"], Called::Service, None, "those of Services"),
            (&["localhost"], Called::Service, Some("for localhost, but for no Service"), "no Service"),
            (&["lab.svc"], Called::Service, Some("for no Service"), "without a namespace"),
            (&["localhost"], Called::Unknown, None, "it may be called so"),
            (&[], Called::Unknown, Some("ignores the subject"), "no name can be called"),
        ];
        for (names, called, expected, reason) in table {
            let described = describe_names(&certificate(names, IsCa::NoCa), &called);
            assert_eq!(described.is_some(), expected.is_some(), "{reason}: {described:?}");
            assert!(expected.is_none_or(|part| described.unwrap().contains(part)), "{reason}");
        }
    }

    #[test]
    fn client_cas_without_a_ca_are_described() {
        let leaf = certificate(&["a"], IsCa::ExplicitNoCa);
        let unmarked = certificate(&["a"], IsCa::NoCa);
        let authority = certificate(&[], IsCa::Ca(BasicConstraints::Unconstrained));
        let first = pem::parse(include_str!("tests/files/v1.pem")).unwrap().into_contents();
        let table = [
            (vec![authority.clone()], false, "a CA"),
            (vec![leaf.clone(), authority], false, "one of two"),
            (vec![leaf], true, "not a CA"),
            (vec![unmarked], true, "version 3 says so if it is one"),
            (vec![CertificateDer::from(first)], false, "version 1 does not"),
            (vec![], false, "an empty file is an error"),
        ];
        for (certificates, expected, reason) in table {
            assert_eq!(describe_authorities(&certificates).is_some(), expected, "{reason}");
        }
    }
}
