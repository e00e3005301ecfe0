//! A source that hides the mirrors of a broader source.

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::{
    Check, Finding, Fix, Level, Related, Rule, SetWrite,
    explicit::{entry, is_beside_icsp, may_extend},
    finding::{list_names, some_names},
};
use crate::{
    context::{EntryRef, View},
    node::merge,
    objects::{
        Change, Entry,
        MirrorSourcePolicy::{AllowContactingSource, NeverContactSource},
        Pull, SetKind, grammar,
        scope::{Ancestor, matching_prefix, matching_scopes},
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
        let here: Vec<_> = write.cluster.after.effective(&entry.source).collect();
        let above: Vec<_> = write.cluster.after.effective(above).collect();
        // A source that is twice in one set is reported once.
        if here.iter().any(|found| std::ptr::eq(found.set, set) && found.index < index) {
            continue;
        }
        let pulls = Pull::ALL;
        findings.extend(
            pulls.into_iter().filter_map(|pull| hidden(write.cluster.after, pull, own, &here, &above)),
        );
    }
}

/// Finds the nearest source above a scope. The results for its parents are kept, because most sources of a
/// set are in few registries and namespaces.
struct Broader<'a> {
    view: View<'a>,
    /// The nearest source at or above each parent; `None` if there is none. What comes after a parent is the same for
    /// all scopes below it.
    known: HashMap<&'a str, Option<&'a str>>,
}

impl<'a> Broader<'a> {
    /// The source that would decide in place of this one, of those that have mirrors, of any kind.
    fn than(&mut self, scope: &'a str) -> Option<&'a str> {
        let has_wildcards = self.view.has_wildcards();
        let mut passed: SmallVec<[&'a str; 4]> = SmallVec::new();
        let mut nearest = None;
        for above in matching_scopes(scope).skip_while(|above| !above.is(scope)).skip(1) {
            match above {
                Ancestor::Parent(parent) => {
                    if let Some(known) = self.known.get(parent) {
                        nearest = *known;
                        break;
                    }
                    passed.push(parent);
                }
                Ancestor::Wildcard(_) if !has_wildcards => continue,
                Ancestor::Wildcard(_) => {}
            }
            if let Some(found) = self.view.effective(&above.to_scope()).next() {
                nearest = Some(&*found.entry().source);
                break;
            }
        }
        self.known.extend(passed.into_iter().map(|parent| (parent, nearest)));
        nearest
    }
}

/// What an entry hides from one kind of pull. Only the most specific source applies to an image, whatever its
/// kind: an ITMS also hides a broader IDMS from digest pulls, and offers them no mirror itself. `here` are all
/// effective entries of the source, `own` among them, and `above` those of the nearest broader source.
fn hidden(
    view: View<'_>,
    pull: Pull,
    own: EntryRef<'_>,
    here: &[EntryRef<'_>],
    above: &[EntryRef<'_>],
) -> Option<Finding> {
    let serving: Vec<_> = here.iter().filter(|found| found.serves(pull)).copied().collect();
    // If entries of this source serve these pulls, those have to include the broader source's mirrors, and the finding
    // is theirs.
    if !serving.is_empty() && !own.serves(pull) {
        return None;
    }
    let above: Vec<_> = above.iter().filter(|found| found.serves(pull)).copied().collect();
    let broader = &*above.first()?.entry().source;
    // icsp-alongside-idms reports an ICSP above or below an IDMS or ITMS.
    if above.iter().any(|found| is_icsp(*found) != is_icsp(own)) {
        return None;
    }
    let source = &*own.entry().source;
    let lost = lost(&above, &serving, source, &source[matching_prefix(source, broader)?..]);
    if lost.is_empty() {
        return None;
    }
    let hidden = Hidden { pull, own, above: &above, lost, is_unserved: serving.is_empty() };
    let broader = format!("\"{broader}\" in {}", some_names(above.iter().map(|found| found.set.id())));
    let related = above.iter().map(|found| Related::to_entry(found, "source")).collect();
    Some(Finding { fix: hidden.fix(view), related, ..hidden.finding(&broader) })
}

fn is_icsp(found: EntryRef<'_>) -> bool {
    found.set.kind == SetKind::Icsp
}

/// Mirrors of a broader source that an entry hides from one kind of pull.
struct Hidden<'a, 'e> {
    pull: Pull,
    own: EntryRef<'a>,
    /// The entries of the broader source.
    above: &'e [EntryRef<'a>],
    /// The hidden mirrors.
    lost: Vec<String>,
    /// Whether no entry of the source serves the pulls: they have no mirror at all.
    is_unserved: bool,
}

impl Hidden<'_, '_> {
    fn finding(&self, broader: &str) -> Finding {
        let Self { pull, own, lost, .. } = self;
        let source = &own.entry().source;
        let effect = match (self.is_unserved, own.entry().policy()) {
            (true, NeverContactSource) => format!("{pull} pulls of its images fail"),
            (true, AllowContactingSource) => format!("{pull} pulls of its images try no mirror"),
            (false, _) => format!("{pull} pulls of its images do not try {}", self.describe_lost()),
        };
        Finding {
            effect,
            ..Finding::of_faults(
                own.set.field_path(own.index, "source"),
                lost.iter().map(|mirror| format!("{pull} {source} {mirror}")),
                format!("source \"{source}\" hides the mirrors of {broader}"),
            )
        }
    }

    fn describe_lost(&self) -> String {
        list_names(&self.lost[..self.lost.len().min(1)], self.lost.len().saturating_sub(1))
    }

    /// Whether the hidden mirrors can be appended to the entry's: nodes still try those that are there in their order,
    /// and do not come to try the source before a mirror. [`merge`] lists the source only if a mirror follows it.
    fn keeps_order(&self, view: View<'_>) -> bool {
        let Entry { source, mirrors, .. } = self.own.entry();
        let others = view.entries(source).filter(|found| found.serves(self.pull) && !found.is(self.own));
        let others: Vec<_> = others.map(|found| &*found.entry().mirrors).collect();
        let added = self.lost.iter().map(|mirror| Box::from(&**mirror));
        let extended: Vec<Box<str>> = mirrors.iter().cloned().chain(added).collect();
        let (before, after) = ([&*others, &[mirrors]].concat(), [&*others, &[&extended]].concat());
        let (before, after) = (merge(source, &before).mirrors, merge(source, &after).mirrors);
        is_kept(&before, &after) && before.contains(&&**source) == after.contains(&&**source)
    }

    /// Adds the hidden mirrors to the entry itself, or if no entry of the source serves the pulls, adds one that does
    /// to a set that has the broader source.
    fn fix(&self, view: View<'_>) -> Fix {
        let own = self.own;
        let Entry { source, .. } = own.entry();
        if !self.is_unserved {
            let title = "add the hidden mirrors that you want to keep";
            if !may_extend(view, own.set) || !self.keeps_order(view) {
                return title.into();
            }
            let items = self.lost.iter().map(|mirror| mirror.as_str().into()).collect();
            let path = own.set.field_path(own.index, "mirrors");
            return Fix::safe(title).change(own.set.id(), Change::Append { path, items });
        }
        let kind = match self.pull {
            Pull::Digest => SetKind::Idms,
            Pull::Tag => SetKind::Itms,
        };
        let title = format!("add an {} entry for this source with {}", kind.name(), self.describe_lost());
        let mirrors = self.lost.iter().map(|mirror| mirror.as_str().into()).collect();
        let added = entry(source, mirrors, own.entry().policy(), kind);
        match self.above.iter().find(|found| found.set.kind == kind) {
            Some(found) if !is_beside_icsp(view, found.set, source) => {
                Fix::safe(title).add_entries(found.set, &[added])
            }
            Some(_) | None => title.into(),
        }
    }
}

/// Whether the first names are among the second, in their order.
fn is_kept(before: &[&str], after: &[&str]) -> bool {
    let mut rest = after.iter();
    before.iter().all(|name| rest.any(|other| other == name))
}

/// The mirrors of the broader source, with the rest of the path, `below`, appended, that no entry of the own source
/// has. The own source is not lost: it is tried last in any case.
fn lost(above: &[EntryRef<'_>], here: &[EntryRef<'_>], own_source: &str, below: &str) -> Vec<String> {
    let mut lost = Vec::new();
    for found in above {
        let Entry { source, mirrors, .. } = found.entry();
        for mirror in mirrors.iter().filter(|mirror| *mirror != source) {
            let mirror = format!("{mirror}{below}");
            let kept = here.iter().any(|own| own.entry().mirrors.iter().any(|own| **own == *mirror));
            if !kept && mirror != own_source && grammar::is_valid_mirror(&mirror) && !lost.contains(&mirror) {
                lost.push(mirror);
            }
        }
    }
    lost
}

#[cfg(test)]
mod tests;
