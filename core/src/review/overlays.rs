//! The cluster before and after a write of a mirror set.

use crate::{
    context::{Context, Overlay, View},
    objects::MirrorSet,
    write::Operation,
};

/// The set before and after, indexed for views of the context.
pub(super) fn index_sets<'s>(
    context: &Context,
    operation: Operation<&'s MirrorSet>,
) -> [Option<Overlay<'s>>; 2] {
    [operation.before(), operation.after()].map(|set| set.map(|set| Overlay::new(context, set)))
}

/// The context before and after.
pub(super) fn around<'s>(
    context: &'s Context,
    operation: Operation<&'s MirrorSet>,
    [old, new]: &'s [Option<Overlay<'s>>; 2],
) -> [View<'s>; 2] {
    let set = *operation.object();
    let after = context.view_with(set.kind, &set.name, new.as_ref());
    let before = match operation {
        // Nothing is written, so the set is there before, too.
        Operation::Existing(_) => after,
        _ => context.view_with(set.kind, &set.name, old.as_ref()),
    };
    [before, after]
}
