//! A mirror that does not name its registry.

use super::{Check, DependsOn, Finding, Level, Rule, SetWrite};
use crate::objects::scope::names_registry;

pub(super) const RULE: Rule = Rule {
    id: "unqualified-mirror",
    level: Level::Deny,
    summary: "a mirror without a registry host, with which every pull of its source fails",
    page: include_str!("unqualified_mirror.md"),
    check: Check::Entries(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    for (index, entry) in set.entries.iter().enumerate() {
        for (at, mirror) in entry.real_mirrors() {
            // Every mirror in this set is valid. The others are for invalid-mirror.
            if names_registry(mirror) {
                continue;
            }
            findings.push(Finding {
                effect: "nodes cannot make a reference of it, and every pull that this source decides fails, also \
                         where a later mirror has the image"
                    .to_owned(),
                fix: "write the mirror as host[:port]/namespace[/name]; a host has a dot or a port".into(),
                ..Finding::new(
                    set.field_path(index, &format!("mirrors[{at}]")),
                    format!("{} {mirror}", entry.source),
                    format!("mirror \"{mirror}\" has no registry host"),
                )
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{
            MirrorSet, Object,
            SetKind::{Icsp, Idms, Itms},
        },
        rules::{
            Settings,
            testing::{assert_texts, findings, never, review, set},
        },
        write::Operation,
    };

    #[test]
    fn a_mirror_has_a_host_with_a_dot_or_a_port() {
        let table: [(_, &str, bool, &str); 7] = [
            (Idms, "m3/x", true, "a path alone"),
            (Icsp, "m3", true, "a name alone"),
            (Itms, "m3/x", true, "for tag pulls too"),
            (Idms, "m3.lab/x", false, "a dot"),
            (Idms, "m3:5000/x", false, "a port"),
            (Idms, "localhost/x", false, "the one name without either"),
            (Idms, "https://m3/x", false, "for invalid-mirror"),
        ];
        let mut all = Vec::new();
        for (kind, mirror, expected, reason) in table {
            let new = set(kind, "new", &[("quay.io/a", &["quay.io/a", mirror])]);
            let found = findings(RULE.id, &Settings::default(), &[], None, &new);
            let keys: Vec<_> = found.iter().map(|finding| (&*finding.path, &*finding.key)).collect();
            let path = format!("spec.{}[0].mirrors[1]", kind.list_field());
            let key = format!("quay.io/a {mirror}");
            let expected: Vec<_> = expected.then_some((&*path, &*key)).into_iter().collect();
            assert_eq!(keys, expected, "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }

    /// The rules that find something in a set as it is, and those whose fix can be applied.
    fn rules_of(set: &MirrorSet) -> (Vec<&'static str>, Vec<&'static str>) {
        let state = [Object::from(set.clone())].into_iter().collect();
        let verdict = review(&state, &Settings::default(), Operation::Existing(set.clone()));
        let found = verdict.diagnostics.iter();
        let applicable = found.clone().filter(|one| one.finding.fix.is_applicable()).map(|one| one.rule.id);
        (found.clone().map(|one| one.rule.id).collect(), applicable.collect())
    }

    #[test]
    fn a_mirror_without_a_registry_feeds_no_rule_about_where_pulls_go() {
        let of = |kind, source, mirror: &str| set(kind, "new", &[(source, &[mirror])]);
        let (catalogs, release) = ("registry.redhat.io/redhat", "quay.io/openshift-release-dev");
        let shadow = |mirror: &str| set(Idms, "new", &[("q.io", &[mirror]), ("q.io/a", &["n.lab/a"])]);
        let (tags, blocked) = ("tag-pull-not-mirrored", "half-blocked-source");
        let root = ["root-level-source", "root-level-source"];
        let table: [(MirrorSet, MirrorSet, &[&str], &str); 5] = [
            (of(Idms, catalogs, "m/r"), of(Idms, catalogs, "m.lab/r"), &[tags], "catalogs by tag"),
            (of(Idms, release, "m/o/r"), of(Idms, release, "m.lab/o/r"), &root, "the release"),
            (
                never(of(Itms, "docker.io", "m/r")),
                never(of(Itms, "docker.io", "m.lab/r")),
                &[blocked],
                "the other pulls",
            ),
            (shadow("m"), shadow("m.lab"), &["shadowed-source"], "what a source hides"),
            (
                never(of(Idms, "redhat/ubi9", "m/r")),
                never(of(Idms, "r.io/ubi9", "m.lab/r")),
                &[blocked],
                "nor does a source",
            ),
        ];
        for (without, with, expected, reason) in table {
            let (found, applicable) = rules_of(&without);
            assert!(
                found.iter().all(|id| [RULE.id, "ineffective-entry"].contains(id)),
                "{reason}: {found:?}"
            );
            assert_eq!(applicable, [""; 0], "{reason}");
            assert_eq!(rules_of(&with).0, expected, "{reason}: the same with registries");
        }
    }
}
