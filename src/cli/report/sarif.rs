//! Findings as SARIF 2.1.0, which code hosts show on changed lines.

use std::{
    collections::BTreeMap,
    path::{Component, Path},
};

use mirrorguard_core::{
    objects::manifest::{Located, Position},
    report::{AppliedFix, Places, Reviewed, apply_fix, findings},
    review::Diagnostic,
    rules::{Finding, Level, RULES, Related, Rule},
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Run, level_name};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Characters that are escaped in the path of a URI.
const IN_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A run as SARIF. URIs of files below `folder` are relative to it.
pub(in crate::cli) fn sarif(run: &Run<'_>, folder: &Path) -> Value {
    let index: BTreeMap<_, _> = RULES.iter().enumerate().map(|(at, rule)| (rule.id, at)).collect();
    let results = findings(run.reviewed).map(|(one, diagnostic)| {
        let mut result = result(one, diagnostic, run.places, folder);
        result["ruleIndex"] = json!(index[diagnostic.rule.id]);
        result
    });
    let mut driver = json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "rules": RULES.iter().map(descriptor).collect::<Vec<_>>(),
    });
    // Cargo has an empty text where the package has no repository.
    if let Some(home) = Some(env!("CARGO_PKG_REPOSITORY")).filter(|home| !home.is_empty()) {
        driver["informationUri"] = json!(home);
    }
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": driver},
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation(run, folder)],
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn descriptor(rule: &Rule) -> Value {
    // The first paragraph after the title of a page describes the rule.
    let about = rule.page.split("\n\n").nth(1).unwrap_or(rule.summary);
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": about},
        "help": {"text": rule.page, "markdown": rule.page},
        "defaultConfiguration": {"level": level_name(rule.level), "enabled": rule.level != Level::Off},
    })
}

fn result(one: &Reviewed<'_>, diagnostic: &Diagnostic, places: &Places<'_>, folder: &Path) -> Value {
    let (object, finding) = (&one.object, &diagnostic.finding);
    let text = text(finding);
    let mut message = json!({"text": text});
    if let Some(yaml) = finding.fix.yaml() {
        message["markdown"] = json!(format!("{text}\n\n```yaml\n{}\n```\n", yaml.trim_end()));
    }
    let name = object.to_string();
    let logical = json!([{"name": &*object.name, "fullyQualifiedName": name, "kind": "resource"}]);
    let mut location = json!({"logicalLocations": logical});
    if let Some(place) = one.place {
        location["physicalLocation"] = physical(place, &finding.path, folder);
    }
    let related = finding.related.iter().enumerate();
    let related = related.filter_map(|(id, related)| {
        let place = one.place_of(&related.object, places)?;
        Some(related_location(id, related, place, folder))
    });
    let mut result = json!({
        "ruleId": diagnostic.rule.id,
        "level": level_name(diagnostic.level),
        "message": message,
        "locations": [location],
        "relatedLocations": related.collect::<Vec<_>>(),
        "partialFingerprints": {"mirrorguard/v1": fingerprint(&[diagnostic.rule.id, &name, &finding.key])},
        "properties": {"path": finding.path},
    });
    if finding.related.more() > 0 {
        result["properties"]["moreRelated"] = json!(finding.related.more());
    }
    // A fix in SARIF changes at least one file. One of whole objects alone has no edits.
    if let Some(fix) = apply_fix(one.place, &finding.fix, places).filter(|fix| !fix.edits.is_empty()) {
        result["fixes"] = json!([sarif_fix(&fix, folder)]);
    }
    result
}

fn sarif_fix(fix: &AppliedFix<'_>, folder: &Path) -> Value {
    // The edits are sorted by file.
    let files = fix.edits.chunk_by(|one, next| one.file == next.file);
    let changes = files.map(|edits| {
        let replacements = edits.iter().map(|edit| {
            json!({
                "deletedRegion": {"byteOffset": edit.start, "byteLength": edit.end - edit.start},
                "insertedContent": {"text": edit.text},
            })
        });
        json!({
            "artifactLocation": artifact(&edits[0].file, folder),
            "replacements": replacements.collect::<Vec<_>>(),
        })
    });
    json!({"description": {"text": fix.title}, "artifactChanges": changes.collect::<Vec<_>>()})
}

fn related_location(id: usize, related: &Related, place: &Located, folder: &Path) -> Value {
    json!({
        "id": id,
        "message": {"text": format!("in {}", related.object)},
        "physicalLocation": physical(place, &related.path, folder),
    })
}

fn text(finding: &Finding) -> String {
    let message = finding.message();
    if finding.fix.is_empty() { message } else { format!("{message}. Fix: {}", finding.fix.title) }
}

fn physical(place: &Located, path: &str, folder: &Path) -> Value {
    let (start, end) = place.region(path);
    json!({
        "artifactLocation": artifact(&place.source.name, folder),
        "region": {
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        },
    })
}

/// The location of a file: relative to `folder` if its name is relative or the file is below, else absolute.
fn artifact(name: &str, folder: &Path) -> Value {
    let path = Path::new(name);
    let path = path.strip_prefix(folder).unwrap_or(path);
    let steps = path.components().filter_map(|step| match step {
        Component::Normal(name) => Some(utf8_percent_encode(&name.to_string_lossy(), IN_PATHS).to_string()),
        Component::ParentDir => Some("..".to_owned()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    let steps = steps.collect::<Vec<_>>().join("/");
    if path.is_absolute() {
        json!({"uri": format!("file:///{steps}")})
    } else {
        json!({"uri": steps, "uriBaseId": "%SRCROOT%"})
    }
}

/// Identifies a finding, also after it has moved within its file. The hash is 64-bit FNV-1a, which is the same in every
/// release.
fn fingerprint(parts: &[&str]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

fn invocation(run: &Run<'_>, folder: &Path) -> Value {
    let notifications = run.unread.iter().map(|unread| {
        let mut notification = json!({"level": "error", "message": {"text": unread.text}});
        if let Some((file, Position { line, column })) = &unread.place {
            let region = json!({"startLine": line, "startColumn": column});
            let place = json!({"artifactLocation": artifact(file, folder), "region": region});
            notification["locations"] = json!([{"physicalLocation": place}]);
        }
        notification
    });
    json!({
        "executionSuccessful": run.unread.is_empty(),
        "exitCode": run.exit_code(),
        "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_uris() {
        let table = [
            ("mirrors/a.yaml", "mirrors/a.yaml", true, "below"),
            ("./mirrors//a.yaml", "mirrors/a.yaml", true, "not normalized"),
            ("/srv/repo/mirrors/a.yaml", "mirrors/a.yaml", true, "absolute, but below"),
            ("/srv/other/a.yaml", "file:///srv/other/a.yaml", false, "elsewhere"),
            ("../other/a.yaml", "../other/a.yaml", true, "outside"),
            ("a b/ü#1:x.yaml", "a%20b/%C3%BC%231%3Ax.yaml", true, "characters with a meaning in URIs"),
            ("<stdin>", "%3Cstdin%3E", true, "not a file"),
        ];
        for (name, uri, relative, reason) in table {
            let found = artifact(name, Path::new("/srv/repo"));
            assert_eq!(found["uri"], uri, "{reason}");
            assert_eq!(found.get("uriBaseId").is_some(), relative, "{reason}");
        }
    }

    #[test]
    fn a_fingerprint_stays_the_same_in_every_release() {
        assert_eq!(fingerprint(&["rule", "Kind/name", "key"]), "157d25363cdc9f08");
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
    }
}
