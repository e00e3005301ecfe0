//! A pod's volumes as files, laid out and replaced the way the kubelet does it.
//!
//! Files are links into `..data`, itself a link to a folder of one version; a new version is put in place by
//! renaming a new `..data` over the old one, so that all files change at once.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::facts::{field, token};
use crate::control_plane::ControlPlane;
use crate::json::{items, text};

type Files = BTreeMap<String, Vec<u8>>;

/// One volume of a pod.
pub(super) struct Volume {
    name: String,
    source: Value,
    pub(super) folder: PathBuf,
}

/// Lays out every volume of the pod below the folder.
pub(super) fn lay_out(plane: &ControlPlane, pod: &Value, folder: &Path) -> Result<Vec<Volume>> {
    let volumes: Vec<Volume> = items(&pod["spec"]["volumes"])
        .iter()
        .map(|source| {
            let name = text(source, "/name")?.to_owned();
            Ok(Volume { folder: folder.join(&name), name, source: source.clone() })
        })
        .collect::<Result<_>>()?;
    for volume in &volumes {
        fs::create_dir_all(&volume.folder)?;
        volume.publish(plane, pod)?;
    }
    Ok(volumes)
}

impl Volume {
    /// Whether a mount names this volume.
    pub(super) fn is_mounted_by(&self, mount: &Value) -> bool {
        mount["name"] == self.name.as_str()
    }

    /// Puts the present content in place, all at once.
    pub(super) fn publish(&self, plane: &ControlPlane, pod: &Value) -> Result<()> {
        if self.source.get("emptyDir").is_some() {
            return Ok(());
        }
        let files = content(plane, pod, &self.source).with_context(|| format!("volume {}", self.name))?;
        let data = self.folder.join("..data");
        let old = fs::read_link(&data).ok();
        let version = format!("..{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos());
        for (name, bytes) in &files {
            let file = self.folder.join(&version).join(name);
            fs::create_dir_all(file.parent().context("a file outside of its volume")?)?;
            fs::write(file, bytes)?;
        }
        let next = self.folder.join("..data_tmp");
        symlink(&version, &next)?;
        fs::rename(next, data)?;
        self.link(&files)?;
        old.map_or(Ok(()), |old| fs::remove_dir_all(self.folder.join(old)))
            .context("failed to remove the old version")
    }

    fn link(&self, files: &Files) -> Result<()> {
        for name in files.keys() {
            let first = name.split('/').next().unwrap_or(name);
            let link = self.folder.join(first);
            if link.symlink_metadata().is_err() {
                symlink(Path::new("..data").join(first), link)?;
            }
        }
        Ok(())
    }
}

fn content(plane: &ControlPlane, pod: &Value, source: &Value) -> Result<Files> {
    if let Some(secret) = source.get("secret") {
        // A volume names its Secret by `secretName`, a projection by `name`.
        let name = text(secret, "/secretName").or_else(|_| text(secret, "/name"))?;
        return stored(plane, pod, "secret", name, secret);
    }
    if let Some(map) = source.get("configMap") {
        return stored(plane, pod, "configmap", text(map, "/name")?, map);
    }
    if let Some(wanted) = source.get("serviceAccountToken") {
        let path = text(wanted, "/path")?.to_owned();
        return Ok(Files::from([(path, token(plane, pod)?.into_bytes())]));
    }
    if let Some(fields) = source.get("downwardAPI") {
        return items(&fields["items"])
            .iter()
            .map(|item| {
                let value = field(plane, pod, text(item, "/fieldRef/fieldPath")?)?;
                Ok((text(item, "/path")?.to_owned(), value.into_bytes()))
            })
            .collect();
    }
    if let Some(projected) = source.get("projected") {
        let parts = items(&projected["sources"]).iter().map(|part| content(plane, pod, part));
        return Ok(parts.collect::<Result<Vec<Files>>>()?.into_iter().flatten().collect());
    }
    bail!("this kubelet does not know {source}")
}

/// The files of a Secret or `ConfigMap`: all of its keys, or the chosen ones under their chosen paths.
fn stored(plane: &ControlPlane, pod: &Value, kind: &str, name: &str, source: &Value) -> Result<Files> {
    let namespace = text(pod, "/metadata/namespace")?;
    let object = match plane.get(&[kind, name, "--namespace", namespace]) {
        Err(_) if source["optional"] == true => return Ok(Files::new()),
        object => object?,
    };
    let (encoded, plain) = if kind == "secret" { ("data", None) } else { ("binaryData", Some("data")) };
    let mut files = Files::new();
    for (key, value) in object[encoded].as_object().into_iter().flatten() {
        files.insert(key.clone(), BASE64_STANDARD.decode(text(value, "")?)?);
    }
    for (key, value) in plain.and_then(|field| object[field].as_object()).into_iter().flatten() {
        files.insert(key.clone(), text(value, "")?.as_bytes().to_vec());
    }
    let chosen = items(&source["items"]);
    if chosen.is_empty() {
        return Ok(files);
    }
    chosen
        .iter()
        .map(|item| {
            let key = text(item, "/key")?;
            let bytes = files.remove(key).with_context(|| format!("{kind}/{name} has no {key}"))?;
            Ok((text(item, "/path")?.to_owned(), bytes))
        })
        .collect()
}
