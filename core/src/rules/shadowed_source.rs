//! A source that hides the mirrors of a broader source.

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::{
    Check, Finding, Level, Related, Rule, SetWrite,
    finding::{list_names, some_names},
    paste::{entry_yaml, list_yaml},
};
use crate::{
    context::{EntryRef, View},
    objects::{
        Entry, Pull, SetKind,
        scope::{Ancestor, ancestors, matching_prefix},
    },
};

pub(super) const RULE: Rule = Rule {
    id: "shadowed-source",
    level: Level::Warn,
    summary: "a source that hides the mirrors of a broader source from digest pulls or tag pulls",
    page: include_str!("shadowed_source.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let mut broader =
        Broader { view: write.cluster.after, known: HashMap::with_capacity(set.entries.len().min(64)) };
    for (index, entry) in set.effective_entries() {
        let Some(above) = broader.than(&entry.source) else { continue };
        let own = EntryRef { set, index };
        let here: Vec<_> = effective(write.cluster.after, &entry.source).collect();
        let above: Vec<_> = effective(write.cluster.after, above).collect();
        // A source that is twice in one set is reported once.
        if here.iter().any(|found| std::ptr::eq(found.set, set) && found.index < index) {
            continue;
        }
        let pulls = Pull::ALL;
        findings.extend(pulls.into_iter().filter_map(|pull| hidden(pull, own, &here, &above)));
    }
}

/// The entries of a source that nodes get, of all kinds.
fn effective<'a, 's>(view: View<'a>, source: &'s str) -> impl Iterator<Item = EntryRef<'a>> + use<'a, 's> {
    view.entries(source).filter(|found| found.entry().is_effective())
}

/// Finds the nearest source above a scope. The results for its parents are kept, because most sources of a
/// set are in few registries and namespaces.
struct Broader<'a> {
    view: View<'a>,
    known: HashMap<&'a str, Option<&'a str>>,
}

impl<'a> Broader<'a> {
    fn than(&mut self, scope: &'a str) -> Option<&'a str> {
        let mut passed: SmallVec<[&'a str; 4]> = SmallVec::new();
        let mut rest = scope;
        let nearest = loop {
            let Some(end) = rest.rfind('/') else { break self.wildcard_over(scope) };
            rest = &scope[..end];
            if let Some(known) = self.known.get(rest) {
                break *known;
            }
            passed.push(rest);
            if let Some(found) = effective(self.view, rest).next() {
                break Some(&*found.entry().source);
            }
        };
        self.known.extend(passed.into_iter().map(|parent| (parent, nearest)));
        nearest
    }

    fn wildcard_over(&self, scope: &str) -> Option<&'a str> {
        if !self.view.has_wildcards() {
            return None;
        }
        let wildcards = ancestors(scope).filter(|above| matches!(above, Ancestor::Wildcard(_)));
        wildcards.map(Ancestor::to_scope).find_map(|above| {
            let found = effective(self.view, &above).next()?;
            Some(&*found.entry().source)
        })
    }
}

fn serves(found: &EntryRef<'_>, pull: Pull) -> bool {
    found.set.kind.pull() == pull
}

/// What an entry hides from one kind of pull. Only the most specific source applies to an image, whatever
/// its kind: an ITMS also hides a broader IDMS from digest pulls, and offers them no mirror itself.
fn hidden(pull: Pull, own: EntryRef<'_>, here: &[EntryRef<'_>], above: &[EntryRef<'_>]) -> Option<Finding> {
    let serving: Vec<_> = here.iter().filter(|found| serves(found, pull)).copied().collect();
    // If entries of this source serve these pulls, those have to include the broader source's mirrors.
    if !serving.is_empty() && !serves(&own, pull) {
        return None;
    }
    let above: Vec<_> = above.iter().filter(|found| serves(found, pull)).copied().collect();
    let broader = &*above.first()?.entry().source;
    // icsp-alongside-idms reports an ICSP above or below an IDMS or ITMS.
    if above.iter().any(|found| is_icsp(*found) != is_icsp(own)) {
        return None;
    }
    let source = &*own.entry().source;
    let lost = lost(&above, &serving, &source[matching_prefix(source, broader)?..]);
    if lost.is_empty() {
        return None;
    }
    let broader = format!("\"{broader}\" in {}", some_names(above.iter().map(|found| found.set.id())));
    let related = above.iter().map(|found| Related::to_entry(found, "source")).collect();
    Some(Finding { related, ..finding(pull, own, serving.is_empty(), &broader, &lost) })
}

fn is_icsp(found: EntryRef<'_>) -> bool {
    found.set.kind == SetKind::Icsp
}

/// The finding that an entry hides these mirrors of a broader source. If no entry of its source serves the
/// pulls, they have no mirror at all.
fn finding(pull: Pull, own: EntryRef<'_>, is_unserved: bool, broader: &str, lost: &[String]) -> Finding {
    let EntryRef { set, index } = own;
    let Entry { source, mirrors, .. } = own.entry();
    let (kind, pulls) = match pull {
        Pull::Digest => (SetKind::Idms, "digest"),
        Pull::Tag => (SetKind::Itms, "tag"),
    };
    let some = list_names(&lost[..lost.len().min(1)], lost.len().saturating_sub(1));
    let (effect, fix, kind, mirrors) = if is_unserved {
        let fix = format!("add an {} entry for this source with {some}", kind.name());
        (format!("{pulls} pulls of its images try no mirror"), fix, kind, lost.to_vec())
    } else {
        let mirrors = mirrors.iter().map(ToString::to_string).chain(lost.iter().cloned());
        let fix = "add the hidden mirrors that you want to keep".to_owned();
        (format!("{pulls} pulls of its images do not try {some}"), fix, set.kind, mirrors.collect())
    };
    let key = format!("{pulls} {source} {}", lost.join(" "));
    let what = format!("source \"{source}\" hides the mirrors of {broader}");
    Finding {
        effect,
        fix,
        yaml: Some(list_yaml(kind.list_field(), &[entry_yaml(source, &mirrors)])),
        ..Finding::new(set.field_path(index, "source"), key, what)
    }
}

/// The mirrors of the broader source, with the rest of the path appended, that no entry here has.
fn lost(above: &[EntryRef<'_>], here: &[EntryRef<'_>], below: &str) -> Vec<String> {
    let mut lost = Vec::new();
    for found in above {
        let Entry { source, mirrors, .. } = found.entry();
        for mirror in mirrors.iter().filter(|mirror| *mirror != source) {
            let mirror = format!("{mirror}{below}");
            let kept = here.iter().any(|own| own.entry().mirrors.iter().any(|own| **own == *mirror));
            if !kept && !lost.contains(&mirror) {
                lost.push(mirror);
            }
        }
    }
    lost
}

#[cfg(test)]
mod tests;
