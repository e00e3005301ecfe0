//! Sources that placeholders of files leave open.

use std::collections::HashSet;

use super::scope::ancestors;

/// Sources whose entries are not known in full, because files have placeholders in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenSources {
    sources: HashSet<String>,
    /// Everything that covers one of `sources`.
    above: HashSet<String>,
}

impl OpenSources {
    /// Adds a source.
    pub fn insert(&mut self, source: &str) {
        self.above.extend(ancestors(source).map(|scope| scope.to_scope().into_owned()));
        self.sources.insert(source.to_owned());
    }

    /// Whether every source is known in full.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Whether one of them is this source, or one above or below it.
    pub fn overlap(&self, source: &str) -> bool {
        !self.is_empty()
            && (self.sources.contains(source)
                || self.above.contains(source)
                || ancestors(source).any(|scope| self.sources.contains(&*scope.to_scope())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_source_matters_to_those_above_and_below_it() {
        let mut open = OpenSources::default();
        assert!(!open.overlap("q.io/a"));
        open.insert("q.io/a");
        let table = [
            ("q.io/a", true, "itself"),
            ("q.io", true, "above"),
            ("*.io", true, "a wildcard above"),
            ("q.io/a/b", true, "below"),
            ("q.io/b", false, "beside"),
        ];
        for (source, expected, reason) in table {
            assert_eq!(open.overlap(source), expected, "{reason}");
        }
    }
}
