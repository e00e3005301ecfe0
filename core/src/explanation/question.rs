//! The image to explain, as people type it.

use thiserror::Error;

use crate::{
    node::SEARCH_REGISTRIES,
    objects::{
        grammar::is_valid_mirror,
        reference::{Image, ReferenceError, names_registry},
    },
};

/// The tag that the kubelet adds where there is neither tag nor digest.
const DEFAULT_TAG: &str = "latest";

/// An image to explain.
#[derive(Debug, Clone)]
pub struct Question {
    /// As it was typed, with the tag that is assumed.
    pub text: String,
    /// The images that nodes pull: the image itself, or, where it names no registry, one for each of the search
    /// registries, in their order.
    pub images: Vec<Image>,
    /// The tag that was added.
    pub assumed_tag: Option<&'static str>,
    /// It names no registry.
    pub is_short: bool,
}

/// Why a text is no image, and what to write instead where that is known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot read the image \"{text}\": {what}")]
pub struct QuestionError {
    text: String,
    what: String,
}

impl Question {
    /// Reads an image as people type it.
    pub fn parse(text: &str) -> Result<Self, QuestionError> {
        Self::read(text)
            .map_err(|error| QuestionError { text: text.to_owned(), what: describe_error(text, error) })
    }

    fn read(text: &str) -> Result<Self, ReferenceError> {
        // Read before the tag is added, so that the error is about what was typed.
        let image = Image::parse(text)?;
        let has_version = image.tag().is_some() || image.is_digested();
        let (text, assumed_tag) = if has_version {
            (text.to_owned(), None)
        } else {
            (format!("{text}:{DEFAULT_TAG}"), Some(DEFAULT_TAG))
        };
        let is_short = names_no_registry(&text);
        let images = if is_short {
            search(&text, &SEARCH_REGISTRIES)
        } else {
            Image::parse(&text).map(|image| vec![image])
        };
        Ok(Self { images: images?, text, assumed_tag, is_short })
    }

    /// The same question on nodes with other search registries, `containerRuntimeSearchRegistries` of the image
    /// configuration. An empty list leaves those of the machine-config operator's template, [`SEARCH_REGISTRIES`].
    pub fn searched_in(mut self, registries: &[String]) -> Result<Self, QuestionError> {
        if self.is_short && !registries.is_empty() {
            self.images = search(&self.text, registries).map_err(|error| QuestionError {
                what: describe_error(&self.text, error),
                text: self.text.clone(),
            })?;
        }
        Ok(self)
    }
}

/// The images that a short name can be, in the order of the search registries.
///
/// Follows `containers/image pkg/shortnames/shortnames.go` `Resolve`. An alias of the node comes first, which no
/// object of the cluster knows.
fn search(text: &str, registries: &[impl AsRef<str>]) -> Result<Vec<Image>, ReferenceError> {
    let images = registries.iter().map(|registry| {
        let registry = registry.as_ref().trim_end_matches('/');
        Image::parse(&format!("{registry}/{text}"))
    });
    images.collect()
}

/// Whether nodes take an image for a short name. A first element that is no valid host names no registry either, as in
/// `a_b.c/x`.
///
/// Follows `containers/image pkg/shortnames` `parseUnnormalizedShortName`.
fn names_no_registry(text: &str) -> bool {
    let first = text.split_once('/').map(|(first, _)| first);
    first.is_none_or(|first| !names_registry(first) || !is_valid_mirror(first))
}

/// What is wrong with a text, and what to write instead. A text may have several faults; what is checked first explains
/// more than what is checked later.
fn describe_error(text: &str, error: ReferenceError) -> String {
    if text.is_empty() {
        return "it is empty".to_owned();
    }
    if let Some((_, rest)) = text.split_once("://") {
        return format!("it has a scheme: write \"{rest}\"");
    }
    if error == ReferenceError::Identifier {
        return format!("{error}; write the repository, or sha256: before the digits");
    }
    if text.contains(char::is_whitespace) {
        return "it contains a space".to_owned();
    }
    if text.contains('*') {
        return "a wildcard can be a source, but not an image".to_owned();
    }
    // Upstream takes the algorithm of a digest for a part of the repository: `quay.io/a@SHA256:…` has this error
    // too, but its name is in lower case already. The message about the digest comes below.
    let lower = with_lower_case_name(text);
    if matches!(error, ReferenceError::Uppercase | ReferenceError::UppercaseRepository) && lower != text {
        return format!("its repository has upper-case letters: write \"{lower}\"");
    }
    let name = text.split('@').next().unwrap_or_default();
    if name.contains("//") || name.ends_with('/') {
        return "an element of its path is empty".to_owned();
    }
    if text.ends_with(':') {
        return "the tag after the colon is missing".to_owned();
    }
    match text.split_once('@') {
        Some((_, digest)) => describe_digest_error(digest, error),
        None => format!("{error}; write registry[:port]/repository, then :tag or @sha256:digest"),
    }
}

/// The same image with its name, but not its tag or digest, in lower case.
fn with_lower_case_name(text: &str) -> String {
    let tagged = text.split('@').next().unwrap_or_default();
    // A colon before a slash is that of a port.
    let end = tagged.rfind(':').filter(|at| !tagged[*at..].contains('/')).unwrap_or(tagged.len());
    let (name, version) = text.split_at(end);
    format!("{}{version}", name.to_lowercase())
}

fn describe_digest_error(digest: &str, error: ReferenceError) -> String {
    match digest.split_once(':') {
        Some(("sha256", hex)) if hex.len() != 64 => {
            format!("a sha256 digest has 64 hexadecimal digits, this one has {}", hex.len())
        }
        Some(("sha256", _)) => "a digest has only the digits 0 to 9 and a to f".to_owned(),
        Some((algorithm, _)) if algorithm.chars().any(char::is_uppercase) => {
            format!(
                "the algorithm of its digest has upper-case letters: write \"{}\"",
                algorithm.to_lowercase()
            )
        }
        Some(_) => format!("{error}; write sha256: and 64 hexadecimal digits"),
        None => "a digest begins with sha256:".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::text_snapshot;

    struct Case {
        typed: &'static str,
        text: &'static str,
        images: &'static [&'static str],
        assumed_tag: Option<&'static str>,
        reason: &'static str,
    }

    #[test]
    fn a_tag_and_registries_are_assumed_where_there_are_none() {
        let table = [
            Case {
                typed: "quay.io/a/b:v1",
                text: "quay.io/a/b:v1",
                images: &["quay.io/a/b:v1"],
                assumed_tag: None,
                reason: "it has a registry and a tag",
            },
            Case {
                typed: "quay.io/a/b",
                text: "quay.io/a/b:latest",
                images: &["quay.io/a/b:latest"],
                assumed_tag: Some("latest"),
                reason: "it has no tag",
            },
            Case {
                typed: "localhost/b:1",
                text: "localhost/b:1",
                images: &["localhost/b:1"],
                assumed_tag: None,
                reason: "localhost is a registry without a dot",
            },
            Case {
                typed: "ubi9/ubi",
                text: "ubi9/ubi:latest",
                images: &["registry.access.redhat.com/ubi9/ubi:latest", "docker.io/ubi9/ubi:latest"],
                assumed_tag: Some("latest"),
                reason: "it has neither a registry nor a tag",
            },
            Case {
                typed: "nginx:1",
                text: "nginx:1",
                images: &["registry.access.redhat.com/nginx:1", "docker.io/library/nginx:1"],
                assumed_tag: None,
                reason: "it has no registry; Docker Hub adds library",
            },
            Case {
                typed: "quay.io",
                text: "quay.io:latest",
                images: &["registry.access.redhat.com/quay.io:latest", "docker.io/library/quay.io:latest"],
                assumed_tag: Some("latest"),
                reason: "a name without a slash is a repository, even one that looks like a host",
            },
        ];
        for Case { typed, text, images, assumed_tag, reason } in table {
            let question = Question::parse(typed).unwrap();
            let found: Vec<_> = question.images.iter().map(Image::as_str).collect();
            assert_eq!(
                (&*question.text, &*found, question.assumed_tag),
                (text, images, assumed_tag),
                "{typed}: {reason}"
            );
            assert_eq!(question.is_short, images.len() > 1, "{typed}: {reason}");
        }
    }

    #[test]
    fn what_is_no_host_is_part_of_a_short_name() {
        let table = [
            ("a_b.c/x:1", true, "no host has an underscore"),
            ("a-b.c/x:1", false, "but it may have a hyphen"),
            ("nginx:1", true, "a single element"),
        ];
        for (typed, expected, reason) in table {
            let question = Question::parse(typed);
            assert_eq!(question.map(|question| question.is_short), Ok(expected), "{typed}: {reason}");
        }
    }

    #[test]
    fn a_short_name_is_searched_in_the_registries_of_the_image_configuration() {
        let table: [(_, &[&str], &[&str], _); 4] = [
            ("nginx:1", &["m.lab:5000", "quay.io"], &["m.lab:5000/nginx:1", "quay.io/nginx:1"], "in order"),
            ("nginx:1", &["docker.io"], &["docker.io/library/nginx:1"], "Docker Hub adds library"),
            ("quay.io/a:1", &["m.lab"], &["quay.io/a:1"], "it has a registry"),
            (
                "nginx:1",
                &[],
                &["registry.access.redhat.com/nginx:1", "docker.io/library/nginx:1"],
                "the registries of the template",
            ),
        ];
        for (typed, registries, expected, reason) in table {
            let registries: Vec<_> = registries.iter().map(ToString::to_string).collect();
            let question = Question::parse(typed).unwrap().searched_in(&registries).unwrap();
            let found: Vec<_> = question.images.iter().map(Image::as_str).collect();
            assert_eq!(found, expected, "{typed}: {reason}");
        }
    }

    #[test]
    fn a_text_that_is_no_image_has_an_error_with_what_to_write() {
        let typed = [
            "",
            "docker://quay.io/a:1",
            "quay.io/a b",
            "*.redhat.io",
            "quay.io/Team/App:V1",
            "quay.io:443/Team/App:V1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "quay.io/a/",
            "quay.io//a",
            "quay.io/a:",
            "quay.io/a@sha256:12ab",
            "quay.io/a@sha256:g123456789012345678901234567890123456789012345678901234567890123",
            "quay.io/a@12ab",
            "quay.io/a@md5:00112233445566778899aabbccddeeff",
            "quay.io/a:v1:v2",
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ];
        let mut texts = String::new();
        for text in typed {
            let _ = writeln!(texts, "{}", Question::parse(text).unwrap_err());
        }
        text_snapshot::assert("explanation/texts.txt", &texts);
    }
}
