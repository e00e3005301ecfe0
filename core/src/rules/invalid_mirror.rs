//! A mirror that the machine-config operator rejects.

use super::{Check, Finding, Level, Rule, SetWrite, invalid_source::rejected};
use crate::objects::grammar;

pub(super) const RULE: Rule = Rule {
    id: "invalid-mirror",
    level: Level::Deny,
    summary: "a mirror that the machine-config operator rejects, for example with a scheme, a tag or a digest",
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
                findings.push(rejected(set, "mirror", mirror, path, write.cluster.after.format()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::SetKind::Icsp,
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
}
