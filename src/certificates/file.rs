//! What a file is that cannot be used as a certificate or as a private key, and what to use instead.

use std::fmt;

use x509_parser::{
    oid_registry::{
        OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION, OID_SIG_ED25519,
    },
    parse_x509_certificate,
    public_key::PublicKey,
    x509::{SubjectPublicKeyInfo, X509Version},
};

/// What a file should contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A serving certificate.
    Certificate,
    /// The private key of the serving certificate.
    Key,
    /// The certificate of a CA.
    Authority,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Key { "private key" } else { "certificate" })
    }
}

/// The labels of private keys that are read.
const KEYS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

/// What is wrong with a file without a PEM block of the right kind, after the name of the file.
pub fn describe_file(bytes: &[u8], wanted: Wanted) -> String {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return "is empty".to_owned();
    }
    if bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
        return "begins with a byte order mark; save it as UTF-8 without one".to_owned();
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return "is UTF-16 text; save it as UTF-8".to_owned();
    }
    let text = String::from_utf8_lossy(bytes);
    let labels: Vec<_> = labels(&text).collect();
    match labels.iter().find_map(|label| describe_block(label, &text, wanted)) {
        Some(what) => what,
        None if labels.is_empty() => describe_binary(bytes, wanted),
        None => format!("contains no PEM-encoded {wanted}"),
    }
}

/// The kinds of the PEM blocks in a text.
fn labels(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----"))
}

/// What is wrong with a PEM block of a file in which no block could be used; `None` if its label does not say that. So
/// one with the right label is damaged.
fn describe_block(label: &str, text: &str, wanted: Wanted) -> Option<String> {
    let is_key = KEYS.contains(&label);
    let is_encrypted = label == "ENCRYPTED PRIVATE KEY" || text.contains("Proc-Type: 4,ENCRYPTED");
    let what = match (label, wanted) {
        (_, Wanted::Key) if is_encrypted => {
            "is encrypted with a passphrase; decrypt it with openssl pkey -in FILE -out tls.key"
        }
        (_, Wanted::Key) if is_key => "has a private key that is cut off or damaged",
        ("CERTIFICATE", Wanted::Key) => {
            "is a certificate, not a private key; --tls-cert and --tls-key may be swapped"
        }
        ("CERTIFICATE", _) => "has a certificate that is cut off or damaged",
        ("CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST", _) => {
            "is a certificate signing request (CSR); have it signed by the CA, and specify the certificate"
        }
        ("PUBLIC KEY" | "RSA PUBLIC KEY", _) => {
            return Some(format!("is a public key; specify the {wanted}"));
        }
        ("OPENSSH PRIVATE KEY", Wanted::Key) => {
            "is a key in the format of OpenSSH; convert it with ssh-keygen -p -m PEM -f FILE"
        }
        ("DSA PRIVATE KEY", Wanted::Key) => "is a DSA key; use an ECDSA (P-256) or RSA (2048 bits) key",
        (_, Wanted::Certificate) if label.ends_with("PRIVATE KEY") => {
            "is a private key, not a certificate; --tls-cert and --tls-key may be swapped"
        }
        (_, Wanted::Authority) if label.ends_with("PRIVATE KEY") => {
            "is a private key; specify the certificate of the CA"
        }
        ("PKCS7" | "CMS", _) => {
            "is a PKCS#7 bundle; convert it with openssl pkcs7 -in FILE -print_certs -out tls.crt"
        }
        ("TRUSTED CERTIFICATE" | "X509 CERTIFICATE", Wanted::Certificate | Wanted::Authority) => {
            "has a certificate in a format of OpenSSL; convert it with openssl x509 -in FILE -out tls.crt"
        }
        _ => return None,
    };
    Some(what.to_owned())
}

/// What a file without PEM blocks is.
fn describe_binary(bytes: &[u8], wanted: Wanted) -> String {
    // All of these are ASN.1 sequences; a certificate is a sequence of a sequence, a key and a PKCS#12 store begin with
    // a version, which is 3 in a store.
    let is_certificate = parse_x509_certificate(bytes).is_ok();
    // The content of the sequence. A first byte of the length above 0x80 says how many bytes of the length follow.
    let content = match bytes {
        [0x30, length, rest @ ..] => {
            let skipped = usize::from(if *length > 0x80 { length - 0x80 } else { 0 });
            rest.get(skipped..)
        }
        _ => None,
    };
    match (content, wanted) {
        (_, Wanted::Key) if is_certificate => {
            "is a certificate in DER, not a private key; specify the private key in PEM".to_owned()
        }
        _ if is_certificate => {
            "is a certificate in DER; convert it with openssl x509 -inform der -in FILE -out tls.crt"
                .to_owned()
        }
        (Some([0x02, 0x01, 0x03, ..]), Wanted::Key) => {
            "is a PKCS#12 store; extract the key with openssl pkcs12 -in FILE -nocerts -nodes -out tls.key"
                .to_owned()
        }
        (Some([0x02, 0x01, 0x03, ..]), _) => {
            "is a PKCS#12 store; extract the certificates with openssl pkcs12 -in FILE -nokeys -out tls.crt"
                .to_owned()
        }
        (Some([0x02, 0x01, 0x00 | 0x01, ..]), Wanted::Key) => {
            "is a private key in DER; convert it with openssl pkey -inform der -in FILE -out tls.key"
                .to_owned()
        }
        (Some([0x02, 0x01, 0x00 | 0x01, ..]), _) => format!("is a private key in DER; specify the {wanted}"),
        _ => format!("contains no PEM-encoded {wanted}"),
    }
}

/// Whether a file of certificates also has a private key.
pub fn has_private_key(pem: &[u8]) -> bool {
    labels(&String::from_utf8_lossy(pem)).any(|label| label.ends_with("PRIVATE KEY"))
}

/// Why TLS clients or mirrorguard cannot use a certificate, and what to issue instead, after the name of the file;
/// `None` if no reason is found.
pub fn describe_certificate(der: &[u8]) -> Option<String> {
    let Ok((_, certificate)) = parse_x509_certificate(der) else {
        return Some("has a certificate that cannot be parsed; issue it again".to_owned());
    };
    if certificate.version() != X509Version::V3 {
        return Some(format!(
            "is an X.509 {} certificate, which TLS clients reject; issue a version 3 certificate with the DNS name \
             of the Service in subjectAltName",
            version_name(certificate.version())
        ));
    }
    let key = describe_key(certificate.public_key())?;
    Some(format!("has {key}; issue a certificate for an ECDSA key (P-256) or an RSA key (2048 to 4096 bits)"))
}

fn version_name(version: X509Version) -> String {
    // Version 1 is stored as 0.
    format!("version {}", version.0 + 1)
}

/// A kind of key that cannot be used.
fn describe_key(key: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    let algorithm = &key.algorithm;
    if algorithm.algorithm == OID_SIG_ED25519 {
        return None;
    }
    if algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let curve = algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
        let is_used = curve.is_some_and(|curve| curve == OID_EC_P256 || curve == OID_NIST_EC_P384);
        return (!is_used).then(|| "an ECDSA key of a curve other than P-256 and P-384".to_owned());
    }
    if algorithm.algorithm != OID_PKCS1_RSAENCRYPTION {
        return Some("a key that is not RSA, ECDSA or Ed25519".to_owned());
    }
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) if !(2048..=4096).contains(&rsa.key_size()) => {
            Some(format!("an RSA key of {} bits", rsa.key_size()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use pem::Pem;

    use super::*;

    fn block(label: &str) -> Vec<u8> {
        pem::encode(&Pem::new(label, vec![0; 16])).into_bytes()
    }

    #[test]
    fn a_wrong_file_is_named() {
        use Wanted::{Authority, Certificate, Key};
        let der = pem::parse(include_str!("tests/files/p521.pem")).unwrap().into_contents();
        let encrypted = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n".to_vec();
        let table: [(Vec<u8>, Wanted, &str, &str); 22] = [
            (Vec::new(), Certificate, "empty", "nothing"),
            (b"hello\n".to_vec(), Key, "no PEM-encoded private key", "a text"),
            ([&[0xef, 0xbb, 0xbf][..], &block("CERTIFICATE")].concat(), Certificate, "byte order", "a mark"),
            (vec![0xff, 0xfe, b'-', 0], Certificate, "UTF-16", "as PowerShell writes it"),
            (block("CERTIFICATE REQUEST"), Certificate, "CSR", "a request"),
            (block("CERTIFICATE REQUEST"), Key, "CSR", "a request for a key"),
            (block("PUBLIC KEY"), Certificate, "public key", "half a pair"),
            (block("PUBLIC KEY"), Key, "public key", "the other half"),
            (block("PRIVATE KEY"), Certificate, "swapped", "the key for the certificate"),
            (block("EC PRIVATE KEY"), Authority, "certificate of the CA", "the key of the CA"),
            (block("CERTIFICATE"), Key, "swapped", "the certificate for the key"),
            (block("ENCRYPTED PRIVATE KEY"), Key, "passphrase", "PKCS#8"),
            (encrypted, Key, "passphrase", "PKCS#1"),
            (block("OPENSSH PRIVATE KEY"), Key, "ssh-keygen", "of SSH"),
            (block("PKCS7"), Certificate, "pkcs7", "a bundle"),
            (b"-----BEGIN CERTIFICATE-----\n!".to_vec(), Certificate, "cut off", "half a file"),
            (der.clone(), Certificate, "x509 -inform der", "not in PEM"),
            (der, Key, "certificate in DER, not", "not in PEM, and swapped"),
            (vec![0x30, 0x82, 1, 2, 2, 1, 0, 0x30], Key, "pkey -inform der", "a key not in PEM"),
            (vec![0x30, 0x82, 1, 2, 2, 1, 0, 0x30], Certificate, "key in DER", "also swapped"),
            (vec![0x30, 0x82, 1, 2, 2, 1, 3, 0x30], Key, "-nocerts", "PKCS#12"),
            (vec![0x30, 0x82, 1, 2, 2, 1, 3, 0x30], Certificate, "-nokeys", "PKCS#12"),
        ];
        for (bytes, wanted, expected, reason) in table {
            let described = describe_file(&bytes, wanted);
            assert!(described.contains(expected), "{reason}: {described}");
        }
    }

    #[test]
    fn an_unusable_certificate_is_described() {
        let usable = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
        let der = |text| pem::parse(text).unwrap().into_contents();
        let table = [
            (usable.cert.der().to_vec(), None, "P-256"),
            (vec![0; 16], Some("cannot be parsed"), "no certificate"),
            (der(include_str!("tests/files/v1.pem")), Some("version 1 "), "no extensions"),
            (der(include_str!("tests/files/rsa-1024.pem")), Some("RSA key of 1024 bits"), "too short"),
            (der(include_str!("tests/files/p521.pem")), Some("curve"), "a curve that is not supported"),
        ];
        for (der, expected, reason) in table {
            let described = describe_certificate(&der);
            assert_eq!(described.is_some(), expected.is_some(), "{reason}: {described:?}");
            assert!(expected.is_none_or(|part| described.unwrap().contains(part)), "{reason}");
        }
    }
}
