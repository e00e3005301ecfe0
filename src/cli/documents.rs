//! Mirror sets with their metadata: reading, printing, and writing them to files.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use mirrorguard_core::{
    context::Context,
    convert::{Document, Origin, Problem},
    objects::{MirrorSet, Object, to_documents, to_yaml},
};
use serde_json::Value;

use super::{
    connect::{cannot_list, connect, runtime},
    input::{self, ReadOptions},
    output::Output,
};
use crate::cluster::{Budget, Listing, Pipes, metadata_of_sets, read_bytes};

/// The folder that objects are written to.
#[derive(Debug, Args)]
pub(super) struct OutArgs {
    /// Write each object to a file KIND-NAME.yaml in this folder instead of printing it
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Overwrite existing files with different content
    #[arg(long, requires = "out")]
    pub(super) force: bool,
}

impl OutArgs {
    /// Writes each object to its file and returns the files in the order of the objects. Existing files are
    /// checked before the first is written. Without `--out`, or without objects, nothing is written.
    pub(super) fn write(&self, documents: &[Document]) -> Result<Vec<PathBuf>> {
        match &self.out {
            Some(folder) if !documents.is_empty() => write(documents, folder, self.force),
            _ => Ok(Vec::new()),
        }
    }
}

/// The objects that were read.
#[derive(Debug)]
pub(super) struct Given {
    /// The mirror sets in the order of the input.
    pub(super) documents: Vec<Document>,
    /// Every object.
    pub(super) context: Context,
    /// Number of objects of other kinds.
    pub(super) skipped: usize,
}

/// Reads files, or the cluster where no path is given. Duplicates are no warning here: `migrate` and `merge`, which
/// call this, report them.
pub(super) fn read(paths: &[PathBuf], output: &Output) -> Result<Given> {
    if paths.is_empty() {
        return read_cluster(output);
    }
    let options = ReadOptions { warn_of_duplicates: false, warn_if_empty: false, ..ReadOptions::default() };
    let input = input::read(paths, options, output)?.complete()?.of_one_cluster()?.without_losses()?;
    let documents = input.located.iter().filter_map(Document::of_file).collect();
    Ok(Given { documents, context: input.objects().cloned().collect(), skipped: input.skipped })
}

fn read_cluster(output: &Output) -> Result<Given> {
    let (objects, metadata) = runtime()?.block_on(async {
        let connection = connect(output).await?;
        let listing = Listing::of(&connection.client).await.and_then(Listing::complete);
        let objects = listing.map_err(|error| cannot_list(&connection.server, &error))?.objects;
        let metadata = metadata_of_sets(&connection.client).await;
        let metadata = metadata.map_err(|error| cannot_list(&connection.server, &error))?;
        anyhow::Ok((objects, metadata))
    })?;
    let mut documents = Vec::new();
    for object in &objects {
        // A set that was deleted between the two lists has no metadata, and is left out.
        if let (Object::MirrorSet(set), Some(metadata)) = (object, metadata.get(&object.id())) {
            documents.push(Document::new(MirrorSet::clone(set), metadata, Origin::Cluster));
        }
    }
    Ok(Given { documents, context: objects.into_iter().collect(), skipped: 0 })
}

/// The objects for programs.
pub(super) fn json(documents: &[Document]) -> Vec<Value> {
    documents.iter().map(Document::to_json).collect()
}

/// The objects for people and `oc apply -f -`.
pub(super) fn yaml(documents: &[Document]) -> String {
    to_documents(&json(documents))
}

/// Texts as lines, each after `indent`.
pub(super) fn lines<'a>(indent: &'a str, texts: &'a [String]) -> String {
    texts.iter().flat_map(|text| [indent, text, "\n"]).collect()
}

/// Prints why nothing is written.
pub(super) fn print_problems(problems: &[Problem], output: &Output) {
    for Problem { what, places, fix } in problems {
        output.error(&format!("{what}\n{}  fix: {fix}", lines("  ", places)));
    }
}

/// Prints notes about the result.
pub(super) fn print_notes(notes: &[String], output: &Output) {
    for note in notes {
        output.message(&format!("note: {note}\n"));
    }
}

/// Writes each object to its file. All files are looked at before the first is written, and those with the same content
/// are left as they are; the paths of both are returned.
fn write(documents: &[Document], folder: &Path, force: bool) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create folder {}", folder.display()))?;
    let mut files = Vec::new();
    let mut changed = Vec::new();
    for document in documents {
        let (path, text) = (folder.join(document.file_name()), to_yaml(&document.to_json()));
        match existing(&path)? {
            Some(there) if there == text.as_bytes() => {}
            Some(_) if !force => {
                bail!("{} already exists with different content; use --force to overwrite it", path.display())
            }
            Some(_) | None => changed.push((path.clone(), text)),
        }
        files.push(path);
    }
    for (path, text) in changed {
        replace(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(files)
}

/// The content of a file, if it exists. What is no regular file is an error, so it is not replaced.
fn existing(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => read_bytes(path, Pipes::Refused, &mut Budget::default()).map(Some),
    }
}

/// Writes a temporary file in the same folder and renames it, so that a full disk leaves no partial file. A link to a
/// file stays one, and the file keeps its permissions, and its owner where the user may give files away.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = fs::File::create_new(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| keep_owner_and_permissions(path, &temporary))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one that is reported.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Gives a file the owner and the permissions of the one that it replaces, if there is one. The owner comes first, as a
/// change of it takes permissions away.
fn keep_owner_and_permissions(replaced: &Path, file: &Path) -> io::Result<()> {
    let Ok(metadata) = fs::metadata(replaced) else { return Ok(()) };
    keep_owner(&metadata, file);
    fs::set_permissions(file, metadata.permissions())
}

/// Gives a file the owner and group of another, each where it differs and the user may: only root gives files away, and
/// others only to their groups.
#[cfg(unix)]
fn keep_owner(of: &fs::Metadata, file: &Path) {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let Ok(own) = fs::metadata(file) else { return };
    let owner = Some(of.uid()).filter(|uid| *uid != own.uid());
    let group = Some(of.gid()).filter(|gid| *gid != own.gid());
    for (owner, group) in [(owner, None), (None, group)] {
        if owner.is_some() || group.is_some() {
            // What is not allowed is left as it is.
            let _ = chown(file, owner, group);
        }
    }
}

#[cfg(not(unix))]
fn keep_owner(_of: &fs::Metadata, _file: &Path) {}

/// Paths as they are shown.
pub(super) fn displayed(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.display().to_string()).collect()
}

/// Paths as a shell reads them.
pub(super) fn quoted<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Vec<String> {
    paths.into_iter().map(|path| quote(&path.display().to_string())).collect()
}

fn quote(path: &str) -> String {
    if !path.is_empty() && path.chars().all(is_plain_in_a_shell) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

fn is_plain_in_a_shell(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_./:@+=,%".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_one_word_in_a_shell() {
        let table =
            [("out/a.yaml", "out/a.yaml"), ("my out", "'my out'"), ("it's", r"'it'\''s'"), ("$x", "'$x'")];
        for (path, expected) in table {
            assert_eq!(quoted([&PathBuf::from(path)]), [expected]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_written_again_keeps_its_owner_and_permissions() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.yaml"), folder.path().join("link.yaml"));
        fs::write(&file, "a").unwrap();
        std::os::unix::fs::symlink("a.yaml", &link).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        // Only root can give a file away; for others, it stays their own.
        let _ = chown(&file, Some(12), Some(34));
        let describe = || fs::metadata(&file).map(|it| (it.uid(), it.gid(), it.mode() & 0o777)).unwrap();
        let before = describe();
        replace(&link, "b").unwrap();
        assert_eq!((describe(), &*fs::read_to_string(&file).unwrap()), (before, "b"));
        assert!(link.is_symlink());
    }
}
