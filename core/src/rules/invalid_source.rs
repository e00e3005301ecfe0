//! A source that the machine-config operator rejects.

use super::{Check, Finding, Fix, Level, Rule, SetWrite};
use crate::objects::{MirrorSet, grammar};

pub(super) const RULE: Rule = Rule {
    id: "invalid-source",
    level: Level::Deny,
    summary: "a source that the machine-config operator rejects, for example with a scheme, a tag or a digest",
    page: include_str!("invalid_source.md"),
    check: Check::MirrorSet(check),
    stops_rendering: true,
    ..Rule::BASE
};

/// The effect of what the machine-config operator rejects.
pub(super) const RENDERING_FAILS: &str = "rendering fails, and nodes get no new configuration";

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    for (index, entry) in set.entries.iter().enumerate() {
        if !grammar::is_valid_source(&entry.source) {
            findings.push(rejected(set, "source", &entry.source, set.field_path(index, "source")));
        }
    }
}

/// The finding for a value that is no source, or no mirror.
pub(super) fn rejected(set: &MirrorSet, role: &str, value: &str, path: String) -> Finding {
    let (problem, meant) = grammar::diagnose(value, role == "source");
    let fix = match meant {
        Some(meant) => Fix::changing_pulls(format!("set it to \"{meant}\"")).set(set.id(), &*path, meant),
        None => format!("write the {role} as host[:port][/namespace[/name]]").into(),
    };
    Finding {
        effect: RENDERING_FAILS.to_owned(),
        fix,
        ..Finding::new(path, value, format!("{role} \"{value}\" {problem}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::SetKind::Icsp,
        rules::{
            Settings,
            testing::{assert_texts, findings, set},
        },
    };

    #[test]
    fn every_source_that_is_rejected_is_found() {
        let sources = ["https://quay.io/a", "quay.io/a", "*.quay.io", "*.quay.io/a"];
        let entries = sources.map(|source| (source, &["m.lab/a"][..]));
        let found = findings(RULE.id, &Settings::default(), &[], None, &set(Icsp, "a", &entries));
        let found_at: Vec<_> = found.iter().map(|finding| (&*finding.path, &*finding.key)).collect();
        let expected = [
            ("spec.repositoryDigestMirrors[0].source", "https://quay.io/a"),
            ("spec.repositoryDigestMirrors[3].source", "*.quay.io/a"),
        ];
        assert_eq!(found_at, expected);
        assert_texts(RULE.id, &found);
    }
}
