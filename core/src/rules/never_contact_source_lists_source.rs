//! A source with `NeverContactSource` that is listed as one of its own mirrors.

use super::{
    Check, DependsOn, Finding, Fix, Level, Rule, SetWrite, explicit::block_entry,
    invalid_source::RENDERING_FAILS,
};
use crate::{context::EntryRef, objects::MirrorSourcePolicy};

pub(super) const RULE: Rule = Rule {
    id: "never-contact-source-lists-source",
    level: Level::Deny,
    summary: "a source with NeverContactSource that is listed as one of its own mirrors",
    page: include_str!("never_contact_source_lists_source.md"),
    check: Check::MirrorSet(check),
    stops_rendering: true,
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    for (index, entry) in set.entries.iter().enumerate() {
        if entry.policy() != MirrorSourcePolicy::NeverContactSource {
            continue;
        }
        let Some(at) = entry.mirrors.iter().position(|mirror| *mirror == entry.source) else { continue };
        let path = set.field_path(index, &format!("mirrors[{at}]"));
        let what =
            format!("source \"{}\" has NeverContactSource and is one of its own mirrors", entry.source);
        let title = "remove the source from its mirrors, or remove NeverContactSource";
        // Without another mirror, nodes would ignore the entry together with its policy.
        let fix = if entry.is_effective() {
            block_entry(Fix::changing_pulls(title), EntryRef { set, index })
        } else {
            title.into()
        };
        findings.push(Finding {
            effect: RENDERING_FAILS.to_owned(),
            fix,
            ..Finding::new(path, &*entry.source, what)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::SetKind::{Idms, Itms},
        rules::{
            Settings,
            testing::{assert_texts, findings, never, set},
        },
    };

    #[test]
    fn only_a_source_that_is_never_contacted_must_not_be_a_mirror() {
        let both = set(Idms, "new", &[("quay.io/a", &["m.lab/a", "quay.io/a"])]);
        let tags = set(Itms, "new", &[("quay.io/a", &["m.lab/a", "quay.io/a"])]);
        let table: [(_, &[&str], &str); 4] = [
            (never(both.clone()), &["spec.imageDigestMirrors[0].mirrors[1]"], "the second mirror"),
            (never(tags), &["spec.imageTagMirrors[0].mirrors[1]"], "for tag pulls too"),
            (both, &[], "without the policy"),
            (never(set(Idms, "new", &[("quay.io/a", &["m.lab/a"])])), &[], "with another mirror only"),
        ];
        let mut all = Vec::new();
        for (new, expected, reason) in table {
            let found = findings(RULE.id, &Settings::default(), &[], None, &new);
            assert_eq!(found.iter().map(|finding| &*finding.path).collect::<Vec<_>>(), expected, "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
