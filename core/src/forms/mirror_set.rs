//! One IDMS, or one ITMS, with the entries of every set for the same pulls.

use super::{
    Form, NoForm,
    sources::{Source, misplaced, sources},
    without_sources,
};
use crate::{
    context::View,
    objects::{MirrorSet, SetKind},
};

/// The IDMS that replaces every ICSP and IDMS; none if no set has mirrors for digest pulls.
pub fn digest_mirror_set(view: View<'_>) -> Result<Form, NoForm> {
    let why = "it serves tag pulls; use --to itms";
    mirror_set(view, MirrorSet::new(SetKind::Idms, "digest-mirrors", Vec::new()), why)
}

/// The ITMS that replaces every ITMS; none if no set has mirrors for tag pulls.
pub fn tag_mirror_set(view: View<'_>) -> Result<Form, NoForm> {
    let why = "it serves digest pulls; use --to idms";
    mirror_set(view, MirrorSet::new(SetKind::Itms, "tag-mirrors", Vec::new()), why)
}

/// The empty `set`, filled with the entries of all sets for its pulls. `why` is the reason why a set for other pulls is
/// left out.
fn mirror_set(view: View<'_>, mut set: MirrorSet, why: &str) -> Result<Form, NoForm> {
    let pull = set.kind.pull();
    let (sources, mut omissions) = sources(view, pull);
    omissions.extend(sources.iter().flat_map(|source| source.without_registry(&source.mirrors)));
    omissions.extend(misplaced(view, pull, why));
    if sources.is_empty() {
        return Err(without_sources(pull, omissions));
    }
    set.entries = sources.iter().map(Source::to_entry).collect();
    Ok(Form { omissions, ..Form::of(&set) })
}
