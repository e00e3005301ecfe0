//! Where a pull of one image goes, and why: which entries decide, what they hide, what a node tries in order,
//! what blocks the source, and where HyperShift's own lookups go instead.

mod covering;
mod lookup;
mod question;
#[cfg(test)]
mod tests;

pub use covering::{Covering, Part};
pub use lookup::{Candidate, Divergence, ExplainedLookup, LookupKind, MatchingSource, explain_lookups};
pub use question::{Question, QuestionError};

use covering::{covering, never_contact};
use thiserror::Error;

use crate::{
    context::{EntryRef, View},
    hypershift,
    node::{self, FileRefusal, PolicyRefusal, RegistriesConf, Registry},
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
    /// What HyperShift does: the release lookup, then the metadata lookup, each in both of its eras.
    pub lookups: [ExplainedLookup<'a>; 4],
}

/// A pull on a node.
#[derive(Debug)]
pub struct NodePull<'a> {
    /// The image.
    pub image: Image,
    /// The part of registries.conf that decides; `None`: nothing matches.
    pub decided_by: Option<Decision<'a>>,
    /// Every entry whose source covers the image, those that decide first.
    pub covering: Vec<Covering<'a>>,
    /// What is tried, in order. An error means that nothing is.
    pub attempts: Result<Vec<Attempt<'a>>, PullError>,
    /// What blocks the source; empty where it is tried last.
    pub blockers: Vec<Blocker<'a>>,
    /// Why policy.json rejects the image although it could be pulled.
    pub refusal: Option<PolicyRefusal<'a>>,
}

/// Why a pull tries nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PullError {
    /// A mirror makes a reference that cannot be read.
    #[error("rewriting reference: {0}")]
    Reference(#[from] ReferenceError),
    /// Nodes cannot read registries.conf.
    #[error(transparent)]
    File(#[from] FileRefusal),
}

/// The part of registries.conf that decides.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    /// Its scope.
    pub scope: &'a str,
    /// The source above it whose mirrors it inherits, where it has none of its own.
    pub mirrors_from: Option<&'a str>,
    /// The source above it with `NeverContactSource`, which it does not inherit.
    pub opens: Option<&'a str>,
}

/// One reference that is tried.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The reference.
    pub reference: String,
    /// It is the source itself.
    pub is_source: bool,
    /// Reached without TLS verification.
    pub insecure: bool,
    /// The scope of registries.conf that blocks this mirror, so that trying it fails at once.
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
    let mut pulls: Vec<_> = question.images.iter().map(|image| explain_pull(view, conf, image)).collect();
    if let Some(refusal) = node::file_refusal(view, &node::Rendering::new(view)) {
        for pull in &mut pulls {
            pull.attempts = Err(PullError::File(refusal.clone()));
        }
    }
    // A pull whose attempts are an error adds none.
    let attempts: Vec<_> = pulls.iter().flat_map(|pull| pull.attempts.iter().flatten()).collect();
    let lookups = explain_lookups(view, &hypershift::overrides(view), question, &attempts)?;
    Ok(Explanation { pulls, lookups })
}

/// One pull, as if nodes can read registries.conf. Where they cannot, [`explain`] puts that error in place of the
/// attempts.
fn explain_pull<'a>(view: View<'a>, conf: &RegistriesConf<'a>, image: &Image) -> NodePull<'a> {
    let route = node::route_pull(conf, image);
    let rendering = node::Rendering::new(view);
    let decided_by = route.registry.map(|registry| Decision {
        scope: registry.scope,
        mirrors_from: rendering.inherits_from(registry.scope),
        opens: rendering.opens(registry.scope),
    });
    NodePull {
        covering: covering(view, image, decided_by),
        blockers: route.registry.map(|registry| blockers(view, registry)).unwrap_or_default(),
        attempts: attempts(conf, route),
        refusal: node::Policy::new(view).refuses(image),
        decided_by,
        image: image.clone(),
    }
}

/// What a route tries: first each of its mirrors, then the source, which is not there if it is blocked.
fn attempts<'a>(
    conf: &RegistriesConf<'a>,
    route: node::PullRoute<'_, '_>,
) -> Result<Vec<Attempt<'a>>, PullError> {
    let mut attempts = Vec::new();
    for (at, reference) in route.tries?.into_iter().enumerate() {
        attempts.push(match route.mirrors.get(at) {
            Some(mirror) => Attempt {
                blocked_by: blocked_by(conf, &reference),
                reference,
                is_source: false,
                insecure: mirror.insecure,
            },
            None => Attempt {
                reference,
                is_source: true,
                insecure: route.registry.is_some_and(|registry| registry.insecure),
                blocked_by: None,
            },
        });
    }
    Ok(attempts)
}

/// The scope of registries.conf that blocks a mirror.
///
/// Follows `containers/image docker/docker_client.go` `newDockerClient`, which looks every reference up in
/// registries.conf, mirrors too.
fn blocked_by<'a>(conf: &RegistriesConf<'a>, reference: &str) -> Option<&'a str> {
    let image = Image::parse_canonical(reference).ok()?;
    let (registry, _) = node::registry_of(conf, &image)?;
    registry.blocked.then_some(registry.scope)
}

/// What blocks the source: entries whose source is exactly the scope that decides, and blocked registries that cover
/// it. Narrower scopes inherit `blockedRegistries`, but not `NeverContactSource`.
fn blockers<'a>(view: View<'a>, registry: &Registry<'a>) -> Vec<Blocker<'a>> {
    if !registry.blocked {
        return Vec::new();
    }
    let mut blockers: Vec<_> = never_contact(view, registry.scope).into_iter().map(Blocker::Entry).collect();
    for scope in node::Rendering::new(view).blocked().iter().copied() {
        if is_nested(registry.scope, scope) {
            blockers.push(Blocker::ImageConfig(scope));
        }
    }
    blockers
}
