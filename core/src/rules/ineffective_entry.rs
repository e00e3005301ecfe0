//! An entry without a mirror.

use super::{Check, Finding, Level, Rule, SetWrite};
use crate::objects::MirrorSourcePolicy::NeverContactSource;

pub(super) const RULE: Rule = Rule {
    id: "ineffective-entry",
    level: Level::Warn,
    summary: "an entry without a mirror, or with only the source as one: the nodes drop it, its policy too",
    page: include_str!("ineffective_entry.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    for (index, entry) in set.entries.iter().enumerate().filter(|(_, entry)| !entry.is_effective()) {
        let never = entry.policy() == NeverContactSource;
        let what = match (entry.mirrors.is_empty(), never) {
            (true, _) => format!("\"{}\" has no mirror", entry.source),
            (false, false) => format!("\"{}\" has no mirror but itself", entry.source),
            // For never-contact-source-lists-source.
            (false, true) => continue,
        };
        let (effect, fix) = if never {
            (
                "nodes drop the entry and its NeverContactSource with it: the source is still contacted",
                "add a mirror, or block the source in image.config.openshift.io/cluster",
            )
        } else {
            ("nodes drop the entry; a wider source, if there is one, decides", "add a mirror, or take it out")
        };
        findings.push(Finding::new(set.field_path(index, "mirrors"), what, effect, fix.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Settings,
        testing::{findings, never, set},
    };
    use crate::objects::{MirrorSet, SetKind::Idms};

    #[test]
    fn an_entry_is_told_where_the_nodes_drop_it() {
        let of = |mirrors| set(Idms, "new", &[("quay.io/a", mirrors)]);
        let table: [(MirrorSet, &str, &str); 6] = [
            (of(&[]), "nodes drop the entry; a wider", "no mirror"),
            (of(&["quay.io/a"]), "nodes drop the entry; a wider", "only itself"),
            (never(of(&[])), "nodes drop the entry and its NeverContactSource", "the policy goes with it"),
            (never(of(&["quay.io/a"])), "", "for never-contact-source-lists-source"),
            (of(&["quay.io/a", "m/a"]), "", "one real mirror is enough"),
            (never(of(&["m/a"])), "", "the usual entry"),
        ];
        for (new, expected, reason) in table {
            let found = findings("ineffective-entry", &Settings::default(), &[], None, &new);
            let effect = found.first().map_or("", |finding| &finding.effect);
            assert!(effect.starts_with(expected) && effect.is_empty() == expected.is_empty(), "{reason}");
        }
    }
}
