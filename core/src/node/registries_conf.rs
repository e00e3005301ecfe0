//! `/etc/containers/registries.conf` as a value and as text.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

use crate::objects::{reference::Image, scope::is_wildcard};

/// What the machine-config operator starts from; the template of every pool.
pub const SEARCH_REGISTRIES: [&str; 2] = ["registry.access.redhat.com", "docker.io"];

/// Which pulls a mirror serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PullFromMirror {
    /// Only pulls by digest.
    DigestOnly,
    /// Only pulls by tag.
    TagOnly,
}

impl PullFromMirror {
    /// What a pull of this image asks for; with a tag and a digest it is a pull by digest.
    pub fn of(image: &Image) -> Self {
        if image.is_digested() { Self::DigestOnly } else { Self::TagOnly }
    }
}

impl fmt::Display for PullFromMirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DigestOnly => "digest-only",
            Self::TagOnly => "tag-only",
        })
    }
}

/// A `[[registry.mirror]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror<'a> {
    /// Where it is.
    pub location: Cow<'a, str>,
    /// Reached without TLS verification.
    pub insecure: bool,
    /// Which pulls it serves.
    pub pull: PullFromMirror,
}

/// A `[[registry]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry<'a> {
    /// The scope it is about: `prefix` for a wildcard, `location` otherwise.
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
        let [first, second] = SEARCH_REGISTRIES.map(Quoted);
        writeln!(f, "unqualified-search-registries = [{first}, {second}]")?;
        writeln!(f, "short-name-mode = \"\"\nadditional-layer-store-auth-helper = \"\"")?;
        for registry in &self.registries {
            let wildcard = is_wildcard(registry.scope);
            let prefix = if wildcard { registry.scope } else { "" };
            writeln!(f, "\n[[registry]]\n  prefix = {}", Quoted(prefix))?;
            if !wildcard {
                writeln!(f, "  location = {}", Quoted(registry.scope))?;
            }
            if registry.insecure {
                writeln!(f, "  insecure = true")?;
            }
            if registry.blocked {
                writeln!(f, "  blocked = true")?;
            }
            for mirror in &registry.mirrors {
                writeln!(f, "\n  [[registry.mirror]]\n    location = {}", Quoted(&mirror.location))?;
                if mirror.insecure {
                    writeln!(f, "    insecure = true")?;
                }
                writeln!(f, "    pull-from-mirror = \"{}\"", mirror.pull)?;
            }
        }
        Ok(())
    }
}

/// A TOML basic string.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\""),
                '\\' => f.write_str("\\\\"),
                '\t' => f.write_str("\\t"),
                '\n' => f.write_str("\\n"),
                '\r' => f.write_str("\\r"),
                '\u{8}' => f.write_str("\\b"),
                '\u{c}' => f.write_str("\\f"),
                c if c.is_ascii_control() => write!(f, "\\u{:04x}", u32::from(c)),
                c => f.write_char(c),
            }?;
        }
        f.write_char('"')
    }
}
