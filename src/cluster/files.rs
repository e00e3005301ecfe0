//! State from files and folders.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, bail};
use tracing::{info, warn};

use super::Shared;
use crate::{
    objects::{
        Object,
        manifest::{self, Reading},
    },
    review::State,
};

/// How often the files are looked at. A look is one `stat` a file; looking also sees what a
/// `ConfigMap` volume does (the `..data` link is exchanged) and what network file systems never announce.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Mirror sets from files, followed as the files change.
#[derive(Debug)]
pub struct FileState {
    shared: Arc<Shared>,
    path: PathBuf,
    /// As the files were just before they were read for the first time.
    first: Stamps,
}

impl FileState {
    /// Reads the state for the first time; what cannot be read is an error.
    pub fn open(path: &Path) -> Result<Arc<Self>> {
        let shared = Shared::waiting_for(1);
        let first = stamps(path);
        let objects = load(path)?;
        shared.change(|_| objects.into_iter().collect());
        shared.part_is_read();
        Ok(Arc::new(Self { shared, path: path.to_owned(), first }))
    }

    /// A state that is what was read, and stays it.
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

    /// Follows the files until the task is dropped. While a change cannot be read, the state stays as it
    /// was.
    pub async fn follow(self: Arc<Self>) {
        let mut seen = self.first.clone();
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            let now = stamps(&self.path);
            if now == seen {
                continue;
            }
            seen = now;
            match load(&self.path) {
                Ok(objects) => {
                    info!(path = %self.path.display(), objects = objects.len(), "state read again");
                    self.shared.change(|_| State::from_iter(objects));
                }
                Err(error) => warn!("state stays as it was: {error:#}"),
            }
        }
    }
}

/// What tells that a file has changed: when, and how long it is.
type Stamps = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

fn stamps(path: &Path) -> Stamps {
    let stamp = |file: PathBuf| {
        let metadata = fs::metadata(&file).ok()?;
        Some((file, (metadata.modified().ok(), metadata.len())))
    };
    manifest_files(path).unwrap_or_default().into_iter().filter_map(stamp).collect()
}

/// The objects of a file or folder. JSON is read fast; what fails is read again to say where.
fn load(path: &Path) -> Result<Vec<Object>> {
    let mut objects = Vec::new();
    for file in manifest_files(path)? {
        let text = read_file(&file)?;
        if text.trim_start().starts_with('{')
            && let Some(found) = manifest::objects_of_json(&text)
        {
            objects.extend(found);
            continue;
        }
        let reading = manifest::read(&file.display().to_string(), text);
        if let Some(error) = reading.errors.first() {
            bail!("{error}");
        }
        objects.extend(reading.objects.into_iter().map(|located| located.object));
    }
    Ok(objects)
}

/// Reads files, folders and, for `-`, standard input; each error of a file is in the reading, an error
/// here is one of the system.
pub fn read_paths(paths: &[PathBuf]) -> Result<Reading> {
    let mut all = Reading::default();
    let mut add = |name: &str, text| {
        let Reading { objects, skipped, errors } = manifest::read(name, text);
        all.objects.extend(objects);
        all.skipped += skipped;
        all.errors.extend(errors);
    };
    for path in paths {
        if path.as_os_str() == "-" {
            let text = io::read_to_string(io::stdin()).context("cannot read standard input")?;
            add("<stdin>", text);
            continue;
        }
        for file in manifest_files(path)? {
            add(&file.display().to_string(), read_file(&file)?);
        }
    }
    Ok(all)
}

fn read_file(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|b| *b == b'\n').count();
        anyhow::anyhow!("{}:{line}: not UTF-8 text", file.display())
    })
}

/// The file itself, or the manifests in a folder and below, sorted. What begins with a dot is left out:
/// hidden files, and the targets of a volume's links.
fn manifest_files(path: &Path) -> Result<Vec<PathBuf>> {
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            let manifest =
                path.extension().is_some_and(|ext| ["yaml", "yml", "json"].iter().any(|e| ext == *e));
            if hidden {
                continue;
            }
            // A folder behind a link could lead in a circle; a file behind one is a volume's.
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if manifest && path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
