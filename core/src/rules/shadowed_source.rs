//! A source that hides the mirrors of a broader source.

use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;

use super::{
    Check, Finding, Fix, Level, Related, RelatedFields, Rule, SetWrite,
    explicit::{entry, is_beside_icsp, may_extend},
    finding::{list_names, some_sets},
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
    let view = write.cluster.after;
    let mut broader = Broader { view, known: HashMap::with_capacity(set.entries.len().min(64)) };
    let mut known: HashMap<&str, [Above<'_>; 2]> = HashMap::new();
    for (index, entry) in write.first_entries(Entry::is_usable) {
        let Some(above) = broader.than(&entry.source) else { continue };
        let above =
            &*known.entry(above).or_insert_with(|| Pull::ALL.map(|pull| Above::of(view, pull, above)));
        let own = EntryRef { set, index };
        let here: Vec<_> = view.effective(&entry.source).collect();
        findings.extend(above.iter().filter_map(|above| hidden(view, own, &here, above)));
    }
}

/// What the entries of a broader source offer to one kind of pull: the same for all sources that hide it.
struct Above<'a> {
    pull: Pull,
    source: &'a str,
    /// The entries, by kind, name and index.
    entries: Vec<EntryRef<'a>>,
    /// Whether nodes can pull with all of them.
    is_usable: bool,
    has_icsp: bool,
    has_others: bool,
    /// Each of their mirrors once.
    mirrors: Vec<&'a str>,
    /// The sets of the entries, in words.
    names: String,
    related: RelatedFields,
}

impl<'a> Above<'a> {
    fn of(view: View<'a>, pull: Pull, source: &'a str) -> Self {
        let mut entries: Vec<_> = view.effective(source).filter(|found| found.serves(pull)).collect();
        entries.sort_by_key(EntryRef::order);
        let mut seen = HashSet::new();
        let mirrors = entries.iter().flat_map(|found| found.entry().real_mirrors());
        let mirrors = mirrors.map(|(_, mirror)| mirror).filter(|mirror| seen.insert(*mirror)).collect();
        Self {
            pull,
            source,
            is_usable: entries.iter().all(|found| found.entry().is_usable()),
            has_icsp: entries.iter().any(is_icsp),
            has_others: !entries.iter().all(is_icsp),
            mirrors,
            names: some_sets(&entries),
            related: RelatedFields::of(&entries, |found| Related::to_entry(found, "source")),
            entries,
        }
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
/// effective entries of the source, `own` among them, and `above` is the nearest broader source.
fn hidden(view: View<'_>, own: EntryRef<'_>, here: &[EntryRef<'_>], above: &Above<'_>) -> Option<Finding> {
    let pull = above.pull;
    let serving: Vec<_> = here.iter().filter(|found| found.serves(pull)).copied().collect();
    // If entries of this source serve these pulls, those have to include the broader source's mirrors, and the finding
    // is theirs.
    if above.entries.is_empty() || !serving.is_empty() && !own.serves(pull) {
        return None;
    }
    // Pulls of a source with a mirror without a registry fail, whatever hides what.
    if !above.is_usable || !serving.iter().all(|found| found.entry().is_usable()) {
        return None;
    }
    // icsp-alongside-idms reports an ICSP above or below an IDMS or ITMS.
    if if is_icsp(&own) { above.has_others } else { above.has_icsp } {
        return None;
    }
    let source = &*own.entry().source;
    let lost = Lost::of(&above.mirrors, &serving, source, &source[matching_prefix(source, above.source)?..]);
    if lost.mirrors.is_empty() {
        return None;
    }
    let hidden = Hidden { pull, own, above: &above.entries, lost, is_unserved: serving.is_empty() };
    let broader = format!("\"{}\" in {}", above.source, above.names);
    Some(Finding { fix: hidden.fix(view), related: above.related.clone(), ..hidden.finding(&broader) })
}

fn is_icsp(found: &EntryRef<'_>) -> bool {
    found.set.kind == SetKind::Icsp
}

/// Mirrors of a broader source that an entry hides from one kind of pull.
struct Hidden<'a, 'e> {
    pull: Pull,
    own: EntryRef<'a>,
    /// The entries of the broader source.
    above: &'e [EntryRef<'a>],
    lost: Lost,
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
                lost.mirrors.iter().map(|mirror| format!("{pull} {source} {mirror}")),
                format!("source \"{source}\" hides the mirrors of {broader}"),
            )
        }
    }

    fn describe_lost(&self) -> String {
        let Lost { mirrors, is_cut } = &self.lost;
        match (&**mirrors, is_cut) {
            ([first, rest @ ..], true) => format!("{first} and at least {} more", rest.len() + 1),
            (mirrors, _) => list_names(&mirrors[..mirrors.len().min(1)], mirrors.len().saturating_sub(1)),
        }
    }

    /// Whether the hidden mirrors can be appended to the entry's: nodes still try those that are there in their order,
    /// and do not come to try the source before a mirror. [`merge`] lists the source only if a mirror follows it.
    fn keeps_order(&self, view: View<'_>) -> bool {
        let Entry { source, mirrors, .. } = self.own.entry();
        let others = view.entries(source).filter(|found| found.serves(self.pull) && !found.is(self.own));
        let others: Vec<_> = others.map(|found| &*found.entry().mirrors).collect();
        let added = self.lost.mirrors.iter().map(|mirror| Box::from(&**mirror));
        let extended: Vec<Box<str>> = mirrors.iter().cloned().chain(added).collect();
        let (before, after) = ([&*others, &[mirrors]].concat(), [&*others, &[&extended]].concat());
        let (before, after) = (merge(source, &before).mirrors, merge(source, &after).mirrors);
        is_kept(&before, &after) && before.contains(&&**source) == after.contains(&&**source)
    }

    /// Whether HyperShift, which up to 4.16 replaces the source in the result of the mirror before, finds no source to
    /// replace behind the mirrors that are there.
    fn keeps_lookups(&self) -> bool {
        let Entry { source, mirrors, .. } = self.own.entry();
        let is_digest = self.own.set.kind.is_digest();
        !is_digest || mirrors.iter().all(|mirror| mirror == source || !mirror.contains(&**source))
    }

    /// Adds the hidden mirrors to the entry itself, or if no entry of the source serves the pulls, adds one that does
    /// to a set that has the broader source.
    fn fix(&self, view: View<'_>) -> Fix {
        let own = self.own;
        let Entry { source, .. } = own.entry();
        if !self.is_unserved {
            let title = "add the hidden mirrors that you want to keep";
            if self.lost.is_cut || !may_extend(view, own.set) || !self.keeps_order(view) {
                return title.into();
            }
            let items = self.lost.mirrors.iter().map(|mirror| mirror.as_str().into()).collect();
            let path = own.set.field_path(own.index, "mirrors");
            let fix = if self.keeps_lookups() { Fix::safe(title) } else { Fix::changing_pulls(title) };
            return fix.change(own.set.id(), Change::Append { path, items });
        }
        let kind = match self.pull {
            Pull::Digest => SetKind::Idms,
            Pull::Tag => SetKind::Itms,
        };
        let title = format!("add an {} entry for this source with {}", kind.name(), self.describe_lost());
        let mirrors = self.lost.mirrors.iter().map(|mirror| mirror.as_str().into()).collect();
        let added = entry(source, mirrors, own.entry().policy(), kind);
        match self.above.iter().find(|found| found.set.kind == kind) {
            Some(found) if !self.lost.is_cut && !is_beside_icsp(view, found.set, source) => {
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

/// The number of hidden mirrors that are looked for. A broader source with more of them can be hidden by any number of
/// sources.
const MAX_LOST: usize = 20;

/// Mirrors of a broader source that no entry of a narrower one has. The narrower source itself is not lost: it is tried
/// last in any case.
struct Lost {
    /// The first of them, with the rest of the path appended.
    mirrors: Vec<String>,
    /// Whether there are more.
    is_cut: bool,
}

impl Lost {
    fn of(above: &[&str], here: &[EntryRef<'_>], own_source: &str, below: &str) -> Self {
        let kept: HashSet<&str> =
            here.iter().flat_map(|own| &own.entry().mirrors).map(|mirror| &**mirror).collect();
        let lost = above.iter().map(|mirror| format!("{mirror}{below}")).filter(|mirror| {
            !kept.contains(&**mirror) && mirror != own_source && grammar::is_valid_mirror(mirror)
        });
        let mut mirrors: Vec<_> = lost.take(MAX_LOST + 1).collect();
        let is_cut = mirrors.len() > MAX_LOST;
        mirrors.truncate(MAX_LOST);
        Self { mirrors, is_cut }
    }
}

#[cfg(test)]
mod tests;
