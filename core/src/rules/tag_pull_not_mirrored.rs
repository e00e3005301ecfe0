//! The index image of an operator catalog that is mirrored only for digest pulls.

use std::collections::BTreeSet;

use super::{
    Check, DependsOn, Finding, Fix, Level, Rule, SetWrite,
    explicit::{for_other_pulls, free_name},
    finding::some_names,
};
use crate::{
    context::View,
    hypershift::catalogs::{CATALOGS, Catalog, DEFAULT_NAMESPACE},
    objects::{Entry, MirrorSet, MirrorSourcePolicy::NeverContactSource, Origin, Pull, SetKind},
};

pub(super) const RULE: Rule = Rule {
    id: "tag-pull-not-mirrored",
    level: Level::Warn,
    summary: "a catalog's index image that is mirrored only for digest pulls, although OLM pulls it by tag",
    page: include_str!("tag_pull_not_mirrored.md"),
    check: Check::MirrorSet(check),
    depends_on: DependsOn::Entries,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set().filter(|set| set.kind.is_digest()) else { return };
    let view = write.cluster.after;
    let images: Vec<_> = CATALOGS.iter().map(Catalog::image).collect();
    let mut found = Vec::new();
    for (index, entry) in write.first_entries(Entry::is_usable) {
        let source = &*entry.source;
        // Most entries end here.
        if !source.starts_with(DEFAULT_NAMESPACE) {
            continue;
        }
        let missing: Vec<_> =
            images.iter().filter(|image| is_missing(view, source, image)).map(|image| &**image).collect();
        if missing.is_empty() {
            continue;
        }
        // During a migration, the IDMS with the same source is reported instead.
        if set.kind == SetKind::Icsp && view.entries(source).any(|found| found.set.kind == SetKind::Idms) {
            continue;
        }
        found.push(Missing { index, entry, images: missing });
    }
    for found in write.apart_from_open(found, |found| &found.entry.source) {
        findings.extend(finding(view, set, &found));
    }
}

/// An entry that should serve tag pulls of images, and does not.
struct Missing<'a> {
    index: usize,
    entry: &'a Entry,
    /// At least one.
    images: Vec<&'a str>,
}

/// One finding for all entries of a set, so that its fix is one object.
fn finding(view: View<'_>, set: &MirrorSet, found: &[Missing<'_>]) -> Option<Finding> {
    let first = found.first()?;
    let never = found.iter().filter(|found| found.entry.policy() == NeverContactSource).count();
    let images: BTreeSet<_> = found.iter().flat_map(|found| found.images.iter().copied()).collect();
    let (is, them) = if images.len() == 1 { ("is", "it") } else { ("are", "them") };
    let mirror = if found.len() == 1 { "this digest mirror is" } else { "these digest mirrors are" };
    let effect = match never {
        0 => format!("{mirror} never used for {them}"),
        never if never == found.len() => {
            format!(
                "pulls of {them} by tag fail, because NeverContactSource also blocks the source for tag pulls"
            )
        }
        _ => format!(
            "{mirror} never used for {them}, and tag pulls fail where the source has NeverContactSource"
        ),
    };
    let sources: Vec<_> = found.iter().map(|found| &*found.entry.source).collect();
    let images = some_names(images);
    Some(Finding {
        effect,
        fix: fix(view, set, found),
        ..Finding::of_faults(
            set.field_path(first.index, "source"),
            sources,
            format!("no ImageTagMirrorSet covers {images}, which {is} pulled by tag"),
        )
    })
}

fn fix(view: View<'_>, set: &MirrorSet, found: &[Missing<'_>]) -> Fix {
    let title = match found {
        [_] => "add an ImageTagMirrorSet with the same source and mirrors",
        _ => "add an ImageTagMirrorSet with the same sources and mirrors",
    };
    // A mirror that is only a host makes no reference of an image, and stops its pulls. With the namespace as
    // source, the name of the image follows it.
    let is_readable = |entry: &Entry| {
        *entry.source == *DEFAULT_NAMESPACE || entry.mirrors.iter().all(|mirror| mirror.contains('/'))
    };
    let entries: Vec<_> =
        found.iter().map(|found| for_other_pulls(view, found.entry, Pull::Digest)).collect();
    if !entries.iter().all(is_readable) {
        return "add an ImageTagMirrorSet with the same sources, and mirrors with a path".into();
    }
    // Next to an ICSP, another kind is a finding of its own.
    if set.kind == SetKind::Icsp && set.origin == Origin::InstallConfig {
        return "rename imageContentSources to imageDigestSources, and add an ImageTagMirrorSet to the installer's manifests"
            .into();
    }
    if set.kind == SetKind::Icsp {
        return "migrate this ICSP to an IDMS, and add an ImageTagMirrorSet with the same sources and mirrors".into();
    }
    if let Some(tags) = view.set(SetKind::Itms, &set.name) {
        return Fix::safe(format!("add the same entries to {}", tags.id())).add_entries(tags, &entries);
    }
    let name = free_name(view, SetKind::Itms, &set.name, "");
    Fix::safe(title).create(MirrorSet::new(SetKind::Itms, &name, entries))
}

/// Whether this rule reports a source of an IDMS or ITMS, so that half-blocked-source does not report it as well.
pub(super) fn is_reported(view: View<'_>, set: &MirrorSet, source: &str) -> bool {
    set.kind.is_digest()
        && source.starts_with(DEFAULT_NAMESPACE)
        && CATALOGS.iter().any(|catalog| is_missing(view, source, &catalog.image()))
}

/// Whether a source is meant for an index image that no ITMS covers. A whole registry is not: it is also for
/// the operators' own images, which are pulled by digest.
fn is_missing(view: View<'_>, source: &str, image: &str) -> bool {
    (image == source || source == DEFAULT_NAMESPACE)
        && !view.covers(image, |found| found.set.kind == SetKind::Itms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{
            MirrorSet,
            SetKind::{Icsp, Idms, Itms},
        },
        rules::{
            Settings,
            testing::{assert_texts, findings, set},
        },
    };

    const REGISTRY: &str = "registry.redhat.io";
    const NAMESPACE: &str = "registry.redhat.io/redhat";
    const INDEX: &str = "registry.redhat.io/redhat/redhat-operator-index";

    /// A set of one source.
    fn of(kind: SetKind, source: &str) -> MirrorSet {
        set(kind, if kind == Itms { "tags" } else { "digests" }, &[(source, &["m.lab/x"])])
    }

    #[test]
    fn the_source_of_an_index_image_needs_a_tag_set() {
        let table = [
            (of(Idms, INDEX), None, Some(INDEX), "an index"),
            (of(Idms, NAMESPACE), None, Some(NAMESPACE), "the namespace of the indexes"),
            (of(Icsp, INDEX), None, Some(INDEX), "an ICSP serves only digest pulls too"),
            (of(Itms, INDEX), None, None, "a tag set"),
            (of(Idms, REGISTRY), None, None, "the operators' images are pulled by digest"),
            (of(Idms, "registry.redhat.io/redhat/other"), None, None, "another image of the namespace"),
            (of(Idms, "registry.redhat.io/redhat2"), None, None, "another namespace"),
            (of(Idms, INDEX), Some(of(Itms, INDEX)), None, "the tag set has it"),
            (of(Idms, NAMESPACE), Some(of(Itms, NAMESPACE)), None, "the tag set has all of them"),
            (of(Idms, NAMESPACE), Some(of(Itms, INDEX)), Some(NAMESPACE), "the tag set has one of four"),
            (of(Idms, INDEX), Some(of(Itms, REGISTRY)), None, "for shadowed-source"),
            (of(Icsp, INDEX), Some(of(Idms, INDEX)), None, "the IDMS is reported"),
        ];
        let mut all = Vec::new();
        for (new, other, expected, reason) in table {
            let others: Vec<_> = other.iter().collect();
            let found = findings(RULE.id, &Settings::default(), &others, None, &new);
            assert_eq!(found.first().map(|finding| &*finding.key), expected, "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
