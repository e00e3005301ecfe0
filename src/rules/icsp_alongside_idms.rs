//! An ICSP next to IDMS or ITMS, and the one step of a migration that needs it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use super::{
    Check, Finding, IcspAlongsideIdms, Level, Operation, Related, Rule, SetWrite,
    finding::{list_names, some_names},
};
use crate::{
    context::EntryRef,
    node::{PullFromMirror, Rendering},
    objects::{Entry, MirrorSet, SetKind},
};

pub(super) const RULE: Rule = Rule {
    id: "icsp-alongside-idms",
    level: Level::Deny,
    summary: "an ICSP created or extended next to IDMS or ITMS, or an IDMS or ITMS that conflicts with an ICSP",
    page: include_str!("icsp_alongside_idms.md"),
    check: Check::MirrorSet(check),
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new else { return };
    match set.kind {
        SetKind::Icsp => check_icsp(write, set, findings),
        SetKind::Idms | SetKind::Itms => check_against_icsps(write, set, findings),
    }
}

fn check_icsp<'a>(write: &SetWrite<'a>, set: &'a MirrorSet, findings: &mut Vec<Finding>) {
    let neighbours = write.others.count(SetKind::Idms) + write.others.count(SetKind::Itms);
    let fresh = fresh_entries(write.old, set);
    let (Some(first), true) = (fresh.first(), neighbours > 0) else { return };
    if write.operation == Operation::Existing
        && let Some(idms) = write.others.sets_of(SetKind::Idms).find(|idms| covers(idms, set))
    {
        findings.push(Finding {
            at_most: Level::Warn,
            ..Finding::new(
                "metadata.name",
                format!("{} has every entry of this ICSP", idms.id()),
                "the last step of the migration is left",
                format!("delete imagecontentsourcepolicy {}; no node changes", set.name),
            )
        });
        return;
    }
    if write.settings.icsp_alongside_idms == IcspAlongsideIdms::Conflicts {
        return findings.extend(overlaps(write, set).into_iter().map(|overlap| overlap.finding(set)));
    }
    let others = [SetKind::Idms, SetKind::Itms].into_iter().flat_map(|kind| write.others.sets_of(kind));
    let related: Vec<_> =
        others.take(3).map(|other| Related::to_set(other, "metadata.name".to_owned())).collect();
    let names = list_names(&related.iter().map(Related::id).collect::<Vec<_>>(), neighbours - related.len());
    findings.push(Finding {
        related,
        yaml: Some(as_idms(set, &fresh)),
        key: format!("{:?}", fresh.iter().map(|index| &set.entries[*index]).collect::<Vec<_>>()),
        ..Finding::new(
            set.field_path(*first, "source"),
            format!("an ICSP next to {names}"),
            "it is merged with them in an order nobody chose, stops all rendering where they say NeverContactSource, \
             and older HyperShift releases ignore it",
            "put these entries into an ImageDigestMirrorSet instead".to_owned(),
        )
    });
}

/// Indices of the entries that were not there before.
fn fresh_entries(old: Option<&MirrorSet>, new: &MirrorSet) -> Vec<usize> {
    let mut known: HashMap<&Entry, usize> = HashMap::new();
    for entry in old.into_iter().flat_map(|old| &old.entries) {
        *known.entry(entry).or_default() += 1;
    }
    let mut is_known = |entry| match known.get_mut(entry) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    };
    let entries = new.entries.iter().enumerate();
    entries.filter_map(|(index, entry)| (!is_known(entry)).then_some(index)).collect()
}

/// These entries of an ICSP as an IDMS to paste.
pub(super) fn as_idms(set: &MirrorSet, entries: &[usize]) -> String {
    let mut yaml = format!(
        "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata:\n  name: {}\nspec:\n  imageDigestMirrors:\n",
        set.name
    );
    for Entry { source, mirrors, .. } in entries.iter().map(|index| &set.entries[*index]) {
        // Writing to a String cannot fail.
        let _ = writeln!(yaml, "  - source: {source}\n    mirrors: [{}]", mirrors.join(", "));
    }
    yaml
}

fn check_against_icsps<'a>(write: &SetWrite<'a>, set: &'a MirrorSet, findings: &mut Vec<Finding>) {
    if write.others.count(SetKind::Icsp) == 0 {
        return;
    }
    let sharing: BTreeMap<&str, &MirrorSet> = set
        .entries
        .iter()
        .flat_map(|entry| write.others.entries(&entry.source))
        .filter(|found| found.set.kind == SetKind::Icsp)
        .map(|found| (&*found.set.name, found.set))
        .collect();
    let covered: Vec<_> = sharing.into_values().filter(|icsp| covers(set, icsp)).collect();
    for overlap in overlaps(write, set) {
        if !overlap.with.iter().all(|found| covered.iter().any(|icsp| std::ptr::eq(*icsp, found.set))) {
            findings.push(overlap.finding(set));
        }
    }
    for icsp in covered {
        findings.push(Finding {
            at_most: Level::Warn,
            ..Finding::new(
                "metadata.name",
                format!("this has every entry of {}", icsp.id()),
                "it is the first step of the migration",
                format!("next, delete imagecontentsourcepolicy {}", icsp.name),
            )
        });
    }
}

/// Whether an IDMS has every effective entry of an ICSP, with at least its mirrors in its order.
fn covers(idms: &MirrorSet, icsp: &MirrorSet) -> bool {
    let has = |wanted: &Entry| {
        let candidates = idms.entries.iter().filter(|entry| entry.source == wanted.source);
        candidates.into_iter().any(|entry| {
            let mut mirrors = entry.mirrors.iter();
            wanted.mirrors.iter().all(|wanted| mirrors.any(|mirror| mirror == wanted))
        })
    };
    idms.kind == SetKind::Idms && icsp.effective_entries().all(|(_, entry)| has(entry))
}

/// An entry that changes what nodes do with the images of entries of the other sort.
struct Overlap<'a> {
    index: usize,
    with: Vec<EntryRef<'a>>,
    was: String,
    is: String,
}

impl Overlap<'_> {
    fn finding(&self, set: &MirrorSet) -> Finding {
        let source = &set.entries[self.index].source;
        let names = some_names(self.with.iter().map(|found| found.set.id()).collect());
        let effect = format!("nodes would try {} instead of {}", self.is, self.was);
        let fix = match set.kind {
            SetKind::Icsp => "put the entries into an ImageDigestMirrorSet instead".to_owned(),
            SetKind::Idms => {
                format!("take over every entry of {names}, then delete it")
            }
            SetKind::Itms => {
                format!("move {names} to an ImageDigestMirrorSet first")
            }
        };
        Finding {
            related: self.with.iter().map(|found| Related::to_entry(found, "source")).collect(),
            key: format!("{source} {}", self.is),
            ..Finding::new(
                set.field_path(self.index, "source"),
                format!("source \"{source}\" overlaps {names} and changes what nodes do with it"),
                &effect,
                fix,
            )
        }
    }
}

/// The entries that change what nodes do with images of the other sort: ICSPs for an IDMS or ITMS, those
/// two for an ICSP. Only the nearest scope above an entry can be concerned, since only the most specific
/// one applies to an image.
fn overlaps<'a>(write: &SetWrite<'a>, set: &'a MirrorSet) -> Vec<Overlap<'a>> {
    let (before, after) = (Rendering::new(write.others), Rendering::new(write.after));
    let is_other = |kind: SetKind| (kind == SetKind::Icsp) != (set.kind == SetKind::Icsp);
    let mut overlaps = Vec::new();
    for (index, Entry { source, .. }) in set.effective_entries() {
        let Some((scope, found)) = write.others.nearest(source, |_| true) else { continue };
        let with: Vec<_> = found.into_iter().filter(|found| is_other(found.set.kind)).collect();
        for pull in [PullFromMirror::DigestOnly, PullFromMirror::TagOnly] {
            if !with.iter().any(|found| found.set.kind.is_digest() == (pull == PullFromMirror::DigestOnly)) {
                continue;
            }
            let was = tries(&before, scope, source, pull);
            let is = tries(&after, source, source, pull);
            if was != is {
                overlaps.push(Overlap { index, with, was, is });
                break;
            }
        }
    }
    overlaps
}

/// What a pull of something at `source` tries while `scope` decides, in words.
fn tries(rendering: &Rendering<'_>, scope: &str, source: &str, pull: PullFromMirror) -> String {
    let Ok(Some(placed)) = rendering.registry_at(scope) else { return "the source".to_owned() };
    let below = source.strip_prefix(scope).unwrap_or_default();
    let mirrors = placed.registry.mirrors.iter().filter(|mirror| mirror.pull == pull);
    let mut tries: Vec<_> = mirrors.map(|mirror| format!("{}{below}", mirror.location)).collect();
    tries.push(if placed.registry.blocked { "nothing more" } else { "the source" }.to_owned());
    tries.join(", then ")
}
