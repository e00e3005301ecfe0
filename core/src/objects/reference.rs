//! Image references, as read by the two parsers that decide where an image is pulled from.
//!
//! Nodes use `containers/image docker/reference`, which makes names canonical. HyperShift uses its copy of
//! `library-go pkg/image/reference`, which splits names without changing them. Both have the same grammar, but not the
//! same check of digests.

mod docker;

use std::sync::LazyLock;

use regex::Regex;
use thiserror::Error;

pub use docker::DockerReference;

/// The maximum length of a repository name, in bytes.
const NAME_MAX: usize = 255;

/// The shared grammar: name, then tag, then digest.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    const HOST: &str = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))+)?(?::[0-9]+)?";
    const PART: &str = r"[a-z0-9]+(?:(?:(?:[._]|__|[-]*)[a-z0-9]+)+)?";
    const TAG: &str = r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}";
    const DIGEST: &str = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}";
    #[expect(clippy::unwrap_used, reason = "a constant pattern, compiled in every test run")]
    Regex::new(&format!("^((?:{HOST}/)?{PART}(?:(?:/{PART})+)?)(?::({TAG}))?(?:@({DIGEST}))?$")).unwrap()
});

/// Why a reference is invalid. The texts are those of the upstream parsers, because they appear in events and
/// conditions that people search for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReferenceError {
    /// It does not match the grammar.
    #[error("invalid reference format")]
    Format,
    /// It would be valid in lower case.
    #[error("repository name must be lowercase")]
    Uppercase,
    /// The repository of a reference that may be shortened contains an upper-case letter.
    #[error("invalid reference format: repository name must be lowercase")]
    UppercaseRepository,
    /// The name is longer than 255 bytes.
    #[error("repository name must not be more than 255 characters")]
    TooLong,
    /// The name is shortened (`nginx` for `docker.io/library/nginx`).
    #[error("repository name must be canonical")]
    NotCanonical,
    /// The whole name has the form of an image ID.
    #[error("invalid repository name, cannot specify 64-byte hexadecimal strings")]
    Identifier,
    /// The algorithm of the digest is not sha256, sha384 or sha512.
    #[error("unsupported digest algorithm")]
    Algorithm,
    /// The digest does not have the length of its algorithm.
    #[error("invalid checksum digest length")]
    DigestLength,
    /// The digest is not lower-case hexadecimal, or its algorithm has upper-case letters.
    #[error("invalid checksum digest format")]
    DigestFormat,
}

/// Name, tag and digest of a reference, not interpreted.
struct Parts<'a> {
    name: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

/// What is wrong with a digest that has the form of one.
type CheckDigest = fn(&str) -> Result<(), ReferenceError>;

/// The parts of a reference, or the first thing that upstream finds wrong with it: the form, then the length of
/// the name, then the digest.
fn split(text: &str, check_digest: CheckDigest) -> Result<Parts<'_>, ReferenceError> {
    let Some(found) = REFERENCE.captures(text) else {
        let lower = text.to_lowercase();
        let only_case = lower != text && REFERENCE.is_match(&lower);
        return Err(if only_case { ReferenceError::Uppercase } else { ReferenceError::Format });
    };
    let [name, tag, digest] = [1, 2, 3].map(|group| found.get(group).map(|part| part.as_str()));
    let name = name.unwrap_or_default();
    if name.len() > NAME_MAX {
        return Err(ReferenceError::TooLong);
    }
    digest.map_or(Ok(()), check_digest)?;
    Ok(Parts { name, tag, digest })
}

/// Follows `go-digest digest.go` `Validate`, which containers/image uses.
fn check_digest(digest: &str) -> Result<(), ReferenceError> {
    let (algorithm, digits) = digest.split_once(':').ok_or(ReferenceError::DigestFormat)?;
    match check_length(algorithm, digits) {
        // Only of an algorithm that it does not know does upstream check the letters.
        Err(ReferenceError::Algorithm) if algorithm.chars().any(char::is_uppercase) => {
            Err(ReferenceError::DigestFormat)
        }
        Ok(()) if !is_lower_hex(digits) => Err(ReferenceError::DigestFormat),
        checked => checked,
    }
}

fn check_length(algorithm: &str, digits: &str) -> Result<(), ReferenceError> {
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err(ReferenceError::Algorithm),
    };
    if digits.len() == length { Ok(()) } else { Err(ReferenceError::DigestLength) }
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// An image as nodes read it: a canonical name with a tag, a digest, both or neither.
///
/// Follows `containers/image docker/reference` `ParseNormalizedNamed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    text: String,
    name_len: usize,
    digested: bool,
}

impl Image {
    /// Reads a reference that may be shortened: `nginx` becomes `docker.io/library/nginx`.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.len() == 64 && is_lower_hex(text) {
            return Err(ReferenceError::Identifier);
        }
        let (domain, rest) = split_domain(text);
        // Up to the first colon, as upstream: the one before the tag, or the one in the digest.
        let remote = rest.split(':').next().unwrap_or(rest);
        if remote.chars().any(char::is_uppercase) {
            return Err(ReferenceError::UppercaseRepository);
        }
        let text = if domain == "docker.io" && !rest.contains('/') {
            format!("{domain}/library/{rest}")
        } else {
            format!("{domain}/{rest}")
        };
        let parts = split(&text, check_digest)?;
        let (name_len, digested) = (parts.name.len(), parts.digest.is_some());
        Ok(Self { text, name_len, digested })
    }

    /// Reads a reference that must be canonical, like the rewritten reference of a pull.
    pub fn parse_canonical(text: &str) -> Result<Self, ReferenceError> {
        let image = Self::parse(text)?;
        if image.text == text { Ok(image) } else { Err(ReferenceError::NotCanonical) }
    }

    /// The whole canonical reference.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The canonical name without tag and digest: `host[:port]/namespace/name`.
    pub fn name(&self) -> &str {
        &self.text[..self.name_len]
    }

    /// The tag, if it has one.
    pub fn tag(&self) -> Option<&str> {
        let rest = self.after_name().strip_prefix(':')?;
        Some(rest.split('@').next().unwrap_or(rest))
    }

    /// The digest, if it has one.
    pub fn digest(&self) -> Option<&str> {
        self.after_name().split_once('@').map(|(_, digest)| digest)
    }

    /// What follows the name: nothing, `:tag`, `@digest` or `:tag@digest`, each of them valid.
    fn after_name(&self) -> &str {
        &self.text[self.name_len..]
    }

    /// Whether it is pulled by digest: it has one, with or without a tag.
    pub fn is_digested(&self) -> bool {
        self.digested
    }
}

/// The registry of a name, and the rest. If the first element does not look like a host, the registry is
/// `docker.io`.
fn split_domain(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((first, rest)) if names_registry(first) => {
            (if first == "index.docker.io" { "docker.io" } else { first }, rest)
        }
        _ => ("docker.io", name),
    }
}

/// Whether the first of several elements of a name is taken for a registry: it has a dot or a port, or is `localhost`.
/// The function of the same name in `scope` takes a whole scope.
pub fn names_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789012345678901234567890123456789012345678901234567890123";

    /// An image by a digest with upper-case digits.
    fn upper(algorithm: &str) -> String {
        format!("quay.io/a@{algorithm}:{}", "A".repeat(64))
    }

    #[test]
    fn images_are_made_canonical_or_rejected() {
        let table = [
            ("nginx", Ok("docker.io/library/nginx"), "a short name is completed"),
            ("quay.io/a/b:v1", Ok("quay.io/a/b:v1"), "already canonical"),
            ("index.docker.io/library/x", Ok("docker.io/library/x"), "the old name of Docker Hub"),
            ("localhost/x", Ok("localhost/x"), "localhost is a host without a dot"),
            ("team/app", Ok("docker.io/team/app"), "a first element without dot or port is a namespace"),
            ("quay.io/A/b", Err(ReferenceError::UppercaseRepository), "repositories are lower case"),
            ("quay.io/a@sha256:0123", Err(ReferenceError::Format), "a digest is at least 32 digits"),
            (&upper("sha256"), Err(ReferenceError::DigestFormat), "digits are lower case"),
            (&upper("md5"), Err(ReferenceError::Algorithm), "an algorithm that is not known"),
            (
                &upper("MD5"),
                Err(ReferenceError::UppercaseRepository),
                "a colon that is taken for that of a tag",
            ),
            (
                &format!("{}:v1{}", "quay.io/a", &upper("MD5")[9..]),
                Err(ReferenceError::DigestFormat),
                "behind a tag",
            ),
            ("quay.io//a", Err(ReferenceError::Format), "no empty element"),
            ("", Err(ReferenceError::Format), "empty"),
            (&DIGEST[7..], Err(ReferenceError::Identifier), "64 hexadecimal digits are an image ID"),
            (
                &DIGEST[8..],
                Ok("docker.io/library/123456789012345678901234567890123456789012345678901234567890123"),
                "63 are not",
            ),
        ];
        for (text, expected, reason) in table {
            assert_eq!(Image::parse(text).map(|i| i.text), expected.map(str::to_owned), "{text}: {reason}");
        }
    }

    #[test]
    fn an_image_with_a_tag_and_a_digest_is_pulled_by_digest() {
        let image = Image::parse(&format!("quay.io/a/b:v1@{DIGEST}")).unwrap();
        assert!(image.is_digested());
        assert_eq!((image.name(), image.tag()), ("quay.io/a/b", Some("v1")));
    }
}
