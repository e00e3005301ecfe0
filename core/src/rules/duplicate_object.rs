//! Two objects of one kind and name.

use super::{Check, FileObject, Finding, Level, Rule};

pub(super) const RULE: Rule = Rule {
    id: "duplicate-object",
    level: Level::Warn,
    summary: "an object with the kind and name of an earlier one, which it replaces; in files only",
    page: include_str!("duplicate_object.md"),
    check: Check::File(check),
    ..Rule::BASE
};

fn check(object: &FileObject<'_>, findings: &mut Vec<Finding>) {
    let Some(earlier) = object.earlier else { return };
    let id = &object.written.id;
    findings.push(Finding {
        effect: "the later one replaces it, and the sources that only the earlier one has are lost"
            .to_owned(),
        fix: "rename one of them, or unite them with mirrorguard merge".into(),
        ..Finding::new("metadata.name", "again", format!("{id} is already defined at {earlier}"))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{objects::manifest, rules::testing::assert_texts};

    #[test]
    fn only_the_later_of_two_objects_is_found() {
        let text = "apiVersion: config.openshift.io/v1\nkind: ImageTagMirrorSet\nmetadata: {name: a}\n";
        let reading = manifest::read("a.yaml", text.to_owned());
        let mut all = Vec::new();
        for (earlier, expected) in [(None, 0), (Some("a.yaml:3"), 1)] {
            let mut findings = Vec::new();
            check(&FileObject { written: &reading.objects[0].written, earlier }, &mut findings);
            assert_eq!(findings.len(), expected);
            all.extend(findings);
        }
        assert_texts(RULE.id, &all);
    }
}
