//! Where HyperShift itself looks for an image: the metadata lookup, whose rules changed with 4.17, and
//! the release lookup, which replaces text.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::{Era, ReleaseLookupEra, work::Work};
use crate::{
    context::View,
    objects::{
        Entry, SetKind,
        reference::{DockerReference, ReferenceError},
    },
};

/// The repositories of a release: its manifest list and its components.
pub const RELEASE_REPOSITORIES: [&str; 2] =
    ["quay.io/openshift-release-dev/ocp-release", "quay.io/openshift-release-dev/ocp-v4.0-art-dev"];

/// Part of an override that HyperShift cannot parse; it logs this and continues. The texts are its own.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OverrideError {
    /// The source, a wildcard for example.
    #[error("failed to parse source image reference \"{0}\": {1}")]
    Source(String, ReferenceError),
    /// The mirror.
    #[error("failed to parse mirror image reference \"{0}\": {1}")]
    Mirror(String, ReferenceError),
    /// The reference that the two make together.
    #[error("failed to parse composed image reference ({0} match): {1}")]
    Composed(&'static str, ReferenceError),
}

/// The image at one mirror of one source; `None` where the source does not match.
///
/// Follows `hypershift support/util/imagemetadata.go` `GetRegistryOverrides` at release-4.16 and at 4.17
/// and later.
pub fn override_of(
    era: Era,
    image: &DockerReference,
    source: &str,
    mirror: &str,
) -> Result<Option<DockerReference>, OverrideError> {
    let from = DockerReference::parse(source).map_err(|e| OverrideError::Source(source.to_owned(), e))?;
    let is_same_path = from.namespace == image.namespace && from.name == image.name;
    match era {
        // The mirror is parsed only on a match, and an error then names nothing.
        Era::Exact if is_same_path => {
            let to = DockerReference::parse(mirror);
            to.map(Some).map_err(|e| OverrideError::Mirror(String::new(), e))
        }
        Era::Exact => Ok(None),
        Era::Prefix => {
            let to = DockerReference::parse(mirror);
            let to = to.map_err(|e| OverrideError::Mirror(mirror.to_owned(), e))?;
            override_by_prefix(image, &from, &to, is_same_path)
        }
    }
}

/// Where one source and one mirror send the metadata lookup of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// Nowhere else: the source does not match the repository, or the result is no reference.
    None,
    /// To this repository.
    To(String),
}

/// Where the metadata lookup of a repository, `host/namespace/name`, is sent.
pub fn redirect(era: Era, repository: &DockerReference, source: &str, mirror: &str) -> Redirect {
    match override_of(era, repository, source, mirror) {
        // Without a registry it is a repository of the hub by accident, such as `host:5000` read as a tag.
        Ok(Some(found)) if !found.registry.is_empty() => Redirect::To(found.to_string()),
        Ok(_) | Err(_) => Redirect::None,
    }
}

/// The image at the mirror `to` if the source `from` is its registry, its namespace or its path; only the first
/// compares the host. A [`DockerReference`] is filled from its end: a registry alone is parsed as a name, and
/// `host/namespace` as a registry and a name. So is a mirror, and for a source that is a namespace, `to.namespace` is
/// lost.
fn override_by_prefix(
    image: &DockerReference,
    from: &DockerReference,
    to: &DockerReference,
    is_same_path: bool,
) -> Result<Option<DockerReference>, OverrideError> {
    let (kind, registry, namespace, name) =
        if from.namespace.is_empty() && from.registry.is_empty() && image.registry == from.name {
            ("root registry", to.to_string(), &image.namespace, image.name_string())
        } else if from.namespace.is_empty() && from.name == image.namespace {
            ("namespace", to.registry.clone(), &to.name, image.name_string())
        } else if is_same_path {
            let at_mirror = DockerReference { id: image.id.clone(), tag: image.tag.clone(), ..to.clone() };
            ("exact", to.registry.clone(), &to.namespace, at_mirror.name_string())
        } else {
            return Ok(None);
        };
    let composed = DockerReference::parse(&format!("{registry}/{namespace}/{name}"));
    composed.map(Some).map_err(|error| OverrideError::Composed(kind, error))
}

/// Sources and their mirrors as HyperShift hands them on (`--registry-overrides`,
/// `OPENSHIFT_IMG_OVERRIDES`): the entries of IDMS by name, then those of ICSP by name backwards; ITMS are
/// not read. HyperShift lists the objects of a kind from a cache, in no certain order: this is one of them. It goes
/// through the sources in random order, we in sorted order.
///
/// Follows `hypershift support/globalconfig/imagecontentsource.go` `GetAllImageRegistryMirrors`.
pub fn overrides(view: View<'_>) -> Overrides<'_> {
    let mut icsps: Vec<_> = view.sets_of(SetKind::Icsp).collect();
    icsps.reverse();
    let sets = view.sets_of(SetKind::Idms).chain(icsps);
    let mut overrides = Overrides::new();
    for entry in sets.flat_map(|set| &set.entries) {
        if let Some(mirrors) = override_mirrors(entry) {
            overrides.entry(&*entry.source).or_default().extend(mirrors);
        }
    }
    overrides
}

/// The mirrors that HyperShift reads of an entry; `None` where it skips the entry.
pub fn override_mirrors(entry: &Entry) -> Option<Vec<&str>> {
    let mirrors: Vec<_> = entry.mirrors.iter().map(|mirror| &**mirror).filter(|m| !m.is_empty()).collect();
    if entry.source.is_empty() || mirrors.is_empty() { None } else { Some(mirrors) }
}

/// Mirrors by source.
pub type Overrides<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Where a lookup tries an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookupResult {
    /// Every reference that the image may become, without the original.
    pub candidates: Vec<String>,
    /// The overrides that are skipped with an error.
    pub errors: Vec<String>,
    /// The sources on which the control plane operator crashes: at random, or always if there is no other.
    pub crashes_on: Vec<String>,
}

/// Whether the control plane operator crashes on a source. Up to 4.16 it ignores that it could not parse the source, a
/// wildcard for example, and reads from the reference that it did not get.
///
/// Follows `hypershift support/util/imagemetadata.go` at release-4.16.
pub fn crashes_on(era: Era, source: &str) -> bool {
    era == Era::Exact && DockerReference::parse(source).is_err()
}

/// Where the metadata lookup (labels, digests, the control plane operator's image) tries an image. In the
/// exact era a candidate is the mirror alone: the digest is added afterwards, a tag never.
pub fn metadata_lookup(
    era: Era,
    overrides: &Overrides<'_>,
    image: &str,
) -> Result<LookupResult, ReferenceError> {
    let image = DockerReference::parse(image)?;
    let mut result = LookupResult::default();
    for (source, mirrors) in overrides {
        if crashes_on(era, source) {
            result.crashes_on.push((*source).to_owned());
            continue;
        }
        for mirror in mirrors {
            match override_of(era, &image, source, mirror) {
                // Whether a source matches does not depend on the mirror.
                Ok(None) => break,
                Ok(Some(found)) => {
                    push_new(&mut result.candidates, found.to_string());
                    if era == Era::Exact {
                        // Only the first mirror that can be parsed is ever tried.
                        break;
                    }
                }
                Err(error) => result.errors.push(error.to_string()),
            }
        }
    }
    // A source that cannot be parsed is the same error for each of its mirrors.
    result.errors.dedup();
    Ok(result)
}

fn push_new(candidates: &mut Vec<String>, candidate: String) {
    if !candidates.contains(&candidate) {
        candidates.push(candidate);
    }
}

/// Where the release lookup tries a release image in an era: each source that is found anywhere in the image has its
/// first occurrence replaced by each of its mirrors in turn. In the chained era, each replacement starts from the
/// result of the one before it, also of an earlier source, and the last result is tried in the end instead of the image
/// itself.
///
/// Follows `hypershift support/releaseinfo/registry_image_content_policies.go` `Lookup`, at release-4.16 for the
/// chained era.
pub fn release_lookup(era: ReleaseLookupEra, overrides: &Overrides<'_>, image: &str) -> Vec<String> {
    match era {
        ReleaseLookupEra::Chained => replace_in_turn(&mut Work::of(MAX_WORK), overrides, image),
        ReleaseLookupEra::Separate => replace_each(overrides, image),
    }
}

/// The image with one source replaced by one mirror, for each mirror of each source.
fn replace_each(overrides: &Overrides<'_>, image: &str) -> Vec<String> {
    let mut candidates = Vec::new();
    for (source, mirrors) in overrides.iter().filter(|(source, _)| image.contains(**source)) {
        for candidate in mirrors.iter().map(|mirror| image.replacen(source, mirror, 1)) {
            if candidate != image {
                push_new(&mut candidates, candidate);
            }
        }
    }
    candidates
}

/// More texts than this are not returned: sources that occur in each other's mirrors would make ever more of them.
const MAX_TEXTS: usize = 64;
/// Bytes of work, after which no further order is followed. Each text takes as many as all sources together have to be
/// looked for in it.
const MAX_WORK: usize = 16 << 20;

/// Every text that replacing by one mirror after another may lead to, whichever source comes first: HyperShift goes
/// through the sources in the order of a Go map. Where these are too many, some of them: the order decides in any case.
fn replace_in_turn(work: &mut Work, overrides: &Overrides<'_>, image: &str) -> Vec<String> {
    let sources: Vec<_> = overrides.iter().collect();
    let all: Vec<usize> = (0..sources.len()).collect();
    let mut candidates = Vec::new();
    let mut seen = BTreeSet::new();
    let mut waiting = vec![(image.to_owned(), all)];
    while let Some((text, left)) = waiting.pop() {
        if !work.spend(text.len() * left.len()) {
            break;
        }
        for at in left.iter().filter(|at| text.contains(*sources[**at].0)) {
            let Some(replaced) = replace_by_each(work, &text, sources[*at], image, &mut candidates) else {
                return candidates;
            };
            let rest: Vec<_> = left.iter().copied().filter(|other| other != at).collect();
            if !work.spend(replaced.len() + size_of_val(&*rest)) {
                return candidates;
            }
            let state = (replaced, rest);
            // A source that changes nothing leads nowhere else.
            if state.0 != text && seen.insert(state.clone()) {
                waiting.push(state);
            }
        }
    }
    candidates
}

/// The text after the turn of one source; each text on the way that is not the image itself is a candidate. `None` if
/// that is too much work, or if there are enough candidates.
fn replace_by_each(
    work: &mut Work,
    text: &str,
    (source, mirrors): (&&str, &Vec<&str>),
    image: &str,
    candidates: &mut Vec<String>,
) -> Option<String> {
    let mut replaced = text.to_owned();
    for mirror in mirrors {
        if candidates.len() >= MAX_TEXTS || !work.spend(replaced.len() + mirror.len()) {
            return None;
        }
        replaced = replaced.replacen(source, mirror, 1);
        if replaced != image {
            push_new(candidates, replaced.clone());
        }
    }
    Some(replaced)
}

#[cfg(test)]
mod tests;
