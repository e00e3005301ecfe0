//! Why a pull of one image goes where it goes: which entries decide, what they hide, what a node tries in
//! order, where that ends, and where HyperShift's own look-ups go instead.

mod covering;
mod lookup;
mod question;
#[cfg(test)]
mod tests;

pub use covering::{Covering, Part};
pub use lookup::{Candidate, Difference, LookUp, LookUpKind, SourceReading, look_ups};
pub use question::{Question, QuestionError};

use covering::{covering, never_contact};

use crate::{
    context::{EntryRef, View},
    hypershift,
    node::{self, PolicyRefusal, RegistriesConf, Registry},
    objects::{
        reference::{Image, ReferenceError},
        scope::is_nested,
    },
};

/// Where a pull of an image goes.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// What the nodes do: one pull, or, where the image names no registry, one for each search registry,
    /// tried in this order.
    pub pulls: Vec<NodePull<'a>>,
    /// What HyperShift does: the release look-up, then the metadata look-up in each era.
    pub look_ups: [LookUp<'a>; 3],
}

/// A pull on a node.
#[derive(Debug)]
pub struct NodePull<'a> {
    /// What is pulled.
    pub image: Image,
    /// What registries.conf says about it; `None`: nothing.
    pub decided_by: Option<Decision<'a>>,
    /// Every entry whose source covers the image, those that decide first.
    pub covering: Vec<Covering<'a>>,
    /// What is tried, in order. An error means that nothing is: a mirror makes a reference that cannot be
    /// read.
    pub attempts: Result<Vec<Attempt<'a>>, ReferenceError>,
    /// What blocks the source; empty where it is tried last.
    pub blockers: Vec<Blocker<'a>>,
    /// Why the image may not be run although it could be pulled.
    pub refusal: Option<PolicyRefusal<'a>>,
}

/// The part of registries.conf that decides.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    /// Its scope.
    pub scope: &'a str,
    /// The source above it whose mirrors it was given, where it has none of its own.
    pub mirrors_from: Option<&'a str>,
}

/// One place that is tried.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The reference.
    pub reference: String,
    /// It is the source itself.
    pub is_source: bool,
    /// Reached without TLS verification.
    pub insecure: bool,
    /// The scope of registries.conf that blocks this place, so that trying it fails at once.
    pub blocked_by: Option<&'a str>,
}

/// Why a source is blocked.
#[derive(Debug, Clone, Copy)]
pub enum Blocker<'a> {
    /// `NeverContactSource` on this entry.
    Entry(EntryRef<'a>),
    /// This scope of the image configuration's `blockedRegistries`.
    ImageConfig(&'a str),
}

/// Explains a pull by what the mirror sets and the image configuration say; `conf` is what the nodes get
/// from them. An error: HyperShift cannot read the image.
pub fn explain<'a>(
    view: View<'a>,
    conf: &RegistriesConf<'a>,
    question: &Question,
) -> Result<Explanation<'a>, ReferenceError> {
    let pulls: Vec<_> = question.images.iter().map(|image| pull(view, conf, image)).collect();
    let attempts = || pulls.iter().flat_map(|pull| pull.attempts.iter().flatten());
    let look_ups = look_ups(view, &hypershift::overrides(view), question, attempts)?;
    Ok(Explanation { pulls, look_ups })
}

fn pull<'a>(view: View<'a>, conf: &RegistriesConf<'a>, image: &Image) -> NodePull<'a> {
    let pulled = node::pull(conf, image);
    let decided_by = pulled.registry.map(|registry| {
        let mirrors_from = node::Rendering::new(view).heir_of(registry.scope);
        Decision { scope: registry.scope, mirrors_from }
    });
    let mirrors = pulled.mirrors.iter().map(|mirror| (mirror.insecure, false));
    let source = std::iter::once((pulled.registry.is_some_and(|registry| registry.insecure), true));
    let attempts = pulled.tries.map(|tries| {
        let flags = mirrors.chain(source);
        let attempt = |(reference, (insecure, is_source)): (String, (bool, bool))| {
            let blocked_by = (!is_source).then(|| blocked_by(conf, &reference)).flatten();
            Attempt { reference, is_source, insecure, blocked_by }
        };
        tries.into_iter().zip(flags).map(attempt).collect()
    });
    NodePull {
        covering: covering(view, image, decided_by),
        attempts,
        blockers: pulled.registry.map(|registry| blockers(view, registry)).unwrap_or_default(),
        refusal: node::Policy::new(view).refuses(image),
        decided_by,
        image: image.clone(),
    }
}

/// Follows `containers/image docker/docker_client.go` `newDockerClient`, which asks registries.conf about
/// every place it goes to, mirrors too.
fn blocked_by<'a>(conf: &RegistriesConf<'a>, reference: &str) -> Option<&'a str> {
    let image = Image::parse_canonical(reference).ok()?;
    node::registry_of(conf, &image)
        .filter(|(registry, _)| registry.blocked)
        .map(|(registry, _)| registry.scope)
}

fn blockers<'a>(view: View<'a>, registry: &Registry<'a>) -> Vec<Blocker<'a>> {
    if !registry.blocked {
        return Vec::new();
    }
    let entries = never_contact(view, registry.scope).into_iter().map(Blocker::Entry);
    let configured = node::effective_blocked(view).into_iter();
    let configured = configured.filter(|outer| is_nested(registry.scope, outer)).map(Blocker::ImageConfig);
    entries.chain(configured).collect()
}
