//! The chart, installed for real by Helm.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use mirrorguard_core::objects::manifest::read_document;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::certificates::Authority;
use crate::control_plane::ControlPlane;
use crate::json::text;

/// The namespace of the release.
pub(crate) const NAMESPACE: &str = "mirrorguard-system";

/// The release, and thus all that the chart names after it.
pub(crate) const NAME: &str = "mirrorguard";

/// Not the chart's default, so that the value is used.
pub(crate) const SECRET: &str = "serving-certificate";

/// The chart as it is now.
pub(crate) const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/mirrorguard");

/// What an administrator has: an authority for the webhook, and values for the chart.
pub(crate) struct Release {
    pub(crate) authority: Authority,
    /// The chart's `certificates`.
    pub(crate) certificates: Value,
    /// The configuration file of mirrorguard.
    pub(crate) config: Value,
    /// Further values of the chart.
    pub(crate) more: Value,
}

impl Release {
    /// Prepares the namespace as an administrator does before the install: pod security, and a certificate in a Secret.
    pub(crate) fn prepare(plane: &ControlPlane) -> Result<Self> {
        plane.apply(&json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": {
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/warn": "restricted",
            }},
        }))?;
        // The controller manager's part.
        plane.apply(&json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "kube-root-ca.crt", "namespace": NAMESPACE},
            "data": {"ca.crt": plane.authority.pem()},
        }))?;
        let authority = Authority::new("webhook of the test")?;
        let release =
            Self { certificates: existing_secret(&authority), authority, config: json!({}), more: usual() };
        release.renew_certificate(plane)?;
        Ok(release)
    }

    /// The name of the webhook's server in its certificate.
    pub(crate) fn server_name() -> String {
        format!("{NAME}.{NAMESPACE}.svc")
    }

    /// Puts a new certificate into the Secret.
    pub(crate) fn renew_certificate(&self, plane: &ControlPlane) -> Result<()> {
        // The address is for the calls by URL.
        let serving = self.authority.issue(&[Self::server_name(), plane.ground.address().to_string()])?;
        plane.apply(&json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": SECRET, "namespace": NAMESPACE},
            "stringData": {"tls.crt": serving.certificate, "tls.key": serving.key},
        }))
    }

    /// `helm install` of the chart.
    pub(crate) fn install(&self, plane: &ControlPlane, helm: &Path) -> Result<()> {
        self::helm(plane, helm, &["install", NAME, CHART, "--values", &self.values_file(plane)?])?
            .succeeded()?;
        Ok(())
    }

    /// `helm upgrade` to what is installed, with further options.
    pub(crate) fn upgrade(&self, plane: &ControlPlane, options: &[&str]) -> Result<()> {
        let values = self.values_file(plane)?;
        let arguments = [&["upgrade", NAME, CHART, "--values", &values], options].concat();
        helm(plane, &plane.binaries.helm, &arguments)?.succeeded()?;
        Ok(())
    }

    /// What Helm would send to an apiserver like ours.
    pub(crate) fn manifest(&self, plane: &ControlPlane, helm: &Path) -> Result<String> {
        Ok(self.template(plane, helm, &[])?.succeeded()?.stdout)
    }

    /// The same with further options.
    pub(crate) fn template(&self, plane: &ControlPlane, helm: &Path, options: &[&str]) -> Result<Answer> {
        let server: Value =
            serde_json::from_str(&plane.kubectl(&["get", "--raw", "/version"], "")?.succeeded()?.stdout)?;
        let values = self.values_file(plane)?;
        let arguments =
            ["template", NAME, CHART, "--kube-version", text(&server, "/gitVersion")?, "--values", &values];
        self::helm(plane, helm, &[&arguments, options].concat())
    }

    /// `helm uninstall` of the release.
    pub(crate) fn uninstall(plane: &ControlPlane, helm: &Path) -> Result<()> {
        self::helm(plane, helm, &["uninstall", NAME])?.succeeded()?;
        Ok(())
    }

    /// The one Deployment of the release as the apiserver has it.
    pub(crate) fn deployment(plane: &ControlPlane) -> Result<Value> {
        let selector = format!("--selector=app.kubernetes.io/instance={NAME}");
        let mut found = plane.get(&["deployments", "--namespace", NAMESPACE, &selector])?;
        let deployments = found["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
        ensure!(deployments.len() == 1, "the release has {} Deployments", deployments.len());
        Ok(deployments.into_iter().next().unwrap_or_default())
    }

    fn values_file(&self, plane: &ControlPlane) -> Result<String> {
        let mut values = self.more.clone();
        values["certificates"] = self.certificates.clone();
        values["config"] = self.config.clone();
        let file = plane.path("values.json");
        fs::write(&file, values.to_string())?;
        Ok(file.to_string_lossy().into_owned())
    }
}

/// The further values of most tests, which often stop pods.
pub(crate) fn usual() -> Value {
    json!({"shutdownDelaySeconds": 2})
}

/// The chart's `certificates` for a Secret that an administrator has made.
pub(crate) fn existing_secret(authority: &Authority) -> Value {
    let ca = BASE64_STANDARD.encode(authority.pem());
    json!({"mode": "existingSecret", "secretName": SECRET, "caBundle": ca})
}

/// Runs Helm in the release's namespace.
pub(crate) fn helm(plane: &ControlPlane, helm: &Path, arguments: &[&str]) -> Result<Answer> {
    let output = plane.client(helm).args(["--namespace", NAMESPACE]).args(arguments).output()?;
    Ok(output.into())
}

/// A file of values, YAML or JSON, until the next one.
pub(crate) fn file_of(plane: &ControlPlane, values: &str) -> Result<String> {
    let file = plane.path("further-values.yaml");
    fs::write(&file, values)?;
    Ok(file.to_string_lossy().into_owned())
}

/// The objects of a manifest by kind.
pub(crate) type Objects = BTreeMap<String, Value>;

/// Reads a manifest of objects of different kinds.
pub(crate) fn objects_of(manifest: &str) -> Result<Objects> {
    let documents = manifest.split("\n---\n").filter(|document| document.contains("\nkind: "));
    documents
        .map(|document| {
            let object: Value = read_document("manifest", document)?;
            Ok((text(&object, "/kind")?.to_owned(), object))
        })
        .collect()
}
