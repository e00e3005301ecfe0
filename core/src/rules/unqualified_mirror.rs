//! A mirror that does not name its registry.

use super::{Check, Finding, Level, Rule, SetWrite};
use crate::objects::scope::names_registry;

pub(super) const RULE: Rule = Rule {
    id: "unqualified-mirror",
    level: Level::Deny,
    summary: "a mirror without a registry host, with which every pull of its source fails",
    page: include_str!("unqualified_mirror.md"),
    check: Check::MirrorSet(check),
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
        objects::SetKind::{Icsp, Idms, Itms},
        rules::{
            Settings,
            testing::{assert_texts, findings, set},
        },
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
}
