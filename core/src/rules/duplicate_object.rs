//! Two objects of one kind and name.

use super::{Check, DependsOn, FileObject, Finding, Level, Rule};
use crate::objects::SetKind;

pub(super) const RULE: Rule = Rule {
    id: "duplicate-object",
    level: Level::Warn,
    summary: "an object with the kind and name of an earlier one, which it replaces; in files only",
    page: include_str!("duplicate_object.md"),
    check: Check::File(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

fn check(object: &FileObject<'_>, findings: &mut Vec<Finding>) {
    let Some(earlier) = object.earlier else { return };
    let id = &object.written.id;
    let (effect, fix) = if earlier.has_same_entries {
        ("the later one replaces it, and both have the same entries", "remove one of them")
    } else if SetKind::ALL.iter().any(|kind| kind.name() == id.kind) {
        (
            "the later one replaces it, and the sources that only the earlier one has are lost",
            "rename one of them, or unite them with mirrorguard merge",
        )
    } else {
        (
            "the later one replaces it, and what only the earlier one has is lost",
            "rename or remove one of them",
        )
    };
    findings.push(Finding {
        effect: effect.to_owned(),
        fix: fix.into(),
        ..Finding::new("metadata.name", "again", format!("{id} is already defined at {}", earlier.place))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::manifest,
        rules::{Earlier, testing::assert_texts},
    };

    #[test]
    fn only_the_later_of_two_objects_is_found() {
        let tags = "apiVersion: config.openshift.io/v1\nkind: ImageTagMirrorSet\nmetadata: {name: a}\n";
        let image = "apiVersion: config.openshift.io/v1\nkind: Image\nmetadata: {name: cluster}\n";
        let mut all = Vec::new();
        for (text, has_same_entries, expected, reason) in [
            (tags, None, 0, "the only one"),
            (tags, Some(false), 1, "its sources are lost"),
            (tags, Some(true), 1, "a copy of it"),
            (image, Some(false), 1, "merge is for mirror sets"),
        ] {
            let reading = manifest::read("a.yaml", text.to_owned());
            let earlier =
                has_same_entries.map(|has_same_entries| Earlier { place: "a.yaml:3", has_same_entries });
            let mut findings = Vec::new();
            check(&FileObject { written: &reading.objects[0].written, earlier }, &mut findings);
            assert_eq!(findings.len(), expected, "{reason}");
            all.extend(findings);
        }
        assert_texts(RULE.id, &all);
    }
}
