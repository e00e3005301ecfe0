//! What is asked: an image as people type it.

use thiserror::Error;

use crate::{
    node::SEARCH_REGISTRIES,
    objects::reference::{Image, ReferenceError},
};

/// The tag that the kubelet adds where there is neither tag nor digest.
const DEFAULT_TAG: &str = "latest";

/// An image to be explained.
#[derive(Debug, Clone)]
pub struct Question {
    /// As it was typed, with the tag that is assumed.
    pub text: String,
    /// What nodes make of it: the image itself, or, where it names no registry, one image for each of the
    /// search registries, in their order.
    pub images: Vec<Image>,
    /// The tag that was added.
    pub assumed_tag: Option<&'static str>,
    /// It names no registry.
    pub is_short: bool,
}

/// Why a text is no image. Says what to write instead where that is known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot read the image \"{text}\": {what}")]
pub struct QuestionError {
    text: String,
    what: String,
}

impl Question {
    /// Reads an image as people type it.
    pub fn parse(text: &str) -> Result<Self, QuestionError> {
        let unreadable = |error| QuestionError { text: text.to_owned(), what: what_is_wrong(text, error) };
        let image = Image::parse(text).map_err(unreadable)?;
        let assumed_tag = (image.tag().is_none() && !image.is_digested()).then_some(DEFAULT_TAG);
        let text = assumed_tag.map_or_else(|| text.to_owned(), |tag| format!("{text}:{tag}"));
        let is_short = names_no_registry(&text);
        let images = if is_short {
            SEARCH_REGISTRIES.iter().map(|registry| Image::parse(&format!("{registry}/{text}"))).collect()
        } else {
            Image::parse(&text).map(|image| vec![image])
        };
        Ok(Self { images: images.map_err(unreadable)?, text, assumed_tag, is_short })
    }
}

/// Follows `containers/image pkg/shortnames` `parseUnnormalizedShortName`.
fn names_no_registry(text: &str) -> bool {
    let first = text.split_once('/').map(|(first, _)| first);
    first.is_none_or(|first| !(first.contains(['.', ':']) || first == "localhost"))
}

fn what_is_wrong(text: &str, error: ReferenceError) -> String {
    let digest = text.split_once('@').map(|(_, digest)| digest);
    match error {
        _ if text.is_empty() => "it is empty".to_owned(),
        _ if text.contains("://") => {
            let (scheme, rest) = text.split_once("://").unwrap_or_default();
            format!("leave out \"{scheme}://\", write \"{rest}\"")
        }
        _ if text.contains(char::is_whitespace) => "it has a blank in it".to_owned(),
        _ if text.contains('*') => "a wildcard can be a source, but not an image to pull".to_owned(),
        ReferenceError::Uppercase | ReferenceError::UppercaseRepository => {
            let tag = text.rfind([':', '@']).filter(|at| !text[*at..].contains('/')).unwrap_or(text.len());
            let (name, rest) = text.split_at(tag);
            format!("a repository is written in lower case: \"{}{rest}\"", name.to_lowercase())
        }
        _ if text.split('@').next().is_some_and(|name| name.contains("//") || name.ends_with('/')) => {
            "there is nothing between two slashes, or after the last".to_owned()
        }
        _ if text.ends_with(':') => "there is no tag after the colon".to_owned(),
        _ => digest.map_or_else(
            || format!("{error}; expected registry[:port]/repository, then :tag or @sha256:digest"),
            |digest| what_is_wrong_in_digest(digest, error),
        ),
    }
}

fn what_is_wrong_in_digest(digest: &str, error: ReferenceError) -> String {
    match digest.split_once(':') {
        Some(("sha256", hex)) if hex.len() != 64 => {
            format!("a sha256 digest has 64 hexadecimal digits, this one has {}", hex.len())
        }
        Some(("sha256", _)) => "a digest has only the digits 0 to 9 and a to f".to_owned(),
        Some(_) => format!("{error}: a digest is written sha256: and 64 hexadecimal digits"),
        None => "a digest begins with sha256:".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_tells_what_is_assumed() {
        type Row<'a> = (&'a str, &'a str, &'a [&'a str], Option<&'a str>, &'a str);
        let table: [Row<'_>; 6] = [
            ("quay.io/a/b:v1", "quay.io/a/b:v1", &["quay.io/a/b:v1"], None, "nothing"),
            ("quay.io/a/b", "quay.io/a/b:latest", &["quay.io/a/b:latest"], Some("latest"), "a tag"),
            ("localhost/b:1", "localhost/b:1", &["localhost/b:1"], None, "a host without a dot"),
            (
                "ubi9/ubi",
                "ubi9/ubi:latest",
                &["registry.access.redhat.com/ubi9/ubi:latest", "docker.io/ubi9/ubi:latest"],
                Some("latest"),
                "a registry and a tag",
            ),
            (
                "nginx:1",
                "nginx:1",
                &["registry.access.redhat.com/nginx:1", "docker.io/library/nginx:1"],
                None,
                "a registry; the hub adds library",
            ),
            (
                "quay.io",
                "quay.io:latest",
                &["registry.access.redhat.com/quay.io:latest", "docker.io/library/quay.io:latest"],
                Some("latest"),
                "a name without a slash is a repository, whatever it looks like",
            ),
        ];
        for (typed, text, images, tag, reason) in table {
            let question = Question::parse(typed).unwrap();
            let found: Vec<_> = question.images.iter().map(Image::as_str).collect();
            assert_eq!(
                (&*question.text, &*found, question.assumed_tag),
                (text, images, tag),
                "{typed}: {reason}"
            );
            assert_eq!(question.is_short, images.len() > 1, "{typed}: {reason}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_write() {
        let table = [
            ("", "it is empty"),
            ("docker://quay.io/a:1", "leave out \"docker://\", write \"quay.io/a:1\""),
            ("quay.io/a b", "it has a blank in it"),
            ("*.redhat.io", "a wildcard can be a source, but not an image to pull"),
            ("quay.io/Team/App:V1", "a repository is written in lower case: \"quay.io/team/app:V1\""),
            ("quay.io/a/", "there is nothing between two slashes, or after the last"),
            ("quay.io//a", "there is nothing between two slashes, or after the last"),
            ("quay.io/a:", "there is no tag after the colon"),
            ("quay.io/a@sha256:12ab", "a sha256 digest has 64 hexadecimal digits, this one has 4"),
            ("quay.io/a@12ab", "a digest begins with sha256:"),
            (
                "quay.io/a@md5:00112233445566778899aabbccddeeff",
                "unsupported digest algorithm: a digest is written sha256: and 64 hexadecimal digits",
            ),
            (
                "quay.io/a:v1:v2",
                "invalid reference format; expected registry[:port]/repository, then :tag or @sha256:digest",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(Question::parse(text).unwrap_err().what, expected, "{text}");
        }
    }
}
