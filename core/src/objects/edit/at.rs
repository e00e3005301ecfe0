//! The node at a path, with the place where it is written.

use super::{layout::Layout, place::Spot};
use crate::objects::tree::{Data, Field, Node, Repeat};

/// A node, and where it is.
pub(super) struct At<'n> {
    pub(super) spot: Spot<'n>,
    /// Whether it is written in brackets, its own or those of a list or map around it.
    pub(super) in_flow: bool,
    pub(super) place: Place<'n>,
}

pub(super) enum Place<'n> {
    Root,
    Field { map: &'n Node, field: &'n Field, index: usize },
    Item { index: usize },
}

impl<'n> At<'n> {
    /// The field whose value it is.
    pub(super) fn field(&self) -> Option<&'n Field> {
        match self.place {
            Place::Field { field, .. } => Some(field),
            Place::Root | Place::Item { .. } => None,
        }
    }
}

/// The node at a path, or its nearest existing parent and the steps that are missing. `None` if it is not written
/// there, but comes from an alias or a merge key, if an alias repeats it, or if the path leads through an item that a
/// list does not have.
pub(super) fn descend<'n, 's>(
    layout: &Layout<'_>,
    root: &'n Node,
    steps: &'s [&'s str],
) -> Option<(At<'n>, &'s [&'s str])> {
    let spot = Spot { node: root, from: root.span.start };
    let mut at = At { spot, in_flow: layout.is_flow(spot), place: Place::Root };
    for (depth, step) in steps.iter().enumerate() {
        if at.spot.node.repeat != Repeat::None {
            return None;
        }
        let place = match &at.spot.node.data {
            Data::Map(fields) => match fields.iter().position(|field| field.name == *step) {
                Some(index) if fields[index].is_merged => return None,
                Some(index) => Place::Field { map: at.spot.node, field: &fields[index], index },
                None => return Some((at, &steps[depth..])),
            },
            Data::List(_) => Place::Item { index: step.parse().ok()? },
            Data::Scalar(_) => return Some((at, &steps[depth..])),
        };
        let (Place::Field { index, .. } | Place::Item { index }) = place else { return None };
        let spot = layout.child(at.spot, index)?;
        at = At { in_flow: at.in_flow || layout.is_flow(spot), spot, place };
    }
    // An alias at the end of the path is written there: it can be removed.
    (at.spot.node.repeat != Repeat::Original).then_some((at, &[]))
}
