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
        manifest::{self, Reading},
    },
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
        if let Some(error) = reading.errors.first() {
            bail!("{error}");
        }
        let shared = Shared::waiting_for(0);
        shared.change(|_| reading.objects.into_iter().map(|located| located.object).collect());
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
        if let Some(error) = reading.errors.first() {
            bail!("{error}");
        }
        objects.extend(reading.objects.into_iter().map(|located| located.object));
    }
    Ok(objects)
}
