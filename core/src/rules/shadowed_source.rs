//! A source that hides the mirrors of a broader source.

mod fix;

use std::{collections::BTreeMap, rc::Rc};

use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;

use super::{
    Check, DependsOn, Finding, Level, Related, RelatedFields, Rule, SetWrite,
    finding::{list_names, some_sets, some_sources},
};
use crate::{
    context::{EntryRef, View},
    objects::{
        Entry,
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
    depends_on: DependsOn::Entries,
    ..Rule::BASE
};

/// One finding for all sources that hide a broader one in the same way.
fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let view = write.cluster.after;
    let mut broader = Broader { view, known: HashMap::with_capacity(set.entries.len().min(64)) };
    let mut known: HashMap<&str, [Rc<Above<'_>>; 2]> = HashMap::new();
    let mut groups: BTreeMap<(&str, Pull, Effect, bool), Vec<Hidden<'_>>> = BTreeMap::new();
    for (index, entry) in write.first_entries(Entry::is_usable) {
        let Some(source) = broader.than(&entry.source) else { continue };
        let above =
            known.entry(source).or_insert_with(|| Pull::ALL.map(|pull| Above::of(view, pull, source).into()));
        let here: Vec<_> = view.effective(&entry.source).collect();
        // What is found for an open source is uncertain, and grouped apart: see [`SetWrite::apart_from_open`].
        let is_open = write.settings.open_sources.overlap(&entry.source);
        for hidden in above.iter().filter_map(|above| hidden(EntryRef { set, index }, &here, above)) {
            groups.entry((source, hidden.above.pull, hidden.effect, is_open)).or_default().push(hidden);
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|hidden| hidden[0].own.index);
    findings.extend(groups.iter().map(|hidden| finding(view, hidden)));
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
        // What precedes the scope decides its pulls even now, so the scope does not hide it: `*.lab` precedes `m.lab`.
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
fn hidden<'a>(own: EntryRef<'a>, here: &[EntryRef<'a>], above: &Rc<Above<'a>>) -> Option<Hidden<'a>> {
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
    let effect = match (serving.is_empty(), own.entry().policy()) {
        (false, _) => Effect::TriesFewer,
        (true, AllowContactingSource) => Effect::TriesNoMirror,
        (true, NeverContactSource) => Effect::Fails,
    };
    Some(Hidden { own, above: Rc::clone(above), lost, effect })
}

fn is_icsp(found: &EntryRef<'_>) -> bool {
    found.set.kind == SetKind::Icsp
}

/// What becomes of a pull whose mirrors are hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    /// It tries only the mirrors of the narrower source.
    TriesFewer,
    /// No entry of the narrower source serves it: it tries the source.
    TriesNoMirror,
    /// The same, and the source is never contacted.
    Fails,
}

/// Mirrors of a broader source that an entry hides from one kind of pull.
struct Hidden<'a> {
    own: EntryRef<'a>,
    above: Rc<Above<'a>>,
    lost: Lost,
    effect: Effect,
}

/// The finding for sources of a set that hide one broader source from one kind of pull, with one effect.
fn finding(view: View<'_>, hidden: &[Hidden<'_>]) -> Finding {
    let Hidden { own, above, effect, .. } = &hidden[0];
    let sources: Vec<_> = hidden.iter().map(Hidden::source).collect();
    let (what, whose) = match &*sources {
        [source] => (format!("source \"{source}\" hides"), "its"),
        sources => (format!("{} hide", some_sources(sources)), "their"),
    };
    let pull = above.pull;
    let effect = match effect {
        Effect::Fails => format!("{pull} pulls of {whose} images fail"),
        Effect::TriesNoMirror => format!("{pull} pulls of {whose} images try no mirror"),
        Effect::TriesFewer => format!("{pull} pulls of {whose} images do not try {}", describe_lost(hidden)),
    };
    let keys = hidden.iter().flat_map(|hidden| {
        hidden.lost.mirrors.iter().map(move |mirror| format!("{pull} {} {mirror}", hidden.source()))
    });
    let what = format!("{what} the mirrors of \"{}\" in {}", above.source, above.names);
    Finding {
        effect,
        fix: fix::fix(view, hidden),
        related: above.related.clone(),
        ..Finding::of_faults(own.set.field_path(own.index, "source"), keys, what)
    }
}

/// The first hidden mirror, and how many more there are. There is at least one: without, there is no finding.
fn describe_lost(hidden: &[Hidden<'_>]) -> String {
    let count: usize = hidden.iter().map(|hidden| hidden.lost.mirrors.len()).sum();
    let first = &hidden[0].lost.mirrors[0];
    if hidden.iter().any(|hidden| hidden.lost.is_cut) {
        format!("{first} and at least {count} more")
    } else {
        list_names(std::slice::from_ref(first), count - 1)
    }
}

impl<'a> Hidden<'a> {
    fn source(&self) -> &'a str {
        &self.own.entry().source
    }
}

/// The most hidden mirrors of one source that are listed. A broad source may have many, and be hidden by many sources.
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
        // For the source `q.io:1`, the mirror `m.io/a` of `q.io` becomes `m.io/a:1`, which nodes cannot pull from.
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
