//! An entry that has no effect: it has no mirror, or its source has no registry.

use super::{Check, Finding, Fix, Level, Rule, SetWrite};
use crate::objects::{MirrorSet, MirrorSourcePolicy::NeverContactSource, scope::names_registry};

pub(super) const RULE: Rule = Rule {
    id: "ineffective-entry",
    level: Level::Warn,
    summary: "an entry without a mirror, which nodes ignore together with its policy",
    page: include_str!("ineffective_entry.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    for (index, entry) in set.effective_entries() {
        let source = &entry.source;
        if !names_registry(source) {
            findings.push(without_registry(set, index));
        }
    }
    for (index, entry) in set.entries.iter().enumerate().filter(|(_, entry)| !entry.is_effective()) {
        let never = entry.policy() == NeverContactSource;
        let source = &entry.source;
        let (key, what) = match (entry.mirrors.is_empty(), never) {
            (true, _) => (format!("{source} none"), format!("source \"{source}\" has no mirror")),
            (false, false) => {
                (format!("{source} itself"), format!("source \"{source}\" has no mirror other than itself"))
            }
            // For never-contact-source-lists-source.
            (false, true) => continue,
        };
        let (effect, fix) = if never {
            (
                "nodes ignore the entry and its NeverContactSource, so they still contact the source",
                "add a mirror, or block the source in image.config".into(),
            )
        } else {
            let path = set.entry_path(index);
            (
                "nodes ignore the entry and use a broader source, if there is one",
                Fix::safe("add a mirror, or remove the entry").remove(set.id(), path),
            )
        };
        findings.push(Finding {
            effect: effect.to_owned(),
            fix,
            ..Finding::new(set.field_path(index, "mirrors"), key, what)
        });
    }
}

/// The finding for a source that matches nothing.
fn without_registry(set: &MirrorSet, index: usize) -> Finding {
    let source = &set.entries[index].source;
    Finding {
        effect: "it matches no image, because nodes complete every image name with its registry".to_owned(),
        fix: format!("write the registry too, for example docker.io/{source}").into(),
        ..Finding::new(
            set.field_path(index, "source"),
            format!("{source} no registry"),
            format!("source \"{source}\" has no registry host"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{MirrorSet, SetKind::Idms},
        rules::{
            Settings,
            testing::{assert_texts, findings, never, set},
        },
    };

    fn with_mirrors(mirrors: &[&str]) -> MirrorSet {
        set(Idms, "new", &[("quay.io/a", mirrors)])
    }

    #[test]
    fn an_entry_is_found_where_the_nodes_drop_it() {
        let table = [
            (with_mirrors(&[]), Some("quay.io/a none"), "no mirror"),
            (with_mirrors(&["quay.io/a"]), Some("quay.io/a itself"), "only itself"),
            (never(with_mirrors(&[])), Some("quay.io/a none"), "the policy is dropped with it"),
            (never(with_mirrors(&["quay.io/a"])), None, "for never-contact-source-lists-source"),
            (with_mirrors(&["quay.io/a", "m/a"]), None, "one real mirror is enough"),
            (never(with_mirrors(&["m/a"])), None, "the usual entry"),
        ];
        let mut all = Vec::new();
        for (new, key, reason) in table {
            let found = findings(RULE.id, &Settings::default(), &[], None, &new);
            let found_at: Vec<_> = found.iter().map(|finding| (&*finding.path, &*finding.key)).collect();
            let expected = key.map(|key| ("spec.imageDigestMirrors[0].mirrors", key));
            assert_eq!(found_at, Vec::from_iter(expected), "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
