//! Findings as JUnit XML, which CI systems show as tests.
//!
//! A file is a suite. Each rule with findings in an object is a test case: failed if a finding fails the run,
//! else passed with the findings as its output. An object without findings is one test case that passed.

use std::{borrow::Cow, collections::BTreeMap, io, path::Path};

use mirrorguard_core::{report::Reviewed, review::Diagnostic, rules::Level};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::{Run, level_name};
use crate::cli::input::Unread;

/// The suite of objects without a file.
const LIVE: &str = "cluster";

type Xml = Writer<Vec<u8>>;

struct Suite<'a> {
    name: &'a str,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    line: Option<usize>,
    failure: Option<Failure>,
    /// Findings that do not fail the run.
    output: Option<String>,
}

struct Failure {
    /// Whether a file could not be read.
    is_error: bool,
    rule: String,
    /// The first finding.
    message: String,
    /// All findings.
    text: String,
}

/// A run as JUnit XML.
pub(in crate::cli) fn junit(run: &Run<'_>) -> io::Result<String> {
    let suites = suites(run);
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = xml.create_element("testsuites").with_attribute(("name", env!("CARGO_PKG_NAME")));
    let counts = counts(suites.iter().flat_map(|suite| &suite.cases));
    let root = root.with_attributes(counts.iter().map(|(name, count)| (*name, count.as_str())));
    root.write_inner_content(|xml| suites.iter().try_for_each(|suite| write_suite(xml, suite)))?;
    let mut text = String::from_utf8(xml.into_inner()).map_err(io::Error::other)?;
    text.push('\n');
    Ok(text)
}

/// The suites of a run, by file. What could not be read is a test case with an error.
fn suites<'a>(run: &'a Run<'_>) -> Vec<Suite<'a>> {
    let mut suites: Vec<Suite<'_>> = Vec::new();
    for one in run.reviewed {
        let name = one.place.map_or(LIVE, |place| &place.source.name);
        let cases = cases_of(one, run.fails_from);
        suite(&mut suites, name).cases.extend(cases);
    }
    for unread in run.unread {
        let name = unread.place.as_ref().map_or("files", |(file, _)| file);
        suite(&mut suites, name).cases.push(unread_case(unread));
    }
    suites
}

/// The suite of a file, which is added if it is the first time that the file has a case. Most cases follow one of the
/// same file.
fn suite<'s, 'a>(suites: &'s mut Vec<Suite<'a>>, name: &'a str) -> &'s mut Suite<'a> {
    let at = suites.iter().rposition(|suite| suite.name == name).unwrap_or(suites.len());
    if at == suites.len() {
        suites.push(Suite { name, cases: Vec::new() });
    }
    &mut suites[at]
}

fn unread_case(unread: &Unread) -> Case {
    let failure = Failure {
        is_error: true,
        rule: "unreadable".to_owned(),
        message: unread.text.clone(),
        text: unread.text.clone(),
    };
    let line = unread.place.as_ref().map(|(_, at)| at.line);
    Case { name: "reading".to_owned(), line, failure: Some(failure), output: None }
}

/// The test cases of an object: one for each rule with findings, or a single one that passed.
fn cases_of(one: &Reviewed<'_>, fails_from: Level) -> Vec<Case> {
    let all = &one.verdict.diagnostics;
    if all.is_empty() {
        return vec![Case {
            name: one.object.to_string(),
            line: line_of(one, ""),
            failure: None,
            output: None,
        }];
    }
    // The findings are in the order of the lines, so that those of one rule may be apart.
    let mut rules: BTreeMap<&str, Vec<&Diagnostic>> = BTreeMap::new();
    for diagnostic in all {
        rules.entry(diagnostic.rule.id).or_default().push(diagnostic);
    }
    rules.into_iter().map(|(rule, found)| case_of_rule(one, rule, &found, fails_from)).collect()
}

/// The case of one rule, which has at least one finding.
fn case_of_rule(one: &Reviewed<'_>, rule: &str, found: &[&Diagnostic], fails_from: Level) -> Case {
    let (failing, passing): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
        found.iter().partition(|finding| finding.level >= fails_from);
    let failure = failing.first().map(|first| Failure {
        is_error: false,
        rule: rule.to_owned(),
        message: first.finding.message(),
        text: describe_all(one, &failing),
    });
    let output = if passing.is_empty() { None } else { Some(describe_all(one, &passing)) };
    Case {
        name: format!("{}: {rule}", one.object),
        line: line_of(one, &found[0].finding.path),
        failure,
        output,
    }
}

fn line_of(one: &Reviewed<'_>, path: &str) -> Option<usize> {
    one.place.map(|place| place.position(path).line)
}

fn describe_all(one: &Reviewed<'_>, diagnostics: &[&Diagnostic]) -> String {
    let texts: Vec<_> = diagnostics.iter().map(|diagnostic| describe(one, diagnostic)).collect();
    texts.join("\n")
}

/// A finding in text, with its place: `a.yaml:3:5: error[rule-id] path: what is wrong. …`.
fn describe(one: &Reviewed<'_>, diagnostic: &Diagnostic) -> String {
    let finding = &diagnostic.finding;
    let level = level_name(diagnostic.level);
    let place = one.place.map_or_else(String::new, |place| {
        let at = place.position(&finding.path);
        format!("{}:{}:{}: ", place.source.name, at.line, at.column)
    });
    let yaml = finding.fix.yaml().map(|yaml| format!("\n{}", yaml.trim_end())).unwrap_or_default();
    format!("{place}{level}{}{yaml}", diagnostic.line())
}

/// How many test cases there are, and how many failed or are errors, as attributes.
fn counts<'c>(cases: impl Iterator<Item = &'c Case>) -> [(&'static str, String); 4] {
    let (mut tests, mut failures, mut errors) = (0, 0, 0);
    for case in cases {
        tests += 1;
        match &case.failure {
            Some(failure) if failure.is_error => errors += 1,
            Some(_) => failures += 1,
            None => {}
        }
    }
    [("tests", tests), ("failures", failures), ("errors", errors), ("skipped", 0)]
        .map(|(name, count): (_, usize)| (name, count.to_string()))
}

fn write_suite(xml: &mut Xml, suite: &Suite<'_>) -> io::Result<()> {
    let counts = counts(suite.cases.iter());
    let element = xml.create_element("testsuite").with_attribute(("name", &*valid(suite.name)));
    let element = element.with_attributes(counts.iter().map(|(name, count)| (*name, count.as_str())));
    element
        .write_inner_content(|xml| suite.cases.iter().try_for_each(|case| write_case(xml, suite, case)))?;
    Ok(())
}

fn write_case(xml: &mut Xml, suite: &Suite<'_>, case: &Case) -> io::Result<()> {
    let file = valid(suite.name);
    // Readers of JUnit XML split class names at dots, so the name of the file is given without its extension.
    let class = Path::new(&*file).with_extension("");
    let class = class.to_string_lossy();
    let line = case.line.map(|line| line.to_string());
    let element = xml
        .create_element("testcase")
        .with_attribute(("classname", &*class))
        .with_attribute(("name", &*valid(&case.name)))
        .with_attribute(("file", &*file))
        .with_attributes(line.iter().map(|line| ("line", line.as_str())));
    if case.failure.is_none() && case.output.is_none() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|xml| {
        if let Some(Failure { is_error, rule, message, text }) = &case.failure {
            let name = if *is_error { "error" } else { "failure" };
            xml.create_element(name)
                .with_attribute(("type", &**rule))
                .with_attribute(("message", &*valid(message)))
                .write_text_content(BytesText::new(&valid(text)))?;
        }
        if let Some(output) = &case.output {
            xml.create_element("system-out").write_text_content(BytesText::new(&valid(output)))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Whether a character is replaced: one that XML 1.0 forbids, or any other control character.
fn is_invalid(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t') || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// A text for XML, with U+FFFD for each invalid character.
fn valid(text: &str) -> Cow<'_, str> {
    if text.contains(is_invalid) { text.replace(is_invalid, "\u{fffd}").into() } else { text.into() }
}
