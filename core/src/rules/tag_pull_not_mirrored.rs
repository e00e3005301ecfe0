//! An operator index that is mirrored by digest only.

use super::{Check, Finding, Level, Rule, SetWrite, paste::set_yaml};
use crate::{
    context::EntryRef,
    hypershift::catalogs::{CATALOGS, Catalog, DEFAULT_NAMESPACE},
    objects::SetKind,
};

pub(super) const RULE: Rule = Rule {
    id: "tag-pull-not-mirrored",
    level: Level::Warn,
    summary: "operator index images, pulled by tag, stand in a digest set and are in no tag set",
    page: include_str!("tag_pull_not_mirrored.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set().filter(|set| set.kind.is_digest()) else { return };
    let images: Vec<_> = CATALOGS.iter().map(Catalog::image).collect();
    let is_of_tags = |found: &EntryRef<'_>| found.set.kind == SetKind::Itms;
    for (index, entry) in set.effective_entries() {
        let source = &*entry.source;
        if !source.starts_with(DEFAULT_NAMESPACE) {
            continue;
        }
        // A whole registry is there for operands as well, which are pulled by digest.
        let missing = |image: &&String| {
            (**image == *source || source == DEFAULT_NAMESPACE)
                && write.cluster.after.nearest(image, is_of_tags).is_none()
        };
        let Some(first) = images.iter().find(missing) else { continue };
        let is_in_idms = || write.cluster.after.entries(source).any(|found| found.set.kind == SetKind::Idms);
        // Where an ICSP is being migrated, the IDMS is told.
        if set.kind == SetKind::Icsp && is_in_idms() {
            continue;
        }
        findings.push(Finding {
            yaml: Some(set_yaml(SetKind::Itms, &set.name, [entry])),
            key: source.to_owned(),
            ..Finding::new(
                set.field_path(index, "source"),
                format!("\"{source}\" serves pulls by digest only, and {first} is pulled by tag"),
                "the catalog's pull passes the mirror by",
                "put the entry into an ImageTagMirrorSet too".to_owned(),
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Settings,
        testing::{findings, set},
    };
    use crate::objects::SetKind::{self, Icsp, Idms, Itms};

    #[test]
    fn what_stands_for_an_index_needs_a_tag_set() {
        let of = |kind: SetKind, name, source| set(kind, name, &[(source, &["m/x"])]);
        let index = "registry.redhat.io/redhat/redhat-operator-index";
        let namespace = "registry.redhat.io/redhat";
        let table = [
            (of(Idms, "new", index), None, true, "an index"),
            (of(Idms, "new", namespace), None, true, "the namespace of the indexes"),
            (of(Icsp, "new", index), None, true, "an ICSP serves digests only too"),
            (of(Itms, "new", index), None, false, "a tag set"),
            (
                of(Idms, "new", "registry.redhat.io"),
                None,
                false,
                "operands are pulled by digest from the registry",
            ),
            (
                of(Idms, "new", "registry.redhat.io/redhat/other"),
                None,
                false,
                "another image of the namespace",
            ),
            (of(Idms, "new", "registry.redhat.io/redhat2"), None, false, "another namespace"),
            (of(Idms, "new", index), Some(of(Itms, "there", index)), false, "the tag set has it"),
            (
                of(Idms, "new", namespace),
                Some(of(Itms, "there", namespace)),
                false,
                "the tag set has all of them",
            ),
            (of(Idms, "new", namespace), Some(of(Itms, "there", index)), true, "the tag set has one of four"),
            (
                of(Idms, "new", index),
                Some(of(Itms, "there", "registry.redhat.io")),
                false,
                "for shadowed-source",
            ),
            (of(Icsp, "new", index), Some(of(Idms, "there", index)), false, "the IDMS is told"),
        ];
        for (new, there, expected, reason) in table {
            let there: Vec<_> = there.iter().collect();
            let found = findings("tag-pull-not-mirrored", &Settings::default(), &there, None, &new);
            assert_eq!(found.len(), usize::from(expected), "{reason}");
        }
    }
}
