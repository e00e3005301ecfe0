//! The CA in the webhook configurations: read, and written as an injector does.

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::control_plane::{ControlPlane, send};
use crate::json::{items, text};
use crate::routing::CONFIGURATIONS;

/// Every webhook configuration.
pub(crate) fn configurations(plane: &ControlPlane) -> Result<Vec<Value>> {
    let lists = CONFIGURATIONS.map(|kind| plane.get(&[kind]));
    let mut all = Vec::new();
    for list in lists {
        all.extend_from_slice(items(&list?["items"]));
    }
    Ok(all)
}

/// Writes these CAs, PEM, into every webhook of a configuration; none takes away what is there.
pub(crate) fn inject(plane: &ControlPlane, configuration: &Value, bundle: Option<&str>) -> Result<()> {
    let operations: Vec<Value> = (0..items(&configuration["webhooks"]).len())
        .map(|place| {
            let path = format!("/webhooks/{place}/clientConfig/caBundle");
            match bundle {
                Some(bundle) => json!({"op": "add", "path": path, "value": BASE64_STANDARD.encode(bundle)}),
                None => json!({"op": "remove", "path": path}),
            }
        })
        .collect();
    let (kind, name) = (text(configuration, "/kind")?, text(configuration, "/metadata/name")?);
    let patch = Value::from(operations).to_string();
    plane.kubectl(&["patch", kind, name, "--type=json", "--patch", &patch], "")?.succeeded()?;
    Ok(())
}

/// The CAs, PEM, that the webhooks of all configurations trust: each the same.
pub(crate) fn trusted(plane: &ControlPlane) -> Result<Vec<u8>> {
    let mut found: Option<Vec<u8>> = None;
    for kind in CONFIGURATIONS {
        let bundle = bundle_of(plane, kind)?;
        ensure!(found.as_ref().is_none_or(|found| *found == bundle), "the two configurations differ");
        found = Some(bundle);
    }
    Ok(found.unwrap_or_default())
}

/// The CAs that the webhooks of a kind of configuration trust, read without kubectl: soon.
pub(crate) fn bundle_of(plane: &ControlPlane, kind: &str) -> Result<Vec<u8>> {
    let path = format!("/apis/admissionregistration.k8s.io/v1/{kind}");
    let answer = send(plane.connect()?, "GET", &path, &Value::Null)?;
    ensure!(answer.status == 200, "{kind} could not be read: {answer:?}");
    let list: Value = serde_json::from_str(&answer.body)?;
    let hooks = items(&list["items"]).iter().flat_map(|configuration| items(&configuration["webhooks"]));
    let bundles: Vec<&Value> = hooks.map(|hook| &hook["clientConfig"]["caBundle"]).collect();
    ensure!(bundles.windows(2).all(|pair| pair[0] == pair[1]), "the webhooks of {kind} differ");
    Ok(BASE64_STANDARD.decode(bundles.first().and_then(|bundle| bundle.as_str()).unwrap_or_default())?)
}
