//! Why no value of the annotation can be derived.

use std::fmt;

use super::{Span, catalogs::DEFAULT_NAMESPACE};

/// Why no value is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// No mirror set covers any catalog.
    NoneMirrored,
    /// Some catalogs have a mirror, these have none.
    NotMirrored(Vec<String>),
    /// A mirror gives the index image another name: image, mirror.
    Renamed(String, String),
    /// Two catalogs have their mirrors in different namespaces.
    Disagreeing(String, String),
    /// At this mirror an index image has no name that could be pulled.
    NoReference(String),
    /// The value would redirect this image elsewhere in some release: image, releases.
    Misread(String, Span),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneMirrored => {
                f.write_str("no mirror set covers the index images of the default catalogs")
            }
            Self::NotMirrored(images) => write!(f, "no mirror set covers {}", images.join(", ")),
            Self::Renamed(image, mirror) => write!(f, "mirror \"{mirror}\" gives {image} another name"),
            Self::Disagreeing(a, b) => write!(f, "{a} and {b} are mirrored to different namespaces"),
            Self::NoReference(mirror) => write!(f, "mirror \"{mirror}\" gives no valid image reference"),
            Self::Misread(image, releases) => {
                write!(f, "releases {releases} would not look for {image} where the mirror sets place it")
            }
        }
    }
}

impl Obstacle {
    /// The same with index images by their last element, for where space is short.
    pub fn short(&self) -> String {
        self.to_string().replace(&format!("{DEFAULT_NAMESPACE}/"), "")
    }

    /// The kind and its values, which stay the same when the sentence is reworded.
    pub fn key(&self) -> String {
        match self {
            Self::NoneMirrored => "none mirrored".to_owned(),
            Self::NotMirrored(images) => format!("not mirrored {}", images.join(" ")),
            Self::Renamed(image, mirror) => format!("renamed {image} {mirror}"),
            Self::Disagreeing(a, b) => format!("disagreeing {a} {b}"),
            Self::NoReference(mirror) => format!("no reference {mirror}"),
            Self::Misread(image, releases) => format!("misread {image} {releases}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(name: &str) -> String {
        format!("{DEFAULT_NAMESPACE}/{name}-index")
    }

    /// The sentences are written down here and nowhere else.
    #[test]
    fn an_obstacle_is_a_clause_with_its_values() {
        let (a, b) = (index("a"), index("b"));
        let table = [
            (Obstacle::NoneMirrored, "no mirror set covers the index images of the default catalogs"),
            (Obstacle::NotMirrored(vec![a.clone(), b.clone()]), "no mirror set covers a-index, b-index"),
            (
                Obstacle::Renamed(a.clone(), "m.lab/mine".to_owned()),
                "mirror \"m.lab/mine\" gives a-index another name",
            ),
            (Obstacle::Disagreeing(a.clone(), b), "a-index and b-index are mirrored to different namespaces"),
            (
                Obstacle::NoReference("m.lab/redhat/".to_owned()),
                "mirror \"m.lab/redhat/\" gives no valid image reference",
            ),
            (
                Obstacle::Misread(a, Span::REPLACED_CATALOGS),
                "releases up to 4.16 would not look for a-index where the mirror sets place it",
            ),
        ];
        for (obstacle, expected) in table {
            assert_eq!(obstacle.short(), expected);
        }
        assert_eq!(
            Obstacle::NotMirrored(vec![index("a")]).to_string(),
            format!("no mirror set covers {}", index("a"))
        );
    }
}
