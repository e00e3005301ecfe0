//! A mirror that the machine-config operator refuses.

use super::{Check, Finding, Level, Rule, SetWrite, invalid_source::refused};
use crate::objects::grammar;

pub(super) const RULE: Rule = Rule {
    id: "invalid-mirror",
    level: Level::Deny,
    summary: "a mirror that the machine-config operator refuses: scheme, tag, digest, wildcard, trailing slash, empty",
    page: include_str!("invalid_mirror.md"),
    check: Check::MirrorSet(check),
    stops_rendering: true,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    for (index, entry) in set.entries.iter().enumerate() {
        for (at, mirror) in entry.mirrors.iter().enumerate() {
            if !grammar::is_valid_mirror(mirror) {
                let path = set.field_path(index, &format!("mirrors[{at}]"));
                findings.push(refused("mirror", mirror, false, path));
            }
        }
    }
}
