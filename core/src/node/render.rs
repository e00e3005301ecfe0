//! Renders registries.conf from the mirror sets and the image configuration.
//!
//! Follows `runtime-utils pkg/registries/registries.go` `EditRegistriesConfig`, scope by scope: what the
//! file says about one scope depends on the entries with that source and on the scopes above it, never on
//! the rest, so that a single write can be reviewed without rendering everything.

use std::{borrow::Cow, collections::BTreeSet};

use smallvec::SmallVec;
use thiserror::Error;

use super::{Lists, Mirror, RegistriesConf, Registry, merge};
use crate::{
    context::{EntryRef, View},
    objects::{
        Entry, MirrorSourcePolicy, Pull,
        scope::{Ancestor, ancestors, is_nested, is_wildcard, matching_scopes},
    },
};

/// The part of the file that a registry is in; the file is sorted by this.
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

/// A registry and its part of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<'a> {
    /// The part of the file.
    pub section: Section,
    /// What the file says about it.
    pub registry: Registry<'a>,
}

/// A wildcard source covers a blocked or insecure scope that has no mirrors of its own: the scope cannot inherit
/// the source's mirrors, and nothing is rendered. The text is the machine-config operator's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("internal error: mirrorsAdjustedForNestedScope for a wildcard scope \"{wildcard}\"")]
pub struct RenderError {
    /// The wildcard source.
    pub wildcard: String,
    /// The scope that it covers.
    pub scope: String,
    /// The part of the file that the wildcard is in.
    section: Section,
}

impl RenderError {
    /// The order in which the machine-config operator would find errors: it goes through the sources in the order of the
    /// file. Its text names only the wildcard, so the scope does not count.
    fn sort_key(&self) -> (Section, &str) {
        (self.section, &self.wildcard)
    }
}

/// What rendering reads: a view, and which of its settings count.
#[derive(Debug)]
pub struct Rendering<'a> {
    view: View<'a>,
    blocked: Vec<&'a str>,
    insecure: Vec<&'a str>,
    /// Whether the ITMSs are read.
    tags: bool,
}

impl<'a> Rendering<'a> {
    /// The whole view, with the blocked registries as the machine-config operator takes them.
    pub fn new(view: View<'a>) -> Self {
        Self::with_blocked(view, Lists::blocked_of(view))
    }

    /// The whole view, with these blocked registries.
    pub(super) fn with_blocked(view: View<'a>, blocked: Vec<&'a str>) -> Self {
        Self { blocked, tags: true, ..Self::of_digest_sets(view) }
    }

    /// The digest sets, with every blocked registry: what the machine-config operator reads to decide whether
    /// the payload's repository may be blocked.
    pub(super) fn of_digest_sets(view: View<'a>) -> Self {
        let config = view.image_config();
        Self {
            view,
            blocked: config.blocked_registries.iter().map(String::as_str).collect(),
            insecure: config.insecure_registries.iter().map(String::as_str).collect(),
            tags: false,
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
            blocked: own.never_contact || self.blocks_nested(scope),
            mirrors,
        };
        Ok(Some(Placed { section, registry }))
    }

    /// The blocked registries that reach the nodes.
    pub fn blocked(&self) -> &[&'a str] {
        &self.blocked
    }

    /// Whether what the file says about exactly this scope blocks it; `None` where the scope is not in the file.
    /// The same as in [`Rendering::registry_at`] for a rendering of the whole view, without merging mirrors.
    pub fn blocks(&self, scope: &str) -> Option<bool> {
        let mut is_in_file = self.blocked.contains(&scope) || self.insecure.contains(&scope);
        let mut never_contact = false;
        for found in self.view.effective(scope) {
            is_in_file = true;
            never_contact |= found.entry().policy() == MirrorSourcePolicy::NeverContactSource;
        }
        if !is_in_file {
            return None;
        }
        Some(never_contact || self.blocks_nested(scope))
    }

    /// The source with `NeverContactSource` that would decide for a scope if the image configuration did not list that:
    /// the scope inherits mirrors, but not the policy. `None` if anything blocks the scope, or if it is not listed or
    /// is a source itself.
    pub fn opens(&self, scope: &str) -> Option<&'a str> {
        if self.blocks(scope)? || self.source(scope).is_some() {
            return None;
        }
        let mut above = matching_scopes(scope).filter(|above| !above.is(scope)).map(Ancestor::to_scope);
        let nearest = above.find(|above| self.blocks(above).is_some())?;
        self.source(&nearest).filter(|source| self.blocks(source) == Some(true))
    }

    /// The scopes that the image configuration blocks or makes insecure, in the order of the file.
    pub fn listed(&self) -> Vec<&'a str> {
        self.blocked.iter().chain(&self.insecure).copied().collect()
    }

    /// The text of this source as long as the view lives; `None` where the file does not have the source.
    pub(super) fn source(&self, text: &str) -> Option<&'a str> {
        let counts = |found: &EntryRef<'a>| {
            found.entry().is_effective() && (self.tags || found.set.kind.pull() == Pull::Digest)
        };
        self.view.entries(text).find(counts).map(|found| &*found.entry().source)
    }

    /// Whether the file can be rendered: only a scope without mirrors of its own can stop it.
    pub fn check(&self) -> Result<(), RenderError> {
        let errors = self.unmirrored_scopes().into_iter().filter_map(|scope| self.registry_at(scope).err());
        match errors.min_by(|one, other| one.sort_key().cmp(&other.sort_key())) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// The scopes that are in the file only because they are blocked or insecure.
    pub fn unmirrored_scopes(&self) -> Vec<&'a str> {
        let mut seen = BTreeSet::new();
        let mut scopes = self.listed();
        scopes.retain(|scope| seen.insert(*scope) && self.source(scope).is_none());
        scopes
    }

    /// The whole file.
    pub fn file(&self) -> Result<RegistriesConf<'a>, RenderError> {
        self.check()?;
        let mut placed = Vec::new();
        for scope in self.view.sources().into_iter().chain(self.unmirrored_scopes()) {
            placed.extend(self.registry_at(scope)?);
        }
        // A stable sort: the sources of a section stay sorted, and listed scopes in their order.
        placed.sort_by_key(|placed| placed.section);
        Ok(RegistriesConf { registries: placed.into_iter().map(|placed| placed.registry).collect() })
    }

    /// What the entries with exactly this source say.
    fn own<'s>(&self, source: &'s str) -> Own<'s>
    where
        'a: 's,
    {
        let mut own = Own::default();
        let (mut digest, mut tag): (MirrorLists<'_>, MirrorLists<'_>) = Default::default();
        for found in self.view.entries(source) {
            let entry: &'a Entry = found.entry();
            let pull = found.set.kind.pull();
            if !entry.is_effective() || (pull == Pull::Tag && !self.tags) {
                continue;
            }
            own.never_contact |= entry.policy() == MirrorSourcePolicy::NeverContactSource;
            match pull {
                Pull::Digest => digest.push(&*entry.mirrors),
                Pull::Tag => tag.push(&*entry.mirrors),
            }
        }
        own.section = match (digest.is_empty(), tag.is_empty()) {
            (false, _) => Some(Section::Digest),
            (true, false) => Some(Section::Tag),
            (true, true) => None,
        };
        own.mirrors = self.mirrors(source, &digest, Pull::Digest);
        own.mirrors.extend(self.mirrors(source, &tag, Pull::Tag));
        own
    }

    /// The mirrors that lists for one kind of pull give a source.
    fn mirrors<'s>(&self, source: &'s str, lists: &MirrorLists<'s>, pull: Pull) -> Vec<Mirror<'s>> {
        if lists.is_empty() {
            return Vec::new();
        }
        let merged = merge(source, lists).mirrors.into_iter();
        merged
            .map(|location| Mirror {
                location: Cow::Borrowed(location),
                insecure: self.is_insecure(location),
                pull,
            })
            .collect()
    }

    /// Whether the image configuration blocks this scope or one that covers it.
    fn blocks_nested(&self, scope: &str) -> bool {
        self.blocked.iter().any(|outer| is_nested(scope, outer))
    }

    /// Whether the image configuration makes this scope or mirror insecure, or one that covers it.
    fn is_insecure(&self, scope: &str) -> bool {
        self.insecure.iter().any(|outer| is_nested(scope, outer))
    }

    /// The source above a scope of the file whose mirrors the scope inherits; `None` where it has mirrors of its own,
    /// or nothing is above it.
    pub fn inherits_from(&self, scope: &str) -> Option<&'a str> {
        if self.own(scope).section.is_some() {
            return None;
        }
        self.above(scope).map(|(_, source, _)| source)
    }

    /// The source above a scope without mirrors, from which it inherits them. Upstream goes through the sources in the
    /// order of the file and takes the first that covers the scope: one with digest mirrors before one without, and of
    /// parents by path the widest, not the nearest.
    fn above(&self, scope: &str) -> Option<(Section, &'a str, Vec<Mirror<'a>>)> {
        let above = ancestors(scope).filter_map(|ancestor| {
            // Any entry has the text of the source; `own` tells whether one of them counts.
            let source: &'a str = &self.view.entries(&ancestor.to_scope()).next()?.entry().source;
            let own = self.own(source);
            own.section.map(|section| (section, source, own.mirrors))
        });
        above.min_by_key(|(section, source, _)| (*section, *source))
    }

    /// The mirrors that a scope without mirrors inherits from the source above it, each with the rest of the path.
    fn inherited(&self, scope: &str) -> Result<Vec<Mirror<'a>>, RenderError> {
        let Some((section, source, mut mirrors)) = self.above(scope) else { return Ok(Vec::new()) };
        if is_wildcard(source) {
            return Err(RenderError { wildcard: source.to_owned(), scope: scope.to_owned(), section });
        }
        let below = &scope[source.len()..];
        for mirror in &mut mirrors {
            mirror.location = Cow::Owned(format!("{}{below}", mirror.location));
        }
        Ok(mirrors)
    }
}

/// Mirror lists of one source; hardly ever more than two.
type MirrorLists<'a> = SmallVec<[&'a [Box<str>]; 2]>;

/// What the entries of one source alone say.
#[derive(Default)]
struct Own<'a> {
    /// `None` if no entry counts, so that the scope is in the file only where the image configuration lists it.
    section: Option<Section>,
    mirrors: Vec<Mirror<'a>>,
    never_contact: bool,
}

/// The file that the nodes get, or why they get none.
pub fn render(view: View<'_>) -> Result<RegistriesConf<'_>, RenderError> {
    Rendering::new(view).file()
}
