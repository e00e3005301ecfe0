//! A source that hides the mirrors of a wider one.

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::{
    Check, Finding, Level, Related, Rule, SetWrite,
    finding::some_names,
    paste::{entry_yaml, list_yaml},
};
use crate::{
    context::{EntryRef, View},
    objects::{
        Entry, MirrorSet, Pull, SetKind,
        scope::{Ancestor, ancestors, matching_prefix},
    },
};

pub(super) const RULE: Rule = Rule {
    id: "shadowed-source",
    level: Level::Warn,
    summary: "a source that hides a wider one with other mirrors, for pulls by digest or by tag",
    page: include_str!("shadowed_source.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let mut wider =
        Wider { view: write.cluster.after, known: HashMap::with_capacity(set.entries.len().min(64)) };
    for (index, entry) in set.effective_entries() {
        let Some(above) = wider.than(&entry.source) else { continue };
        let own = EntryRef { set, index };
        let here: Vec<_> = effective(write.cluster.after, &entry.source).collect();
        let above: Vec<_> = effective(write.cluster.after, above).collect();
        // Twice in one set, a source is told once.
        if here.iter().any(|found| std::ptr::eq(found.set, set) && found.index < index) {
            continue;
        }
        findings.extend(Pull::ALL.into_iter().filter_map(|pull| hidden(pull, own, &here, &above)));
    }
}

/// The entries of a source that nodes get, of all kinds.
fn effective<'a, 's>(view: View<'a>, source: &'s str) -> impl Iterator<Item = EntryRef<'a>> + use<'a, 's> {
    view.entries(source).filter(|found| found.entry().is_effective())
}

/// The nearest source above a scope. The answers for its parents are kept, since most sources of a set lie
/// in few registries and namespaces.
struct Wider<'a> {
    view: View<'a>,
    known: HashMap<&'a str, Option<&'a str>>,
}

impl<'a> Wider<'a> {
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
/// its kind: an ITMS also hides a wider IDMS from pulls by digest, to which it offers nothing itself.
fn hidden(pull: Pull, own: EntryRef<'_>, here: &[EntryRef<'_>], above: &[EntryRef<'_>]) -> Option<Finding> {
    let serving: Vec<_> = here.iter().filter(|found| serves(found, pull)).collect();
    // Where some entry here serves these pulls, those that do have to carry the mirrors on.
    if !serving.is_empty() && !serves(&own, pull) {
        return None;
    }
    let (set, source) = (own.set, &*own.entry().source);
    let above: Vec<_> = above.iter().filter(|found| serves(found, pull)).copied().collect();
    let wider = &*above.first()?.entry().source;
    // An ICSP and an IDMS or ITMS, one over the other, are told by icsp-alongside-idms.
    let is_icsp = |set: &MirrorSet| set.kind == SetKind::Icsp;
    if above.iter().any(|found| is_icsp(found.set) != is_icsp(set)) {
        return None;
    }
    let lost = lost(&above, &serving, &source[matching_prefix(source, wider)?..]);
    let first = lost.first()?;
    let more = if lost.len() > 1 { format!(" and {} more", lost.len() - 1) } else { String::new() };
    let names = some_names(above.iter().map(|found| found.set.id()));
    let (kind, pulls) = match pull {
        Pull::Digest => (SetKind::Idms, "digest"),
        Pull::Tag => (SetKind::Itms, "tag"),
    };
    let (effect, fix, mirrors) = if serving.is_empty() {
        let effect = format!("pulls by {pulls} try no mirror at all");
        (effect, format!("give it an {} with {first}{more}", kind.name()), lost.clone())
    } else {
        let kept = own.entry().mirrors.iter().map(ToString::to_string);
        let effect = format!("pulls by {pulls} no longer try {first}{more}");
        (
            effect,
            "add the mirrors that are meant to stay".to_owned(),
            kept.chain(lost.iter().cloned()).collect(),
        )
    };
    let field = if serving.is_empty() { kind } else { set.kind }.list_field();
    Some(Finding {
        yaml: Some(list_yaml(field, &[entry_yaml(source, &mirrors)])),
        related: above.iter().map(|found| Related::to_entry(found, "source")).collect(),
        key: format!("{pulls} {source} {}", lost.join(" ")),
        ..Finding::new(
            set.field_path(own.index, "source"),
            format!("\"{source}\" hides \"{wider}\" of {names}"),
            &effect,
            fix,
        )
    })
}

/// The mirrors of the wider source, with the rest of the path, that no entry here has.
fn lost(above: &[EntryRef<'_>], here: &[&EntryRef<'_>], below: &str) -> Vec<String> {
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
mod tests {
    use super::super::{
        Settings,
        testing::{findings, in_words, set},
    };
    use crate::{
        context::Context,
        node::{render, route_pull},
        objects::{
            MirrorSet, Object,
            SetKind::{Icsp, Idms, Itms},
            reference::Image,
        },
    };

    /// The mirrors that pulls from below a source try.
    fn tried(sets: &[&MirrorSet], image: &str) -> Vec<String> {
        let context: Context = sets.iter().map(|set| Object::from((*set).clone())).collect();
        let conf = render(context.view()).unwrap();
        route_pull(&conf, &Image::parse(image).unwrap()).tries.unwrap()
    }

    /// The kinds of pulls that are told to lose mirrors.
    fn told(others: &[&MirrorSet], new: &MirrorSet) -> Vec<String> {
        let found = findings("shadowed-source", &Settings::default(), others, None, new);
        found.iter().map(|finding| finding.key.split(' ').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn what_is_told_is_what_nodes_no_longer_try() {
        let table = [
            ("IDMS q.io/a m.io/a", "IDMS q.io/a/b n.io/b", "digest", "another mirror"),
            ("IDMS q.io/a m.io/a", "IDMS q.io/a/b m.io/a/b", "", "the path carried on"),
            ("IDMS q.io/a m.io/a", "IDMS q.io/a/b n.io/b m.io/a/b", "", "one more mirror"),
            ("IDMS q.io/a m.io/a n.io/a", "IDMS q.io/a/b m.io/a/b", "digest", "one of two"),
            ("IDMS q.io/a m.io/a", "ITMS q.io/a/b m.io/a/b", "digest", "an ITMS hides an IDMS"),
            ("ITMS q.io/a m.io/a", "IDMS q.io/a/b m.io/a/b", "tag", "an IDMS hides an ITMS"),
            ("IDMS q.io m.io", "IDMS q.io/a/b n.io/b", "digest", "two steps above"),
            ("IDMS *.q.io m.io", "IDMS x.q.io/b n.io/b", "digest", "a wildcard"),
            ("IDMS *.q.io m.io", "IDMS x.q.io/b m.io/b", "", "a wildcard's mirror goes on after the host"),
            ("IDMS q.io/a q.io/a m.io/a", "IDMS q.io/a/b m.io/a/b", "", "the source is tried in any case"),
            ("IDMS q.io/a", "IDMS q.io/a/b n.io/b", "", "nothing to hide"),
            ("IDMS q.io/a m.io/a", "IDMS q.io/a/b", "", "it hides nothing"),
            ("IDMS q.io/a m.io/a", "IDMS q.io/ab n.io/b", "", "a namespace beside it"),
            ("ICSP q.io/a m.io/a", "ICSP q.io/a/b n.io/b", "digest", "two ICSPs"),
        ];
        for (wide, narrow, expected, reason) in table {
            let (there, new) = (in_words("wide", wide), in_words("new", narrow));
            assert_eq!(told(&[&there], &new).concat(), expected, "{reason}");
            let source = &new.entries[0].source;
            let digest = format!("{source}/x@sha256:{}", "0".repeat(64));
            for (pull, image) in [("digest", digest), ("tag", format!("{source}/x:1"))] {
                let after = tried(&[&there, &new], &image);
                let lost = tried(&[&there], &image).iter().any(|place| !after.contains(place));
                assert_eq!(lost, expected == pull, "{reason}: what a pull by {pull} tries");
            }
        }
    }

    #[test]
    fn each_set_is_told_of_what_it_hides_itself() {
        let wide =
            [set(Idms, "wide", &[("q.io/a", &["m.io/a"])]), set(Itms, "wide", &[("q.io/a", &["m.io/a"])])];
        let digests = set(Idms, "digests", &[("q.io/a/b", &["n.io/b"])]);
        let same = set(Idms, "same", &[("q.io/a/b", &["m.io/a/b"])]);
        let tags = set(Itms, "tags", &[("q.io/a/b", &["m.io/a/b"])]);
        let table: [(&MirrorSet, &[&MirrorSet], &[&str], &str); 5] = [
            (&digests, &[], &["digest", "tag"], "it has no mirror for tags either"),
            (&digests, &[&tags], &["digest"], "the ITMS serves tags"),
            (&tags, &[&digests], &[], "the IDMS is to blame for digests"),
            (&digests, &[&tags, &same], &[], "another entry of the source carries the mirror on"),
            (&same, &[&tags], &[], "both carry it on"),
        ];
        for (new, narrow, expected, reason) in table {
            let others: Vec<_> = wide.iter().chain(narrow.iter().copied()).collect();
            assert_eq!(told(&others, new), expected, "{reason}");
        }
        let over_icsp = set(Icsp, "wide", &[("q.io/a", &["m.io/a"])]);
        assert!(told(&[&over_icsp], &digests).is_empty(), "for icsp-alongside-idms");
    }

    #[test]
    fn the_nearest_source_above_is_found_for_every_entry_of_a_set() {
        let new = set(
            Idms,
            "new",
            &[
                ("q.io", &["m.io"]),
                ("q.io/a/b", &["n.io/1"]),
                ("q.io/a/c", &["n.io/2"]),
                ("q.io/a", &["m.io/a"]),
                ("r.io/a", &["n.io/3"]),
                ("q.io/z/z/z", &["m.io/z/z/z"]),
            ],
        );
        let found = findings("shadowed-source", &Settings::default(), &[], None, &new);
        let whats: Vec<_> = found.iter().map(|finding| &*finding.what).collect();
        let hides = |narrow| format!("\"{narrow}\" hides \"q.io/a\" of ImageDigestMirrorSet/new");
        assert_eq!(whats, [hides("q.io/a/b"), hides("q.io/a/c")]);
    }

    #[test]
    fn the_entry_to_paste_keeps_what_is_hidden() {
        let wide = set(Idms, "wide", &[("q.io/a", &["m.io/a"])]);
        let yaml = |new: &MirrorSet| {
            findings("shadowed-source", &Settings::default(), &[&wide], None, new)[0].yaml.clone().unwrap()
        };
        assert_eq!(
            yaml(&set(Idms, "new", &[("q.io/a/b", &["n.io/b"])])),
            "  imageDigestMirrors:\n  - {source: q.io/a/b, mirrors: [n.io/b, m.io/a/b]}\n"
        );
        assert_eq!(
            yaml(&set(Itms, "new", &[("q.io/a/b", &["n.io/b"])])),
            "  imageDigestMirrors:\n  - {source: q.io/a/b, mirrors: [m.io/a/b]}\n",
            "for an IDMS, which is what serves digests"
        );
    }
}
