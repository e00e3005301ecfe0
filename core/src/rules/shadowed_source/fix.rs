//! The fix for hidden mirrors: entries that have them.

use super::{Effect, Hidden, describe_lost};
use crate::{
    context::View,
    node::merge,
    objects::{Change, Entry, Pull, SetKind},
    rules::{
        Fix,
        explicit::{entry, is_beside_icsp, may_extend},
    },
};

/// Adds the hidden mirrors to the entries themselves. If no entry of the sources serves the pulls, adds entries that
/// serve them to a set that has the broader source. All of `hidden` have the same effect.
pub(super) fn fix(view: View<'_>, hidden: &[Hidden<'_>]) -> Fix {
    if hidden[0].effect != Effect::TriesFewer {
        return add_entries(view, hidden);
    }
    let title = "add the hidden mirrors that you want to keep";
    if !hidden.iter().all(|hidden| hidden.can_be_extended(view)) {
        return title.into();
    }
    let is_safe = hidden.iter().all(Hidden::keeps_lookups);
    let fix = if is_safe { Fix::safe(title) } else { Fix::changing_pulls(title) };
    hidden.iter().fold(fix, |fix, Hidden { own, lost, .. }| {
        let items = lost.mirrors.iter().map(|mirror| mirror.as_str().into()).collect();
        fix.change(own.set.id(), Change::Append { path: own.set.field_path(own.index, "mirrors"), items })
    })
}

fn add_entries(view: View<'_>, hidden: &[Hidden<'_>]) -> Fix {
    let above = &hidden[0].above;
    let kind = match above.pull {
        Pull::Digest => SetKind::Idms,
        Pull::Tag => SetKind::Itms,
    };
    let title = match hidden {
        [_] => format!("add an {} entry for this source with {}", kind.name(), describe_lost(hidden)),
        _ => format!("add an {} entry for each of the sources with its hidden mirrors", kind.name()),
    };
    let Some(found) = above.entries.iter().find(|found| found.set.kind == kind) else { return title.into() };
    let can_be_added =
        |hidden: &Hidden<'_>| !hidden.lost.is_cut && !is_beside_icsp(view, found.set, hidden.source());
    if !hidden.iter().all(can_be_added) {
        return title.into();
    }
    let added = hidden.iter().map(|Hidden { own, lost, .. }| {
        let mirrors = lost.mirrors.iter().map(|mirror| mirror.as_str().into()).collect();
        entry(&own.entry().source, mirrors, own.entry().policy(), kind)
    });
    let added: Vec<_> = added.collect();
    Fix::safe(title).add_entries(found.set, &added)
}

impl Hidden<'_> {
    /// Whether the webhook admits the entry with the hidden mirrors, and nodes only gain them.
    fn can_be_extended(&self, view: View<'_>) -> bool {
        !self.lost.is_cut && may_extend(view, self.own.set) && self.keeps_order(view)
    }

    /// Whether the hidden mirrors can be appended to the entry's: nodes still try those that are there in their order,
    /// and do not come to try the source before a mirror. [`merge`] lists the source only if a mirror follows it.
    fn keeps_order(&self, view: View<'_>) -> bool {
        let Entry { source, mirrors, .. } = self.own.entry();
        let others =
            view.entries(source).filter(|found| found.serves(self.above.pull) && !found.is(self.own));
        let others: Vec<_> = others.map(|found| &*found.entry().mirrors).collect();
        let added = self.lost.mirrors.iter().map(|mirror| Box::from(&**mirror));
        let extended: Vec<Box<str>> = mirrors.iter().cloned().chain(added).collect();
        let (before, after) = ([&*others, &[mirrors]].concat(), [&*others, &[&extended]].concat());
        let (before, after) = (merge(source, &before).mirrors, merge(source, &after).mirrors);
        is_kept(&before, &after) && before.contains(&&**source) == after.contains(&&**source)
    }

    /// Whether HyperShift looks where it looked. Up to 4.16, each mirror replaces the source in what the mirror before it
    /// made of the image: if that still has the source, an appended mirror is put there. A mirror that is the source itself
    /// changes nothing, so HyperShift then only gains the appended mirrors.
    fn keeps_lookups(&self) -> bool {
        let Entry { source, mirrors, .. } = self.own.entry();
        let is_digest = self.own.set.kind.is_digest();
        !is_digest || mirrors.iter().all(|mirror| mirror == source || !mirror.contains(&**source))
    }
}

/// Whether the first names are among the second, in their order.
fn is_kept(before: &[&str], after: &[&str]) -> bool {
    let mut rest = after.iter();
    before.iter().all(|name| rest.any(|other| other == name))
}
