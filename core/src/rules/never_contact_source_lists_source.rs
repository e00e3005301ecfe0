//! A source that may never be contacted and is one of its own mirrors.

use super::{Check, Finding, Level, Rule, SetWrite};
use crate::objects::MirrorSourcePolicy;

pub(super) const RULE: Rule = Rule {
    id: "never-contact-source-lists-source",
    level: Level::Deny,
    summary: "NeverContactSource with the source among its mirrors",
    page: include_str!("never_contact_source_lists_source.md"),
    check: Check::MirrorSet(check),
    stops_rendering: true,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    for (index, entry) in set.entries.iter().enumerate() {
        if entry.policy() != MirrorSourcePolicy::NeverContactSource {
            continue;
        }
        let Some(at) = entry.mirrors.iter().position(|mirror| *mirror == entry.source) else { continue };
        findings.push(Finding::new(
            set.field_path(index, &format!("mirrors[{at}]")),
            format!("\"{}\" is NeverContactSource and one of its own mirrors", entry.source),
            "no node configuration is rendered any more, for the whole cluster",
            "take the source out of its mirrors; it is tried last by itself unless it is NeverContactSource"
                .to_owned(),
        ));
    }
}
