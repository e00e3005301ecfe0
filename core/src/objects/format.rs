//! Which sources and mirrors the machine-config operator of a release accepts.

use super::grammar::{is_valid_mirror, is_valid_source};

/// What the machine-config operator accepts as sources and mirrors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Up to 4.15: everything but an empty value and one with `*`, whatever the schemas allow.
    UpTo415,
    /// From 4.16 on, and where the release is unknown: [`is_valid_source`] and [`is_valid_mirror`].
    #[default]
    From416,
}

impl Format {
    /// The format of a release, `4.16.3`.
    pub fn of_release(version: &str) -> Self {
        let mut numbers = version.split('.').map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(4)), Some(Ok(minor))) if minor < 16 => Self::UpTo415,
            _ => Self::From416,
        }
    }

    /// Whether a source is accepted.
    ///
    /// Follows `machine-config-operator pkg/controller/container-runtime-config/helpers.go`
    /// `validateRegistriesConfScopes` of release-4.15 and of main.
    pub fn accepts_source(self, source: &str) -> bool {
        match self {
            Self::UpTo415 => !source.is_empty() && !source.contains('*'),
            Self::From416 => is_valid_source(source),
        }
    }

    /// Whether a mirror is accepted.
    pub fn accepts_mirror(self, mirror: &str) -> bool {
        match self {
            Self::UpTo415 => !mirror.is_empty() && !mirror.contains('*'),
            Self::From416 => is_valid_mirror(mirror),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_the_release() {
        let table = [
            ("4.14.9", Format::UpTo415, "the first with IDMS and ITMS next to ICSP"),
            ("4.15.0", Format::UpTo415, "the last without the patterns"),
            ("4.16.0", Format::From416, "the first with the patterns"),
            ("5.0.1", Format::From416, "another major version"),
            ("", Format::From416, "not known"),
            ("4", Format::From416, "no minor version"),
        ];
        for (version, expected, reason) in table {
            assert_eq!(Format::of_release(version), expected, "{version}: {reason}");
        }
    }

    #[test]
    fn up_to_4_15_only_wildcards_and_empty_values_are_refused() {
        let table = [
            ("quay.io/a", true, true, "a repository"),
            ("*.redhat.io", false, true, "a wildcard, which the schema of an IDMS allows"),
            ("https://quay.io/a", true, false, "a scheme"),
            ("quay.io/a:v1", true, false, "a tag"),
            ("quay.io/A", true, false, "an upper-case letter"),
            ("quay.io/", true, false, "a slash at the end"),
            ("", false, false, "nothing"),
        ];
        for (source, up_to_415, from_416, reason) in table {
            assert_eq!(Format::UpTo415.accepts_source(source), up_to_415, "{source}: {reason}");
            assert_eq!(Format::From416.accepts_source(source), from_416, "{source}: {reason}");
        }
        assert!(!Format::UpTo415.accepts_mirror("*.lab"), "no wildcard is a mirror");
    }
}
