//! `mirrorguard lint --fix`: applies fixes to files, until none is left.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
use mirrorguard_core::{
    objects::manifest::{Located, Reading},
    report::{Files, Fixed, Places, Reviewed, fix_all},
    rules::Settings,
};
use similar::TextDiff;

use super::{documents::replace, input::Input, output::Output, review::review_input, words::plural};

/// How many of the fixes that cannot be made are named at most.
const LEFT_ALONE: usize = 20;

/// How long the shortest changes of a file are looked for: that may take the square of the number of its lines. Those
/// found in that time are right, but may be longer.
const DIFF_TIME: Duration = Duration::from_secs(1);

/// Which fixes are applied, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct FixOptions {
    /// Also those after which nodes or HyperShift pull differently.
    pub(super) unsafe_fixes: bool,
    /// Shows the changes instead of writing them.
    pub(super) diff: bool,
}

/// Applies the fixes of what is found in the input, and writes the files, or with `--diff` prints how they would
/// change. Either way the input then has the fixed objects. Returns whether something changes.
pub(super) fn fix(
    input: &mut Input,
    against: &[Input],
    settings: &Settings,
    options: FixOptions,
    output: &Output,
) -> Result<bool> {
    // Objects of a cluster have no file that could be changed.
    if input.cluster.is_some() {
        bail!("--fix requires files: specify PATH");
    }
    if !options.diff {
        check_writable(input)?;
    }
    let fixed = fix_all(&mut InputFiles { input, against, settings }, options.unsafe_fixes);
    finish(&fixed, options, output)?;
    Ok(!fixed.files.is_empty())
}

/// Fails where the objects of an input come from what cannot be written back: standard input, or a pipe.
fn check_writable(input: &Input) -> Result<()> {
    let located = input.located.iter().chain(&input.misnamed);
    let names: BTreeSet<_> = located.map(|located| &*located.source.name).collect();
    let is_file = |name: &str| fs::metadata(name).is_ok_and(|metadata| metadata.is_file());
    match names.into_iter().find(|name| !is_file(name)) {
        Some(name) => {
            bail!("--fix cannot write {name}, which is not a regular file; use --diff to see the changes")
        }
        None => Ok(()),
    }
}

/// The files of an input, whose objects are reviewed as `lint` reviews them.
struct InputFiles<'a> {
    input: &'a mut Input,
    against: &'a [Input],
    settings: &'a Settings,
}

impl Files for InputFiles<'_> {
    fn located(&self) -> impl Iterator<Item = &Located> {
        self.input.located.iter().chain(&self.input.misnamed)
    }

    fn places(&self) -> Places<'_> {
        self.input.places(self.against)
    }

    fn errors_in(&self, file: &str) -> usize {
        let places = self.input.unread.iter().filter_map(|unread| unread.place.as_ref());
        places.filter(|(name, _)| name == file).count()
    }

    fn review(&self) -> Vec<Reviewed<'_>> {
        review_input(self.input, self.against, self.settings)
    }

    /// The errors of the reading are not needed: no fix is applied that adds one, and `errors_in` counts those of the
    /// first reading.
    fn replace(&mut self, file: &str, Reading { objects, misnamed, .. }: Reading) {
        put_in_place(&mut self.input.located, file, objects);
        put_in_place(&mut self.input.misnamed, file, misnamed);
    }
}

/// Puts objects where the first one of their file was, so that they stay in the order of the files.
fn put_in_place(all: &mut Vec<Located>, file: &str, objects: Vec<Located>) {
    let first = all.iter().position(|located| located.source.name == file).unwrap_or(all.len());
    all.retain(|located| located.source.name != file);
    all.splice(first..first, objects);
}

/// Writes the files, or prints how they would change; then what was skipped, and a summary.
fn finish(fixed: &Fixed, options: FixOptions, output: &Output) -> Result<()> {
    let mut diff = String::new();
    for (name, (before, after)) in &fixed.files {
        if options.diff {
            let lines = TextDiff::configure().timeout(DIFF_TIME).diff_lines(before, after);
            let _ = write!(diff, "{}", lines.unified_diff().header(name, name));
        } else {
            replace(Path::new(name), after).with_context(|| format!("cannot write {name}"))?;
        }
    }
    output.result(&diff)?;
    // Several findings of a rule in one object lead to the same text.
    let skipped: BTreeSet<_> = fixed.skipped.iter().collect();
    for text in skipped {
        output.message(&format!("warning: {text}\n"));
    }
    fixed.left_alone.iter().take(LEFT_ALONE).for_each(|text| output.message(&format!("note: {text}\n")));
    let more = fixed.left_alone.len().saturating_sub(LEFT_ALONE);
    if more > 0 {
        output.message(&format!("note: {more} more are left to you\n"));
    }
    let files = plural(fixed.files.len(), "file");
    let count = match fixed.count {
        1 => "1 fix".to_owned(),
        count => format!("{count} fixes"),
    };
    output.message(&match (fixed.files.is_empty(), options.diff) {
        (true, _) => "no fix applies\n".to_owned(),
        (_, true) => format!("{count} would change {files}\n"),
        (_, false) => format!("{count} applied to {files}\n"),
    });
    Ok(())
}
