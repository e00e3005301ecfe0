//! A mirror that the API server or the machine-config operator rejects.

use super::{Check, DependsOn, Finding, Fix, Level, Rule, SetWrite, invalid_source::rejected};
use crate::objects::{EntryPart, MirrorSet, SetKind, grammar};

pub(super) const RULE: Rule = Rule {
    id: "invalid-mirror",
    level: Level::Deny,
    summary: "a mirror that the API server or the machine-config operator rejects, such as one with a scheme, a tag or a digest",
    page: include_str!("invalid_mirror.md"),
    check: Check::MirrorSet(check),
    stops_rendering: true,
    depends_on: DependsOn::Nothing,
    about_values: true,
    ..Rule::BASE
};

pub(super) fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.written() else { return };
    for (index, entry) in set.entries.iter().enumerate() {
        if set.kind != SetKind::Icsp {
            let repeats = set.repeated_mirrors(index).into_iter();
            findings.extend(repeats.map(|at| repeated(set, index, at)));
        }
        for (at, mirror) in entry.mirrors.iter().enumerate() {
            if set.is_readable(index, EntryPart::Mirror(at)) && !grammar::is_valid_mirror(mirror) {
                let path = set.field_path(index, &format!("mirrors[{at}]"));
                findings.push(rejected(set, "mirror", mirror, path, write.cluster.after.format()));
            }
        }
    }
}

/// A mirror for the second time in its list.
fn repeated(set: &MirrorSet, index: usize, at: usize) -> Finding {
    let mirror = &set.entries[index].mirrors[at];
    let path = set.field_path(index, &format!("mirrors[{at}]"));
    Finding {
        effect: format!("the API server rejects the {}", set.kind.name()),
        fix: Fix::safe("remove it").remove(set.id(), &*path),
        ..Finding::new(
            path,
            format!("repeated {mirror}"),
            format!("mirror \"{mirror}\" is in the list twice"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{
            Object,
            SetKind::{Icsp, Idms, Itms},
            manifest,
        },
        rules::{
            Settings,
            testing::{assert_texts, findings, set},
        },
    };

    #[test]
    fn every_mirror_that_is_rejected_is_found() {
        let entries: [(&str, &[&str]); 2] =
            [("quay.io/a", &["m.lab/a", "m.lab/a:v1"]), ("quay.io/b", &["*.lab", "m.lab/b"])];
        let found = findings(RULE.id, &Settings::default(), &[], None, &set(Icsp, "a", &entries));
        let found_at: Vec<_> = found.iter().map(|finding| (&*finding.path, &*finding.key)).collect();
        let expected = [
            ("spec.repositoryDigestMirrors[0].mirrors[1]", "m.lab/a:v1"),
            ("spec.repositoryDigestMirrors[1].mirrors[0]", "*.lab"),
        ];
        assert_eq!(found_at, expected);
        assert_texts(RULE.id, &found);
    }

    #[test]
    fn a_mirror_of_another_type_is_in_no_list_twice() {
        let table: [(&str, &[&str], &str); 2] = [
            ("[~, 4, '']", &["mirrors[2]"], "only the one that is a string, and empty"),
            ("[m.lab/a, 4, m.lab/a]", &["mirrors[2]"], "the others are still compared"),
        ];
        for (mirrors, expected, reason) in table {
            let entry = format!("{{source: quay.io/a, mirrors: {mirrors}}}");
            let head = "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: a}";
            let text = format!("{head}\nspec: {{imageDigestMirrors: [{entry}]}}\n");
            let object = manifest::read("a.yaml", text).objects.remove(0).object;
            let Object::MirrorSet(written) = object else { panic!("a mirror set") };
            let found = findings(RULE.id, &Settings::default(), &[], None, &written);
            let found: Vec<_> = found.iter().filter_map(|finding| finding.path.rsplit('.').next()).collect();
            assert_eq!(found, expected, "{reason}");
        }
    }

    #[test]
    fn a_mirror_is_listed_once_except_in_an_icsp() {
        let table: [(_, &[&str], &[&str], _); 4] = [
            (Idms, &["m.lab/a", "n.lab/a"], &[], "each once"),
            (Idms, &["m.lab/a", "n.lab/a", "m.lab/a"], &["mirrors[2]"], "the first is meant"),
            (Itms, &["m.lab/a", "m.lab/a", "m.lab/a"], &["mirrors[1]", "mirrors[2]"], "each further one"),
            (Icsp, &["m.lab/a", "m.lab/a"], &[], "its schema has no such limit"),
        ];
        for (kind, mirrors, expected, reason) in table {
            let written = set(kind, "a", &[("quay.io/a", mirrors)]);
            let found = findings(RULE.id, &Settings::default(), &[], None, &written);
            let found: Vec<_> = found.iter().filter_map(|finding| finding.path.rsplit('.').next()).collect();
            assert_eq!(found, expected, "{reason}");
        }
    }
}
