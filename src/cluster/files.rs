//! State from files and folders.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, bail};
use mirrorguard_core::{
    objects::{
        Object,
        manifest::{self, Position, ReadError, Reading},
    },
    state::State,
};
use tracing::{info, warn};

use super::{Exclude, Shared};

/// How often the files are checked, with one `stat` per file. Unlike notifications, this also detects changes of a
/// `ConfigMap` volume, which replaces the `..data` link, and of network file systems.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// State from files, read again when they change.
#[derive(Debug)]
pub struct FileState {
    shared: Arc<Shared>,
    path: PathBuf,
    /// The stamps of the files just before they were read for the first time.
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

    /// Reads changed files until the task is dropped. If they cannot be read, the state does not change.
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
    for file in manifest_files(path, &Exclude::default()).unwrap_or_default() {
        if let Ok(metadata) = fs::metadata(&file) {
            stamps.insert(file, (metadata.modified().ok(), metadata.len()));
        }
    }
    stamps
}

/// The objects of a file or folder. JSON is read fast, and read again after an error to find its position.
fn load(path: &Path) -> Result<Vec<Object>> {
    let mut objects = Vec::new();
    for file in manifest_files(path, &Exclude::default())? {
        let text = text_of(&file, read_bytes(&file)?)?;
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

/// Reads a file, a folder without its excluded files, or standard input (`-`). Syntax errors are part of the reading;
/// the result is an error if a file or folder cannot be opened or read.
pub fn read_path(path: &Path, exclude: &Exclude) -> Result<Reading> {
    let mut all = Reading::default();
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        add(&mut all, read(Path::new("<stdin>"), bytes));
        return Ok(all);
    }
    for file in manifest_files(path, exclude)? {
        let bytes = read_bytes(&file)?;
        add(&mut all, read(&file, bytes));
    }
    Ok(all)
}

fn read(file: &Path, bytes: Vec<u8>) -> Reading {
    match text_of(file, bytes) {
        Ok(text) => manifest::read(&file.display().to_string(), text),
        Err(error) => Reading { files: 1, errors: vec![error], ..Reading::default() },
    }
}

fn add(all: &mut Reading, Reading { objects, skipped, files, errors }: Reading) {
    all.objects.extend(objects);
    all.skipped += skipped;
    all.files += files;
    all.errors.extend(errors);
}

fn read_bytes(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn text_of(file: &Path, bytes: Vec<u8>) -> Result<String, ReadError> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let column = String::from_utf8_lossy(line).chars().count() + 1;
        let at = Position { line: valid.split(|b| *b == b'\n').count(), column };
        ReadError { file: file.display().to_string(), at, message: "not UTF-8 text".to_owned() }
    })
}

/// The file itself, or the manifests in a folder and its subfolders, sorted. Names that begin with a dot are skipped:
/// hidden files, and the link targets of volumes.
fn manifest_files(path: &Path, exclude: &Exclude) -> Result<Vec<PathBuf>> {
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let excluded = exclude.below(path)?;
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            let manifest =
                path.extension().is_some_and(|ext| ["yaml", "yml", "json"].iter().any(|e| ext == *e));
            let is_folder = path.is_dir();
            if hidden || excluded.matched(&path, is_folder).is_ignore() {
                continue;
            }
            // A link to a folder could be a loop; links to files are usual in volumes.
            if is_folder && !path.is_symlink() {
                folders.push(path);
            } else if manifest && path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
