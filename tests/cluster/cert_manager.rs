//! Plays cert-manager: its issuers, and its CA injector.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::certificates::Authority;
use crate::control_plane::ControlPlane;
use crate::injection::{configurations, inject};
use crate::json::{items, text};
use crate::release::NAMESPACE;

const INJECTED: &str = "/metadata/annotations/cert-manager.io~1inject-ca-from";

/// cert-manager with the CAs it has made, by the names of their Secrets.
#[derive(Default)]
pub(crate) struct CertManager {
    authorities: BTreeMap<String, Authority>,
    issued: u64,
}

impl CertManager {
    /// Issues every CA certificate of the namespace, or every other one; returns the names of their Secrets.
    pub(crate) fn issue(&mut self, plane: &ControlPlane, authorities: bool) -> Result<Vec<String>> {
        let list = plane.get(&["certificates.cert-manager.io", "--namespace", NAMESPACE])?;
        let mut secrets = Vec::new();
        for certificate in items(&list["items"]) {
            let spec = &certificate["spec"];
            if (spec["isCA"] == true) != authorities {
                continue;
            }
            let secret = text(spec, "/secretName")?;
            let data = if authorities { self.authority(plane, spec)? } else { self.serving(plane, spec)? };
            plane.apply(&json!({
                "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
                "metadata": {"name": secret, "namespace": NAMESPACE}, "stringData": data,
            }))?;
            secrets.push(secret.to_owned());
        }
        Ok(secrets)
    }

    /// Puts the CA of the named Certificate's Secret into each configuration that requests it; returns how many.
    pub(crate) fn inject(plane: &ControlPlane) -> Result<usize> {
        let mut injected = 0;
        for configuration in configurations(plane)? {
            let Ok(from) = text(&configuration, INJECTED) else { continue };
            let (namespace, name) = from.split_once('/').context("not NAMESPACE/NAME")?;
            let certificate = plane.get(&["certificates.cert-manager.io", name, "--namespace", namespace])?;
            let secret =
                plane.get(&["secret", text(&certificate, "/spec/secretName")?, "--namespace", namespace])?;
            let ca = BASE64_STANDARD.decode(text(&secret, "/data/ca.crt")?)?;
            inject(plane, &configuration, Some(std::str::from_utf8(&ca)?))?;
            injected += 1;
        }
        Ok(injected)
    }

    fn authority(&mut self, plane: &ControlPlane, spec: &Value) -> Result<Value> {
        ensure!(issuer(plane, spec)?["spec"].get("selfSigned").is_some(), "not a root: {spec}");
        let (secret, name) = (text(spec, "/secretName")?, text(spec, "/commonName")?);
        self.issued += 1;
        let keeps_key = spec["privateKey"]["rotationPolicy"] == "Never";
        let made = match self.authorities.get(secret) {
            Some(before) if keeps_key => before.renewed(name, self.issued)?,
            _ => Authority::new(name)?,
        };
        let data = json!({"tls.crt": made.pem(), "tls.key": made.key(), "ca.crt": made.pem()});
        self.authorities.insert(secret.to_owned(), made);
        Ok(data)
    }

    fn serving(&self, plane: &ControlPlane, spec: &Value) -> Result<Value> {
        let issuer = issuer(plane, spec)?;
        let authority = self.authorities.get(text(&issuer, "/spec/ca/secretName")?).context("no such CA")?;
        let mut names: Vec<String> = Vec::new();
        for name in items(&spec["dnsNames"]) {
            names.push(text(name, "")?.to_owned());
        }
        // For the calls by URL.
        names.push(plane.ground.address().to_string());
        let serving = authority.issue(&names)?;
        Ok(json!({"tls.crt": serving.certificate, "tls.key": serving.key, "ca.crt": authority.pem()}))
    }
}

fn issuer(plane: &ControlPlane, spec: &Value) -> Result<Value> {
    let reference = &spec["issuerRef"];
    ensure!(reference["kind"] == "Issuer", "only Issuers are simulated: {reference}");
    plane.get(&["issuers.cert-manager.io", text(reference, "/name")?, "--namespace", NAMESPACE])
}
