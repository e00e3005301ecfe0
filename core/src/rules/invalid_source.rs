//! A source that the machine-config operator rejects.

use super::{Check, DependsOn, Finding, Fix, Level, Rule, SetWrite};
use crate::{
    node::check_locations,
    objects::{EntryPart, Format, MirrorSet, grammar},
};

pub(super) const RULE: Rule = Rule {
    id: "invalid-source",
    level: Level::Deny,
    summary: "a source that the machine-config operator rejects, for example with a scheme, a tag or a digest",
    page: include_str!("invalid_source.md"),
    check: Check::MirrorSet(check),
    stops_rendering: true,
    depends_on: DependsOn::Nothing,
    about_values: true,
    ..Rule::BASE
};

/// The effect of what the machine-config operator rejects.
pub(super) const RENDERING_FAILS: &str = "rendering fails, and nodes get no new configuration";

pub(super) fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.written() else { return };
    let format = write.cluster.after.format();
    for (index, entry) in set.entries.iter().enumerate() {
        // What could not be read from a file is an error of the file, and empty here.
        if !set.is_readable(index, EntryPart::Source) {
            continue;
        }
        let (source, path) = (&*entry.source, || set.field_path(index, "source"));
        if !grammar::is_valid_source(source) {
            findings.push(rejected(set, "source", source, path(), format));
        } else if !format.accepts_source(source) {
            findings.push(early_wildcard(source, path()));
        }
    }
}

/// The finding for a wildcard in a release that has no wildcards yet.
fn early_wildcard(source: &str, path: String) -> Finding {
    Finding {
        effect: RENDERING_FAILS.to_owned(),
        fix: "list the hosts instead, or update the cluster to 4.16 first".into(),
        ..Finding::new(
            path,
            source,
            format!(
                "source \"{source}\" is a wildcard, which the machine-config operator accepts from 4.16 on"
            ),
        )
    }
}

/// What happens because of a value that is rejected from 4.16 on.
fn effect_of(value: &str, format: Format) -> &'static str {
    // As `Format::accepts_source` and `Format::accepts_mirror`, which are the same up to 4.15.
    let is_accepted = format == Format::UpTo415 && !value.is_empty() && !value.contains('*');
    if !is_accepted {
        RENDERING_FAILS
    } else if check_locations([value]).is_err() {
        "up to 4.15 it is rendered as it is, nodes reject registries.conf as a whole, and every pull fails"
    } else {
        "up to 4.15 it is rendered as it is and does not work, and from 4.16 on rendering fails"
    }
}

/// The finding for a value that is no valid source or mirror; `role` is `source` or `mirror`.
pub(super) fn rejected(set: &MirrorSet, role: &str, value: &str, path: String, format: Format) -> Finding {
    let (problem, meant) = grammar::diagnose(value, role == "source");
    let fix = match meant {
        Some(meant) => Fix::changing_pulls(format!("set it to \"{meant}\"")).set(set.id(), &*path, meant),
        None => format!("write the {role} as host[:port][/namespace[/name]]").into(),
    };
    Finding {
        effect: effect_of(value, format).to_owned(),
        fix,
        ..Finding::new(path, value, format!("{role} \"{value}\" {problem}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{ClusterVersion, Object, SetKind::Icsp},
        rules::{
            Settings,
            testing::{assert_texts, found_in, set},
        },
    };

    type Place<'a> = (&'a str, &'a str);

    /// What is found in an ICSP with these sources, in a cluster of this release.
    fn found_for(version: &str, sources: &[&str]) -> Vec<Finding> {
        let entries: Vec<_> = sources.iter().map(|source| (*source, &["m.lab/a"][..])).collect();
        let desired_version = version.to_owned();
        let version = ClusterVersion { desired_version, ..ClusterVersion::default() };
        let others = [Object::ClusterVersion(version)];
        found_in(RULE.id, &set(Icsp, "a", &entries), others, &Settings::default())
    }

    #[test]
    fn every_source_that_is_rejected_is_found() {
        let sources = ["https://quay.io/a", "quay.io/a", "*.quay.io", "*.quay.io/a", "quay.io/a:v1"];
        let [scheme, wildcard, wildcard_path, tag]: [Place<'_>; 4] = [
            ("spec.repositoryDigestMirrors[0].source", "https://quay.io/a"),
            ("spec.repositoryDigestMirrors[2].source", "*.quay.io"),
            ("spec.repositoryDigestMirrors[3].source", "*.quay.io/a"),
            ("spec.repositoryDigestMirrors[4].source", "quay.io/a:v1"),
        ];
        let table: [(&str, &[Place<'_>], &str); 3] = [
            ("", &[scheme, wildcard_path, tag], "the release is not known"),
            ("4.16.1", &[scheme, wildcard_path, tag], "wildcards are accepted"),
            ("4.15.9", &[scheme, wildcard, wildcard_path, tag], "wildcards are not"),
        ];
        let mut all = Vec::new();
        for (version, expected, reason) in table {
            let found = found_for(version, &sources);
            let found_at: Vec<_> = found.iter().map(|finding| (&*finding.path, &*finding.key)).collect();
            assert_eq!(found_at, expected, "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
