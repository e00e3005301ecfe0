//! Which release a hosted cluster runs.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::objects::{HostedCluster, reference::Image};

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
    /// The first release whose control plane operator also uses `--registry-overrides` to look images up.
    pub const ADDS_OWN_OVERRIDES: Self = Self { major: 4, minor: 18 };
    /// The first release without the redhat-marketplace catalog.
    pub const THREE_CATALOGS: Self = Self { major: 4, minor: 22 };
    /// The first release of which no z-stream requires the image of the redhat-marketplace catalog.
    pub const AFTER_FOUR_CATALOGS: Self = Self { major: 4, minor: 23 };

    /// The release that a HostedCluster runs, where its release image has a tag that names one.
    pub fn of_hosted(hosted: &HostedCluster) -> Option<Self> {
        Self::of_image(&hosted.spec.release.image)
    }

    /// The release that an image's tag names (`…/ocp-release:4.16.3-x86_64`); `None` for an image by
    /// digest alone, whose release only a registry knows.
    fn of_image(image: &str) -> Option<Self> {
        Self::of_version(Image::parse(image).ok()?.tag()?)
    }

    fn is_in(self, from: Option<Self>, before: Option<Self>) -> bool {
        from.is_none_or(|from| self >= from) && before.is_none_or(|before| self < before)
    }

    fn of_version(version: &str) -> Option<Self> {
        let mut numbers = version.split(['.', '-', '+', '_']);
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        Some(Self { major, minor })
    }
}

/// A set of releases; an empty one means every release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Releases(Vec<Release>);

impl Releases {
    /// Whether no release is named, which means every release.
    pub fn is_every(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them is in a range, whose end is not part of it.
    pub fn any_in(&self, from: Option<Release>, before: Option<Release>) -> bool {
        self.is_every() || self.0.iter().any(|release| release.is_in(from, before))
    }

    /// Whether every one of them is this release or a later one.
    pub fn begin_at(&self, first: Release) -> bool {
        !self.is_every() && self.0.iter().all(|release| *release >= first)
    }
}

impl From<Release> for Releases {
    fn from(release: Release) -> Self {
        Self(vec![release])
    }
}

impl FromIterator<Release> for Releases {
    fn from_iter<I: IntoIterator<Item = Release>>(releases: I) -> Self {
        let mut releases: Vec<_> = releases.into_iter().collect();
        releases.sort_unstable();
        releases.dedup();
        Self(releases)
    }
}

impl fmt::Display for Releases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_every() {
            return f.write_str("every release");
        }
        let names: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(", "))
    }
}

/// A text that is not a release. `4.16` and `4.16.3` are releases: what follows the minor version is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{0}\" is not a release such as 4.20")]
pub struct NotARelease(String);

impl FromStr for Release {
    type Err = NotARelease;

    fn from_str(text: &str) -> Result<Self, NotARelease> {
        Self::of_version(text).ok_or_else(|| NotARelease(text.to_owned()))
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

    const V4_14: Release = Release { major: 4, minor: 14 };
    const V4_16: Release = Release { major: 4, minor: 16 };

    #[test]
    fn an_empty_list_means_every_release() {
        let early = Releases::from_iter([V4_16, V4_14]);
        let every = Releases::default();
        let second_era = Some(Release::SECOND_ERA);
        assert!(early.any_in(None, second_era), "both are before 4.17");
        assert!(!early.any_in(second_era, None), "none is 4.17 or later");
        assert!(every.any_in(second_era, None), "some release is 4.17 or later");
        assert!(!every.begin_at(V4_14), "some release is before 4.14");
        assert_eq!(early.to_string(), "4.14, 4.16", "sorted");
        assert_eq!(every.to_string(), "every release");
    }

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
