//! An entry that has no effect: it has no mirror, or its source has no registry.

use std::collections::HashMap;

use super::{Check, Finding, Fix, Level, Rule, SetWrite};
use crate::{
    context::View,
    node::{Rendering, deciding},
    objects::{
        Entry, MirrorSet,
        MirrorSourcePolicy::{AllowContactingSource, NeverContactSource},
        Origin, grammar,
        scope::names_registry,
    },
};

pub(super) const RULE: Rule = Rule {
    id: "ineffective-entry",
    level: Level::Warn,
    summary: "an entry without a mirror, which nodes ignore together with its policy",
    page: include_str!("ineffective_entry.md"),
    check: Check::Entries(check),
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
    if set.entries.iter().all(Entry::is_effective) {
        return;
    }
    let rendering = Rendering::new(write.cluster.after);
    let mut decided: HashMap<&str, Decided> = HashMap::new();
    for (index, entry) in set.entries.iter().enumerate().filter(|(_, entry)| !entry.is_effective()) {
        // One with mirrors that are not known may have an effect.
        if !set.has_all_mirrors(index) {
            continue;
        }
        let source = &entry.source;
        let (key, what) = match (entry.mirrors.is_empty(), entry.policy()) {
            (true, _) => (format!("{source} none"), format!("source \"{source}\" has no mirror")),
            (false, AllowContactingSource) => {
                (format!("{source} itself"), format!("source \"{source}\" has no mirror other than itself"))
            }
            // For never-contact-source-lists-source.
            (false, NeverContactSource) => continue,
        };
        let decided =
            decided.entry(source).or_insert_with(|| Decided::of(write.cluster.after, &rendering, source));
        let (effect, fix) = consequence(set, index, decided);
        findings.push(Finding {
            effect: effect.to_owned(),
            fix,
            ..Finding::new(set.field_path(index, "mirrors"), key, what)
        });
    }
}

/// What is decided of a source without the entries that nodes ignore.
struct Decided {
    /// Whether its pulls never reach it.
    is_blocked: bool,
    /// Whether it has other entries.
    by_others: bool,
}

impl Decided {
    fn of<'a>(view: View<'a>, rendering: &Rendering<'a>, source: &str) -> Self {
        let decides = deciding(view, rendering, source).ok().flatten();
        Self {
            is_blocked: decides.is_some_and(|decides| rendering.blocks(&decides.scope) == Some(true)),
            by_others: view.effective(source).next().is_some(),
        }
    }
}

/// What nodes do without an entry, and the fix.
fn consequence(set: &MirrorSet, index: usize, decided: &Decided) -> (&'static str, Fix) {
    let is_never = set.entries[index].policy() == NeverContactSource;
    let effect = match (is_never, decided.is_blocked, decided.by_others) {
        (true, true, _) => {
            "nodes ignore the entry and its NeverContactSource, and the source is blocked elsewhere"
        }
        (true, false, _) => {
            let effect =
                "nodes ignore the entry and its NeverContactSource, so they still contact the source";
            return (effect, "add a mirror, or block the source in image.config".into());
        }
        (false, _, true) => "nodes ignore the entry and use the other entries of the source",
        (false, _, false) => "nodes ignore the entry and use a broader source, if there is one",
    };
    let is_only = set.origin == Origin::Object && set.entries.len() == 1;
    let title =
        if is_only { "add a mirror, or delete the object" } else { "add a mirror, or remove the entry" };
    (effect, Fix::safe(title).remove(set.id(), set.entry_path(index)))
}

/// The finding for a source that matches nothing.
fn without_registry(set: &MirrorSet, index: usize) -> Finding {
    let source = &set.entries[index].source;
    let fix = match example(source) {
        Some(example) => format!("write the registry too, for example {example}"),
        None => "write the source as host[:port]/namespace[/name]; a host has a dot or a port".to_owned(),
    };
    Finding {
        effect: "it matches no image, because nodes complete every image name with its registry".to_owned(),
        fix: fix.into(),
        ..Finding::new(
            set.field_path(index, "source"),
            format!("{source} no registry"),
            format!("source \"{source}\" has no registry host"),
        )
    }
}

/// A source without a registry as nodes complete it; `None` if that is no source.
fn example(source: &str) -> Option<String> {
    let namespace = if source.contains('/') { "" } else { "library/" };
    let example = format!("docker.io/{namespace}{source}");
    grammar::is_valid_source(&example).then_some(example)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{
            ImageConfig, MirrorSet, Object,
            SetKind::{Idms, Itms},
        },
        rules::{
            Settings,
            testing::{assert_texts, findings, found_in, never, set},
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
        all.extend(beside_others());
        all.extend(without_registries());
        assert_texts(RULE.id, &all);
    }

    /// The effects depend on what else applies to the source; the fix is safe where removing the entry is.
    fn beside_others() -> Vec<Finding> {
        let tags = |source: &str| set(Itms, "tags", &[(source, &["m.lab/a"])]);
        let blocked = |scope: &str| {
            Object::from(ImageConfig { blocked_registries: vec![scope.to_owned()], ..ImageConfig::default() })
        };
        let (allow, block) = (with_mirrors(&[]), never(with_mirrors(&[])));
        let table = [
            (&allow, Object::from(tags("quay.io/a")), true, "the mirrors for tag pulls apply"),
            (&block, never(tags("quay.io/a")).into(), true, "blocked by the source in another set"),
            (&block, never(tags("quay.io")).into(), true, "blocked by a broader source"),
            (&block, blocked("quay.io"), true, "blocked in image.config"),
            (&block, tags("quay.io").into(), false, "a broader source that is contacted"),
            (&block, never(tags("quay.io/b")).into(), false, "another source"),
        ];
        let mut all = Vec::new();
        for (new, other, is_removable, reason) in table {
            let found = found_in(RULE.id, new, [other], &Settings::default());
            let [finding] = &*found else { panic!("{reason}: {found:?}") };
            assert_eq!(finding.fix.is_applicable(), is_removable, "{reason}");
            all.extend(found);
        }
        all
    }

    /// An example is given where it is a source.
    fn without_registries() -> Vec<Finding> {
        let table = [
            ("redhat/ubi9", Some("docker.io/redhat/ubi9")),
            ("ubi9", Some("docker.io/library/ubi9")),
            ("QUAY/acme", None),
        ];
        let mut all = Vec::new();
        for (source, expected) in table {
            assert_eq!(example(source).as_deref(), expected, "{source}");
            let new = set(Idms, "new", &[(source, &["m.lab/a"])]);
            all.extend(findings(RULE.id, &Settings::default(), &[], None, &new));
        }
        assert_eq!(all.len(), 3);
        all
    }
}
