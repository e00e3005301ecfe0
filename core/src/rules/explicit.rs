//! What the fixes of several rules share: entries of its own for a repository that a broader source redirects, so that
//! nodes pull as before; `NeverContactSource` for a source; and whether the webhook admits a new entry.

use super::{Fix, fix::describe_entry, invalid_name, shared::offers_fix_of};
use crate::{
    context::{EntryRef, View},
    node::{Deciding, Rendering, deciding, merge},
    objects::{Entry, MirrorSet, MirrorSourcePolicy, Mirrors, Pull, SetKind, grammar, scope::names_registry},
};

/// The fix that adds an entry for a repository to a set with a broader source. The mirrors of the new entry are where
/// nodes look for digest pulls now, or `wanted` if digest pulls have no mirror now: a narrower source, of an ITMS for
/// example, may hide those of the set.
pub(super) fn add_explicit(view: View<'_>, set: &MirrorSet, repository: &str, wanted: &[String]) -> Fix {
    let rendering = Rendering::new(view);
    // If nothing renders, it is not known what to keep.
    let Ok(Some(now)) = deciding(view, &rendering, repository) else { return Fix::default() };
    let policy = policy_now(view, &now);
    let digest = now.places_for(Pull::Digest);
    let digest = to_mirrors(if digest.is_empty() { wanted } else { &digest });
    // An entry of its own also hides the broader source from tag pulls, so their mirrors are added as well.
    let inherited = now.source.filter(|source| *source != repository);
    let tag = if inherited.is_some() { to_mirrors(&now.places_for(Pull::Tag)) } else { Mirrors::new() };
    let own = entry(repository, digest, policy, set.kind);
    let is_tag_valid = is_valid_list(repository, &tag, policy);
    let mut broader = inherited.into_iter().flat_map(|source| view.entries(source));
    let tags =
        broader.find(|found| found.set.kind == SetKind::Itms).filter(|_| is_tag_valid && !tag.is_empty());
    let also = tags.map(|tags| (tags.set, entry(repository, tag.clone(), policy, SetKind::Itms)));
    let title = match &also {
        Some((tags, also)) => {
            format!("add {}, and {} to {}", describe_entry(&own), describe_entry(also), tags.id())
        }
        None => format!("add {}", describe_entry(&own)),
    };
    // Rendering fails if the entries of one source have different policies.
    let agrees = view.entries(repository).all(|found| found.entry().policy() == policy);
    let keeps_tags = tag.is_empty() || also.is_some();
    let is_writable = is_valid_list(repository, &own.mirrors, policy) && keeps_tags;
    if !(is_writable && own.is_effective() && agrees && may_extend(view, set))
        || is_beside_icsp(view, set, repository)
    {
        return title.into();
    }
    let fix = Fix::safe(title).add_entries(set, &[own]);
    also.iter().fold(fix, |fix, (tags, also)| fix.add_entries(tags, std::slice::from_ref(also)))
}

fn to_mirrors(places: &[String]) -> Mirrors {
    places.iter().map(|place| place.as_str().into()).collect()
}

/// Whether these mirrors can be an entry's: each is valid and names its registry, and a source that is its own mirror
/// may be contacted.
fn is_valid_list(source: &str, mirrors: &[Box<str>], policy: MirrorSourcePolicy) -> bool {
    let never = policy == MirrorSourcePolicy::NeverContactSource;
    let is_valid = |mirror: &str| grammar::is_valid_mirror(mirror) && names_registry(mirror);
    mirrors.iter().all(|mirror| is_valid(mirror) && !(never && **mirror == *source))
}

/// Whether the webhook admits new entries in a set: not in an ICSP next to an IDMS or ITMS. For an IDMS or ITMS it also
/// depends on the source: see [`is_beside_icsp`].
pub(super) fn may_extend(view: View<'_>, set: &MirrorSet) -> bool {
    set.kind != SetKind::Icsp || view.count(SetKind::Idms) + view.count(SetKind::Itms) == 0
}

/// Whether a set is an IDMS or ITMS, and an ICSP covers this scope: a new entry for the scope would change what nodes
/// do with images of the ICSP, which icsp-alongside-idms reports. [`may_extend`] is the question for an ICSP.
pub(super) fn is_beside_icsp(view: View<'_>, set: &MirrorSet, scope: &str) -> bool {
    set.kind != SetKind::Icsp && is_covered_by_icsp(view, scope)
}

fn is_covered_by_icsp(view: View<'_>, scope: &str) -> bool {
    view.covers(scope, |found| found.set.kind == SetKind::Icsp)
}

/// Blocks a source in all of its entries, also those without a mirror: the operator compares their policies too. The
/// finding is in `set`. `None` if an ICSP covers the source, which cannot block it, or if of many sets another one offers
/// the fix.
pub(super) fn never_contact(view: View<'_>, set: &MirrorSet, source: &str, title: String) -> Option<Fix> {
    let mut entries: Vec<_> = view.entries(source).collect();
    entries.sort_by_key(EntryRef::order);
    let has_icsp = entries.iter().any(|found| found.set.kind == SetKind::Icsp);
    let first = *entries.first()?;
    if has_icsp || is_covered_by_icsp(view, source) || !offers_fix_of(set, first, entries.len()) {
        return None;
    }
    Some(entries.into_iter().fold(Fix::changing_pulls(title), block_entry))
}

/// Gives an entry `NeverContactSource`, with which the source must not be one of its mirrors.
pub(super) fn block_entry(fix: Fix, found: EntryRef<'_>) -> Fix {
    let (set, entry) = (found.set, found.entry());
    let listed: Vec<_> = (0..entry.mirrors.len()).filter(|at| entry.mirrors[*at] == entry.source).collect();
    // Its only mirror is the source. Without that, nodes would ignore the entry together with its policy.
    if !listed.is_empty() && !entry.is_effective() {
        return fix.remove(set.id(), set.entry_path(found.index));
    }
    let never = MirrorSourcePolicy::NeverContactSource;
    let fix = if entry.policy() == never {
        fix
    } else {
        fix.set(set.id(), set.policy_path(found.index), never.name())
    };
    listed
        .into_iter()
        .fold(fix, |fix, at| fix.remove(set.id(), set.field_path(found.index, &format!("mirrors[{at}]"))))
}

/// A name for a new set that no set of this kind has, and that an API server accepts: `base` and `ending` with a hyphen
/// between, and the first free number if that is taken.
pub(super) fn free_name(view: View<'_>, kind: SetKind, base: &str, ending: &str) -> String {
    let numbers = std::iter::once(String::new()).chain((1..).map(|number| number.to_string()));
    let mut names = numbers.map(|number| valid_name(base, &[ending, &number]));
    // The numbers have no end, so one of the names is free.
    names.find(|name| view.set(kind, name).is_none()).unwrap_or_default()
}

/// A valid name of these parts, as similar to them as possible. Where it is too long, the first part loses its end.
fn valid_name(base: &str, endings: &[&str]) -> String {
    let endings = endings.iter().filter(|part| !part.is_empty());
    let ending: String = endings.flat_map(|part| ["-", part]).collect();
    let base: String = base.chars().map(as_letter).take(invalid_name::LONGEST_NAME - ending.len()).collect();
    let labels = base.split('.').map(|label| label.trim_matches('-')).filter(|label| !label.is_empty());
    let name = labels.collect::<Vec<_>>().join(".") + &ending;
    name.trim_start_matches('-').to_owned()
}

fn as_letter(c: char) -> char {
    match c.to_ascii_lowercase() {
        c if c.is_ascii_alphanumeric() || c == '.' => c,
        _ => '-',
    }
}

/// An entry for the other kind of pull, with the mirrors that its source has for `pull`, in the order in which nodes
/// try them: those of all entries. One without a registry is left out: it must not get into another entry. So is the
/// source: where it may be contacted it is tried last, and as a mirror it would be tried even where the image
/// configuration blocks it.
pub(super) fn for_other_pulls(view: View<'_>, entry: &Entry, pull: Pull) -> Entry {
    let source = &*entry.source;
    let mut found: Vec<_> = view.effective(source).filter(|found| found.serves(pull)).collect();
    found.sort_by_key(EntryRef::order);
    let lists: Vec<_> = found.iter().map(|found| &*found.entry().mirrors).collect();
    let merged = merge(source, &lists).mirrors.into_iter();
    let usable = merged.filter(|mirror| *mirror != source && names_registry(mirror));
    Entry { mirrors: usable.map(Box::from).collect(), ..entry.clone() }
}

/// An entry of a set of this kind. The default policy is left out, and every policy in an ICSP, which has no such
/// field.
pub(super) fn entry(source: &str, mirrors: Mirrors, policy: MirrorSourcePolicy, kind: SetKind) -> Entry {
    let is_never = policy == MirrorSourcePolicy::NeverContactSource && kind != SetKind::Icsp;
    Entry { source: source.into(), mirrors, mirror_source_policy: is_never.then_some(policy) }
}

/// The policy of the entries that decide now: with it, a new entry neither opens nor blocks the source. What only the
/// image configuration blocks needs no policy: it also blocks the scopes below it.
fn policy_now(view: View<'_>, now: &Deciding<'_>) -> MirrorSourcePolicy {
    let mut policies = view.effective(&now.scope).map(|found| found.entry().policy());
    policies.find(|policy| *policy == MirrorSourcePolicy::NeverContactSource).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{objects::Object, state::State};

    #[test]
    fn a_new_name_is_free_and_valid() {
        let longest = "n".repeat(253);
        let table = [
            ("a", "tags", "a-tags", "as it is"),
            ("taken", "", "taken-1", "taken"),
            (&*longest, "tags", &*format!("{}-tags", "n".repeat(248)), "too long with its ending"),
            ("A_b.", "tags", "a-b-tags", "invalid characters"),
            ("", "tags", "tags", "no name"),
        ];
        let state: State =
            [Object::from(MirrorSet::new(SetKind::Itms, "taken", Vec::new()))].into_iter().collect();
        for (base, ending, expected, reason) in table {
            let name = free_name(state.context().view(), SetKind::Itms, base, ending);
            assert_eq!(name, expected, "{reason}");
            assert!(invalid_name::problem_of_name(&name).is_none(), "{reason}");
        }
    }
}
