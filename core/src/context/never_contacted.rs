//! The hosts of sources that nodes never contact.

use std::collections::BTreeMap;

use crate::objects::{
    MirrorSet, MirrorSourcePolicy,
    scope::{bare_host, is_wildcard},
};

/// The hosts of the sources that are `NeverContactSource`, each with the number of its entries. A mirror on another
/// host is blocked by no entry, so that its scopes need not be looked up. Hosts are without ports, as the source
/// `quay.io` blocks the mirror `quay.io:443/a` too.
#[derive(Debug, Clone, Default)]
pub(super) struct NeverContacted {
    hosts: BTreeMap<Box<str>, usize>,
    /// How many of these sources are wildcards. Their hosts are not compared: each may cover any scope.
    wildcards: usize,
}

impl NeverContacted {
    pub(super) fn of(set: &MirrorSet) -> Self {
        let mut hosts = Self::default();
        hosts.add(set);
        hosts
    }

    pub(super) fn add(&mut self, set: &MirrorSet) {
        for source in sources(set) {
            if is_wildcard(source) {
                self.wildcards += 1;
            } else if let Some(count) = self.hosts.get_mut(bare_host(source)) {
                *count += 1;
            } else {
                self.hosts.insert(bare_host(source).into(), 1);
            }
        }
    }

    pub(super) fn remove(&mut self, set: &MirrorSet) {
        for source in sources(set) {
            if is_wildcard(source) {
                self.wildcards -= 1;
            } else if let Some(count) = self.hosts.get_mut(bare_host(source)) {
                *count -= 1;
                if *count == 0 {
                    self.hosts.remove(bare_host(source));
                }
            }
        }
    }

    /// Whether a source with `NeverContactSource` may cover this scope: one on the same host, or any wildcard.
    pub(super) fn may_cover(&self, scope: &str) -> bool {
        self.wildcards > 0 || self.hosts.contains_key(bare_host(scope))
    }
}

/// The sources of the entries with `NeverContactSource`.
fn sources(set: &MirrorSet) -> impl Iterator<Item = &str> {
    let never = set.entries.iter().filter(|entry| entry.policy() == MirrorSourcePolicy::NeverContactSource);
    never.map(|entry| &*entry.source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{Entry, SetKind};

    fn never_contacting(sources: &[&str]) -> MirrorSet {
        MirrorSet::new(SetKind::Idms, "a", sources.iter().map(|source| never_contacted(source)).collect())
    }

    fn never_contacted(source: &str) -> Entry {
        Entry {
            source: source.into(),
            mirrors: ["m.lab".into()].into_iter().collect(),
            mirror_source_policy: Some(MirrorSourcePolicy::NeverContactSource),
        }
    }

    #[test]
    fn only_the_host_counts() {
        // A source that is never contacted, a scope, and whether the source may cover it.
        let table = [
            ("quay.io/a", "quay.io/b/c", true, "another path of the host"),
            ("quay.io:443", "quay.io/b", true, "a port is not compared"),
            ("quay.io", "quay.io:443/b", true, "wherever the port is"),
            ("quay.io", "m.quay.io", false, "a host below it"),
            ("*.lab", "quay.io", true, "a wildcard may cover any host"),
        ];
        for (source, scope, expected, reason) in table {
            assert_eq!(
                NeverContacted::of(&never_contacting(&[source])).may_cover(scope),
                expected,
                "{reason}"
            );
        }
    }

    #[test]
    fn a_host_is_known_while_an_entry_names_it() {
        let with_wildcard = never_contacting(&["a.io/x", "*.lab"]);
        let without_wildcard = never_contacting(&["a.io/y"]);
        let mut hosts = NeverContacted::of(&with_wildcard);
        hosts.add(&without_wildcard);
        assert!(hosts.may_cover("b.io"), "the wildcard");
        hosts.remove(&with_wildcard);
        assert!(hosts.may_cover("a.io") && !hosts.may_cover("b.io"), "one of two is left");
        hosts.remove(&without_wildcard);
        assert!(!hosts.may_cover("a.io"));
    }
}
