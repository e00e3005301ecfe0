//! Mirror sets as documents: read with their metadata, printed, written to files.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;

use super::{input, output::Output};
use crate::cluster::{Exclude, Listing, metadata_of_sets};
use mirrorguard_core::{
    context::Context,
    convert::{Document, Origin, Problem},
    objects::{MirrorSet, Object, to_documents, to_yaml},
};

/// Where documents are written to.
#[derive(Debug, Args)]
pub(super) struct OutArgs {
    /// Write a file for each object into this folder, named by kind and name, instead of standard output
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Overwrite files that are there with other content
    #[arg(long, requires = "out")]
    pub(super) force: bool,
}

impl OutArgs {
    /// Writes each object to its file, all or, as far as can be known before, none; the files, in the order
    /// of the objects. Without `--out`, or without objects, nothing is touched.
    pub(super) fn write(&self, documents: &[Document]) -> Result<Vec<PathBuf>> {
        match &self.out {
            Some(folder) if !documents.is_empty() => write(documents, folder, self.force),
            _ => Ok(Vec::new()),
        }
    }
}

/// What was read.
#[derive(Debug)]
pub(super) struct Given {
    /// The mirror sets, in the order of the input.
    pub(super) documents: Vec<Document>,
    /// Every object.
    pub(super) context: Context,
    /// How many objects of other kinds there were.
    pub(super) skipped: usize,
}

/// Reads files, or without any the cluster.
pub(super) fn read(paths: &[PathBuf], output: &Output) -> Result<Given> {
    if paths.is_empty() {
        return from_cluster();
    }
    let input = input::read_every(paths, &Exclude::default(), output)?.complete()?;
    let documents = input.located.iter().filter_map(Document::of_file).collect();
    Ok(Given { documents, context: input.objects().cloned().collect(), skipped: input.skipped })
}

fn from_cluster() -> Result<Given> {
    let (objects, metadata) = input::runtime()?.block_on(async {
        let client = input::client().await?;
        let listing = Listing::of(&client).await.and_then(Listing::complete);
        let objects = listing.context("cannot list the cluster's mirror sets")?;
        anyhow::Ok((objects, metadata_of_sets(&client).await?))
    })?;
    let mut documents = Vec::new();
    for object in &objects {
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

/// Says why nothing is written.
pub(super) fn say_problems(problems: &[Problem], output: &Output) {
    for Problem { what, places, fix } in problems {
        output.problem(&format!("{what}\n{}  fix: {fix}", lines("  ", places)));
    }
}

/// Says what is worth knowing about what is written.
pub(super) fn say_notes(notes: &[String], output: &Output) {
    for note in notes {
        output.say(&format!("note: {note}\n"));
    }
}

/// A file that says the same already is left as it is.
fn write(documents: &[Document], folder: &Path, force: bool) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut files = Vec::new();
    let mut changed = Vec::new();
    for document in documents {
        let (path, text) = (folder.join(document.file_name()), to_yaml(&document.to_json()));
        match fs::read(&path) {
            Ok(there) if there == text.as_bytes() => {}
            Ok(_) if !force => {
                bail!("{} is there already with other content; --force overwrites it", path.display())
            }
            Ok(_) => changed.push((path.clone(), text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => changed.push((path.clone(), text)),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
        files.push(path);
    }
    for (path, text) in changed {
        replace(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(files)
}

/// Writes beside the file and then takes its place, so that a full disk leaves no half of an object.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = fs::File::create_new(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What went wrong is in the first error.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Paths as they are shown.
pub(super) fn displayed(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.display().to_string()).collect()
}

/// Paths as a shell takes them.
pub(super) fn quoted<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Vec<String> {
    let quote = |path: &PathBuf| {
        let path = path.display().to_string();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+=,%".contains(c);
        if !path.is_empty() && path.chars().all(is_plain) {
            return path;
        }
        format!("'{}'", path.replace('\'', r"'\''"))
    };
    paths.into_iter().map(quote).collect()
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
}
