//! One IDMS, or one ITMS, with the entries of every set for the same pulls.

use super::{
    Form,
    sources::{Source, misplaced, sources},
};
use crate::{
    context::View,
    objects::{MirrorSet, SetKind},
};

/// The IDMS that replaces every ICSP and IDMS.
pub fn digest_mirror_set(view: View<'_>) -> Form {
    let why = "it serves tag pulls; use --to itms";
    mirror_set(view, MirrorSet::new(SetKind::Idms, "digest-mirrors", Vec::new()), why)
}

/// The ITMS that replaces every ITMS.
pub fn tag_mirror_set(view: View<'_>) -> Form {
    let why = "it serves digest pulls; use --to idms";
    mirror_set(view, MirrorSet::new(SetKind::Itms, "tag-mirrors", Vec::new()), why)
}

/// The empty `set`, filled with the entries of all sets for its pulls. `why` is the reason why a set for other pulls is
/// left out.
fn mirror_set(view: View<'_>, mut set: MirrorSet, why: &str) -> Form {
    let pull = set.kind.pull();
    let (sources, mut omissions) = sources(view, pull);
    omissions.extend(misplaced(view, pull, why));
    set.entries = sources.iter().map(Source::to_entry).collect();
    Form { omissions, ..Form::of(&set) }
}
