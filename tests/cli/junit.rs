//! JUnit XML, read as other programs read it.

use anyhow::{Context as _, Result, ensure};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::command::{mirrorguard, mirrorguard_reads};
use crate::sarif::first_finding;

/// An element and its text.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Element {
    fn of(start: &BytesStart<'_>) -> Result<Self> {
        let name = start.name().as_ref().to_owned();
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute?;
            let value = quick_xml::escape::unescape(&attribute.value)?.into_owned();
            attributes.push((attribute.key.as_ref().to_owned(), value));
        }
        Ok(Self { name, attributes, text: String::new() })
    }

    fn get(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// Runs `lint -o junit` and returns the elements in their order.
fn junit(line: &str, code: i32) -> Result<Vec<Element>> {
    elements(&mirrorguard(&format!("lint -o junit {line}"))?.code(code).context(line.to_owned())?.stdout)
}

fn elements(xml: &str) -> Result<Vec<Element>> {
    let mut reader = Reader::from_str(xml);
    let mut elements: Vec<Element> = Vec::new();
    loop {
        match reader.read_event()? {
            Event::Start(start) | Event::Empty(start) => elements.push(Element::of(&start)?),
            Event::Text(text) => {
                // A line break before the first element belongs to none.
                if let Some(element) = elements.last_mut() {
                    element.text.push_str(&text);
                }
            }
            Event::GeneralRef(entity) => {
                let element = elements.last_mut().context("an entity outside")?;
                let entity = format!("&{};", &*entity);
                element.text.push_str(&quick_xml::escape::unescape(&entity)?);
            }
            Event::Eof => return Ok(elements),
            _ => {}
        }
    }
}

/// How many elements have a name.
fn count(elements: &[Element], name: &str) -> usize {
    elements.iter().filter(|element| element.name == name).count()
}

#[test]
fn junit_has_a_suite_a_file_and_a_case_for_each_rule_that_found_something() -> Result<()> {
    let all = "examples/policy-conflict examples/root-level-only examples/oc-mirror-v2/itms-oc-mirror.yaml";
    let table = [
        ("", 1, 2, "warnings are the output of a case that passes"),
        ("--fail-on warn", 1, 5, "or fail, where they fail the run"),
    ];
    for (flags, code, failures, reason) in table {
        let elements = junit(&format!("{flags} {all}"), code)?;
        let found = ["testsuite", "testcase", "failure", "system-out"].map(|name| count(&elements, name));
        ensure!(found == [4, 6, failures, 5 - failures], "{reason}: {elements:#?}");
        let root = elements.first().context("nothing")?;
        let counts = ["tests", "failures", "errors", "skipped"].map(|name| root.get(name));
        ensure!(counts == ["6", &failures.to_string(), "0", "0"], "{reason}: {counts:?}");
    }
    Ok(())
}

#[test]
fn junit_holds_all_of_a_finding() -> Result<()> {
    let elements = junit("examples/policy-conflict", 1)?;
    let [case, failure] = elements.get(2..4).context("too few")? else { unreachable!("two were taken") };
    let attributes = ["classname", "name", "file", "line"].map(|name| case.get(name));
    let expected = [
        "examples/policy-conflict/idms",
        "ImageDigestMirrorSet/never-contact: conflicting-source-policy",
        "examples/policy-conflict/idms.yaml",
        "10",
    ];
    ensure!(attributes == expected, "{attributes:?}");
    ensure!(failure.get("type") == "conflicting-source-policy", "{failure:?}");
    let finding = first_finding("examples/policy-conflict")?;
    ensure!(failure.get("message") == finding.message, "{failure:?}");
    let text = "examples/policy-conflict/idms.yaml:10:27: error[conflicting-source-policy] spec.imageDigestMirrors[0]";
    ensure!(failure.text.starts_with(text) && failure.text.contains(&finding.help), "{failure:?}");
    Ok(())
}

#[test]
fn a_rule_has_one_case_even_if_its_findings_are_apart() -> Result<()> {
    let set = "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: a}\nspec:\n  \
               imageDigestMirrors:\n  - {source: q.io/a/, mirrors: [m.lab/a/]}\n  \
               - {source: q.io/b/, mirrors: [m.lab/b/]}\n";
    let printed = mirrorguard_reads("lint -o junit -", set)?.code(1)?;
    let elements = elements(&printed.stdout)?;
    let cases = elements.iter().filter(|element| element.name == "testcase");
    let names: Vec<_> = cases.map(|case| case.get("name")).collect();
    let expected = ["invalid-mirror", "invalid-source"].map(|rule| format!("ImageDigestMirrorSet/a: {rule}"));
    ensure!(names == expected, "{names:?}");
    Ok(())
}

#[test]
fn a_file_has_one_suite_even_if_it_has_misnamed_objects() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let set = |kind: &str, name: &str| {
        format!("---\napiVersion: config.openshift.io/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n")
    };
    let two = set("ImageDigestMirrorset", "a") + &set("ImageDigestMirrorSet", "b");
    std::fs::write(folder.path().join("a.yaml"), two)?;
    std::fs::write(folder.path().join("b.yaml"), set("ImageDigestMirrorSet", "c"))?;
    let elements = junit(&folder.path().display().to_string(), 1)?;
    ensure!(count(&elements, "testsuite") == 2, "{elements:#?}");
    Ok(())
}

#[test]
fn junit_holds_what_could_not_be_read() -> Result<()> {
    let elements = junit("tests/cli/fixtures/broken missing.yaml", 2)?;
    let errors: Vec<_> = elements.iter().filter(|element| element.name == "error").collect();
    ensure!(errors.len() == 3, "{elements:#?}");
    ensure!(errors[2].text.contains("missing.yaml"), "{errors:#?}");
    ensure!(elements[0].get("errors") == "3", "{:?}", elements[0]);
    Ok(())
}

#[test]
fn junit_holds_any_text() -> Result<()> {
    let set = "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: \"<&'>\\e\"}\n\
               spec: {imageDigestMirrors: [{source: \"https://<&\\\"\\x01\\ud7ff\", mirrors: [m.lab/x]}]}\n";
    let run = mirrorguard_reads("lint -o junit -", set)?.code(1)?;
    let elements = elements(&run.stdout)?;
    // The first case is the name itself.
    ensure!(elements[4].get("name") == "ImageDigestMirrorSet/<&'>\u{fffd}: invalid-source", "{elements:#?}");
    ensure!(elements[5].get("message").contains("https://<&\"\u{fffd}\u{d7ff}"), "{elements:#?}");
    Ok(())
}
