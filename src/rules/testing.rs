//! What the rules' own tests build.

use crate::objects::{Entry, MirrorSet, SetKind};

/// A set of sources and their mirrors, without policies.
pub(super) fn set(kind: SetKind, name: &str, entries: &[(&str, &[&str])]) -> MirrorSet {
    let entry = |(source, mirrors): &(&str, &[&str])| Entry {
        source: (*source).into(),
        mirrors: mirrors.iter().map(|mirror| (*mirror).into()).collect(),
        mirror_source_policy: None,
    };
    MirrorSet::new(kind, name, entries.iter().map(entry).collect())
}
