//! Which release a hosted cluster runs.

use std::fmt;

use crate::objects::reference::Image;

/// A release's minor version, `4.16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    /// The 4 of 4.16.
    pub major: u32,
    /// The 16 of 4.16.
    pub minor: u32,
}

impl Release {
    /// The first release in which HyperShift tries registry and namespace sources, and in which the
    /// catalogs annotation is a list of places.
    pub const SECOND_ERA: Self = Self { major: 4, minor: 17 };
    /// The first release whose control plane operator looks images up with `--registry-overrides` too.
    pub const ADDS_OWN_OVERRIDES: Self = Self { major: 4, minor: 18 };
    /// The first release without the redhat-marketplace catalog.
    pub const THREE_CATALOGS: Self = Self { major: 4, minor: 22 };

    /// The release that an image's tag names (`…/ocp-release:4.16.3-x86_64`); `None` for an image by
    /// digest alone, whose release only a registry could tell.
    pub fn of_image(image: &str) -> Option<Self> {
        let image = Image::parse(image).ok()?;
        let mut numbers = image.tag()?.split(['.', '-', '+']);
        let mut number = || numbers.next()?.parse().ok();
        Some(Self { major: number()?, minor: number()? })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_read_from_the_tag() {
        let table = [
            ("quay.io/openshift-release-dev/ocp-release:4.16.3-x86_64", Some((4, 16)), "the usual tag"),
            ("m.lab:5000/r:5.0.0-rc.1-multi", Some((5, 0)), "a candidate"),
            ("m.lab:5000/r:latest", None, "a tag that is no version"),
            ("m.lab:5000/r", None, "no tag; the port is not one"),
        ];
        for (image, expected, reason) in table {
            let release = Release::of_image(image).map(|r| (r.major, r.minor));
            assert_eq!(release, expected, "{image}: {reason}");
        }
    }
}
