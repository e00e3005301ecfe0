//! A value of imageContentSources that the nodes of the hosted cluster never get.

use std::collections::BTreeSet;

use super::{Check, DependsOn, Finding, Fix, HostedWrite, Level, Rule};
use crate::objects::{EntryPart, HostedCluster, grammar};

pub(super) const RULE: Rule = Rule {
    id: "invalid-image-content-source",
    level: Level::Deny,
    summary: "a value of imageContentSources that the ImageDigestMirrorSet of the hosted cluster rejects",
    page: include_str!("invalid_image_content_source.md"),
    check: Check::HostedCluster(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

/// The most entries, mirrors of an entry, and characters of a value: one number for all three.
const MAX: usize = HostedCluster::MAX_SOURCES;

const FIELD: &str = HostedCluster::SOURCES_PATH;

/// What a value outside the format does: HyperShift copies all entries into one IDMS, whose schema refuses it.
///
/// Follows `hypershift support/globalconfig/imagecontentsource.go` `ReconcileImageDigestMirrors`.
const NOT_WRITTEN: &str =
    "the ImageDigestMirrorSet of the hosted cluster is rejected, and its nodes get none of these mirrors";

/// What a value beyond a limit, or a repeated mirror, does: the schema of the HostedCluster itself refuses it.
const NOT_ADMITTED: &str = "the API server rejects the HostedCluster";

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    let hosted = write.new;
    let entries = &hosted.spec.image_content_sources;
    if entries.len() > MAX {
        findings.push(too_many(
            FIELD.to_owned(),
            "entries".to_owned(),
            "entries",
            entries.len(),
            "use sources that cover more repositories, such as a registry or a namespace",
        ));
    }
    // What is beyond a limit is one finding, not one for each value.
    for index in 0..entries.len().min(MAX) {
        check_entry(hosted, index, findings);
    }
}

fn check_entry(hosted: &HostedCluster, index: usize, findings: &mut Vec<Finding>) {
    let (entry, path) = (&hosted.spec.image_content_sources[index], format!("{FIELD}[{index}]"));
    // The file has another error for what cannot be read.
    let is_readable = |part| hosted.gaps.is_readable(index, part);
    let source = format!("{path}.source");
    if is_readable(EntryPart::Source) && !grammar::is_valid_source(&entry.source) {
        findings.push(rejected(hosted, "source", &entry.source, source));
    } else if entry.source.len() > MAX {
        findings.push(too_long("source", &entry.source, source));
    }
    if entry.mirrors.len() > MAX {
        let key = format!("mirrors of {}", entry.source);
        findings.push(too_many(
            format!("{path}.mirrors"),
            key,
            "mirrors",
            entry.mirrors.len(),
            "remove mirrors",
        ));
    }
    let mut seen = BTreeSet::new();
    for (at, mirror) in entry.mirrors.iter().enumerate().take(MAX) {
        let path = format!("{path}.mirrors[{at}]");
        if !is_readable(EntryPart::Mirror(at)) {
            continue;
        }
        if !grammar::is_valid_mirror(mirror) {
            findings.push(rejected(hosted, "mirror", mirror, path));
        } else if mirror.len() > MAX {
            findings.push(too_long("mirror", mirror, path));
        } else if !seen.insert(mirror) {
            findings.push(repeated(hosted, mirror, path));
        }
    }
}

/// The finding for a value outside the format: `invalid_source::rejected` is the one for mirror sets, with other
/// effects.
fn rejected(hosted: &HostedCluster, role: &str, value: &str, path: String) -> Finding {
    let (problem, meant) = grammar::diagnose(value, role == "source");
    let fix = match meant {
        Some(meant) => Fix::changing_pulls(format!("set it to \"{meant}\"")).set(hosted.id(), &*path, meant),
        None => format!("write the {role} as host[:port][/namespace[/name]]").into(),
    };
    Finding {
        effect: NOT_WRITTEN.to_owned(),
        fix,
        ..Finding::new(path, format!("{role} {value}"), format!("{role} \"{value}\" {problem}"))
    }
}

fn repeated(hosted: &HostedCluster, mirror: &str, path: String) -> Finding {
    Finding {
        effect: NOT_ADMITTED.to_owned(),
        fix: Fix::safe("remove it").remove(hosted.id(), &*path),
        ..Finding::new(
            path,
            format!("repeated {mirror}"),
            format!("mirror \"{mirror}\" is in the list twice"),
        )
    }
}

fn too_long(role: &str, value: &str, path: String) -> Finding {
    let what = format!("the {role} has {} characters, and the limit is {MAX}", value.len());
    Finding {
        effect: NOT_ADMITTED.to_owned(),
        fix: format!("shorten the {role}").into(),
        ..Finding::new(path, format!("{role} {value}"), what)
    }
}

fn too_many(path: String, key: String, items: &str, count: usize, fix: &str) -> Finding {
    let what = format!("there are {count} {items}, and the limit is {MAX}");
    Finding { effect: NOT_ADMITTED.to_owned(), fix: fix.into(), ..Finding::new(path, key, what) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{Change, Entry},
        rules::{Settings, testing::assert_texts},
        state::State,
    };

    fn find(entries: &[(&str, &[&str])]) -> Vec<Finding> {
        let mut hosted = HostedCluster::default();
        for (source, mirrors) in entries {
            let mirrors = mirrors.iter().map(|mirror| Box::from(*mirror)).collect();
            let entry = Entry { source: (*source).into(), mirrors, mirror_source_policy: None };
            hosted.spec.image_content_sources.push(entry);
        }
        let (state, settings) = (State::default(), Settings::default());
        let write = HostedWrite { old: None, new: &hosted, state: &state, settings: &settings };
        let mut findings = Vec::new();
        check(&write, &mut findings);
        findings
    }

    /// The value that a fix sets, or the path that it removes.
    fn changed(finding: &Finding) -> Option<String> {
        match &finding.fix.changes.first()?.1 {
            Change::Set { value, .. } => value.as_str().map(str::to_owned),
            Change::Remove { path } => Some(path.clone()),
            _ => None,
        }
    }

    #[test]
    fn every_value_that_is_rejected_is_found() {
        const RELEASE: &str = "quay.io/openshift-release-dev/ocp-release";
        // The path of each finding, and what its fix changes; see `changed`.
        type Expected<'a> = &'a [(&'a str, Option<&'a str>)];
        let long = format!("m.lab/{}", "a".repeat(250));
        let table: [(&str, &[&str], Expected<'_>, &str); 11] = [
            (RELEASE, &["m.lab/a/release"], &[], "as it should be"),
            ("*.redhat.io", &["m.lab:8443"], &[], "a wildcard and a registry are valid"),
            (
                "quay.io/openshift-release-dev/ocp-release:4.18.5",
                &["https://mirror.lab/ocp-release"],
                &[("[0].source", Some(RELEASE)), ("[0].mirrors[0]", Some("mirror.lab/ocp-release"))],
                "a tag and a scheme",
            ),
            (RELEASE, &["m.lab/a", "*.m.lab"], &[("[0].mirrors[1]", None)], "a mirror is no wildcard"),
            (RELEASE, &[""], &[("[0].mirrors[0]", None)], "an empty mirror"),
            ("", &["m.lab"], &[("[0].source", None)], "an empty source"),
            (RELEASE, &["m.lab/a/"], &[("[0].mirrors[0]", Some("m.lab/a"))], "a slash too many"),
            (RELEASE, &["m.lab/A"], &[("[0].mirrors[0]", Some("m.lab/a"))], "an upper-case letter"),
            (
                RELEASE,
                &["m.lab/a", "m.lab/b", "m.lab/a"],
                &[("[0].mirrors[2]", Some("spec.imageContentSources[0].mirrors[2]"))],
                "a mirror twice",
            ),
            (RELEASE, &[&long], &[("[0].mirrors[0]", None)], "256 characters"),
            (RELEASE, &[&long[..255]], &[], "255 characters"),
        ];
        let mut all = Vec::new();
        for (source, mirrors, expected, reason) in table {
            let found = find(&[(source, mirrors)]);
            let found_at: Vec<_> = found
                .iter()
                .map(|finding| (finding.path.trim_start_matches(FIELD).to_owned(), changed(finding)))
                .collect();
            let expected: Vec<_> =
                expected.iter().map(|(path, meant)| ((*path).to_owned(), meant.map(str::to_owned))).collect();
            assert_eq!(found_at, expected, "{reason}");
            all.extend(found);
        }
        let names: Vec<_> = (0..256).map(|at| format!("m.lab/{at}")).collect();
        let mirrors: Vec<_> = names.iter().map(|name| &**name).collect();
        all.extend(find(&[("quay.io", &mirrors)]));
        assert_texts(RULE.id, &all);
    }

    #[test]
    fn there_are_at_most_255_entries_and_mirrors() {
        let names: Vec<_> = (0..256).map(|at| format!("m.lab/{at}")).collect();
        let mirrors: Vec<_> = names.iter().map(|name| &**name).collect();
        let entries: Vec<_> = mirrors.iter().map(|source| (*source, &["n.lab"][..])).collect();
        assert_eq!(find(&entries[..255]), []);
        assert_eq!(find(&[("quay.io", &mirrors[..255])]), []);
        let paths = |found: Vec<Finding>| found.into_iter().map(|found| found.path).collect::<Vec<_>>();
        assert_eq!(paths(find(&entries)), ["spec.imageContentSources"]);
        assert_eq!(paths(find(&[("quay.io", &mirrors)])), ["spec.imageContentSources[0].mirrors"]);
    }
}
