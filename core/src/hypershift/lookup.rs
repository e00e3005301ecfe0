//! Where HyperShift itself looks for an image: the metadata look-up, whose rules changed with 4.17, and
//! the release look-up, which replaces text.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{Release, Releases};
use crate::{
    context::View,
    objects::{
        SetKind,
        reference::{DockerReference, ReferenceError},
    },
};

/// The repositories of a release: its manifest list and its components.
pub const RELEASE_REPOSITORIES: [&str; 2] =
    ["quay.io/openshift-release-dev/ocp-release", "quay.io/openshift-release-dev/ocp-v4.0-art-dev"];

/// Which rules the metadata look-up follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// 4.14 to 4.16: namespace and name must equal the source's.
    Exact,
    /// 4.17 and later: a registry, then a namespace, then both.
    Prefix,
}

impl Era {
    /// The eras that the releases are in.
    pub fn of(releases: &Releases) -> Vec<Self> {
        let second = Some(Release::SECOND_ERA);
        let eras = [(Self::Exact, None, second), (Self::Prefix, second, None)];
        eras.into_iter().filter(|(_, from, end)| releases.meet(*from, *end)).map(|(era, ..)| era).collect()
    }
}

/// Part of an override that HyperShift cannot parse; it logs this and goes on. The texts are its own.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LookupError {
    /// The source, a wildcard for example.
    #[error("failed to parse source image reference \"{0}\": {1}")]
    Source(String, ReferenceError),
    /// The mirror.
    #[error("failed to parse mirror image reference \"{0}\": {1}")]
    Mirror(String, ReferenceError),
    /// What the two make together.
    #[error("failed to parse composed image reference ({0} match): {1}")]
    Composed(&'static str, ReferenceError),
}

/// What one source and one mirror make of an image; `None` where the source does not match.
///
/// Follows `hypershift support/util/imagemetadata.go` `GetRegistryOverrides` at release-4.16 and at 4.17
/// and later.
pub fn override_of(
    era: Era,
    image: &DockerReference,
    source: &str,
    mirror: &str,
) -> Result<Option<DockerReference>, LookupError> {
    let from = DockerReference::parse(source).map_err(|e| LookupError::Source(source.to_owned(), e))?;
    let to = || DockerReference::parse(mirror);
    let equal = from.namespace == image.namespace && from.name == image.name;
    match era {
        // The mirror is parsed only on a match, and a failure then names nothing.
        Era::Exact if equal => to().map(Some).map_err(|e| LookupError::Mirror(String::new(), e)),
        Era::Exact => Ok(None),
        Era::Prefix => {
            let to = to().map_err(|e| LookupError::Mirror(mirror.to_owned(), e))?;
            by_prefix(image, &from, &to, equal)
        }
    }
}

/// Where the metadata look-up asks for a repository because of one source and one mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// At the repository itself: the source does not match it, or what comes out is no reference.
    Original,
    /// At this repository.
    At(String),
}

/// Where the metadata look-up asks for a repository, `host/namespace/name`.
pub fn look(era: Era, repository: &DockerReference, source: &str, mirror: &str) -> Look {
    match override_of(era, repository, source, mirror) {
        // Without a registry it is a repository of the hub by accident, such as `host:5000` read as a tag.
        Ok(Some(found)) if !found.registry.is_empty() => Look::At(found.to_string()),
        Ok(_) | Err(_) => Look::Original,
    }
}

fn by_prefix(
    image: &DockerReference,
    from: &DockerReference,
    to: &DockerReference,
    equal: bool,
) -> Result<Option<DockerReference>, LookupError> {
    let (kind, registry, namespace, name) =
        if from.namespace.is_empty() && from.registry.is_empty() && image.registry == from.name {
            ("root registry", to.to_string(), &image.namespace, image.name_string())
        } else if from.namespace.is_empty() && from.name == image.namespace {
            ("namespace", to.registry.clone(), &to.name, image.name_string())
        } else if equal {
            let name = DockerReference { id: image.id.clone(), tag: image.tag.clone(), ..to.clone() };
            ("exact", to.registry.clone(), &to.namespace, name.name_string())
        } else {
            return Ok(None);
        };
    let composed = DockerReference::parse(&format!("{registry}/{namespace}/{name}"));
    composed.map(Some).map_err(|error| LookupError::Composed(kind, error))
}

/// Sources and their mirrors as HyperShift hands them on (`--registry-overrides`,
/// `OPENSHIFT_IMG_OVERRIDES`): the entries of IDMS by name, then those of ICSP by name backwards; ITMS are
/// not read. HyperShift goes through the sources in random order, we in sorted order.
///
/// Follows `hypershift support/globalconfig/imagecontentsource.go` `GetAllImageRegistryMirrors`.
pub fn overrides(view: View<'_>) -> Overrides<'_> {
    let mut icsps: Vec<_> = view.sets_of(SetKind::Icsp).collect();
    icsps.reverse();
    let sets = view.sets_of(SetKind::Idms).chain(icsps);
    let mut overrides = Overrides::new();
    for entry in sets.flat_map(|set| &set.entries).filter(|entry| !entry.source.is_empty()) {
        let mirrors = entry.mirrors.iter().map(|mirror| &**mirror).filter(|mirror| !mirror.is_empty());
        let mut mirrors = mirrors.peekable();
        if mirrors.peek().is_some() {
            overrides.entry(&*entry.source).or_default().extend(mirrors);
        }
    }
    overrides
}

/// Mirrors by source.
pub type Overrides<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// What an image may become.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookup {
    /// Every reference it may become, the original left out.
    pub candidates: Vec<String>,
    /// What was skipped with an error.
    pub errors: Vec<String>,
}

/// What the metadata look-up (labels, digests, the control plane operator's image) makes of an image. In the
/// exact era that is the mirror alone: the digest is added afterwards, a tag never.
pub fn metadata_lookup(era: Era, overrides: &Overrides<'_>, image: &str) -> Result<Lookup, ReferenceError> {
    let image = DockerReference::parse(image)?;
    let mut lookup = Lookup::default();
    for (source, mirrors) in overrides {
        for mirror in mirrors {
            let result = override_of(era, &image, source, mirror);
            match result {
                Ok(None) => break,
                Ok(Some(found)) => {
                    let candidate = found.to_string();
                    if !lookup.candidates.contains(&candidate) {
                        lookup.candidates.push(candidate);
                    }
                }
                Err(error) => {
                    lookup.errors.push(error.to_string());
                    continue;
                }
            }
            if era == Era::Exact {
                // Only the first mirror that can be parsed is ever asked.
                break;
            }
        }
    }
    lookup.errors.dedup();
    Ok(lookup)
}

/// What the release look-up makes of a release image: the first occurrence of every source that is found
/// anywhere in it, replaced by each of its mirrors in turn.
///
/// Follows `hypershift support/releaseinfo/registry_image_content_policies.go` `Lookup` at 4.18 and later;
/// before, each mirror was applied to the result of the one before it, so that only the first counted.
pub fn release_lookup(overrides: &Overrides<'_>, image: &str) -> Vec<String> {
    let mut candidates = Vec::new();
    for (source, mirrors) in overrides.iter().filter(|(source, _)| image.contains(**source)) {
        for candidate in mirrors.iter().map(|mirror| image.replacen(source, mirror, 1)) {
            if candidate != image && !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
    }
    candidates
}
