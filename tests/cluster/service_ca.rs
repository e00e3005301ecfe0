//! Plays OpenShift's service CA operator: its signer, its injector, its rotation.
//!
//! As service-ca-operator's `pkg/operator/rotate.go` and `pkg/controller` do it: a rotated bundle has the new CA
//! and the old one signed by the new; a certificate of the new CA comes with the new one signed by the old.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::certificates::Authority;
use crate::control_plane::ControlPlane;
use crate::injection::{configurations, inject};
use crate::json::{items, text};
use crate::release::NAMESPACE;

const SECRET_WANTED: &str = "/metadata/annotations/service.beta.openshift.io~1serving-cert-secret-name";
const BUNDLE_WANTED: &str = "/metadata/annotations/service.beta.openshift.io~1inject-cabundle";

/// The operator with its present and its previous CA.
pub(crate) struct ServiceCa {
    present: (Authority, String),
    previous: Option<(Authority, String)>,
}

impl ServiceCa {
    /// An operator with its first CA.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { present: authority(1)?, previous: None })
    }

    /// Makes the next CA.
    pub(crate) fn rotate(&mut self, number: u32) -> Result<()> {
        self.previous = Some(std::mem::replace(&mut self.present, authority(number)?));
        Ok(())
    }

    /// Puts a certificate into a Secret for each Service that requests one; returns how many.
    pub(crate) fn sign(&self, plane: &ControlPlane) -> Result<usize> {
        let services = plane.get(&["services", "--namespace", NAMESPACE])?;
        let mut signed = 0;
        for service in items(&services["items"]) {
            let Ok(secret) = text(service, SECRET_WANTED) else { continue };
            let name = text(service, "/metadata/name")?;
            let dns = format!("{name}.{NAMESPACE}.svc");
            // The address is for the calls by URL.
            let names = [dns.clone(), format!("{dns}.cluster.local"), plane.ground.address().to_string()];
            let serving = self.present.0.issue(&names)?;
            let bridge =
                self.previous.as_ref().map(|(old, _)| old.vouch_for(&self.present.0, &self.present.1));
            let owner = json!({
                "apiVersion": "v1", "kind": "Service", "name": name, "uid": service["metadata"]["uid"],
            });
            plane.apply(&json!({
                "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
                "metadata": {"name": secret, "namespace": NAMESPACE, "ownerReferences": [owner]},
                "stringData": {
                    "tls.crt": serving.certificate + &bridge.transpose()?.unwrap_or_default(),
                    "tls.key": serving.key,
                },
            }))?;
            signed += 1;
        }
        Ok(signed)
    }

    /// Puts the bundle into each webhook configuration that requests it; returns how many.
    pub(crate) fn inject(&self, plane: &ControlPlane) -> Result<usize> {
        let (present, _) = &self.present;
        let before = self.previous.as_ref().map(|(old, name)| present.vouch_for(old, name)).transpose()?;
        let bundle = present.pem() + &before.unwrap_or_default();
        let all = configurations(plane)?;
        let wanted = all.iter().filter(|one| text(one, BUNDLE_WANTED).is_ok_and(|value| value == "true"));
        let wanted: Vec<&Value> = wanted.collect();
        wanted.iter().try_for_each(|one| inject(plane, one, Some(&bundle)))?;
        Ok(wanted.len())
    }
}

/// The garbage collector's part: deletes each Secret whose Service is gone.
pub(crate) fn collect_garbage(plane: &ControlPlane) -> Result<()> {
    let services = plane.get(&["services", "--namespace", NAMESPACE])?;
    let alive: Vec<&Value> = items(&services["items"]).iter().map(|one| &one["metadata"]["uid"]).collect();
    let secrets = plane.get(&["secrets", "--namespace", NAMESPACE])?;
    for secret in items(&secrets["items"]) {
        let owners = items(&secret["metadata"]["ownerReferences"]);
        if owners.is_empty() || owners.iter().any(|owner| alive.contains(&&owner["uid"])) {
            continue;
        }
        let name = text(secret, "/metadata/name")?;
        plane.kubectl(&["delete", "secret", name, "--namespace", NAMESPACE], "")?.succeeded()?;
    }
    Ok(())
}

fn authority(number: u32) -> Result<(Authority, String)> {
    let name = format!("openshift-service-serving-signer@{number}");
    ensure!(number > 0, "CAs are counted from 1");
    Ok((Authority::new(&name).context("no CA")?, name))
}
