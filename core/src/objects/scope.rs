//! Scopes: whether one covers another, and which part of an image reference a scope matches.

use std::borrow::Cow;

/// Whether a scope is a wildcard over hosts, `*.domain`.
pub fn is_wildcard(scope: &str) -> bool {
    scope.starts_with("*.")
}

/// The host of a scope or mirror, with its port if it has one.
pub fn host(scope: &str) -> &str {
    scope.split_once('/').map_or(scope, |(host, _)| host)
}

/// The host of a scope or mirror without its port.
pub fn bare_host(scope: &str) -> &str {
    let host = host(scope);
    host.split_once(':').map_or(host, |(bare, _)| bare)
}

/// Whether a scope names its registry: its first element has a dot or a port, or is `localhost`. Without one, a source
/// matches no image, and a mirror makes no reference. The function of the same name in `reference` takes the first
/// element.
///
/// Follows `containers/image docker/reference` `splitDockerDomain`.
pub fn names_registry(scope: &str) -> bool {
    let first = scope.split('/').next().unwrap_or_default();
    first.contains(['.', ':']) || first == "localhost"
}

/// Whether `outer` covers everything that `inner` matches. A scope covers itself.
///
/// Follows `runtime-utils pkg/registries/registries.go` `ScopeIsNestedInsideScope`, including its handling of ports.
pub fn is_nested(inner: &str, outer: &str) -> bool {
    if let Some(rest) = inner.strip_prefix(outer)
        && (rest.is_empty() || rest.starts_with('/'))
    {
        return true;
    }
    is_wildcard(outer) && wildcard_host(inner).is_some_and(|host| host.ends_with(&outer[1..]))
}

/// The host that a wildcard is compared with; `None` if a wildcard cannot cover the scope. Upstream takes all
/// before the first colon for the host, so a scope with a path and a tag, but without a port, is below no
/// wildcard.
fn wildcard_host(scope: &str) -> Option<&str> {
    match scope.split_once(':') {
        Some((bare, _)) => (!bare.contains('/')).then_some(bare),
        None => Some(host(scope)),
    }
}

/// The longest scope that is looked for around another one, in bytes. No image has a longer name (`containers/image
/// docker/reference` `NameTotalLengthMax`), so a longer scope decides no pull; and however long a value is, it is below
/// few scopes.
const LONGEST: usize = 255;

/// The parents by path of a scope that are not longer than [`LONGEST`], the nearest first.
fn parents(scope: &str) -> impl Iterator<Item = &str> {
    let head = &scope[..scope.floor_char_boundary(LONGEST + 1)];
    head.rmatch_indices('/').map(|(at, _)| &scope[..at])
}

/// The domains of a host, each with its leading dot, the longest first. Those from which a wildcard would be longer than
/// [`LONGEST`] are left out.
fn domains(host: &str) -> impl Iterator<Item = &str> {
    let begin = host.ceil_char_boundary(host.len().saturating_sub(LONGEST - 1));
    host[begin..].match_indices('.').map(move |(at, _)| &host[begin + at..])
}

/// Every other scope that could cover `scope`: its parents by path, then the wildcards that match its host, each with
/// the most specific first. None is longer than any image's name.
pub fn ancestors(scope: &str) -> impl Iterator<Item = Ancestor<'_>> {
    let parents = parents(scope).map(Ancestor::Parent);
    let wildcards = domains(wildcard_host(scope).unwrap_or_default()).map(Ancestor::Wildcard);
    // The first wildcard over a scope that is a wildcard is the scope itself.
    parents.chain(wildcards.filter(move |a| !a.is(scope)))
}

/// Every scope that may decide a pull of a repository's images, in the order in which a node prefers them: the longest
/// first, of equally long ones the first as text, so `*.lab` before `m.lab`. The repository itself is the first. For a
/// namespace, a registry or a wildcard: the scopes that may decide a pull below it. Unlike among the [`ancestors`], a
/// host without its port is one of them, and no wildcard whose domain the host has twice. None is longer than any
/// image's name.
///
/// Follows `containers/image pkg/sysregistriesv2` `FindRegistry`.
pub fn matching_scopes(name: &str) -> impl Iterator<Item = Ancestor<'_>> {
    let host = &name[..name.find([':', '/']).unwrap_or(name.len())];
    // All are longer than the host.
    let longer = (name.len() > host.len() && name.len() <= LONGEST).then_some(name).into_iter();
    let head = &name[..name.floor_char_boundary(LONGEST + 1)];
    let longer = longer.chain(
        head.rmatch_indices(['/', ':'])
            .map(|(at, _)| &name[..at])
            .filter(move |scope| scope.len() > host.len()),
    );
    let mut domains = domains(host).filter(move |domain| {
        // Not the name itself, if that is a wildcard.
        host.strip_prefix('*') != Some(domain) && host.find(domain) == Some(host.len() - domain.len())
    });
    // Only below a label of one letter is a wildcard as long as the host. A `*` is sorted before every letter.
    let is_label_short = host.find('.') == Some(1);
    let first = if is_label_short && !is_wildcard(host) { domains.next() } else { None };
    let as_long = first.map(Ancestor::Wildcard).into_iter();
    let itself = (host.len() <= LONGEST).then_some(Ancestor::Parent(host));
    let host = as_long.chain(itself).chain(domains.map(Ancestor::Wildcard));
    longer.map(Ancestor::Parent).chain(host)
}

/// A scope that may cover another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ancestor<'a> {
    /// A repository, namespace or registry.
    Parent(&'a str),
    /// The domain of a wildcard, with its leading dot: `.example.com` for `*.example.com`.
    Wildcard(&'a str),
}

impl<'a> Ancestor<'a> {
    /// The text of the scope.
    pub fn to_scope(self) -> Cow<'a, str> {
        match self {
            Self::Parent(parent) => Cow::Borrowed(parent),
            Self::Wildcard(domain) => Cow::Owned(format!("*{domain}")),
        }
    }

    /// Whether it is `scope`.
    pub fn is(&self, scope: &str) -> bool {
        match self {
            Self::Parent(parent) => *parent == scope,
            Self::Wildcard(domain) => scope.strip_prefix('*') == Some(domain),
        }
    }
}

/// Where `prefix` ends in an image reference that it matches; `None` if it does not match.
///
/// Follows `containers/image pkg/sysregistriesv2` `refMatchingPrefix`: a wildcard matches only at the first
/// occurrence of its domain, and `host` also matches `host:port`.
pub fn matching_prefix(reference: &str, prefix: &str) -> Option<usize> {
    let end = if is_wildcard(prefix) {
        let domain = &prefix[1..];
        let at = reference.find(domain).filter(|at| !reference[..*at].contains('/'))?;
        at + domain.len()
    } else {
        reference.starts_with(prefix).then_some(prefix.len())?
    };
    match reference.as_bytes().get(end) {
        None | Some(b':' | b'/' | b'@') => Some(end),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_follows_paths_and_wildcards() {
        let table = [
            ("quay.io", "quay.io", true, "itself"),
            ("quay.io/ns1", "quay.io", true, "a namespace of the registry"),
            ("quay.io:443", "quay.io", false, "another port is another registry"),
            ("quay.io-evil/a", "quay.io", false, "a longer host"),
            ("bar.example.foo", "*.foo", true, "a host under the domain"),
            ("bar/example.foo", "*.foo", false, "a wildcard matches only the host"),
            ("a.foo:5000/x", "*.foo", true, "a wildcard ignores the port"),
            ("*.a.foo", "*.foo", true, "a narrower wildcard"),
            ("foo", "*.foo", false, "a wildcard does not match its domain itself"),
        ];
        for (inner, outer, expected, reason) in table {
            assert_eq!(is_nested(inner, outer), expected, "{inner} in {outer}: {reason}");
        }
    }

    #[test]
    fn ancestors_are_exactly_the_other_scopes_that_nesting_accepts() {
        for scope in ["quay.io/a/b", "a.b.c:5000/x/y", "*.b.c", "localhost:5000/x", "h"] {
            let candidates = [
                "quay.io/a",
                "quay.io",
                "*.io",
                "*.b.c",
                "*.c",
                "*.b",
                "a.b.c:5000",
                "a.b.c:5000/x",
                "localhost:5000",
            ];
            for outer in candidates {
                let listed = ancestors(scope).any(|a| a.is(outer));
                assert_eq!(listed, outer != scope && is_nested(scope, outer), "{outer} over {scope}");
            }
        }
    }

    #[test]
    fn the_scopes_that_match_a_name_are_in_the_order_of_a_pull() {
        let table: [(&str, &[&str], &str); 7] = [
            ("quay.io/a/b", &["quay.io/a/b", "quay.io/a", "quay.io", "*.io"], "a repository"),
            ("m.lab/x", &["m.lab/x", "*.lab", "m.lab"], "a wildcard as long as the host"),
            ("m.lab", &["*.lab", "m.lab"], "the host itself"),
            (
                "mm.lab:5000/x",
                &["mm.lab:5000/x", "mm.lab:5000", "mm.lab", "*.lab"],
                "the host without its port",
            ),
            ("a.x.x/b", &["a.x.x/b", "*.x.x", "a.x.x"], "not the domain that the host has twice"),
            ("*.b.c", &["*.b.c", "*.c"], "a wildcard"),
            ("localhost/x", &["localhost/x", "localhost"], "no domain"),
        ];
        for (name, expected, reason) in table {
            let found: Vec<_> = matching_scopes(name).map(Ancestor::to_scope).collect();
            assert_eq!(found, expected, "{name}: {reason}");
            assert!(found.iter().all(|scope| matching_prefix(name, scope).is_some()), "{name}: {reason}");
        }
    }

    #[test]
    fn a_scope_is_below_few_others_however_long_it_is() {
        let (path, host) = ("a/".repeat(100_000), "a.".repeat(100_000));
        for scope in [format!("quay.io/{path}a"), format!("{host}io/a"), format!("{host}io")] {
            let found: Vec<_> = ancestors(&scope).chain(matching_scopes(&scope)).collect();
            assert!(found.len() <= 2 * LONGEST, "{}", found.len());
            let longest = found.iter().map(|above| above.to_scope().len()).max();
            assert!(longest.is_some_and(|longest| (LONGEST - 2..=LONGEST).contains(&longest)), "{longest:?}");
        }
    }

    #[test]
    fn a_prefix_ends_at_a_separator() {
        let table = [
            ("quay.io/a/b:1", "quay.io/a", Some(9), "a path"),
            ("quay.io/ab", "quay.io/a", None, "not in the middle of an element"),
            ("quay.io:5000/a", "quay.io", Some(7), "a host matches with any port"),
            ("x.example.com/a", "*.example.com", Some(13), "a wildcard"),
            ("a.x.x/b", "*.x", None, "only the first occurrence of the domain is compared"),
            ("a/b.example.com/c", "*.example.com", None, "not in the path"),
        ];
        for (reference, prefix, expected, reason) in table {
            assert_eq!(matching_prefix(reference, prefix), expected, "{reference} ~ {prefix}: {reason}");
        }
    }
}
