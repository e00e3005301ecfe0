//! Objects from files, or from the cluster of the current kubeconfig.

mod incomplete;
mod places;
mod refusals;
mod warnings;

pub(super) use self::places::{has_same_entries, place_of_name};

use std::{
    mem,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, bail};
use mirrorguard_core::{
    objects::{
        Object,
        manifest::{Located, Position, ReadError, Reading, Source},
    },
    report::Places,
};

pub(super) use self::incomplete::NotChecked;
use self::{
    places::{describe, describe_open, describe_placeholders, find_earlier},
    warnings::warn,
};
use super::{
    connect::{cannot_list, connect, describe_kind, runtime},
    output::Output,
};
use crate::cluster::{Budget, Exclude, Listing, Manifests, Once, read_path};

/// The objects that a command works on.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// Objects of files, with their places.
    pub(super) located: Vec<Located>,
    /// Objects of files that no API server accepts, but that were probably meant to be of a kind that is read.
    pub(super) misnamed: Vec<Located>,
    /// Objects of files that are skipped because of their placeholders. Printed already.
    pub(super) open: Vec<Located>,
    /// Objects of a cluster.
    pub(super) live: Vec<Object>,
    /// URL and context of the cluster, where one was read.
    pub(super) cluster: Option<String>,
    /// Number of objects of other kinds than those that rules are evaluated on.
    pub(super) skipped: usize,
    /// Number of files.
    pub(super) files: usize,
    /// What could not be read. Printed already, apart from what [`ReadOptions::prints_errors`] leaves to a report.
    pub(super) unread: Vec<Unread>,
}

/// An error in a file, or a file that could not be read.
#[derive(Debug)]
pub(super) struct Unread {
    /// The error, with its place.
    pub(super) text: String,
    /// The place of an error in a file.
    pub(super) place: Option<(String, Position)>,
    /// The file and the byte range of an error in it, to be drawn.
    pub(super) excerpt: Option<(Arc<Source>, Range<usize>)>,
    /// The error without its place.
    pub(super) message: String,
}

impl From<ReadError> for Unread {
    fn from(error: ReadError) -> Self {
        let text = error.to_string();
        let ReadError { file, at, message, excerpt, .. } = error;
        Self { text, place: Some((file, at)), excerpt, message }
    }
}

impl Input {
    /// Every object.
    pub(super) fn objects(&self) -> impl Iterator<Item = &Object> {
        self.located.iter().map(|located| &located.object).chain(&self.live)
    }

    /// For each object of `located`, in their order, the last one before it with the same kind, namespace and name.
    pub(super) fn earlier(&self) -> Vec<Option<&Located>> {
        find_earlier(&self.located)
    }

    /// Every object, with its place where it has one.
    pub(super) fn with_places(&self) -> impl Iterator<Item = (&Object, Option<&Located>)> + Clone {
        let located = self.located.iter().map(|located| (&located.object, Some(located)));
        located.chain(self.live.iter().map(|object| (object, None)))
    }

    /// The places of every object of this input and of existing objects. Of two objects with one id the later one is
    /// used, so an object of this input comes after the existing one that it changes. Misnamed objects come first: each
    /// keeps its name from being given to a new set, and gives way to any other object.
    pub(super) fn places<'a>(&'a self, against: &'a [Self]) -> Places<'a> {
        let misnamed = self.misnamed.iter().map(|located| (&located.object, Some(located)));
        misnamed.chain(against.iter().chain([self]).flat_map(Self::with_places)).collect()
    }

    /// Whether there is nothing that a command could work on or report: no object, not even one that is skipped, and
    /// nothing that could not be read.
    pub(super) fn is_empty(&self) -> bool {
        let has_skipped = !self.misnamed.is_empty() || !self.open.is_empty();
        self.unread.is_empty() && !has_skipped && self.objects().next().is_none()
    }

    /// How many values are placeholders.
    pub(super) fn placeholders(&self) -> usize {
        self.located.iter().chain(&self.misnamed).map(|located| located.written.placeholders.len()).sum()
    }

    /// Skips the objects with placeholders, with a warning for each.
    fn skip_placeholders(&mut self, output: &Output) {
        let is_whole = |located: &Located| located.written.placeholders.is_empty();
        let (whole, open): (Vec<_>, Vec<_>) = mem::take(&mut self.located).into_iter().partition(is_whole);
        self.located = whole;
        self.skipped += open.len();
        for located in &open {
            output.important_message(&describe_open(located));
        }
        self.open = open;
    }
}

/// How files are read.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is one kind of message")]
pub(super) struct ReadOptions<'a> {
    /// What is left out of folders.
    pub(super) exclude: Option<&'a Exclude>,
    /// Whether to warn about an object that is defined twice.
    pub(super) warn_of_duplicates: bool,
    /// Whether to warn about an object that no API server accepts.
    pub(super) warn_of_misnamed: bool,
    /// Whether to warn about fields that a kind does not have.
    pub(super) warn_of_unknown_fields: bool,
    /// Whether to print the errors in files that a report can draw; the others are always printed.
    pub(super) prints_errors: bool,
    /// Whether to warn where there are no objects.
    pub(super) warn_if_empty: bool,
    /// Whether objects with placeholders are kept, without these values. Only a review knows what does not depend on
    /// them.
    pub(super) keeps_placeholders: bool,
}

impl Default for ReadOptions<'_> {
    /// Reads everything, with all warnings.
    fn default() -> Self {
        Self {
            exclude: None,
            warn_of_duplicates: true,
            warn_of_misnamed: true,
            warn_of_unknown_fields: true,
            prints_errors: true,
            warn_if_empty: true,
            keeps_placeholders: false,
        }
    }
}

/// Reads files, or the cluster where no path is given. Errors in a file are printed, and the other files read.
pub(super) fn read(paths: &[PathBuf], options: ReadOptions<'_>, output: &Output) -> Result<Input> {
    if paths.is_empty() {
        return read_cluster(output);
    }
    // Here no path at all means the cluster; the word `cluster` means it only in `read_path_or_cluster`.
    if paths.iter().any(|path| is_cluster(path) && !path.exists()) {
        bail!("cluster is no file or folder; leave out PATH to read the cluster of the current kubeconfig");
    }
    let mut input = read_files(paths, options, output);
    if !options.keeps_placeholders {
        input.skip_placeholders(output);
    }
    warn(&input, paths, options, output);
    Ok(input)
}

/// The word that stands for the cluster of the current kubeconfig where either that or a path may be given.
const CLUSTER: &str = "cluster";

/// Reads one path, or the cluster where it is the word `cluster`.
pub(super) fn read_path_or_cluster(path: &Path, options: ReadOptions<'_>, output: &Output) -> Result<Input> {
    if !is_cluster(path) {
        return read(&[path.to_owned()], options, output);
    }
    if let Some(note) = note_of_namesake() {
        output.message(&format!("note: {note}\n"));
    }
    read_cluster(output)
}

/// Whether a path is the word for the cluster.
pub(super) fn is_cluster(path: &Path) -> bool {
    path.as_os_str() == CLUSTER
}

/// What to tell a user who writes `cluster` for the cluster, where there is also a file or folder of that name.
pub(super) fn note_of_namesake() -> Option<&'static str> {
    Path::new(CLUSTER).exists().then_some(
        "cluster means the cluster of the current kubeconfig; write ./cluster for the file or folder of that name",
    )
}

/// Reads files and folders within one budget. Errors are kept, and printed unless a report draws them; the
/// other files are read.
fn read_files(paths: &[PathBuf], options: ReadOptions<'_>, output: &Output) -> Input {
    let nothing = Exclude::default();
    let exclude = options.exclude.unwrap_or(&nothing);
    let progress = output.progress("reading files");
    let (mut all, mut once, mut budget) = (Manifests::default(), Once::new(paths), Budget::default());
    for path in paths {
        progress.show(format!("reading {}", path.display()));
        let Manifests { reading, unopened } = read_path(path, exclude, &mut once, &mut budget);
        all.reading.extend(reading);
        all.unopened.extend(unopened);
    }
    drop(progress);
    let Manifests { reading, unopened } = all;
    let Reading { objects: located, misnamed, skipped, passed_over, files, errors } = reading;
    // No rule is evaluated on a catalog: overrides are only derived from it.
    let catalogs = located.iter().filter(|located| matches!(located.object, Object::Catalog(_)));
    let skipped = skipped + catalogs.count();
    let unopened = unopened.into_iter().map(|error| {
        let text = format!("{error:#}");
        Unread { message: text.clone(), text, place: None, excerpt: None }
    });
    let unread: Vec<_> = errors.into_iter().map(Unread::from).chain(unopened).collect();
    // Only an error with an excerpt can be drawn by the report.
    for unread in unread.iter().filter(|unread| options.prints_errors || unread.excerpt.is_none()) {
        output.error(&unread.text);
    }
    if output.verbose > 0 {
        for document in &passed_over {
            output.message(&describe(document));
        }
        for located in located.iter().chain(&misnamed).filter(|_| options.keeps_placeholders) {
            for text in describe_placeholders(located) {
                output.message(&text);
            }
        }
    }
    Input { located, misnamed, skipped, files, unread, ..Input::default() }
}

/// Reads every kind from the cluster of the current kubeconfig; fails if one of them cannot be listed, apart from
/// catalogs.
fn read_cluster(output: &Output) -> Result<Input> {
    let (listing, server) = runtime()?.block_on(async {
        let connection = connect(output).await?;
        let listing = Listing::of(&connection.client).await.and_then(Listing::complete);
        let listing = listing.map_err(|error| cannot_list(&connection.server, &error))?;
        anyhow::Ok((listing, connection.server.to_string()))
    })?;
    // These are only catalogs: `complete` fails on any other kind.
    for unread in &listing.unread {
        output.message(&format!("note: ignoring {}: {}\n", describe_kind(unread.kind), unread.describe()));
    }
    for unread in &listing.unreadable {
        output.message(&format!("note: ignoring {}: {}\n", unread.id, unread.why));
    }
    Ok(Input { live: listing.objects, cluster: Some(server), ..Input::default() })
}
