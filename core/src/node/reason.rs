//! How two states of the nodes' files differ, in words.

use std::{borrow::Cow, fmt};

use super::{Impact, Mirror, NodeFile};
use crate::objects::Pull;

/// One difference between two states of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason<'a> {
    /// The file.
    pub file: NodeFile,
    /// Scope of the registry; empty for a difference that is not about one.
    pub registry: &'a str,
    /// What is different.
    pub what: RegistryChange<'a>,
    /// What this difference alone costs.
    pub impact: Impact,
}

impl Reason<'_> {
    /// What it is about: the registry, or the path of the file.
    pub fn subject(&self) -> &str {
        if self.registry.is_empty() { self.file.path() } else { self.registry }
    }
}

/// What can be different about a registry, or about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryChange<'a> {
    /// It is removed.
    Removed,
    /// It is new, with digest mirrors only.
    Added,
    /// It is new, and this mirror serves tag pulls.
    AddedWith(Mirror<'a>),
    /// It is new and has no mirror.
    AddedBare,
    /// `blocked` or `insecure` becomes this.
    Flag(&'static str, bool),
    /// The last mirror at this location is removed.
    MirrorRemoved(Cow<'a, str>),
    /// A mirror is removed, and one for the other pulls stays at its location.
    MirrorWithdrawn(Mirror<'a>),
    /// A mirror is new.
    MirrorAdded(Mirror<'a>),
    /// A mirror serves other pulls than before, which were these.
    MirrorServes(Mirror<'a>, Pull),
    /// A mirror stays, but the machine-config operator compares it with the mirror for the other pulls at its
    /// location.
    MirrorMistaken(Mirror<'a>),
    /// The order or the flags of the mirrors change.
    OrderOrFlags,
    /// The machine-config operator begins to write the file, or stops and leaves the text of the template.
    Written(bool),
    /// policy.json accepts the scope by its own name (`true`), rejects it (`false`), or no longer has it.
    Policy(Option<bool>),
    /// Whether policy.json rejects images of other scopes.
    RejectsOthers(bool),
    /// The search registries become these; empty for those of the template.
    Search(&'a [String]),
}

impl fmt::Display for RegistryChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed => f.write_str("registry removed"),
            Self::Added => f.write_str("registry added"),
            Self::AddedWith(Mirror { location, pull, .. }) => {
                write!(f, "registry added with {} mirror {location}", pull.pull_from_mirror())
            }
            Self::AddedBare => f.write_str("registry added without a mirror"),
            Self::Flag(name, is) => write!(f, "{name} changes from {} to {is}", !is),
            Self::MirrorRemoved(location) => write!(f, "mirror removed: {location}"),
            Self::MirrorWithdrawn(Mirror { location, pull, .. }) => {
                write!(f, "{} mirror removed: {location}", pull.pull_from_mirror())
            }
            Self::MirrorMistaken(Mirror { location, pull, .. }) => write!(
                f,
                "{} mirror {location} is unchanged, but counts as new: the machine-config operator compares it with \
                 the first mirror at that location",
                pull.pull_from_mirror()
            ),
            Self::MirrorAdded(Mirror { location, pull, .. }) => {
                write!(f, "{} mirror added: {location}", pull.pull_from_mirror())
            }
            Self::MirrorServes(Mirror { location, pull, .. }, was) => {
                let (was, is) = (was.pull_from_mirror(), pull.pull_from_mirror());
                write!(f, "mirror {location} changes from {was} to {is}")
            }
            Self::OrderOrFlags => f.write_str("the order or the flags of the mirrors change"),
            Self::Written(true) => {
                f.write_str("the machine-config operator writes the file for the first time")
            }
            Self::Written(false) => f.write_str("the file of the template is restored"),
            Self::Policy(Some(true)) => f.write_str("policy.json accepts it by name"),
            Self::Policy(Some(false)) => f.write_str("policy.json rejects it"),
            Self::Policy(None) => f.write_str("policy.json no longer lists it"),
            Self::RejectsOthers(true) => {
                f.write_str("images from registries that are not listed are rejected")
            }
            Self::RejectsOthers(false) => {
                f.write_str("images from registries that are not listed are accepted")
            }
            Self::Search([]) => f.write_str("the default search registries are restored"),
            Self::Search(registries) => {
                write!(f, "the search registries change to {}", registries.join(", "))
            }
        }
    }
}
