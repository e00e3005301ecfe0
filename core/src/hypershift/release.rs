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
    /// The first release that is modelled.
    pub const OLDEST: Self = Self { major: 4, minor: 14 };
    /// The last release of 4, which is followed by 5.0.
    const LAST_OF_4: Self = Self { major: 4, minor: 23 };
    /// The newest release that is modelled; later ones are taken to behave like it.
    pub const NEWEST: Self = Self { major: 5, minor: 1 };

    /// The release that a HostedCluster runs: the one that the tag of its release image names, or else the one that its
    /// status has for that image.
    pub fn of_hosted(hosted: &HostedCluster) -> Option<Self> {
        let of_tag = Self::of_image(&hosted.spec.release.image);
        of_tag.or_else(|| hosted.release_version().and_then(Self::of_version))
    }

    /// The release that an image's tag names (`…/ocp-release:4.16.3-x86_64`); `None` for an image by
    /// digest alone, whose release only a registry knows.
    fn of_image(image: &str) -> Option<Self> {
        Self::of_version(Image::parse(image).ok()?.tag()?)
    }

    /// The release of a version such as `4.16.3-x86_64`; `None` for an older one, or for another major version, such as
    /// `2026.1`. Later minor versions, such as 5.2, are returned too: see [`Self::NEWEST`].
    fn of_version(version: &str) -> Option<Self> {
        let mut numbers = version.split(['.', '-', '+', '_']);
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        let release = Self { major, minor };
        (release >= Self::OLDEST && major <= Self::NEWEST.major).then_some(release)
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

    /// The named releases, sorted; none if every release is meant.
    pub fn iter(&self) -> impl Iterator<Item = Release> {
        self.0.iter().copied()
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

/// A text that does not name a release that is modelled. `4.16` and `4.16.3` do: what follows the minor version is
/// ignored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{0}\" is not a release such as 4.20 that is modelled: {oldest} to {last}, and 5.0 to {newest}", oldest = Release::OLDEST, last = Release::LAST_OF_4, newest = Release::NEWEST)]
pub struct NotARelease(String);

impl FromStr for Release {
    type Err = NotARelease;

    fn from_str(text: &str) -> Result<Self, NotARelease> {
        let is_modelled = |release: &Self| match release.major {
            4 => *release <= Self::LAST_OF_4,
            _ => *release <= Self::NEWEST,
        };
        Self::of_version(text).filter(is_modelled).ok_or_else(|| NotARelease(text.to_owned()))
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
    use crate::objects::{Object, ReleaseVersion, manifest};

    #[test]
    fn an_empty_list_means_every_release() {
        let early = Releases::from_iter([Release { major: 4, minor: 16 }, Release::OLDEST]);
        assert_eq!(early.to_string(), "4.14, 4.16", "sorted");
        assert_eq!(Releases::default().to_string(), "every release");
    }

    #[test]
    fn only_modelled_releases_are_read() {
        let table = [
            ("4.14", true, "the oldest"),
            ("4.13", false, "older"),
            ("3.11", false, "another product"),
            ("5.1", true, "the next major version"),
            ("2026.1", false, "a date"),
            ("4", false, "no minor version"),
            ("4.23", true, "the last of 4"),
            ("4.24", false, "5.0 follows 4.23"),
            ("5.2", false, "not modelled yet"),
            ("5", false, "no minor version of 5"),
        ];
        for (text, expected, reason) in table {
            assert_eq!(text.parse::<Release>().is_ok(), expected, "{text}: {reason}");
        }
    }

    #[test]
    fn the_status_has_the_release_of_an_image_by_digest() {
        let digest = format!("m.lab/r@sha256:{}", "0".repeat(64));
        let tag = "m.lab/r:4.16.1";
        let table = [
            (&*digest, &[(&*digest, "4.17.3")][..], Some((4, 17)), "by digest"),
            (
                &digest,
                &[("m.lab/r@sha256:1", "4.18.1"), (&digest, "4.17.3")],
                Some((4, 17)),
                "of the history",
            ),
            (&digest, &[("m.lab/r@sha256:1", "4.18.1")], None, "of another image"),
            (&digest, &[(&digest, "")], None, "not known yet"),
            (tag, &[(tag, "4.17.3")], Some((4, 16)), "the tag comes first"),
        ];
        for (image, versions, expected, reason) in table {
            let mut hosted = HostedCluster::default();
            hosted.spec.release.image = image.to_owned();
            for (image, version) in versions {
                let (image, version) = ((*image).to_owned(), (*version).to_owned());
                hosted.status.versions.push(ReleaseVersion { image, version });
            }
            let release = Release::of_hosted(&hosted).map(|r| (r.major, r.minor));
            assert_eq!(release, expected, "{reason}");
        }
    }

    #[test]
    fn the_release_is_read_from_the_tag() {
        let table = [
            ("quay.io/openshift-release-dev/ocp-release:4.16.3-x86_64", Some((4, 16)), "the usual tag"),
            ("m.lab:5000/r:5.0.0-rc.1-multi", Some((5, 0)), "a candidate"),
            ("m.lab:5000/r:latest", None, "a tag that is no version"),
            ("m.lab:5000/r", None, "no tag; the port is not one"),
            ("m.lab:5000/r:2026.1", None, "a tag that is a date"),
        ];
        for (image, expected, reason) in table {
            let release = Release::of_image(image).map(|r| (r.major, r.minor));
            assert_eq!(release, expected, "{image}: {reason}");
        }
    }

    #[test]
    fn the_status_is_read_with_the_object() {
        let yaml = "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\nmetadata: {name: h}\n\
                    spec: {release: {image: \"m.lab/r@sha256:1\"}}\n\
                    status: {version: {desired: {image: \"m.lab/r@sha256:2\", version: 4.17.1}, \
                    history: [{image: \"m.lab/r@sha256:1\", version: 4.16.2, verified: true}]}}\n";
        let object = manifest::read("hosted", yaml.to_owned()).objects.remove(0).object;
        let Object::HostedCluster(hosted) = object else { panic!("{object:?}") };
        assert_eq!(Release::of_hosted(&hosted), Some(Release { major: 4, minor: 16 }));
    }
}
