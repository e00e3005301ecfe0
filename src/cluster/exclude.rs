//! Globs of files that are excluded when a folder is read.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use ignore::{
    Error,
    gitignore::{Gitignore, GitignoreBuilder},
};

/// Globs with the meaning of a `.gitignore` in the folder that is read. A file that is specified itself is read even if
/// a glob matches it.
#[derive(Debug, Default)]
pub struct Exclude {
    globs: Vec<String>,
}

impl Exclude {
    /// Parses globs; an invalid one is an error.
    pub fn new(globs: &[String]) -> Result<Self> {
        let exclude = Self { globs: globs.to_vec() };
        exclude.below(Path::new(""))?;
        Ok(exclude)
    }

    /// The globs for a folder.
    pub(super) fn below(&self, folder: &Path) -> Result<Gitignore> {
        let mut builder = GitignoreBuilder::new(folder);
        builder.allow_unclosed_class(false);
        for glob in &self.globs {
            let added = builder.add_line(None, glob);
            added.map_err(|error| anyhow!("invalid glob \"{glob}\": {}", describe(&error, glob)))?;
        }
        builder.build().context("invalid globs")
    }
}

/// What is wrong with a glob, and where.
fn describe(error: &Error, glob: &str) -> String {
    let Error::Glob { err: what, .. } = error else { return error.to_string() };
    let bracket = match what {
        _ if what.contains("character class") => unmatched(glob, '[', ']'),
        _ if what.contains("alternate") => unmatched(glob, '{', '}'),
        _ => None,
    };
    // Without the library's hint, such as `(maybe escape '{' with '[{]'?)`.
    let what = what.split(" (maybe").next().unwrap_or(what);
    let character = bracket.map(|at| format!(" at character {at}"));
    format!("{what}{}", character.unwrap_or_default())
}

/// The number of the character that is a bracket without its partner.
fn unmatched(glob: &str, opening: char, closing: char) -> Option<usize> {
    let mut open = Vec::new();
    for (at, letter) in (1..).zip(glob.chars()) {
        if letter == opening {
            open.push(at);
        } else if letter == closing && open.pop().is_none() {
            return Some(at);
        }
    }
    open.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_read_as_git_reads_them() {
        let table = [
            ("old.yaml", "old.yaml", true, "a name"),
            ("old.yaml", "a/b/old.yaml", true, "a name at any depth"),
            ("/old.yaml", "a/old.yaml", false, "only in the folder itself"),
            ("a/old.yaml", "a/old.yaml", true, "a path"),
            ("a/old.yaml", "b/a/old.yaml", false, "a path starts in the folder"),
            ("**/a/old.yaml", "b/a/old.yaml", true, "or anywhere"),
            ("*.json", "a/b.json", true, "a suffix"),
            ("a/*.yaml", "a/b/c.yaml", false, "one star matches within a folder"),
            ("a/**", "a/b/c.yaml", true, "two stars match across folders"),
            ("charts", "charts", true, "a folder"),
            ("charts/", "charts", true, "only a folder"),
            ("charts/", "charts.yaml", false, "not the start of a name"),
        ];
        for (glob, path, expected, reason) in table {
            for root in [".", "mirrors", "/srv/mirrors", "../mirrors"] {
                let globs = Exclude::new(&[glob.to_owned()]).unwrap().below(Path::new(root)).unwrap();
                // In this table, a path without a dot is a folder.
                let matched = globs.matched(Path::new(root).join(path), !path.contains('.'));
                assert_eq!(matched.is_ignore(), expected, "{glob} on {root}/{path}: {reason}");
            }
        }
    }

    #[test]
    fn an_invalid_glob_is_an_error_with_its_place() {
        let table = [
            ("a{b", "at character 2", "an alternate that is not closed"),
            ("{a,{b}", "at character 1", "the outer of two"),
            ("{a}}", "at character 4", "one that is not opened"),
            ("[", "at character 1", "a class that is not closed"),
            ("é/a[b", "at character 4", "after a character of two bytes"),
            ("[z-a]", "'z' > 'a'", "a range from its end"),
        ];
        for (glob, expected, reason) in table {
            let error = Exclude::new(&[glob.to_owned()]).unwrap_err().to_string();
            assert!(error.contains(&format!("\"{glob}\"")) && error.contains(expected), "{reason}: {error}");
        }
    }
}
