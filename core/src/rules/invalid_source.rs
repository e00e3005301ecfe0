//! A source that the machine-config operator refuses.

use super::{Check, Finding, Level, Rule, SetWrite};
use crate::objects::grammar;

pub(super) const RULE: Rule = Rule {
    id: "invalid-source",
    level: Level::Deny,
    summary: "a source that the machine-config operator refuses: scheme, tag, digest, upper case, trailing slash, empty",
    page: include_str!("invalid_source.md"),
    check: Check::MirrorSet(check),
    stops_rendering: true,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    for (index, entry) in set.entries.iter().enumerate() {
        if !grammar::is_valid_source(&entry.source) {
            findings.push(refused("source", &entry.source, true, set.field_path(index, "source")));
        }
    }
}

/// The finding for a value that is no source, or no mirror.
pub(super) fn refused(role: &str, value: &str, wildcard_allowed: bool, path: String) -> Finding {
    let (problem, meant) = grammar::diagnose(value, wildcard_allowed);
    let fix = meant.map_or_else(
        || format!("write the {role} as host[:port][/namespace[/name]]"),
        |meant| format!("write \"{meant}\""),
    );
    let effect = "no node configuration is rendered any more, for the whole cluster";
    Finding::new(path, format!("{role} \"{value}\" {problem}"), effect, fix)
}
