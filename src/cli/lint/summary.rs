//! What a run of `lint` or `audit` comes to, in a line.

use std::{collections::BTreeSet, num::NonZeroUsize};

use serde::Serialize;

use crate::cli::{
    input::{Input, Unread},
    words::{plural, skipped},
};

/// The numbers of a run.
#[derive(Serialize)]
pub(super) struct Summary {
    pub(super) deny: usize,
    pub(super) warn: usize,
    pub(super) objects: usize,
    pub(super) skipped: usize,
    /// Values that are placeholders, of objects that are checked without them, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) placeholders: Option<NonZeroUsize>,
    /// Whether a file has an error.
    #[serde(skip)]
    pub(super) has_errors: bool,
}

impl Summary {
    /// `1 error, 2 warnings in 5 objects, 1 placeholder left out, 1 other document skipped`.
    pub(super) fn for_people(&self) -> String {
        let found = match (self.deny, self.warn) {
            (0, 0) if self.has_errors => "no other problems found".to_owned(),
            (0, 0) => "no problems found".to_owned(),
            (errors, 0) => plural(errors, "error"),
            (0, warnings) => plural(warnings, "warning"),
            (errors, warnings) => format!("{}, {}", plural(errors, "error"), plural(warnings, "warning")),
        };
        let left_out = match self.placeholders {
            None => String::new(),
            Some(count) => format!(", {} left out", plural(count.get(), "placeholder")),
        };
        format!("{found} in {}{left_out}{}\n", plural(self.objects, "object"), skipped(self.skipped))
    }
}

/// `1 file could not be read in full; everything else was checked`.
pub(super) fn not_read(unread: &[Unread], is_checked: bool) -> String {
    let files: BTreeSet<&str> =
        unread.iter().map(|unread| unread.place.as_ref().map_or(&*unread.text, |(file, _)| file)).collect();
    let rest = if is_checked { "everything else was checked" } else { "nothing was checked" };
    format!("{} could not be read in full; {rest}", plural(files.len(), "file"))
}

/// The warning that takes the place of the summary.
pub(super) fn nothing_to_check(input: &Input) -> String {
    let why = match (input.files, &input.cluster) {
        (0, Some(server)) => format!("no mirror set or HostedCluster found in {server}"),
        (0, None) => "no *.yaml, *.yml or *.json file found".to_owned(),
        (files, _) => format!("no mirror set or HostedCluster found in {}", plural(files, "file")),
    };
    format!("warning: nothing to check: {why}{}\n", skipped(input.skipped))
}
