//! Reads objects from files: any number of documents, YAML or JSON, with the objects inside of other objects as single
//! objects. Each object has the file, line and column of its fields.

mod embedded;
mod install_config;
mod json;
mod kustomize;
mod located;
mod naming;
mod placeholder;
mod read;
#[cfg(test)]
mod tests;
mod unfold;
mod written;

use std::{ops::Range, sync::Arc};

use serde::de::DeserializeOwned;
use thiserror::Error;

pub use self::{
    kustomize::patches_of,
    located::Located,
    placeholder::{is_name, is_placeholder},
    read::read,
    written::{Text, Written},
};
pub use super::tree::Position;
use super::{ParseError, parse, tree};

/// A file that findings point to.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The name that the user gave.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Its line break.
    pub(in crate::objects) newline: &'static str,
}

/// What an object is written in: where another object goes that is for the same cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::objects) enum Holder {
    /// A file, of which it is a document.
    File,
    /// A list of objects, of which it is an item.
    List,
    /// The text of a field.
    Text,
    /// The installer's configuration.
    InstallConfig,
    /// An object of this kind that has no place for another one as it is.
    Closed(&'static str),
}

/// An error in a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{}:{}: {message}", at.line, at.column)]
pub struct ReadError {
    /// The name of the file that the user gave.
    pub file: String,
    /// Line and column.
    pub at: Position,
    /// What is wrong.
    pub message: String,
    /// The file and the byte range of what is wrong, to be shown.
    pub excerpt: Option<(Arc<Source>, Range<usize>)>,
    /// Whether the text is no YAML from there on.
    pub is_syntax: bool,
}

impl ReadError {
    /// An error without an excerpt.
    pub fn new(file: &str, at: Position, message: String) -> Self {
        Self { file: file.to_owned(), at, message, excerpt: None, is_syntax: false }
    }
}

/// A document or a rest of a file that holds nothing to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The name of the file.
    pub file: String,
    /// Where it begins.
    pub at: Position,
    /// What it is, `a list`.
    pub what: &'static str,
}

/// The result of reading one or more files.
#[derive(Debug, Default)]
pub struct Reading {
    /// Objects of the kinds that are read.
    pub objects: Vec<Located>,
    /// Objects that no API server accepts, but that were probably meant to be of a kind that is read. They are read as
    /// that kind.
    pub misnamed: Vec<Located>,
    /// How many objects of other kinds, and how many documents that are no objects, were skipped.
    pub skipped: usize,
    /// The documents that are no objects.
    pub passed_over: Vec<PassedOver>,
    /// How many files were read.
    pub files: usize,
    /// The parts that could not be read.
    pub errors: Vec<ReadError>,
}

impl Reading {
    /// Adds what was read from other files.
    pub fn extend(&mut self, other: Self) {
        let Self { objects, misnamed, skipped, passed_over, files, errors } = other;
        self.objects.extend(objects);
        self.misnamed.extend(misnamed);
        self.skipped += skipped;
        self.passed_over.extend(passed_over);
        self.files += files;
        self.errors.extend(errors);
    }

    /// Passes over what is not YAML, instead of reporting an error. For a file of a folder that looks like a template,
    /// which is YAML only after it has been filled in. A file that the user names is not read in this way.
    #[must_use]
    pub fn without_template(mut self) -> Self {
        let (templates, errors) = self.errors.into_iter().partition(|error| error.is_syntax);
        let templates: Vec<ReadError> = templates;
        self.errors = errors;
        for ReadError { file, at, .. } in &templates {
            self.pass_over(file, *at, "a template");
        }
        self
    }

    /// Counts a document or a rest of a file as skipped.
    fn pass_over(&mut self, file: &str, at: Position, what: &'static str) {
        self.skipped += 1;
        self.passed_over.push(PassedOver { file: file.to_owned(), at, what });
    }
}

/// Reads a file with one document of a known type. An empty file is read as `{}`.
pub fn read_document<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, ReadError> {
    let (documents, error) = tree::documents(text);
    if let Some((at, message)) = error {
        return Err(ReadError::new(name, at, message));
    }
    let mut documents = documents.into_iter();
    let node = documents.next();
    if let Some(second) = documents.next() {
        return Err(ReadError::new(name, second.at, "only one document is expected".to_owned()));
    }
    let node = node.unwrap_or_else(tree::empty_map);
    parse::read_node(&node).map_err(|ParseError { path, message }| {
        ReadError::new(name, node.nearest(&path).at, format!("{path}: {message}"))
    })
}

/// An error in a field of a file with one document, for values that are checked after reading.
pub fn error_at(name: &str, text: &str, path: &str, message: impl AsRef<str>) -> ReadError {
    let (documents, _) = tree::documents(text);
    let at = documents.first().map_or(Position { line: 1, column: 1 }, |node| node.nearest(path).at);
    ReadError::new(name, at, format!("{path}: {}", message.as_ref()))
}
