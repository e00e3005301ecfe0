//! A write of a mirror set as the machine-config operator sees it, and what it costs.

use crate::{
    context::View,
    node::{Change, Standstill, change_of_write},
    objects::{Format, MirrorSet},
    write::Operation,
};

/// A write of a mirror set with its invalid sources and mirrors, some of which reach the nodes up to 4.15.
#[derive(Debug, Clone, Copy)]
pub struct AsWritten<'a> {
    /// What happens to the set.
    pub operation: Operation<&'a MirrorSet>,
    /// The cluster before the write; the same as `after` if nothing is written.
    pub before: View<'a>,
    /// The cluster after it.
    pub after: View<'a>,
}

impl<'a> AsWritten<'a> {
    /// What the write changes in the nodes' configuration, or why that cannot be said. `None` if nothing is written, or
    /// if the new set has a value that the operator refuses.
    pub(super) fn find_change(self) -> Option<Result<Change<'a>, Standstill>> {
        let AsWritten { operation, before, after } = self;
        let [old, new] = [operation.before(), operation.after()].map(Option::<&&MirrorSet>::copied);
        let is_refused = |set: &MirrorSet| is_refused(set, after.format());
        // A new set that the operator refuses rolls nothing out. An old one that was not readable is gone with the
        // write, so that rendering begins again if nothing else stops it (`Ok`).
        match operation {
            Operation::Existing(_) => None,
            _ if new.is_some_and(is_refused) => None,
            _ => Some(match change_of_write(before, after, old, new) {
                Ok(_) if old.is_some_and(is_refused) => Err(Standstill::Ends),
                change => change,
            }),
        }
    }
}

/// Whether nothing renders with a set as it was written: the operator refuses one of its values, or a part of it could
/// not be read. Up to 4.15 the operator accepts most values that are invalid, and nodes get them.
fn is_refused(set: &MirrorSet, format: Format) -> bool {
    // With a part that could not be read there is always a valid part: the set without it.
    if format == Format::From416 || !set.gaps.is_empty() {
        return set.valid_part().is_some();
    }
    set.entries.iter().any(|entry| {
        !format.accepts_source(&entry.source)
            || entry.mirrors.iter().any(|mirror| !format.accepts_mirror(mirror))
    })
}
