//! Findings as JUnit XML, which CI systems show as tests.
//!
//! A file is a suite, and each rule that has found something in an object a test case of it: failed where
//! the finding fails the run, passed with the warning as its output where it does not. An object in which
//! nothing was found is one test case that passed.

use std::{borrow::Cow, io};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use mirrorguard_core::{report::Reviewed, review::Diagnostic, rules::Level};

use super::Run;

/// The suite of objects that stand in no file.
const LIVE: &str = "cluster";

type Xml = Writer<Vec<u8>>;

struct Suite<'a> {
    name: &'a str,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    line: Option<usize>,
    /// Rule, first line and whole text of what failed.
    failure: Option<[String; 3]>,
    /// What is said without failing.
    said: Option<String>,
    is_error: bool,
}

/// A run.
pub(in crate::cli) fn junit(run: &Run<'_>) -> io::Result<String> {
    let suites = suites(run);
    let cases = || suites.iter().flat_map(|suite| &suite.cases);
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = xml.create_element("testsuites").with_attribute(("name", env!("CARGO_PKG_NAME")));
    let counts = counts(cases());
    let root = root.with_attributes(counts.iter().map(|(name, count)| (*name, count.as_str())));
    root.write_inner_content(|xml| suites.iter().try_for_each(|suite| write_suite(xml, suite)))?;
    let mut text = String::from_utf8(xml.into_inner()).map_err(io::Error::other)?;
    text.push('\n');
    Ok(text)
}

/// What could not be read is an error of its file's suite.
fn suites<'a>(run: &'a Run<'_>) -> Vec<Suite<'a>> {
    let mut suites: Vec<Suite<'_>> = Vec::new();
    for one in run.reviewed {
        let name = one.place.map_or(LIVE, |place| &place.source.name);
        let cases = cases_of(one, run.fails_from);
        // Objects come file by file.
        match suites.last_mut().filter(|suite| suite.name == name) {
            Some(suite) => suite.cases.extend(cases),
            None => suites.push(Suite { name, cases }),
        }
    }
    for unread in run.unread {
        let name = unread.place.as_ref().map_or("files", |(file, _)| file);
        let failure = Some(["unreadable", &*unread.text, &*unread.text].map(str::to_owned));
        let line = unread.place.as_ref().map(|(_, at)| at.line);
        let case = Case { name: "reading".to_owned(), line, failure, said: None, is_error: true };
        match suites.iter_mut().find(|suite| suite.name == name) {
            Some(suite) => suite.cases.push(case),
            None => suites.push(Suite { name, cases: vec![case] }),
        }
    }
    suites
}

fn cases_of(one: &Reviewed<'_>, fails_from: Level) -> Vec<Case> {
    let id = &one.object;
    let all = &one.verdict.diagnostics;
    let line = |path: &str| one.place.map(|place| place.position(path).line);
    if all.is_empty() {
        let line = line("");
        return vec![Case { name: id.to_string(), line, failure: None, said: None, is_error: false }];
    }
    let of_one_rule = all.chunk_by(|a, b| a.rule.id == b.rule.id);
    let case = |found: &[Diagnostic]| {
        let rule = found[0].rule.id;
        let text = |fails: bool| {
            let these: Vec<_> = found.iter().filter(|j| (j.level >= fails_from) == fails).collect();
            let texts: Vec<_> = these.iter().map(|diagnostic| told(one, diagnostic)).collect();
            these.first().map(|first| (first.finding.message(), texts.join("\n")))
        };
        Case {
            name: format!("{id}: {rule}"),
            line: line(&found[0].finding.path),
            failure: text(true).map(|(first, all)| [rule.to_owned(), first, all]),
            said: text(false).map(|(_, all)| all),
            is_error: false,
        }
    };
    of_one_rule.map(case).collect()
}

/// A finding in text, with its place.
fn told(one: &Reviewed<'_>, diagnostic: &Diagnostic) -> String {
    let finding = &diagnostic.finding;
    let level = if diagnostic.level == Level::Deny { "denied" } else { "warning" };
    let place = one.place.map_or_else(String::new, |place| {
        let at = place.position(&finding.path);
        format!("{}:{}:{}: ", place.source.name, at.line, at.column)
    });
    let yaml = finding.yaml.as_ref().map(|yaml| format!("\n{}", yaml.trim_end())).unwrap_or_default();
    format!("{place}{level}{}{yaml}", diagnostic.line())
}

fn counts<'c>(cases: impl Iterator<Item = &'c Case>) -> [(&'static str, String); 4] {
    let (mut tests, mut failures, mut errors) = (0, 0, 0);
    for case in cases {
        tests += 1;
        match &case.failure {
            Some(_) if case.is_error => errors += 1,
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
    // A dot would be taken for the end of a package's name.
    let class = file.rsplit_once('.').map_or(&*file, |(stem, _)| stem);
    let line = case.line.map(|line| line.to_string());
    let element = xml
        .create_element("testcase")
        .with_attribute(("classname", class))
        .with_attribute(("name", &*valid(&case.name)))
        .with_attribute(("file", &*file))
        .with_attributes(line.iter().map(|line| ("line", line.as_str())));
    if case.failure.is_none() && case.said.is_none() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|xml| {
        if let Some([rule, first, all]) = &case.failure {
            let name = if case.is_error { "error" } else { "failure" };
            xml.create_element(name)
                .with_attribute(("type", &**rule))
                .with_attribute(("message", &*valid(first)))
                .write_text_content(BytesText::new(&valid(all)))?;
        }
        if let Some(said) = &case.said {
            xml.create_element("system-out").write_text_content(BytesText::new(&valid(said)))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// A text without the characters that XML cannot hold.
fn valid(text: &str) -> Cow<'_, str> {
    let is_invalid =
        |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t') || matches!(c, '\u{fffe}' | '\u{ffff}');
    if text.contains(is_invalid) { text.replace(is_invalid, "\u{fffd}").into() } else { text.into() }
}
