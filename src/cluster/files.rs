//! State from files and folders.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Result, bail};
use mirrorguard_core::{
    objects::{
        Object,
        manifest::{self, Located, Reading},
    },
    rules::name_problem,
    state::State,
};
use tracing::{info, warn};

use super::{
    Exclude, Shared,
    read::{Budget, Pipes, manifest_files, read_bytes, text_of},
};

/// How often the files are checked, with one `stat` per file. Unlike notifications, this also detects changes of a
/// `ConfigMap` volume, which replaces the `..data` link, and of network file systems.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// State from files, read again when they change.
#[derive(Debug)]
pub struct FileState {
    shared: Arc<Shared>,
    /// Empty for a state that never changes: then there are no files to follow.
    path: PathBuf,
    /// The stamps of the files just before they were read for the first time, so that no change since is missed.
    first: Stamps,
}

impl FileState {
    /// Reads the files. A file that cannot be read is an error.
    pub fn open(path: &Path) -> Result<Arc<Self>> {
        let shared = Shared::waiting_for(1);
        let first = stamps(path);
        let objects = load(path)?;
        shared.change(|_| objects.into_iter().collect());
        shared.record_part();
        Ok(Arc::new(Self { shared, path: path.to_owned(), first }))
    }

    /// A state that never changes, with the objects of a reading.
    pub fn of_objects(reading: Reading) -> Result<Arc<Self>> {
        let objects = usable(reading)?;
        let shared = Shared::waiting_for(0);
        shared.change(|_| objects.into_iter().collect());
        Ok(Arc::new(Self { shared, path: PathBuf::new(), first: Stamps::new() }))
    }

    /// The state.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Reads changed files until the task is dropped. If they cannot be read, the state stays as it is, and they are
    /// not read again before the next change.
    pub async fn follow(self: Arc<Self>) {
        let mut last = self.first.clone();
        let mut ticks = tokio::time::interval(CHECK_INTERVAL);
        loop {
            ticks.tick().await;
            let now = stamps(&self.path);
            if now == last {
                continue;
            }
            last = now;
            match load(&self.path) {
                Ok(objects) => {
                    info!(path = %self.path.display(), objects = objects.len(), "reloaded the state");
                    self.shared.change(|_| State::from_iter(objects));
                }
                Err(error) => warn!("cannot reload the state, keeping the previous one: {error:#}"),
            }
        }
    }
}

/// The modification time and length of each file. A file has changed if its stamp differs.
type Stamps = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

fn stamps(path: &Path) -> Stamps {
    let mut stamps = Stamps::new();
    for file in manifest_files(path, &Exclude::default()).files {
        if let Ok(metadata) = fs::metadata(&file) {
            stamps.insert(file, (metadata.modified().ok(), metadata.len()));
        }
    }
    stamps
}

/// The objects of a reading that a cluster may have; fails on any error. The log names the others.
fn usable(reading: Reading) -> Result<Vec<Object>> {
    if let Some(error) = reading.errors.first() {
        bail!("{error}");
    }
    for located in &reading.misnamed {
        warn_of_ignored(located, why_misnamed(located));
    }
    let mut objects = Vec::new();
    for located in reading.objects {
        match why_unusable(&located) {
            Some(why) => warn_of_ignored(&located, &why),
            None => objects.push(located.object),
        }
    }
    Ok(objects)
}

/// Why an object is none that a cluster may have; `None` if it may.
fn why_unusable(located: &Located) -> Option<String> {
    if !located.written.placeholders.is_empty() {
        return Some("a value is a placeholder; render the template first".to_owned());
    }
    // The installer names the mirror sets of an install-config itself.
    if located.is_install_config() {
        return None;
    }
    name_problem(&located.written).map(|problem| format!("no API server accepts it: {problem}"))
}

fn warn_of_ignored(located: &Located, why: &str) {
    warn!(place = %located.place("kind"), object = %located.object.id(), "ignoring an object: {why}");
}

/// Why an object that was probably meant to be read is none of the cluster.
fn why_misnamed(located: &Located) -> &'static str {
    if located.is_install_config() {
        "an install-config has no such list of mirrors"
    } else {
        "no API server has its apiVersion and kind"
    }
}

/// The objects of a file or folder; fails on any error. JSON is read like YAML: a faster way would have to find the
/// same objects in lists, templates and texts.
fn load(path: &Path) -> Result<Vec<Object>> {
    let mut objects = Vec::new();
    let mut budget = Budget::default();
    let mut found = manifest_files(path, &Exclude::default());
    if let Some(error) = found.errors.pop() {
        return Err(error);
    }
    for file in found.files {
        let text = text_of(&file, read_bytes(&file, Pipes::Refused, &mut budget)?)?;
        let reading = manifest::read(&file.display().to_string(), text);
        objects.extend(usable(reading)?);
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_that_a_cluster_may_have_are_used() {
        let object = |api_version: &str, mirror: &str| {
            format!(
                "apiVersion: {api_version}\nkind: ImageTagMirrorSet\nmetadata: {{name: a}}\n\
                 spec: {{imageTagMirrors: [{{source: q.io, mirrors: ['{mirror}']}}]}}\n"
            )
        };
        let config = |list: &str| {
            format!("apiVersion: v1\nbaseDomain: lab\n{list}: [{{source: q.io, mirrors: [m.lab]}}]\n")
        };
        let table = [
            (object("config.openshift.io/v1", "m.lab"), false, "an object"),
            (object("config.openshift.io/v2", "m.lab"), true, "a version that is not served"),
            (object("config.openshift.io/v1", "${M}"), true, "a placeholder"),
            (
                object("config.openshift.io/v1", "m.lab").replace("name: a", "name: A"),
                true,
                "an invalid name",
            ),
            (object("config.openshift.io/v1", "m.lab").replace("name: a", ""), true, "no name"),
            (config("imageDigestSources"), false, "a list of the installer"),
            (config("imageDigestMirrors"), true, "another list"),
        ];
        for (text, is_ignored, reason) in table {
            let objects = usable(manifest::read("x.yaml", text)).unwrap();
            assert_eq!(objects.is_empty(), is_ignored, "{reason}");
        }
    }
}
