//! Entries of its own for a repository that a broader source redirects, so that nodes pull as before.

use super::{Fix, fix::entry_text};
use crate::{
    context::View,
    node::{Rendering, rewrite},
    objects::{Entry, MirrorSet, MirrorSourcePolicy, Mirrors, Pull, SetKind, scope::ancestors},
};

/// The fix that adds an entry for a repository to a set whose entry redirects it for digest pulls. Its mirrors are
/// where digest pulls go now; `wanted` if they go nowhere.
pub(super) fn add_explicit(view: View<'_>, set: &MirrorSet, repository: &str, wanted: &[String]) -> Fix {
    let Some(now) = Deciding::of(view, repository) else { return Fix::default() };
    let policy = now.policy(view, repository);
    let mut digest = now.at(repository, Pull::Digest);
    if digest.is_empty() {
        digest = wanted.iter().map(|mirror| mirror.as_str().into()).collect();
    }
    let own = entry(repository, digest, policy, set.kind);
    let title = format!("add {}", entry_text(&own));
    if !may_extend(view, set) {
        return title.into();
    }
    // An entry of its own also hides the broader source from tag pulls.
    let tag = if now.scope == repository { Mirrors::new() } else { now.at(repository, Pull::Tag) };
    if tag.is_empty() {
        return Fix::safe(title).add_entries(set, &[own]);
    }
    let Some(tags) = view.entries(&now.scope).find(|found| found.set.kind == SetKind::Itms) else {
        return title.into();
    };
    let also = entry(repository, tag, policy, SetKind::Itms);
    Fix::safe(format!("{title}, and {} to {}", entry_text(&also), tags.set.id()))
        .add_entries(set, &[own])
        .add_entries(tags.set, &[also])
}

/// Whether the webhook admits new entries in a set: not in an ICSP next to an IDMS or ITMS.
pub(super) fn may_extend(view: View<'_>, set: &MirrorSet) -> bool {
    set.kind != SetKind::Icsp || view.count(SetKind::Idms) + view.count(SetKind::Itms) == 0
}

/// A name that no set of this kind has: the wanted one, or the one with the first free number.
pub(super) fn free_name(view: View<'_>, kind: SetKind, wanted: &str) -> String {
    let is_taken = |name: &str| view.sets_of(kind).any(|set| *set.name == *name);
    let mut names =
        std::iter::once(wanted.to_owned()).chain((1..).map(|number| format!("{wanted}-{number}")));
    names.find(|name| !is_taken(name)).unwrap_or_default()
}

/// An entry of a set of this kind. The default policy is left out.
pub(super) fn entry(source: &str, mirrors: Mirrors, policy: MirrorSourcePolicy, kind: SetKind) -> Entry {
    let is_never = policy == MirrorSourcePolicy::NeverContactSource && kind != SetKind::Icsp;
    Entry { source: source.into(), mirrors, mirror_source_policy: is_never.then_some(policy) }
}

/// The scope of registries.conf that decides about a repository.
struct Deciding {
    scope: String,
    blocked: bool,
    mirrors: Vec<(Pull, String)>,
}

impl Deciding {
    fn of(view: View<'_>, repository: &str) -> Option<Self> {
        let rendering = Rendering::new(view);
        let above = ancestors(repository).map(|above| above.to_scope().into_owned());
        std::iter::once(repository.to_owned()).chain(above).find_map(|scope| {
            let registry = rendering.registry_at(&scope).ok()??.registry;
            let mirrors =
                registry.mirrors.iter().map(|mirror| (mirror.pull, mirror.location.clone().into_owned()));
            let (mirrors, blocked) = (mirrors.collect(), registry.blocked);
            Some(Self { scope, blocked, mirrors })
        })
    }

    /// Where the mirrors for these pulls place the repository.
    fn at(&self, repository: &str, pull: Pull) -> Mirrors {
        let serving = self.mirrors.iter().filter(|(served, _)| *served == pull);
        serving.map(|(_, mirror)| rewrite(repository, &self.scope, mirror).into()).collect()
    }

    /// The policy that another entry of the repository must have: that of its own entries, or else of those that
    /// decide now.
    fn policy(&self, view: View<'_>, repository: &str) -> MirrorSourcePolicy {
        let own = view.entries(repository).map(|found| found.entry().policy()).next();
        let above = view.entries(&self.scope).filter(|found| found.entry().is_effective());
        let above = above.map(|found| found.entry().policy()).max();
        own.or(above).unwrap_or(if self.blocked {
            MirrorSourcePolicy::NeverContactSource
        } else {
            MirrorSourcePolicy::AllowContactingSource
        })
    }
}
