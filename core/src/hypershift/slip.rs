//! Slips in a value of the catalog overrides annotation: characters that HyperShift takes as part of a name, or as
//! nothing, and the value that was probably meant.

use std::fmt;

use super::catalogs::{DEFAULT_NAMESPACE, DEFAULT_REGISTRY};
use crate::suggest::closest;

/// A slip, and what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// The first character that is wrong, counted from 1.
    pub position: usize,
    /// What is wrong with it.
    pub kind: SlipKind,
    /// The value without this slip and any other.
    pub meant: String,
}

/// A kind of slip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlipKind {
    /// A space, tab or line break.
    Space,
    /// A quotation mark.
    Quote(char),
    /// A character that should be another one: the wrong one, the right one.
    Instead(char, char),
    /// A character too many.
    Extra(char),
    /// An upper-case letter, where image references have none.
    UpperCase(char),
    /// `https://` or another scheme.
    Scheme,
    /// A registry that is not the one of the catalogs.
    Registry(String),
}

impl fmt::Display for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.position;
        match &self.kind {
            SlipKind::Space => write!(f, "character {at} is a space"),
            SlipKind::Quote(mark) => write!(f, "character {at} is a quotation mark ({mark})"),
            SlipKind::Instead(found, meant) => write!(f, "character {at} is {found} instead of {meant}"),
            SlipKind::Extra(found) => write!(f, "character {at} is an extra {found}"),
            SlipKind::UpperCase(letter) => write!(f, "character {at} is the upper-case letter {letter}"),
            SlipKind::Scheme => write!(f, "a scheme begins at character {at}"),
            SlipKind::Registry(found) => {
                write!(f, "the registry at character {at} is {found} instead of {DEFAULT_REGISTRY}")
            }
        }
    }
}

/// Characters with their places in the value, counted from 1.
type Text = Vec<(usize, char)>;

/// The slips found so far, each with its position in the value. The methods take a part of the value, add what is
/// wrong with it, and return it corrected.
#[derive(Default)]
struct Slips(Vec<(usize, SlipKind)>);

/// The first slip in a value, if there is one.
pub fn find_slip(value: &str) -> Option<Slip> {
    let mut slips = Slips::default();
    let text: Text = value.chars().enumerate().map(|(at, letter)| (at + 1, letter)).collect();
    let text = slips.without_quotes(text);
    let text = slips.without_spaces(&text);
    let pairs: Vec<_> =
        text.split(|(_, letter)| *letter == ',').map(|pair| slips.correct_pair(pair)).collect();
    let meant = pairs.join(",");
    let (position, kind) = slips.0.into_iter().min_by_key(|(position, _)| *position)?;
    Some(Slip { position, kind, meant })
}

impl Slips {
    fn add(&mut self, position: usize, kind: SlipKind) {
        self.0.push((position, kind));
    }

    fn without_quotes(&mut self, mut text: Text) -> Text {
        text.retain(|(at, letter)| {
            let is_quote = "\"'`“”„’‘".contains(*letter);
            if is_quote {
                self.add(*at, SlipKind::Quote(*letter));
            }
            !is_quote
        });
        text
    }

    /// Removes spaces next to a comma, an equals sign or the end. A semicolon becomes a comma, and so does the last of
    /// the spaces between two other characters: there it separates two pairs.
    fn without_spaces(&mut self, text: &Text) -> Text {
        let mut kept: Text = Vec::new();
        for (index, &(at, letter)) in text.iter().enumerate() {
            if letter == ';' {
                self.add(at, SlipKind::Instead(';', ','));
                kept.push((at, ','));
            } else if letter.is_whitespace() {
                self.add(at, SlipKind::Space);
                let before = kept.last().is_some_and(|(_, before)| !",=".contains(*before));
                let after = text.get(index + 1).is_some_and(|(_, after)| !is_space_or(*after, ",=;"));
                if before && after {
                    kept.push((at, ','));
                }
            } else {
                kept.push((at, letter));
            }
        }
        kept
    }

    /// A pair without slips. A part that has no `=`, and no colon in place of it, is no pair: it only loses a scheme.
    fn correct_pair(&mut self, pair: &[(usize, char)]) -> String {
        let mut pair = self.without_scheme(pair.to_vec());
        if let Some(at) = colon_for_equals(&pair) {
            self.add(pair[at].0, SlipKind::Instead(':', '='));
            pair[at].1 = '=';
        }
        let Some(equals) = pair.iter().position(|(_, letter)| *letter == '=') else {
            return to_string(&pair);
        };
        let source = self.correct_source(&pair[..equals]);
        let place = self.without_scheme(pair[equals + 1..].to_vec());
        let place = self.without_slashes_at_end(place);
        format!("{source}={}", self.lower_path(&place))
    }

    /// A source without slips. It is compared as text, so that even its host has to be in lower case, and
    /// its tag, as those of the catalogs are.
    fn correct_source(&mut self, source: &[(usize, char)]) -> String {
        let source = self.without_slashes_at_end(source.to_vec());
        let upper = source.iter().find(|(_, letter)| letter.is_uppercase());
        if let Some((at, letter)) = upper {
            self.add(*at, SlipKind::UpperCase(*letter));
        }
        let text = to_string(&source).to_lowercase();
        let (host, rest) = text.split_at(text.find('/').unwrap_or(text.len()));
        if !is_misspelt_registry(host) {
            return text;
        }
        // A misspelt host is not empty.
        self.add(source[0].0, SlipKind::Registry(host.to_owned()));
        format!("{DEFAULT_REGISTRY}{rest}")
    }

    fn without_scheme(&mut self, text: Text) -> Text {
        // In characters, not in bytes: the value is anything that someone typed. The schemes that people type are
        // shorter than `docker-daemon`: after more characters, `://` is something else.
        let scheme = text.windows("://".len()).position(|part| to_string(part) == "://");
        // In `redhat=https://…`, the source is not part of the scheme.
        let ends =
            |at: &usize| *at < "docker-daemon".len() && text[..*at].iter().all(|(_, letter)| *letter != '=');
        let Some(letters) = scheme.filter(ends) else { return text };
        self.add(text[0].0, SlipKind::Scheme);
        text[letters + "://".len()..].to_vec()
    }

    fn without_slashes_at_end(&mut self, mut text: Text) -> Text {
        while let Some((at, '/')) = text.last().copied() {
            self.add(at, SlipKind::Extra('/'));
            text.pop();
        }
        text
    }

    /// A place with its path in lower case. The host and the tag may have upper-case letters, as in any image
    /// reference.
    fn lower_path(&mut self, place: &Text) -> String {
        let path = place.iter().position(|(_, letter)| *letter == '/').unwrap_or(place.len());
        let (host, path) = place.split_at(path);
        let tag = path.iter().position(|(_, letter)| *letter == ':').unwrap_or(path.len());
        let (path, tag) = path.split_at(tag);
        if let Some((at, letter)) = path.iter().find(|(_, letter)| letter.is_uppercase()) {
            self.add(*at, SlipKind::UpperCase(*letter));
        }
        format!("{}{}{}", to_string(host), to_string(path).to_lowercase(), to_string(tag))
    }
}

fn to_string(text: &[(usize, char)]) -> String {
    text.iter().map(|(_, letter)| letter).collect()
}

fn is_space_or(letter: char, others: &str) -> bool {
    letter.is_whitespace() || others.contains(letter)
}

/// The index of a colon after a source of catalogs, in a pair without an equals sign.
fn colon_for_equals(pair: &[(usize, char)]) -> Option<usize> {
    let text = to_string(pair).to_lowercase();
    // Only in ASCII are the bytes of a source as many as its characters.
    if text.contains('=') || !text.is_ascii() {
        return None;
    }
    let ends = |source: &&str| text.strip_prefix(*source).is_some_and(|rest| rest.starts_with(':'));
    [DEFAULT_NAMESPACE, DEFAULT_REGISTRY].iter().find(|source| ends(source)).map(|source| source.len())
}

/// Other registries of Red Hat, whose names resemble the one of the catalogs. They may be meant.
const OTHER_REGISTRIES: [&str; 2] = ["registry.access.redhat.com", "registry.connect.redhat.com"];

/// Whether a host is probably meant to be [`DEFAULT_REGISTRY`]. [`closest`] also finds other hosts `registry.…`
/// similar, so the name must have a part of Red Hat's.
fn is_misspelt_registry(host: &str) -> bool {
    host != DEFAULT_REGISTRY
        && !OTHER_REGISTRIES.contains(&host)
        && closest(host, [DEFAULT_REGISTRY]).is_some()
        && host.contains("red")
}

#[cfg(test)]
mod tests;
