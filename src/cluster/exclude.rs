//! What is left out of folders that are read.

use std::path::Path;

use anyhow::{Context as _, Result};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Globs as in a `.gitignore` that lies in the folder that is read. A file that is named itself is read
/// whatever they say.
#[derive(Debug, Default)]
pub struct Exclude {
    globs: Vec<String>,
}

impl Exclude {
    /// Takes globs; one that cannot be understood is an error.
    pub fn new(globs: &[String]) -> Result<Self> {
        let exclude = Self { globs: globs.to_vec() };
        exclude.below(Path::new(""))?;
        Ok(exclude)
    }

    /// What the globs mean in a folder.
    pub(super) fn below(&self, folder: &Path) -> Result<Gitignore> {
        let mut builder = GitignoreBuilder::new(folder);
        for glob in &self.globs {
            builder.add_line(None, glob).with_context(|| format!("invalid glob \"{glob}\""))?;
        }
        builder.build().context("invalid globs")
    }
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
            ("a/old.yaml", "b/a/old.yaml", false, "a path begins in the folder"),
            ("**/a/old.yaml", "b/a/old.yaml", true, "or anywhere"),
            ("*.json", "a/b.json", true, "a suffix"),
            ("a/*.yaml", "a/b/c.yaml", false, "a star stays in its folder"),
            ("a/**", "a/b/c.yaml", true, "two do not"),
            ("charts", "charts", true, "a folder"),
            ("charts/", "charts", true, "only a folder"),
            ("charts/", "charts.yaml", false, "not the beginning of a name"),
        ];
        for (glob, path, expected, reason) in table {
            for root in [".", "mirrors", "/srv/mirrors", "../mirrors"] {
                let globs = Exclude::new(&[glob.to_owned()]).unwrap().below(Path::new(root)).unwrap();
                let found = globs.matched(Path::new(root).join(path), !path.contains('.'));
                assert_eq!(found.is_ignore(), expected, "{glob} on {root}/{path}: {reason}");
            }
        }
    }

    #[test]
    fn a_glob_that_is_none_is_an_error() {
        let error = Exclude::new(&["a{b".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("a{b"), "{error:#}");
    }
}
