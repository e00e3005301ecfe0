//! The mirror sets and the image configuration become registries.conf.
//!
//! Follows `runtime-utils pkg/registries/registries.go` `EditRegistriesConfig`, scope by scope: what the
//! file says about one scope depends on the entries with that source and on the scopes above it, never on
//! the rest, so that a single write can be judged without rendering everything.

use std::{borrow::Cow, collections::BTreeSet};

use smallvec::SmallVec;
use thiserror::Error;

use super::{Merged, Mirror, PullFromMirror, RegistriesConf, Registry, merge};
use crate::{
    context::View,
    objects::{
        Entry, MirrorSourcePolicy,
        scope::{ancestors, is_nested, is_wildcard},
    },
};

/// Where in the file a registry stands; the file is sorted by this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// The source of an ICSP or IDMS; sorted by source.
    Digest,
    /// The source of an ITMS only; sorted by source.
    Tag,
    /// Only in the blocked registries; in their order.
    Blocked,
    /// Only in the insecure registries; in their order.
    Insecure,
}

/// A registry and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<'a> {
    /// Where in the file it stands.
    pub section: Section,
    /// What the file says about it.
    pub registry: Registry<'a>,
}

/// A wildcard source lies over a blocked or insecure scope that has no mirrors of its own: its mirrors
/// cannot be handed down, and nothing is rendered. The text is the machine-config operator's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("internal error: mirrorsAdjustedForNestedScope for a wildcard scope \"{wildcard}\"")]
pub struct RenderError {
    /// The wildcard source.
    pub wildcard: String,
    /// The scope below it.
    pub scope: String,
    section: Section,
}

/// What rendering reads: a view, and which of its settings count.
#[derive(Debug)]
pub struct Rendering<'a> {
    view: View<'a>,
    blocked: Vec<&'a str>,
    insecure: Vec<&'a str>,
    tags: bool,
}

impl<'a> Rendering<'a> {
    /// The digest sets and the blocked registries as they stand, which is what the machine-config
    /// operator asks when it decides whether the payload's repository may be blocked.
    pub(super) fn of_digest_sets(view: View<'a>) -> Self {
        Self::with(view, false)
    }

    /// Everything that is seen, with these blocked registries.
    pub(super) fn blocking(view: View<'a>, blocked: Vec<&'a str>) -> Self {
        Self { blocked, ..Self::with(view, true) }
    }

    /// All blocked registries as they stand, with or without the tag sets.
    fn with(view: View<'a>, tags: bool) -> Self {
        let texts = |list: &'a [String]| list.iter().map(String::as_str).collect();
        let config = view.image_config();
        Self {
            view,
            blocked: texts(&config.blocked_registries),
            insecure: texts(&config.insecure_registries),
            tags,
        }
    }

    /// What the file says about a scope; `None` where the scope is not in the file.
    pub fn registry_at<'s>(&self, scope: &'s str) -> Result<Option<Placed<'s>>, RenderError>
    where
        'a: 's,
    {
        let own = self.own(scope);
        let (section, mirrors) = match own.section {
            Some(section) => (section, own.mirrors),
            None if self.blocked.contains(&scope) => (Section::Blocked, self.inherited(scope)?),
            None if self.insecure.contains(&scope) => (Section::Insecure, self.inherited(scope)?),
            None => return Ok(None),
        };
        let registry = Registry {
            scope,
            insecure: self.is_insecure(scope),
            blocked: own.never_contact || self.blocked.iter().any(|outer| is_nested(scope, outer)),
            mirrors,
        };
        Ok(Some(Placed { section, registry }))
    }

    /// The blocked registries that reach the nodes.
    pub fn blocked(&self) -> &[&'a str] {
        &self.blocked
    }

    /// Whether what the file says about exactly this scope blocks it; `None` where the scope is not in the file.
    pub fn blocks(&self, scope: &str) -> Option<bool> {
        let mut listed = self.blocked.contains(&scope) || self.insecure.contains(&scope);
        let mut never_contact = false;
        for found in self.view.entries(scope).filter(|found| found.entry().is_effective()) {
            listed = true;
            never_contact |= found.entry().policy() == MirrorSourcePolicy::NeverContactSource;
        }
        listed.then(|| never_contact || self.blocked.iter().any(|outer| is_nested(scope, outer)))
    }

    /// The scopes that are in the file only because they are blocked or insecure.
    pub fn unmirrored_scopes(&self) -> Vec<&'a str> {
        let mut seen = BTreeSet::new();
        let scopes = self.blocked.iter().chain(&self.insecure).copied();
        scopes.filter(|scope| seen.insert(*scope) && self.own(scope).section.is_none()).collect()
    }

    /// The whole file.
    pub fn file(&self) -> Result<RegistriesConf<'a>, RenderError> {
        let mut failed: Option<RenderError> = None;
        let mut placed = Vec::new();
        for scope in self.view.sources().into_iter().chain(self.unmirrored_scopes()) {
            match self.registry_at(scope) {
                Ok(registry) => placed.extend(registry),
                Err(error) => {
                    let key = |e: &RenderError| (e.section, e.wildcard.clone());
                    if failed.as_ref().is_none_or(|first| key(&error) < key(first)) {
                        failed = Some(error);
                    }
                }
            }
        }
        placed.sort_by_key(|placed| placed.section);
        let registries = placed.into_iter().map(|placed| placed.registry).collect();
        failed.map_or(Ok(RegistriesConf { registries }), Err)
    }

    fn own<'s>(&self, source: &'s str) -> Own<'s>
    where
        'a: 's,
    {
        let mut own = Own::default();
        let (mut digest, mut tag): (Lists<'_>, Lists<'_>) = Default::default();
        for found in self.view.entries(source) {
            let entry: &'a Entry = found.entry();
            let is_digest = found.set.kind.is_digest();
            if !entry.is_effective() || !(is_digest || self.tags) {
                continue;
            }
            own.never_contact |= entry.policy() == MirrorSourcePolicy::NeverContactSource;
            if is_digest { &mut digest } else { &mut tag }.push(&*entry.mirrors);
        }
        own.section = match (digest.is_empty(), tag.is_empty()) {
            (false, _) => Some(Section::Digest),
            (true, false) => Some(Section::Tag),
            (true, true) => return own,
        };
        for (lists, pull) in [(&digest, PullFromMirror::DigestOnly), (&tag, PullFromMirror::TagOnly)] {
            if !lists.is_empty() {
                own.mirrors.extend(self.mirrors(merge(source, lists), pull));
            }
        }
        own
    }

    fn mirrors<'s>(&self, merged: Merged<'s>, pull: PullFromMirror) -> impl Iterator<Item = Mirror<'s>> {
        merged.mirrors.into_iter().map(move |location| Mirror {
            location: Cow::Borrowed(location),
            insecure: self.is_insecure(location),
            pull,
        })
    }

    fn is_insecure(&self, scope: &str) -> bool {
        self.insecure.iter().any(|outer| is_nested(scope, outer))
    }

    /// The source above a scope whose mirrors it gets, where it has none of its own.
    pub fn heir_of(&self, scope: &str) -> Option<&'a str> {
        if self.own(scope).section.is_some() {
            return None;
        }
        self.above(scope).map(|(_, source, _)| source)
    }

    /// The source above a scope that hands its mirrors down. Upstream goes through the sources in the order
    /// of the file and takes the first that covers the scope, which is the widest, not the nearest.
    fn above(&self, scope: &str) -> Option<(Section, &'a str, Vec<Mirror<'a>>)> {
        let above = ancestors(scope).filter_map(|ancestor| {
            let source: &'a str = &self.view.entries(&ancestor.to_scope()).next()?.entry().source;
            let own = self.own(source);
            own.section.map(|section| (section, source, own.mirrors))
        });
        above.min_by_key(|(section, source, _)| (*section, *source))
    }

    /// Mirrors of the scope above, for one that has none.
    fn inherited(&self, scope: &str) -> Result<Vec<Mirror<'a>>, RenderError> {
        let Some((section, source, mirrors)) = self.above(scope) else { return Ok(Vec::new()) };
        if is_wildcard(source) {
            return Err(RenderError { wildcard: source.to_owned(), scope: scope.to_owned(), section });
        }
        let below = &scope[source.len()..];
        let adjust = |m: Mirror<'a>| Mirror { location: Cow::Owned(format!("{}{below}", m.location)), ..m };
        Ok(mirrors.into_iter().map(adjust).collect())
    }
}

/// Mirror lists of one source; hardly ever more than two.
type Lists<'a> = SmallVec<[&'a [Box<str>]; 2]>;

/// What the entries of one source alone say.
#[derive(Default)]
struct Own<'a> {
    section: Option<Section>,
    mirrors: Vec<Mirror<'a>>,
    never_contact: bool,
}

/// The file the nodes will get from what is seen, or why they would get none.
pub fn render(view: View<'_>) -> Result<RegistriesConf<'_>, RenderError> {
    Rendering::new(view).file()
}
