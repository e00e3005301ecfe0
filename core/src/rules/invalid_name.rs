//! A name or namespace that an API server rejects.

use super::{Check, DependsOn, FileObject, Finding, Level, Rule};
use crate::objects::{
    Kind,
    manifest::{Text, Written},
};

pub(super) const RULE: Rule = Rule {
    id: "invalid-name",
    level: Level::Deny,
    summary: "a missing or invalid name, or an invalid namespace; in files only",
    page: include_str!("invalid_name.md"),
    check: Check::File(check),
    depends_on: DependsOn::Nothing,
    about_values: true,
    ..Rule::BASE
};

/// The longest name, in characters.
pub(super) const LONGEST_NAME: usize = 253;
/// The longest namespace, in characters.
pub(super) const LONGEST_NAMESPACE: usize = 63;

const EFFECT: &str = "an API server rejects the object";

fn check(object: &FileObject<'_>, findings: &mut Vec<Finding>) {
    findings.extend(find_problems(object.written));
}

/// Why no cluster can have an object under its name, `"A" has upper-case letters`; `None` if one can. An object whose
/// name the API server makes has none in a file.
pub fn name_problem(written: &Written) -> Option<String> {
    find_problems(written).into_iter().next().map(|finding| finding.what)
}

fn find_problems(written: &Written) -> Vec<Finding> {
    let mut findings = Vec::new();
    match (&written.name, &written.generate_name) {
        (Text::Is(name), _) => findings.extend(find("metadata.name", name, problem_of_name(name))),
        (Text::Missing, Text::Is(prefix)) => {
            findings.extend(find("metadata.generateName", prefix, problem_of_prefix(prefix)));
        }
        (Text::Missing, Text::Missing) => findings.push(Finding {
            effect: EFFECT.to_owned(),
            fix: "add metadata.name".into(),
            ..Finding::new("metadata.name", "none", format!("the {} has no name", written.kind.name()))
        }),
        // A value that is no text is an error of its own.
        (Text::Unreadable, _) | (_, Text::Unreadable) => {}
    }
    if let (Kind::HostedCluster, Text::Is(namespace)) = (written.kind, &written.namespace) {
        findings.extend(find("metadata.namespace", namespace, problem_of_label(namespace)));
    }
    findings
}

/// The finding for a value, if it has a problem.
fn find(path: &str, value: &str, problem: Option<Problem>) -> Option<Finding> {
    let Problem { what, form } = problem?;
    let field = path.trim_start_matches("metadata.");
    Some(Finding {
        effect: EFFECT.to_owned(),
        fix: format!("use {form}").into(),
        ..Finding::new(path, format!("{field} {value}"), format!("\"{}\" {what}", shortened(value)))
    })
}

/// The beginning of a value that is longer than any namespace, enough to recognise it.
fn shortened(value: &str) -> String {
    match value.char_indices().nth(LONGEST_NAMESPACE) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

pub(super) struct Problem {
    /// What is wrong, after the value in a sentence.
    what: String,
    /// What a valid value has.
    form: String,
}

impl Problem {
    fn too_long(most: usize) -> Self {
        Self { what: format!("is longer than {most} characters"), form: format!("at most {most} characters") }
    }
}

/// Follows `k8s.io/apimachinery pkg/util/validation/validation.go` `IsDNS1123Subdomain`.
pub(super) fn problem_of_name(name: &str) -> Option<Problem> {
    if name.len() > LONGEST_NAME {
        return Some(Problem::too_long(LONGEST_NAME));
    }
    if name.split('.').all(is_label) {
        return None;
    }
    let form = "lower-case letters, digits, \"-\" and \".\", with a letter or digit at both ends and next to each \".\"";
    Some(Problem { what: "is not a valid name".to_owned(), form: form.to_owned() })
}

/// How much of a `generateName` an API server uses.
///
/// Follows `k8s.io/apiserver pkg/storage/names/generate.go` `MaxGeneratedNameLength`.
const USED_OF_PREFIX: usize = 58;

/// What is wrong with a `generateName`. The API server checks it by itself, where it may end with a hyphen, and the name
/// that it makes of it by adding letters and digits.
///
/// Follows `k8s.io/apimachinery pkg/api/validation/generic.go` `NameIsDNSSubdomain` and `maskTrailingDash`, which hides
/// the character before the hyphen, too.
fn problem_of_prefix(prefix: &str) -> Option<Problem> {
    let checked = prefix.strip_suffix('-').and_then(|rest| rest.get(..rest.len().checked_sub(1)?));
    let problem = match checked {
        Some(begin) => problem_of_name(&format!("{begin}a")),
        None => problem_of_name(prefix),
    };
    let used: String = prefix.chars().take(USED_OF_PREFIX).collect();
    problem.or_else(|| problem_of_name(&format!("{used}x")))
}

/// Follows `IsDNS1123Label` of the same file.
fn problem_of_label(label: &str) -> Option<Problem> {
    if label.len() > LONGEST_NAMESPACE {
        return Some(Problem::too_long(LONGEST_NAMESPACE));
    }
    if is_label(label) {
        return None;
    }
    let form = "lower-case letters, digits and \"-\", with a letter or digit at both ends";
    Some(Problem { what: "is not a valid namespace".to_owned(), form: form.to_owned() })
}

fn is_label(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.chars().all(|c| is_letter(c) || c == '-') && text.starts_with(is_letter) && text.ends_with(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{assert_texts, find_in_file};

    #[test]
    fn a_name_is_found_that_an_api_server_rejects() {
        let (long, longest) = ("a".repeat(254), "a".repeat(253));
        let table = [
            ("{name: a}", None, "a name"),
            ("{name: a-1.b}", None, "a name with a dot"),
            (&*format!("{{name: {longest}}}"), None, "the longest name"),
            ("{generateName: a-}", None, "a generated name"),
            (&*format!("{{generateName: {longest}}}"), None, "a longer one than is used of it"),
            ("{generateName: a--}", None, "two hyphens"),
            ("{generateName: '-'}", Some("metadata.generateName"), "nothing but a hyphen"),
            ("{generateName: a.}", Some("metadata.generateName"), "only a hyphen may be at its end"),
            ("{name: a, namespace: clusters}", None, "a namespace"),
            ("{}", Some("metadata.name"), "no name"),
            ("{name: \"\"}", Some("metadata.name"), "an empty name"),
            ("{name: A_B}", Some("metadata.name"), "other letters"),
            ("{name: a.-b}", Some("metadata.name"), "a hyphen after a dot"),
            (&*format!("{{name: {long}}}"), Some("metadata.name"), "too long"),
            ("{generateName: A-}", Some("metadata.generateName"), "a generated name with other letters"),
            ("{name: a, namespace: a.b}", Some("metadata.namespace"), "a namespace with a dot"),
            (
                &*format!("{{name: a, namespace: {}}}", &longest[..64]),
                Some("metadata.namespace"),
                "a long namespace",
            ),
        ];
        let mut all = Vec::new();
        for (metadata, expected, reason) in table {
            let head = "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\n";
            let found = find_in_file(RULE.id, &format!("{head}metadata: {metadata}\n"));
            assert_eq!(
                found.iter().map(|one| &*one.path).collect::<Vec<_>>(),
                Vec::from_iter(expected),
                "{reason}"
            );
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }

    #[test]
    fn a_name_of_another_type_is_an_error_of_its_own() {
        let head = "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\n";
        for metadata in ["[a]", "{name: 7}", "{name: [a]}"] {
            assert_eq!(find_in_file(RULE.id, &format!("{head}metadata: {metadata}\n")), [], "{metadata}");
        }
    }
}
