//! A mirror outside the registries that the configuration allows.

use super::{Check, DependsOn, Finding, Level, Rule, SetWrite, finding::some_names};
use crate::objects::scope::is_nested;

pub(super) const RULE: Rule = Rule {
    id: "untrusted-mirror",
    level: Level::Off,
    summary: "a mirror outside allowedMirrorRegistries in the configuration",
    page: include_str!("untrusted_mirror.md"),
    check: Check::MirrorSet(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let allowed = &write.settings.allowed_mirror_registries;
    let Some(set) = write.new_set().filter(|_| !allowed.is_empty()) else { return };
    for (index, entry) in set.entries.iter().enumerate() {
        for (at, mirror) in entry.mirrors.iter().enumerate() {
            // Nodes try the source anyway, listed or not.
            if *mirror == entry.source || allowed.iter().any(|outer| is_nested(mirror, outer)) {
                continue;
            }
            let path = set.field_path(index, &format!("mirrors[{at}]"));
            let key = format!("{} {mirror}", entry.source);
            let what = format!("mirror \"{mirror}\" is outside allowedMirrorRegistries");
            findings.push(Finding {
                effect: "nodes would pull images from a registry that is not allowed".to_owned(),
                fix: format!("use a mirror in an allowed registry: {}", some_names(allowed.clone())).into(),
                ..Finding::new(path, key, what)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Settings,
        testing::{assert_texts, findings, set},
    };
    use crate::objects::SetKind::Idms;

    #[test]
    fn a_mirror_must_be_in_an_allowed_scope() {
        let table = [
            ("m.lab.example:8443", "m.lab.example:8443/a", true, "the registry"),
            ("m.lab.example:8443/a", "m.lab.example:8443/a/b", true, "a namespace"),
            ("m.lab.example:8443/a", "m.lab.example:8443/ab", false, "another namespace"),
            ("m.lab.example", "m.lab.example:8443/a", false, "another port is another registry"),
            ("m.lab.example", "m.lab.example.evil.example/a", false, "a longer host"),
            ("*.lab.example", "m.lab.example:8443/a", true, "a host of the domain, whatever its port"),
            ("*.lab.example", "evil.example/m.lab.example", false, "the domain in the path"),
            ("*.lab.example", "lab.example/a", false, "the domain itself"),
        ];
        let mut all = Vec::new();
        for (allowed, mirror, is_allowed, reason) in table {
            let allowed_mirror_registries = vec!["other.example".to_owned(), allowed.to_owned()];
            let settings = Settings { allowed_mirror_registries, ..Settings::default() };
            let new = set(Idms, "new", &[("quay.io/a", &[mirror, "quay.io/a"])]);
            let found = findings("untrusted-mirror", &settings, &[], None, &new);
            assert_eq!(found.is_empty(), is_allowed, "{reason}: {found:?}");
            all.extend(found);
        }
        assert_texts("untrusted-mirror", &all);
        let anywhere = set(Idms, "new", &[("quay.io/a", &["evil.example/a"])]);
        let found = findings("untrusted-mirror", &Settings::default(), &[], None, &anywhere);
        assert_eq!(found, [], "nothing is reported while the list is empty");
    }
}
