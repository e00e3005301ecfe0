//! Reads manifests: one file, a folder, or standard input, within limits.

#[cfg(test)]
mod tests;

use std::{
    fs::{self, File, Metadata},
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Error, Result, anyhow, bail};
use mirrorguard_core::objects::manifest::{self, Position, ReadError, Reading};

use super::{
    Exclude, Once,
    patches::{normal, patches_in},
};

const MIB: u64 = 1024 * 1024;
/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 * MIB;
/// How much is read of all files together, in bytes.
const ALL: u64 = 256 * MIB;

/// How much may still be read, in bytes.
#[derive(Debug)]
pub struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        Self(ALL)
    }
}

/// Whether a file may be a pipe. Opening a pipe waits for a writer, and it can be read only once, so only a path that a
/// command was given may be one, as a shell makes it for `<(…)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pipes {
    /// It may.
    Allowed,
    /// It must be a regular file.
    Refused,
}

/// What was read, and the files and folders that could not be opened.
#[derive(Debug, Default)]
pub struct Manifests {
    /// The objects, and the errors in files.
    pub reading: Reading,
    /// A message for each.
    pub unopened: Vec<Error>,
}

/// Reads a file, a folder without its excluded files, or standard input (`-`), without the files that have been read
/// already. A file that cannot be opened or is too large does not keep the others from being read.
pub fn read_path(path: &Path, exclude: &Exclude, once: &mut Once, budget: &mut Budget) -> Manifests {
    let mut all = Manifests::default();
    if path.as_os_str() == "-" {
        if !once.claim(path, false) {
            return all;
        }
        let bytes = read_within(io::stdin().lock(), "standard input", budget);
        match bytes {
            Ok(bytes) => all.reading.extend(read(Path::new("<stdin>"), bytes, false)),
            Err(error) => all.unopened.push(error),
        }
        return all;
    }
    let Found { files, errors, is_folder } = manifest_files(path, exclude);
    all.unopened = errors;
    let pipes = if is_folder { Pipes::Refused } else { Pipes::Allowed };
    // All are read before the first is parsed, because any kustomization.yaml may list any other file as a patch.
    let contents: Vec<_> = files.into_iter().map(|file| (read_bytes(&file, pipes, budget), file)).collect();
    // A file that the user names is read, whatever lists it.
    let in_folder = contents.iter().filter(|_| is_folder);
    let readable = in_folder.filter_map(|(content, file)| Some((&**file, &**content.as_ref().ok()?)));
    let patches = patches_in(readable);
    for (content, file) in contents {
        if !once.claim(&file, is_folder) {
            continue;
        }
        match content {
            Ok(_) if patches.contains(&normal(&file)) => {
                all.reading.extend(Reading::of_patch(&file.display().to_string()));
            }
            Ok(bytes) => all.reading.extend(read(&file, bytes, is_folder)),
            Err(error) => all.unopened.push(error),
        }
    }
    all
}

/// What is wrong with a template that the user names.
const RENDER_FIRST: &str =
    "this looks like a template: render it first, for example helm template CHART | mirrorguard lint -";

/// Reads the objects in the content of a file. A text with `{{` or `{%` may be a template. In a folder, it is skipped
/// where it is not YAML, instead of being an error.
fn read(file: &Path, bytes: Vec<u8>, is_in_folder: bool) -> Reading {
    let text = match text_of(file, bytes) {
        Ok(text) => text,
        Err(error) => return Reading { files: 1, errors: vec![error], ..Reading::default() },
    };
    let may_be_template = ["{{", "{%"].iter().any(|mark| text.contains(mark));
    let mut reading = manifest::read(&file.display().to_string(), text);
    if may_be_template && is_in_folder {
        return reading.without_template();
    }
    for error in reading.errors.iter_mut().filter(|error| may_be_template && error.is_syntax) {
        error.message = format!("{RENDER_FIRST} ({})", error.message);
    }
    reading
}

/// The content of a file. Devices and folders are refused, and files that are too large.
pub fn read_bytes(path: &Path, pipes: Pipes, budget: &mut Budget) -> Result<Vec<u8>> {
    let name = path.display().to_string();
    // Before it is opened: opening a pipe that nobody writes to would wait.
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {name}"))?;
    let is_pipe_refused = pipes == Pipes::Refused && is_pipe(&metadata);
    if is_pipe_refused || !(is_null(path) || is_readable(&metadata)) {
        bail!("cannot read {name}: not a regular file");
    }
    let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
    read_within(file, &name, budget)
}

/// Reads to the end, but no more than the limits allow; what is refused does not use up the budget.
fn read_within(source: impl Read, name: &str, budget: &mut Budget) -> Result<Vec<u8>> {
    let most = LARGEST.min(budget.0);
    let mut bytes = Vec::new();
    // One byte more, to notice that the limit is exceeded.
    source.take(most + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if length <= most {
        budget.0 -= length;
        return Ok(bytes);
    }
    // `length` is one more than the smaller of the two limits, which is the one to name.
    if length > LARGEST {
        bail!("cannot read {name}: larger than {} MiB, the limit for one file", LARGEST / MIB);
    }
    bail!("cannot read {name}: all files together are larger than {} MiB, the limit for one run", ALL / MIB);
}

/// Whether a file has an end: whether it is a regular file or a pipe.
pub fn is_readable(metadata: &Metadata) -> bool {
    metadata.is_file() || is_pipe(metadata)
}

/// Whether it is `/dev/null`, the one device that is read: it ends at once.
fn is_null(path: &Path) -> bool {
    path == Path::new("/dev/null")
}

#[cfg(unix)]
fn is_pipe(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    metadata.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_metadata: &Metadata) -> bool {
    false
}

/// The content as text; the error has the position of the first byte that is not UTF-8.
pub fn text_of(file: &Path, bytes: Vec<u8>) -> Result<String, ReadError> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let column = String::from_utf8_lossy(line).chars().count() + 1;
        let at = Position { line: valid.split(|b| *b == b'\n').count(), column };
        ReadError::new(&file.display().to_string(), at, "not UTF-8 text".to_owned())
    })
}

/// The files to read.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Sorted.
    pub(super) files: Vec<PathBuf>,
    /// Why a folder or an entry of one could not be read.
    pub(super) errors: Vec<Error>,
    /// Whether they were found in a folder.
    pub(super) is_folder: bool,
}

/// The file itself, or the manifests in a folder and its subfolders. Names that begin with a dot are skipped: hidden
/// files, and the link targets of volumes.
pub(super) fn manifest_files(path: &Path, exclude: &Exclude) -> Found {
    let mut found = Found::default();
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => found.is_folder = true,
        Ok(_) => found.files.push(path.to_owned()),
        Err(error) => found.errors.push(cannot_read(path, error)),
    }
    if !found.is_folder {
        return found;
    }
    let excluded = match exclude.below(path) {
        Ok(excluded) => excluded,
        Err(error) => {
            found.errors.push(error);
            return found;
        }
    };
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                found.errors.push(cannot_read(&folder, error));
                continue;
            }
        };
        for entry in entries {
            match entry {
                Ok(entry) => add_entry(entry.path(), &excluded, &mut found.files, &mut folders),
                Err(error) => found.errors.push(cannot_read(&folder, error)),
            }
        }
    }
    found.files.sort();
    found
}

/// Adds an entry of a folder to the manifests or to the folders that are still to be read, or skips it.
fn add_entry(
    path: PathBuf,
    excluded: &ignore::gitignore::Gitignore,
    files: &mut Vec<PathBuf>,
    folders: &mut Vec<PathBuf>,
) {
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let is_folder = path.is_dir();
    if is_hidden || excluded.matched(&path, is_folder).is_ignore() {
        return;
    }
    let is_manifest = path.extension().is_some_and(|ext| ["yaml", "yml", "json"].iter().any(|e| ext == *e));
    if is_folder {
        // A link to a folder could be a loop; links to files are usual in volumes.
        if !path.is_symlink() {
            folders.push(path);
        }
    } else if is_manifest {
        files.push(path);
    }
}

fn cannot_read(path: &Path, error: io::Error) -> Error {
    anyhow!(error).context(format!("cannot read {}", path.display()))
}
