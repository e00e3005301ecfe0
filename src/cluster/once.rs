//! Each file is read once, however often it is named.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The files of a run by their canonical paths: a file may be named twice, lie in a folder that is named too, or be
/// reached through a link.
#[derive(Debug)]
pub struct Once {
    /// Those that are named themselves. They are read as such, not as files of a folder.
    named: BTreeSet<PathBuf>,
    read: BTreeSet<PathBuf>,
}

impl Once {
    /// Nothing is read yet of these paths.
    pub fn new(paths: &[PathBuf]) -> Self {
        let named = paths.iter().filter(|path| !path.is_dir()).map(|path| canonical(path));
        Self { named: named.collect(), read: BTreeSet::new() }
    }

    /// Whether to read a file now: only the first time, and in a folder only if the file is not named itself too. Then
    /// records that it is read.
    pub(super) fn claim(&mut self, file: &Path, is_in_folder: bool) -> bool {
        let file = canonical(file);
        !(is_in_folder && self.named.contains(&file)) && self.read.insert(file)
    }
}

/// The path without links. Standard input and pipes have none.
fn canonical(path: &Path) -> PathBuf {
    let canonical = if path.as_os_str() == "-" { None } else { fs::canonicalize(path).ok() };
    canonical.unwrap_or_else(|| path.to_owned())
}
