//! Why no value of the annotation can be derived.

use std::fmt;

use super::catalogs::DEFAULT_NAMESPACE;

/// Why no value is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// No mirror set speaks of any catalog.
    NoneMirrored,
    /// Some catalogs have a mirror, these have none.
    NotMirrored(Vec<String>),
    /// A mirror gives the index image another name: image, mirror.
    Renamed(String, String),
    /// Two catalogs have their mirrors in different namespaces.
    Disagreeing(String, String),
    /// At this mirror an index image has no name that could be pulled.
    NoReference(String),
    /// The value would send this image elsewhere in some release: image, releases.
    Misread(String, &'static str),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneMirrored => f.write_str("no mirror set covers the default catalogs' index images"),
            Self::NotMirrored(images) => write!(f, "no mirror set covers {}", images.join(", ")),
            Self::Renamed(image, mirror) => write!(f, "the mirror {mirror} gives {image} another name"),
            Self::Disagreeing(a, b) => write!(f, "{a} and {b} are mirrored to different namespaces"),
            Self::NoReference(mirror) => write!(f, "the mirror \"{mirror}\" gives no image reference"),
            Self::Misread(image, releases) => {
                write!(
                    f,
                    "releases {releases} would look for {image} in another place than the mirror sets name"
                )
            }
        }
    }
}

impl Obstacle {
    /// The same with index images by their last element, for where space is short.
    pub fn short(&self) -> String {
        self.to_string().replace(&format!("{DEFAULT_NAMESPACE}/"), "")
    }
}
