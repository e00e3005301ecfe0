//! When containers/image rejects registries.conf as a whole, so that every pull of a node fails.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{Registry, Rendering, Section};
use crate::objects::grammar::is_valid_mirror;

/// Why the whole file is rejected. The texts are those in the log of the node.
///
/// Follows `containers/image pkg/sysregistriesv2/system_registries_v2.go` `postProcessRegistries` and `parseLocation`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileRefusal {
    /// A scope or mirror with a scheme.
    #[error("invalid location '{0}': URI schemes are not supported")]
    Scheme(String),
    /// A scope of slashes only.
    #[error("invalid condition: both location and prefix are unset")]
    Empty(String),
    /// Two scopes that differ only in slashes at their end, and in `insecure` or `blocked`.
    #[error("registry '{location}' is defined multiple times with conflicting '{flag}' setting")]
    Flag {
        /// The scope with the slashes.
        scope: String,
        /// The scope without them.
        location: String,
        /// `insecure` or `blocked`.
        flag: &'static str,
    },
    /// A search registry that is no `host[:port]`.
    #[error("Invalid unqualified-search-registries entry \"{0}\"")]
    Search(String),
}

/// Whether nodes can read registries.conf. The drop-in file is checked by [`check_search_registries`].
///
/// Only the scopes that the image configuration lists are looked at: sources and mirrors that the machine-config
/// operator accepts are accepted here too, except up to 4.15, where [`check_locations`] looks at them.
pub fn check_file(rendering: &Rendering<'_>) -> Result<(), FileRefusal> {
    // The scopes with slashes so far, and the first scope in the list, by the scope without them.
    let (mut known, mut first) = (BTreeMap::<&str, Flags>::new(), BTreeMap::<&str, usize>::new());
    let mut refusals = Vec::new();
    // All scopes are read before any two are compared.
    let listed = rendering.listed().into_iter().map(|scope| Ok((scope, parse_location(scope)?)));
    for (index, (scope, location)) in listed.collect::<Result<Vec<_>, _>>()?.into_iter().enumerate() {
        let first = *first.entry(location).or_insert(index);
        // Two scopes without slashes are never the same one: the file has each once.
        if location == scope {
            continue;
        }
        let Some(flags) = flags_of(rendering, scope) else { continue };
        let others = flags_of(rendering, location).into_iter().chain(known.get(location).copied());
        for other in others {
            if let Err(refusal) = flags.agree_with(other, scope, location) {
                refusals.push((place_in_file(rendering, location, first), refusal));
            }
        }
        known.insert(location, flags);
    }
    // Nodes compare in the order of the file, and report the first.
    match refusals.into_iter().min_by_key(|(place, _)| *place) {
        Some((_, refusal)) => Err(refusal),
        None => Ok(()),
    }
}

/// What sorts the registries of one location as the file does: sources by section and name, then listed scopes by index.
fn place_in_file<'a>(
    rendering: &Rendering<'_>,
    location: &'a str,
    first: usize,
) -> (bool, Option<Section>, &'a str, usize) {
    let placed = rendering.source(location).and_then(|_| rendering.registry_at(location).ok().flatten());
    match placed {
        Some(placed) => (false, Some(placed.section), location, 0),
        None => (true, None, "", first),
    }
}

/// Whether nodes can read these search registries.
pub fn check_search_registries(registries: &[String]) -> Result<(), FileRefusal> {
    for registry in registries {
        let location = registry.trim_end_matches('/');
        if has_scheme(location) {
            return Err(FileRefusal::Scheme(registry.clone()));
        }
        if location.contains('/') || !is_valid_mirror(location) {
            return Err(FileRefusal::Search(location.to_owned()));
        }
    }
    Ok(())
}

/// Whether nodes can read these sources and mirrors. Only needed up to 4.15, where the operator lets schemes pass.
pub fn check_locations<'a>(values: impl IntoIterator<Item = &'a str>) -> Result<(), FileRefusal> {
    values.into_iter().try_for_each(|value| parse_location(value).map(|_| ()))
}

/// A scope without the slashes at its end.
fn parse_location(scope: &str) -> Result<&str, FileRefusal> {
    let location = scope.trim_end_matches('/');
    if has_scheme(location) {
        return Err(FileRefusal::Scheme(scope.to_owned()));
    }
    if location.is_empty() {
        return Err(FileRefusal::Empty(scope.to_owned()));
    }
    Ok(location)
}

fn has_scheme(location: &str) -> bool {
    location.starts_with("http://") || location.starts_with("https://")
}

#[derive(Debug, Clone, Copy)]
struct Flags {
    insecure: bool,
    blocked: bool,
}

impl Flags {
    fn agree_with(self, other: Self, scope: &str, location: &str) -> Result<(), FileRefusal> {
        let flag = match self {
            Self { insecure, .. } if insecure != other.insecure => "insecure",
            Self { blocked, .. } if blocked != other.blocked => "blocked",
            _ => return Ok(()),
        };
        Err(FileRefusal::Flag { scope: scope.to_owned(), location: location.to_owned(), flag })
    }
}

/// What the file says about a scope; `None` where it is not in the file, or where there is no file.
fn flags_of(rendering: &Rendering<'_>, scope: &str) -> Option<Flags> {
    let Registry { insecure, blocked, .. } = rendering.registry_at(scope).ok()??.registry;
    Some(Flags { insecure, blocked })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        context::Context,
        objects::{Entry, ImageConfig, MirrorSet, Object, SetKind},
    };

    struct Case {
        insecure: &'static [&'static str],
        blocked: &'static [&'static str],
        /// The source of an IDMS.
        source: &'static str,
        expected: Option<&'static str>,
        reason: &'static str,
    }

    const NOTHING: Case =
        Case { insecure: &[], blocked: &[], source: "quay.io", expected: None, reason: "nothing listed" };

    #[test]
    #[expect(clippy::too_many_lines, reason = "it is a table")]
    fn a_scope_can_spoil_the_whole_file() {
        let table = [
            NOTHING,
            Case {
                insecure: &["https://m.lab:8443"],
                expected: Some("invalid location 'https://m.lab:8443': URI schemes are not supported"),
                reason: "an insecure registry with a scheme",
                ..NOTHING
            },
            Case {
                insecure: &["quay.io/", "docker.io"],
                blocked: &["docker.io/"],
                expected: Some(
                    "registry 'quay.io' is defined multiple times with conflicting 'insecure' setting",
                ),
                reason: "a source comes before listed scopes",
                ..NOTHING
            },
            Case {
                blocked: &["http://docker.io"],
                expected: Some("invalid location 'http://docker.io': URI schemes are not supported"),
                reason: "a blocked registry with a scheme",
                ..NOTHING
            },
            Case {
                insecure: &["http://docker.io"],
                blocked: &["quay.io/"],
                expected: Some("invalid location 'http://docker.io': URI schemes are not supported"),
                reason: "a scheme is found before two scopes are compared",
                ..NOTHING
            },
            Case {
                blocked: &["ftp://docker.io"],
                reason: "another scheme is accepted, and matches no image",
                ..NOTHING
            },
            Case {
                blocked: &["quay.io/"],
                expected: Some(
                    "registry 'quay.io' is defined multiple times with conflicting 'blocked' setting",
                ),
                reason: "the source is not blocked, and is the same scope",
                ..NOTHING
            },
            Case {
                blocked: &["quay.io/"],
                source: "quay.io/a",
                reason: "no source is the same scope",
                ..NOTHING
            },
            Case { insecure: &["quay.io/", "quay.io"], reason: "both are insecure", ..NOTHING },
            Case {
                insecure: &["docker.io/"],
                blocked: &["docker.io//"],
                expected: Some(
                    "registry 'docker.io' is defined multiple times with conflicting 'blocked' setting",
                ),
                reason: "two listed scopes that are the same, and only one of them is blocked",
                ..NOTHING
            },
            Case {
                blocked: &["//"],
                expected: Some("invalid condition: both location and prefix are unset"),
                reason: "slashes only",
                ..NOTHING
            },
        ];
        for Case { insecure, blocked, source, expected, reason } in table {
            let config = ImageConfig {
                insecure_registries: insecure.iter().map(ToString::to_string).collect(),
                blocked_registries: blocked.iter().map(ToString::to_string).collect(),
                ..ImageConfig::default()
            };
            let mirrors = ["m.lab/a".into()].into_iter().collect();
            let entry = Entry { source: source.into(), mirrors, mirror_source_policy: None };
            let set = MirrorSet::new(SetKind::Idms, "a", vec![entry]);
            let context = Context::from_iter([Object::from(config), Object::from(set)]);
            let refusal = check_file(&Rendering::new(context.view())).err();
            assert_eq!(refusal.map(|refusal| refusal.to_string()).as_deref(), expected, "{reason}");
        }
    }

    #[test]
    fn a_search_registry_is_a_host() {
        let table = [
            ("quay.io", true, "a host"),
            ("m.lab:5000", true, "a host with a port"),
            ("m.lab:5000/", true, "a slash at the end is cut"),
            ("[::1]:5000", false, "an IPv6 address"),
            ("quay.io/team", false, "a path"),
            ("https://quay.io", false, "a scheme"),
            ("a_b.c", false, "an underscore"),
            ("", false, "nothing"),
        ];
        for (registry, expected, reason) in table {
            let found = check_search_registries(&[registry.to_owned()]);
            assert_eq!(found.is_ok(), expected, "{registry}: {reason}");
        }
    }
}
