//! Why no value of the annotation can be derived.

use std::fmt;

use super::{CatalogMirrors, Deciders, Span, catalogs::DEFAULT_NAMESPACE};

/// Why no value is right. Index images are without a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// No mirror set covers any catalog.
    NoneMirrored,
    /// No mirror set covers any catalog, and no catalog of the management cluster serves these.
    NotServed(Vec<String>),
    /// The catalogs of the management cluster serve this index image from several repositories.
    ServedTwice(String, Deciders),
    /// The configured value would be misread: how.
    Configured(String),
    /// The nodes get no file that they can read: the reason of the machine-config operator or of the node.
    NotRendered(String),
    /// Some catalogs have a mirror, these have none.
    NotMirrored(Vec<String>),
    /// A mirror gives the index image another name: image, mirror.
    Renamed(String, String, Deciders),
    /// Two catalogs have their mirrors in different namespaces.
    Disagreeing(Box<Disagreeing>, Box<Disagreeing>),
    /// This mirror names no registry, so that nodes cannot pull from it.
    Unqualified(String, Deciders),
    /// At this mirror an index image has no name that could be pulled.
    NoReference(String, Deciders),
    /// The value would redirect this image elsewhere in some release: image, releases.
    Misread(String, Span),
}

/// One of two catalogs in different namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreeing {
    /// Its index image.
    pub image: String,
    /// The namespaces that it is mirrored to, in the order of the mirrors.
    pub namespaces: Vec<String>,
    /// What decides that.
    pub decided_by: Deciders,
}

impl Disagreeing {
    /// A catalog and the namespaces of its mirrors.
    pub fn new(catalog: &CatalogMirrors, namespaces: &[String]) -> Self {
        Self {
            image: catalog.catalog.image(),
            namespaces: namespaces.to_vec(),
            decided_by: catalog.decided_by.clone(),
        }
    }

    /// The namespaces in a sentence, with what decides them.
    fn places(&self) -> String {
        let named: Vec<_> = self.namespaces.iter().take(NAMED).map(String::as_str).collect();
        let more = self.namespaces.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("{}{more}{}", named.join(", "), by(&self.decided_by))
    }
}

/// More namespaces than these are not named.
const NAMED: usize = 2;

/// ` (OBJECTS)`, or nothing if no object is known.
fn by(deciders: &Deciders) -> String {
    if deciders.fields.is_empty() { String::new() } else { format!(" ({deciders})") }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneMirrored => {
                f.write_str("no mirror set covers the index images of the default catalogs")
            }
            Self::NotServed(images) => write!(
                f,
                "no mirror set covers the default catalogs, and no catalog of the management cluster serves {}",
                images.join(", ")
            ),
            Self::ServedTwice(image, deciders) => {
                write!(f, "the management cluster serves {image} from several repositories{}", by(deciders))
            }
            Self::Configured(misreading) => write!(f, "catalogOverrides.value is wrong: {misreading}"),
            Self::NotRendered(why) => {
                write!(f, "nodes get no usable registries.conf: {why}")
            }
            Self::NotMirrored(images) => write!(f, "no mirror set covers {}", images.join(", ")),
            Self::Renamed(image, mirror, deciders) => {
                write!(f, "mirror \"{mirror}\" gives {image} another name{}", by(deciders))
            }
            Self::Disagreeing(a, b) => {
                write!(f, "{} is mirrored to {}, but {} to {}", a.image, a.places(), b.image, b.places())
            }
            Self::Unqualified(mirror, deciders) => {
                write!(f, "mirror \"{mirror}\" has no registry host{}", by(deciders))
            }
            Self::NoReference(mirror, deciders) => {
                write!(f, "mirror \"{mirror}\" gives no valid image reference{}", by(deciders))
            }
            Self::Misread(image, releases) => {
                write!(f, "releases {releases} would not look for {image} where it is mirrored")
            }
        }
    }
}

impl Obstacle {
    /// The same with index images by their last element, for where space is short.
    pub fn short(&self) -> String {
        self.to_string().replace(&format!("{DEFAULT_NAMESPACE}/"), "")
    }

    /// The kind and its values, which stay the same when the sentence is reworded: one for each image that is missing.
    pub fn keys(&self) -> Vec<String> {
        match self {
            Self::NotServed(images) => images.iter().map(|image| format!("not served {image}")).collect(),
            Self::NotMirrored(images) => images.iter().map(|image| format!("not mirrored {image}")).collect(),
            _ => vec![self.key()],
        }
    }

    /// The kind and its values in one line.
    pub(super) fn key(&self) -> String {
        match self {
            Self::NoneMirrored => "none mirrored".to_owned(),
            Self::NotServed(images) => format!("not served {}", images.join(" ")),
            Self::ServedTwice(image, _) => format!("served twice {image}"),
            Self::Configured(_) => "configured".to_owned(),
            Self::NotRendered(_) => "not rendered".to_owned(),
            Self::NotMirrored(images) => format!("not mirrored {}", images.join(" ")),
            Self::Renamed(image, mirror, _) => format!("renamed {image} {mirror}"),
            Self::Disagreeing(a, b) => format!("disagreeing {} {}", a.image, b.image),
            Self::Unqualified(mirror, _) => format!("unqualified {mirror}"),
            Self::NoReference(mirror, _) => format!("no reference {mirror}"),
            Self::Misread(image, releases) => format!("misread {image} {releases}"),
        }
    }

    /// The fields that stand in the way; empty for the obstacles that no field of a set or catalog causes, or where it
    /// is not known.
    pub fn deciders(&self) -> Vec<&Deciders> {
        match self {
            Self::Renamed(.., deciders)
            | Self::Unqualified(_, deciders)
            | Self::NoReference(_, deciders)
            | Self::ServedTwice(_, deciders) => vec![deciders],
            Self::Disagreeing(a, b) => vec![&a.decided_by, &b.decided_by],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::ObjectId;

    fn index(name: &str) -> String {
        format!("{DEFAULT_NAMESPACE}/{name}-index")
    }

    fn by_itms(names: &[&str]) -> Deciders {
        let field = |name: &&str| (ObjectId::new("ImageTagMirrorSet", "", name), String::new());
        Deciders::new(names.iter().map(field).collect())
    }

    fn at(image: &str, namespaces: &[&str], decided_by: Deciders) -> Disagreeing {
        let namespaces = namespaces.iter().map(ToString::to_string).collect();
        Disagreeing { image: image.to_owned(), namespaces, decided_by }
    }

    /// The sentences are written down here and nowhere else.
    #[test]
    fn an_obstacle_is_a_clause_with_its_values() {
        let (a, b) = (index("a"), index("b"));
        let table = [
            (Obstacle::NoneMirrored, "no mirror set covers the index images of the default catalogs"),
            (
                Obstacle::NotServed(vec![b.clone()]),
                "no mirror set covers the default catalogs, and no catalog of the management cluster serves b-index",
            ),
            (
                Obstacle::ServedTwice(a.clone(), by_itms(&["s", "t"])),
                "the management cluster serves a-index from several repositories (ImageTagMirrorSet/s, \
                 ImageTagMirrorSet/t)",
            ),
            (
                Obstacle::Configured("releases up to 4.16 ignore the whole value".to_owned()),
                "catalogOverrides.value is wrong: releases up to 4.16 ignore the whole value",
            ),
            (
                Obstacle::NotRendered("invalid format for mirror \"m:\"".to_owned()),
                "nodes get no usable registries.conf: invalid format for mirror \"m:\"",
            ),
            (Obstacle::NotMirrored(vec![a.clone(), b.clone()]), "no mirror set covers a-index, b-index"),
            (
                Obstacle::Renamed(a.clone(), "m.lab/mine".to_owned(), by_itms(&["t", "t", "t", "t"])),
                "mirror \"m.lab/mine\" gives a-index another name (ImageTagMirrorSet/t)",
            ),
            (
                Obstacle::Disagreeing(
                    at(&a, &["m.lab/x"], by_itms(&["s", "t", "u", "v", "w"])).into(),
                    at(&b, &["m.lab/y", "n.lab/y", "o.lab/y"], by_itms(&[])).into(),
                ),
                "a-index is mirrored to m.lab/x (ImageTagMirrorSet/s, ImageTagMirrorSet/t, ImageTagMirrorSet/u and 2 \
                 more), but b-index to m.lab/y, n.lab/y and 1 more",
            ),
            (
                Obstacle::Unqualified("m3/x".to_owned(), by_itms(&["t"])),
                "mirror \"m3/x\" has no registry host (ImageTagMirrorSet/t)",
            ),
            (
                Obstacle::NoReference("m.lab/redhat/".to_owned(), Deciders::default()),
                "mirror \"m.lab/redhat/\" gives no valid image reference",
            ),
            (
                Obstacle::Misread(a, Span::REPLACED_CATALOGS),
                "releases up to 4.16 would not look for a-index where it is mirrored",
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
