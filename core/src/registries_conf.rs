//! `/etc/containers/registries.conf` as a value, as text, and how many bytes its text takes.
//!
//! The text and its size are made by the same functions, so that a size can be kept without rendering.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

use crate::objects::{Pull, scope::is_wildcard};

/// The registries for images without one, in the template of every pool that the machine-config operator starts
/// from.
pub const SEARCH_REGISTRIES: [&str; 2] = ["registry.access.redhat.com", "docker.io"];

/// A `[[registry.mirror]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror<'a> {
    /// Where it is.
    pub location: Cow<'a, str>,
    /// Reached without TLS verification.
    pub insecure: bool,
    /// The pulls that it serves.
    pub pull: Pull,
}

/// A `[[registry]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry<'a> {
    /// Its scope: `prefix` for a wildcard, `location` otherwise.
    pub scope: &'a str,
    /// Reached without TLS verification.
    pub insecure: bool,
    /// Never contacted itself; its mirrors are.
    pub blocked: bool,
    /// In the order they are tried.
    pub mirrors: Vec<Mirror<'a>>,
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistriesConf<'a> {
    /// In the order of the file, which has no meaning to the nodes.
    pub registries: Vec<Registry<'a>>,
}

impl fmt::Display for RegistriesConf<'_> {
    /// Writes what the TOML encoder of Go's `github.com/BurntSushi/toml` writes of containers/image's
    /// `V2RegistriesConf`, byte for byte.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_head(f, &SEARCH_REGISTRIES)?;
        for registry in &self.registries {
            registry.fmt(f)?;
        }
        Ok(())
    }
}

/// `/etc/containers/registries.conf.d/01-image-searchRegistries.conf`, the drop-in file with the search registries of
/// the image configuration. They replace those of registries.conf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchRegistriesConf<'a>(pub &'a [String]);

impl SearchRegistriesConf<'_> {
    /// Where nodes have it.
    pub const PATH: &'static str = "/etc/containers/registries.conf.d/01-image-searchRegistries.conf";
}

impl fmt::Display for SearchRegistriesConf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_head(f, self.0)
    }
}

/// Writes the settings that come before the registries. The encoder writes empty strings, too.
fn write_head(out: &mut impl Write, search_registries: &[impl AsRef<str>]) -> fmt::Result {
    out.write_str("unqualified-search-registries = [")?;
    for (at, registry) in search_registries.iter().enumerate() {
        out.write_str(if at == 0 { "" } else { ", " })?;
        write_quoted(out, registry.as_ref())?;
    }
    out.write_str("]\nshort-name-mode = \"\"\nadditional-layer-store-auth-helper = \"\"\n")
}

impl fmt::Display for Registry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_registry(f, self.scope, self.insecure, self.blocked)?;
        for mirror in &self.mirrors {
            write_mirror(f, &mirror.location, mirror.insecure, mirror.pull)?;
        }
        Ok(())
    }
}

/// Bytes that a registry and its mirrors take in the file, without the `insecure` lines, which only the image
/// configuration adds.
pub fn size_of_registry<'m>(
    scope: &str,
    blocked: bool,
    mirrors: impl IntoIterator<Item = (&'m str, Pull)>,
) -> usize {
    let mut count = ByteCount(0);
    // Counting cannot fail.
    let _ = write_registry(&mut count, scope, false, blocked);
    for (location, pull) in mirrors {
        let _ = write_mirror(&mut count, location, false, pull);
    }
    count.0
}

/// Counts the bytes that are written to it.
struct ByteCount(usize);

impl Write for ByteCount {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// Writes a registry without its mirrors. The encoder leaves out an empty `location`, but not an empty `prefix`.
fn write_registry(out: &mut impl Write, scope: &str, insecure: bool, blocked: bool) -> fmt::Result {
    let (prefix, location) = if is_wildcard(scope) { (scope, None) } else { ("", Some(scope)) };
    out.write_str("\n[[registry]]\n  prefix = ")?;
    write_quoted(out, prefix)?;
    if let Some(location) = location {
        out.write_str("\n  location = ")?;
        write_quoted(out, location)?;
    }
    out.write_str("\n")?;
    if insecure {
        out.write_str("  insecure = true\n")?;
    }
    if blocked {
        out.write_str("  blocked = true\n")?;
    }
    Ok(())
}

fn write_mirror(out: &mut impl Write, location: &str, insecure: bool, pull: Pull) -> fmt::Result {
    out.write_str("\n  [[registry.mirror]]\n    location = ")?;
    write_quoted(out, location)?;
    out.write_str("\n")?;
    if insecure {
        out.write_str("    insecure = true\n")?;
    }
    out.write_str("    pull-from-mirror = ")?;
    write_quoted(out, pull.pull_from_mirror())?;
    out.write_str("\n")
}

/// Writes a TOML basic string.
fn write_quoted(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_str("\"")?;
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_escaped) {
        let (plain, escaped) = rest.split_at(at);
        out.write_str(plain)?;
        match escaped.as_bytes()[0] {
            b'"' => out.write_str("\\\""),
            b'\\' => out.write_str("\\\\"),
            b'\t' => out.write_str("\\t"),
            b'\n' => out.write_str("\\n"),
            b'\r' => out.write_str("\\r"),
            8 => out.write_str("\\b"),
            12 => out.write_str("\\f"),
            control => write!(out, "\\u{control:04x}"),
        }?;
        rest = &escaped[1..];
    }
    out.write_str(rest)?;
    out.write_str("\"")
}

fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\') || byte.is_ascii_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_quoted_as_toml_quotes_it() {
        let table = [
            ("quay.io/a", "\"quay.io/a\"", "nothing to escape"),
            ("a\"b\\c", "\"a\\\"b\\\\c\"", "quotes and backslashes"),
            ("\t\n\r\u{8}\u{c}", "\"\\t\\n\\r\\b\\f\"", "controls with a letter"),
            ("\u{1}\u{7f}", "\"\\u0001\\u007f\"", "other controls"),
            ("ü日", "\"ü日\"", "characters of several bytes"),
        ];
        for (text, expected, reason) in table {
            let mut quoted = String::new();
            write_quoted(&mut quoted, text).unwrap();
            assert_eq!(quoted, expected, "{reason}");
        }
    }

    struct Case {
        scope: &'static str,
        blocked: bool,
        mirrors: &'static [(&'static str, Pull)],
        reason: &'static str,
    }

    #[test]
    fn the_size_is_that_of_the_text() {
        let table = [
            Case { scope: "quay.io/a", blocked: false, mirrors: &[], reason: "no mirror" },
            Case { scope: "quay.io/a", blocked: true, mirrors: &[], reason: "blocked" },
            Case {
                scope: "*.lab.example",
                blocked: false,
                mirrors: &[("m.lab", Pull::Digest)],
                reason: "a wildcard",
            },
            Case {
                scope: "quay.io/a",
                blocked: true,
                mirrors: &[("m.lab:8443/a", Pull::Digest), ("m.lab:8443/a", Pull::Tag)],
                reason: "mirrors for both kinds of pull",
            },
            Case {
                scope: "a\"b\nü",
                blocked: false,
                mirrors: &[("m\\\u{1}", Pull::Tag)],
                reason: "characters that are escaped",
            },
        ];
        for Case { scope, blocked, mirrors, reason } in table {
            let size = size_of_registry(scope, blocked, mirrors.iter().copied());
            let mirrors = mirrors.iter().map(|(location, pull)| Mirror {
                location: (*location).into(),
                insecure: false,
                pull: *pull,
            });
            let registry = Registry { scope, insecure: false, blocked, mirrors: mirrors.collect() };
            assert_eq!(size, registry.to_string().len(), "{reason}");
        }
    }
}
