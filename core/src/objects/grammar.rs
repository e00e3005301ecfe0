//! The valid values of sources, mirrors and entries of `registrySources`.

use super::scope::names_registry;

/// Whether the machine-config operator accepts the value as a source: a repository, or `*.host[.host…]`.
///
/// The grammar is `machine-config-operator pkg/controller/container-runtime-config/helpers.go`
/// `sourceRegex`. It is implemented by hand, because it is applied to every value of every write; a test compares it
/// with the pattern.
pub fn is_valid_source(source: &str) -> bool {
    match source.strip_prefix("*.") {
        Some(domain) => is_domain(domain.as_bytes()),
        None => is_valid_mirror(source),
    }
}

/// Whether the machine-config operator accepts the value as a mirror: `host[.host…][:port][/element…]`
/// (`mirrorRegex`).
pub fn is_valid_mirror(mirror: &str) -> bool {
    let Some(rest) = after_domain(mirror.as_bytes()) else { return false };
    let rest = match rest {
        [b':', port @ ..] => {
            let digits = port.iter().take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            &port[digits..]
        }
        rest => rest,
    };
    rest.is_empty() || (rest[0] == b'/' && is_path(&rest[1..]))
}

fn is_domain(domain: &[u8]) -> bool {
    after_domain(domain).is_some_and(<[u8]>::is_empty)
}

/// The rest after a domain: labels of letters, digits and inner hyphens, joined by dots. `None` if there is no domain.
fn after_domain(text: &[u8]) -> Option<&[u8]> {
    // As after a dot: the first label may neither be empty nor begin with a hyphen.
    let mut last = b'.';
    let mut length = 0;
    for &byte in text {
        match byte {
            b'.' if matches!(last, b'.' | b'-') => return None,
            b'-' if last == b'.' => return None,
            b'.' => {}
            _ if LETTERS[usize::from(byte)] & IN_HOST != 0 => {}
            _ => break,
        }
        last = byte;
        length += 1;
    }
    (!matches!(last, b'.' | b'-')).then(|| &text[length..])
}

/// Elements joined by slashes: lower-case letters and digits, separated by a dot, by one or two underscores, or by
/// hyphens.
fn is_path(path: &[u8]) -> bool {
    // The two bytes before each byte, at first a slash: two underscores separate, three do not.
    let (mut before, mut last) = (b'a', b'/');
    for &byte in path {
        let fits = is_path_letter(byte)
            || match byte {
                b'/' | b'.' => is_path_letter(last),
                b'_' => is_path_letter(last) || (last == b'_' && is_path_letter(before)),
                b'-' => is_path_letter(last) || last == b'-',
                _ => false,
            };
        if !fits {
            return false;
        }
        (before, last) = (last, byte);
    }
    is_path_letter(last)
}

fn is_path_letter(byte: u8) -> bool {
    LETTERS[usize::from(byte)] & IN_PATH != 0
}

const IN_HOST: u8 = 1;
const IN_PATH: u8 = 2;
/// For each byte, whether it may be in a label of a host (a hyphen only inside of it), and in an element of a path
/// other than as a separator.
static LETTERS: [u8; 256] = {
    let mut letters = [0; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            letters[byte as usize] |= IN_HOST;
        }
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() {
            letters[byte as usize] |= IN_PATH;
        }
        byte += 1;
    }
    letters
};

macro_rules! domain {
    () => {
        "[a-zA-Z0-9]+(([.]|-+)[a-zA-Z0-9]+)*"
    };
}

/// A pattern for the domain after the `*.` of a wildcard, valid in both RE2 and Rust. It matches the same texts as the
/// pattern of the operator, but has a third of its length, which CEL counts as cost. It contains no quotes and no
/// backslashes.
pub const DOMAIN_PATTERN: &str = concat!("^", domain!(), "$");

/// [`is_valid_mirror`] as a pattern, with the same properties.
pub const MIRROR_PATTERN: &str = concat!("^", domain!(), "(:[0-9]+)?(/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*$");

/// Whether an insecure, blocked or allowed registry is valid in registries.conf.
///
/// Follows `runtime-utils pkg/registries/registries.go` `IsValidRegistriesConfScope`.
pub fn is_valid_registry_scope(scope: &str) -> bool {
    match scope.strip_prefix("*.") {
        Some(domain) => !domain.contains(['/', '@', ':', '*']),
        None => !scope.is_empty() && !scope.contains('*'),
    }
}

/// What is wrong with a source or mirror that [`is_valid_source`] or [`is_valid_mirror`] rejects, as the end of a
/// sentence that begins with the value, and the value that was probably meant, if it is valid and names a registry.
pub fn diagnose(value: &str, wildcard_allowed: bool) -> (&'static str, Option<String>) {
    let meant = lower_path(&squeeze_slashes(without_tag(without_digest(without_scheme(value.trim())))));
    let is_better = meant != value && is_valid(&meant, wildcard_allowed) && names_registry(&meant);
    (find_problem(value, wildcard_allowed), is_better.then_some(meant))
}

/// The first of these problems that the value has, whatever else is wrong with it.
fn find_problem(value: &str, wildcard_allowed: bool) -> &'static str {
    let bare = value.trim();
    if value.is_empty() {
        "is empty"
    } else if bare.contains("://") {
        "has a scheme"
    } else if bare.contains('@') {
        "has a digest"
    } else if without_tag(bare) != bare {
        "has a tag"
    } else if bare.ends_with('/') {
        "ends with a slash"
    } else if bare.contains("//") {
        "has an empty path element"
    } else if value.chars().any(char::is_whitespace) {
        "contains a space"
    } else if bare.contains('*') && !wildcard_allowed {
        "is a wildcard, which is allowed only in a source"
    } else if bare.contains('*') {
        "has a wildcard that is not of the form *.domain"
    } else if bare.chars().any(char::is_uppercase) && is_valid(&lower_path(bare), wildcard_allowed) {
        "has an upper-case letter in its path"
    } else {
        "is not host[:port][/namespace[/name]]"
    }
}

fn is_valid(value: &str, wildcard_allowed: bool) -> bool {
    if wildcard_allowed { is_valid_source(value) } else { is_valid_mirror(value) }
}

fn without_scheme(value: &str) -> &str {
    value.split_once("://").map_or(value, |(_, rest)| rest)
}

fn without_digest(value: &str) -> &str {
    value.split_once('@').map_or(value, |(name, _)| name)
}

/// Without a slash before it, what follows a colon is a port.
fn without_tag(value: &str) -> &str {
    match value.rsplit_once(':') {
        Some((name, tag)) if name.contains('/') && !tag.contains('/') => name,
        _ => value,
    }
}

fn squeeze_slashes(value: &str) -> String {
    value.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

fn lower_path(value: &str) -> String {
    match value.split_once('/') {
        Some((host, path)) => format!("{host}/{}", path.to_lowercase()),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::objects::scope::is_wildcard;

    /// The only snapshot of these texts.
    #[test]
    fn an_invalid_value_has_a_problem_and_a_correction() {
        let table = [
            (true, "https://quay.io/a", "has a scheme", Some("quay.io/a")),
            (true, "quay.io/a:latest", "has a tag", Some("quay.io/a")),
            (true, "quay.io/a@sha256:01", "has a digest", Some("quay.io/a")),
            (true, "quay.io/", "ends with a slash", Some("quay.io")),
            (true, "quay.io//a", "has an empty path element", Some("quay.io/a")),
            (true, "quay.io/Team/a", "has an upper-case letter in its path", Some("quay.io/team/a")),
            (true, "https://quay/a", "has a scheme", None),
            (true, "a b", "contains a space", None),
            (true, "", "is empty", None),
            (true, "*.x.io/a", "has a wildcard that is not of the form *.domain", None),
            (true, "-bad.io", "is not host[:port][/namespace[/name]]", None),
            (false, "*.x.io", "is a wildcard, which is allowed only in a source", None),
        ];
        for (wildcard_allowed, value, problem, meant) in table {
            assert!(!is_valid(value, wildcard_allowed), "{value} is invalid");
            assert_eq!(diagnose(value, wildcard_allowed), (problem, meant.map(str::to_owned)), "{value}");
        }
    }

    /// The patterns of the operator.
    const SOURCE: &str = r"^\*(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))+$|^((?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))+)?(?::[0-9]+)?)(?:(?:/[a-z0-9]+(?:(?:(?:[._]|__|[-]*)[a-z0-9]+)+)?)+)?$";
    const MIRROR: &str = r"^((?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))+)?(?::[0-9]+)?)(?:(?:/[a-z0-9]+(?:(?:(?:[._]|__|[-]*)[a-z0-9]+)+)?)+)?$";

    #[test]
    fn the_grammar_is_the_operators_pattern() {
        // `short` and `domain` are the patterns of this module, the others the operator's.
        let [source, mirror, domain, short] =
            [SOURCE, MIRROR, DOMAIN_PATTERN, MIRROR_PATTERN].map(|pattern| Regex::new(pattern).unwrap());
        let letters = ["a", "B", "7", "-", ".", "_", "/", ":", "*", "é", "\n"];
        // Every text of up to five of these letters: by itself, inside of a host, and as a path.
        let mut texts = vec![String::new()];
        let mut from = 0;
        for _ in 0..5 {
            let end = texts.len();
            let longer: Vec<_> = texts[from..]
                .iter()
                .flat_map(|text| letters.iter().map(move |letter| format!("{text}{letter}")))
                .collect();
            texts.extend(longer);
            from = end;
        }
        for text in texts {
            for text in [format!("q.io{text}a"), format!("q.io/{text}"), text] {
                assert_eq!(is_valid_source(&text), source.is_match(&text), "source {text:?}");
                assert_eq!(is_valid_mirror(&text), mirror.is_match(&text), "mirror {text:?}");
                assert_eq!(short.is_match(&text), mirror.is_match(&text), "short mirror {text:?}");
                let wildcard =
                    text.strip_prefix("*.").map_or_else(|| short.is_match(&text), |d| domain.is_match(d));
                assert_eq!(wildcard, source.is_match(&text), "short source {text:?}");
            }
        }
    }

    #[test]
    fn ports_wildcards_and_long_paths_are_accepted() {
        for source in ["quay.io", "*.redhat.io", "m:5000/a/b/c", "localhost:5000/x", "a-b.c/d__e/f-g.h"] {
            assert!(is_valid_source(source), "{source}");
            assert_eq!(is_valid_mirror(source), !is_wildcard(source), "{source}");
        }
    }
}
