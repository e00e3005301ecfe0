//! The index image of an operator catalog that is mirrored only for digest pulls.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Check, DependsOn, Finding, Fix, Level, Rule, SetWrite,
    explicit::{for_other_pulls, free_name, is_beside_icsp},
    finding::some_names,
};
use crate::{
    context::{EntryRef, View},
    hypershift::catalogs::{CATALOGS, Catalog, DEFAULT_NAMESPACE},
    node::{Rendering, deciding},
    objects::{
        Entry, MirrorSet, MirrorSourcePolicy::NeverContactSource, Origin, Pull, SetKind, scope::is_nested,
    },
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
        let missing: BTreeMap<_, _> =
            images.iter().filter_map(|image| Some((&**image, find_missing(view, source, image)?))).collect();
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
    images: BTreeMap<&'a str, Why<'a>>,
}

/// Why a tag pull of an index image has no mirror.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why<'a> {
    /// No ITMS covers it.
    NotCovered,
    /// The image configuration lists it, so that it inherits the mirrors of this source, the widest above it, which has
    /// none for tag pulls.
    Inherits(&'a str),
}

/// One finding for all entries of a set, so that its fix is one object.
fn finding(view: View<'_>, set: &MirrorSet, found: &[Missing<'_>]) -> Option<Finding> {
    let first = found.first()?;
    let never = found.iter().filter(|found| found.entry.policy() == NeverContactSource).count();
    let images: BTreeSet<_> = found.iter().flat_map(|found| found.images.keys().copied()).collect();
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
    let what = describe(found, &some_names(images), is);
    Some(Finding {
        effect,
        fix: fix(view, set, found),
        ..Finding::of_faults(set.field_path(first.index, "source"), sources, what)
    })
}

fn describe(found: &[Missing<'_>], images: &str, is: &str) -> String {
    let inherited = inherited_sources(found);
    if inherited.is_empty() {
        return format!("no ImageTagMirrorSet covers {images}, which {is} pulled by tag");
    }
    let sources = some_names(inherited.iter().map(|source| format!("\"{source}\"")));
    if found.iter().any(|found| found.images.values().any(|why| *why == Why::NotCovered)) {
        return format!(
            "no ImageTagMirrorSet serves {images}, which {is} pulled by tag; nodes use the mirrors of {sources} for \
             those that image.config lists"
        );
    }
    format!("image.config lists {images}: nodes use the mirrors of {sources}, which has none for tag pulls")
}

/// The sources whose mirrors listed index images inherit.
fn inherited_sources<'a>(found: &[Missing<'a>]) -> BTreeSet<&'a str> {
    let reasons = found.iter().flat_map(|found| found.images.values());
    let inherited = reasons.filter_map(|why| match why {
        Why::Inherits(source) => Some(*source),
        Why::NotCovered => None,
    });
    inherited.collect()
}

/// The entries that an ITMS lacks: those of the set that no ITMS covers, and those that listed images inherit from.
fn lacking(view: View<'_>, found: &[Missing<'_>]) -> Vec<Entry> {
    let is_uncovered = |found: &&Missing<'_>| found.images.values().any(|why| *why == Why::NotCovered);
    let uncovered = found.iter().filter(is_uncovered).map(|found| found.entry.clone());
    let inherited = inherited_sources(found);
    let inherited = inherited.into_iter().filter_map(|source| {
        let serving = view.effective(source).filter(|found| found.serves(Pull::Digest));
        serving.min_by_key(EntryRef::order).map(|found| found.entry().clone())
    });
    uncovered.chain(inherited).map(|entry| for_other_pulls(view, &entry, Pull::Digest)).collect()
}

fn fix(view: View<'_>, set: &MirrorSet, found: &[Missing<'_>]) -> Fix {
    let inherited = inherited_sources(found);
    let title = match found {
        _ if !inherited.is_empty() => {
            "add an ImageTagMirrorSet for the source whose mirrors nodes use, with its mirrors"
        }
        [_] => "add an ImageTagMirrorSet with the same source and mirrors",
        _ => "add an ImageTagMirrorSet with the same sources and mirrors",
    };
    // A mirror that is only a host makes no reference of an image, and stops its pulls. With the namespace as
    // source, the name of the image follows it.
    let is_readable = |entry: &Entry| {
        is_nested(DEFAULT_NAMESPACE, &entry.source) || entry.mirrors.iter().all(|mirror| mirror.contains('/'))
    };
    let entries = lacking(view, found);
    // A wider source gives more images than these its mirrors.
    let is_wider = !inherited.is_empty();
    if inherited.iter().any(|source| is_beside_icsp(view, set, source)) {
        return title.into();
    }
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
        let title = if is_wider {
            format!("add entries with the mirrors that nodes use to {}", tags.id())
        } else {
            format!("add the same entries to {}", tags.id())
        };
        let fix = if is_wider { Fix::changing_pulls(title) } else { Fix::safe(title) };
        return fix.add_entries(tags, &entries);
    }
    let name = free_name(view, SetKind::Itms, &set.name, "");
    let fix = if is_wider { Fix::changing_pulls(title) } else { Fix::safe(title) };
    fix.create(MirrorSet::new(SetKind::Itms, &name, entries))
}

/// Whether this rule reports a source of an IDMS or ITMS, so that half-blocked-source does not report it as well.
pub(super) fn is_reported(view: View<'_>, set: &MirrorSet, source: &str) -> bool {
    set.kind.is_digest()
        && source.starts_with(DEFAULT_NAMESPACE)
        && CATALOGS.iter().any(|catalog| find_missing(view, source, &catalog.image()).is_some())
}

/// Why a tag pull of an index image that a source is meant for has no mirror; `None` if it has one, or if the source is
/// not meant for it. A whole registry is not: it is also for the operators' own images, which are pulled by digest.
fn find_missing<'a>(view: View<'a>, source: &str, image: &str) -> Option<Why<'a>> {
    if image != source && source != DEFAULT_NAMESPACE {
        return None;
    }
    // Only a scope that the image configuration lists has the mirrors of another source. If that is `source` itself, an
    // ITMS is missing there as if the image were not listed.
    let now = deciding(view, &Rendering::new(view), image).ok().flatten();
    if let Some(now) = now
        && let Some(inherited) =
            now.source.filter(|inherited| **inherited != now.scope && *inherited != source)
    {
        return now.places_for(Pull::Tag).is_empty().then_some(Why::Inherits(inherited));
    }
    let is_covered = view.covers(image, |found| found.set.kind == SetKind::Itms);
    (!is_covered).then_some(Why::NotCovered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{
            ImageConfig, MirrorSet, Object,
            SetKind::{Icsp, Idms, Itms},
        },
        rules::{
            Settings,
            testing::{assert_texts, findings, found_in, set},
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
        all.extend(listed_findings());
        assert_texts(RULE.id, &all);
    }

    /// The findings where a listed index inherits from the registry, without and with an ITMS for the namespace.
    fn listed_findings() -> Vec<Finding> {
        let registry = Object::from(set(Idms, "wide", &[(REGISTRY, &["wide.lab/redhat.io"])]));
        let listed = ImageConfig { insecure_registries: vec![INDEX.to_owned()], ..ImageConfig::default() };
        let own = of(Idms, NAMESPACE);
        let mut found = Vec::new();
        for tags in [None, Some(Object::from(of(Itms, NAMESPACE)))] {
            let others = [registry.clone(), listed.clone().into()].into_iter().chain(tags);
            found.extend(found_in(RULE.id, &own, others, &Settings::default()));
        }
        found
    }

    #[test]
    fn a_listed_index_needs_tag_mirrors_where_it_inherits_from() {
        let found = listed_findings();
        let added: Vec<Vec<_>> = found
            .iter()
            .map(|finding| {
                let objects = finding.fix.objects.iter().flat_map(|set| &set.entries);
                objects.map(|entry| (&*entry.source, &*entry.mirrors[0])).collect()
            })
            .collect();
        let wide = (REGISTRY, "wide.lab/redhat.io");
        assert_eq!(added, [vec![(NAMESPACE, "m.lab/x"), wide], vec![wide]]);
        let listed = ImageConfig { insecure_registries: vec![INDEX.to_owned()], ..ImageConfig::default() };
        let sets = [of(Itms, NAMESPACE), set(Itms, "wide", &[(REGISTRY, &["wide.lab/redhat.io"])])];
        let wide = set(Idms, "wide", &[(REGISTRY, &["wide.lab/redhat.io"])]);
        let objects = sets.into_iter().chain([wide]).map(Object::from).chain([listed.into()]);
        assert_eq!(found_in(RULE.id, &of(Idms, NAMESPACE), objects, &Settings::default()), [], "mirrored");
    }
}
