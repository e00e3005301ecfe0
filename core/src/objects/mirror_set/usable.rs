//! The entries that nodes can pull with.

use super::{Entry, MirrorSet};
use crate::objects::scope::names_registry;

impl Entry {
    /// Whether nodes can pull with it: it is effective, and its source and mirrors name their registries. Otherwise the
    /// source matches no image, or every pull that it decides fails.
    pub fn is_usable(&self) -> bool {
        self.is_effective() && self.names_registries()
    }

    /// Whether its source and mirrors name their registries.
    pub fn names_registries(&self) -> bool {
        names_registry(&self.source) && self.real_mirrors().all(|(_, mirror)| names_registry(mirror))
    }
}

impl MirrorSet {
    /// The entries that nodes can pull with, with their index. Rules about where pulls go read only these: the others
    /// have their own finding, and their values must not get into a fix.
    pub fn usable_entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries.iter().enumerate().filter(|(_, entry)| entry.is_usable())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_usable_if_all_of_it_names_registries() {
        let table: [(_, &[&str], _, _); 7] = [
            ("quay.io/a", &["m.lab/a"], true, "the usual entry"),
            ("quay.io/a", &["m:5000/a", "localhost/a"], true, "a port, and localhost"),
            ("quay.io/a", &["m/a"], false, "a mirror without a registry"),
            ("quay.io/a", &["m.lab/a", "m/a"], false, "one of two"),
            ("a/b", &["m.lab/a"], false, "a source without a registry"),
            ("*.io", &["m.lab/a"], true, "a wildcard"),
            ("quay.io/a", &["quay.io/a"], false, "not effective"),
        ];
        for (source, mirrors, expected, reason) in table {
            let mirrors = mirrors.iter().map(|mirror| Box::from(*mirror)).collect();
            let entry = Entry { source: source.into(), mirrors, mirror_source_policy: None };
            assert_eq!(entry.is_usable(), expected, "{reason}");
        }
    }
}
