//! How two files differ in one registry, told as it is and priced as upstream prices it.

use super::{Difference, Impact, Mirror, PullFromMirror, Reason, Registry};

/// Adds every difference between what two files say about one scope.
pub(super) fn compare<'a>(
    old: Option<&Registry<'a>>,
    new: Option<&Registry<'a>>,
    reasons: &mut Vec<Reason<'a>>,
) {
    let (Some(registry), false) = (new.or(old), old == new) else { return };
    let registry = registry.scope;
    let mut add = |what, impact| reasons.push(Reason { registry, what, impact });
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (Some(_), None) => return add(Difference::Removed, Impact::Drain),
        (None, Some(new)) => return added(new, add),
        (None, None) => return,
    };
    for (name, was, is) in [("blocked", old.blocked, new.blocked), ("insecure", old.insecure, new.insecure)] {
        if was != is {
            add(Difference::Flag(name, is), Impact::Drain);
        }
    }
    compare_mirrors(&old.mirrors, &new.mirrors, add);
}

/// Adds every difference between the mirrors of one scope. What a difference costs is decided by the place
/// alone, as upstream does it; what it is, by the place and the pulls it serves.
fn compare_mirrors<'a>(old: &[Mirror<'a>], new: &[Mirror<'a>], mut add: impl FnMut(Difference<'a>, Impact)) {
    let is_same =
        |one: &Mirror<'_>, other: &Mirror<'_>| one.location == other.location && one.pull == other.pull;
    let has = |among: &[Mirror<'a>], mirror: &Mirror<'a>| among.iter().any(|other| is_same(other, mirror));
    let mut locations: Vec<&str> = Vec::new();
    for mirror in old.iter().chain(new) {
        if locations.contains(&&*mirror.location) {
            continue;
        }
        locations.push(&mirror.location);
        let at = |among: &[Mirror<'a>]| -> Vec<Mirror<'a>> {
            among.iter().filter(|other| other.location == mirror.location).cloned().collect()
        };
        let (was, is) = (at(old), at(new));
        let Some(first) = was.first() else {
            for mirror in is {
                let impact = cost(mirror.pull);
                add(Difference::MirrorAdded(mirror), impact);
            }
            continue;
        };
        if is.is_empty() {
            add(Difference::MirrorRemoved(mirror.location.clone()), Impact::Drain);
            continue;
        }
        let changed = is.iter().filter(|mirror| mirror.pull != first.pull);
        let impact = changed.map(|mirror| cost(mirror.pull)).max();
        let gone = was.iter().find(|mirror| !has(new, mirror));
        let come = is.iter().find(|mirror| !has(old, mirror));
        let what = match (gone, come, impact) {
            (Some(gone), Some(come), _) => Difference::MirrorServes(come.clone(), gone.pull),
            (None, Some(come), _) => Difference::MirrorAdded(come.clone()),
            (Some(gone), None, _) => Difference::MirrorWithdrawn(gone.clone()),
            (None, None, Some(Impact::Drain)) => {
                let Some(mistaken) = is.iter().find(|mirror| mirror.pull != first.pull) else { continue };
                Difference::MirrorMistaken(mistaken.clone())
            }
            (None, None, _) => continue,
        };
        add(what, impact.unwrap_or(Impact::Reload));
    }
    let kept_old = old.iter().filter(|mirror| has(new, mirror));
    if !kept_old.eq(new.iter().filter(|mirror| has(old, mirror))) {
        add(Difference::Order, Impact::Reload);
    }
}

/// What a mirror for these pulls costs where it is new.
fn cost(pull: PullFromMirror) -> Impact {
    if pull == PullFromMirror::DigestOnly { Impact::Reload } else { Impact::Drain }
}

fn added<'a>(new: &Registry<'a>, mut add: impl FnMut(Difference<'a>, Impact)) {
    let other = new.mirrors.iter().find(|mirror| mirror.pull != PullFromMirror::DigestOnly);
    match (other, new.mirrors.first()) {
        (Some(mirror), _) => add(Difference::AddedWith(mirror.clone()), Impact::Drain),
        (None, Some(_)) => add(Difference::Added, Impact::Reload),
        (None, None) => add(Difference::AddedBare, Impact::Drain),
    }
}

#[cfg(test)]
mod tests {
    use PullFromMirror::{DigestOnly, TagOnly};

    use super::*;
    use crate::node::{RegistriesConf, change_between};

    /// A file with one registry and these mirrors.
    fn conf(mirrors: &[(&'static str, PullFromMirror)]) -> RegistriesConf<'static> {
        let mirrors = mirrors.iter().map(|(location, pull)| Mirror {
            location: (*location).into(),
            insecure: false,
            pull: *pull,
        });
        let registry =
            Registry { scope: "quay.io/a", insecure: false, blocked: false, mirrors: mirrors.collect() };
        RegistriesConf { registries: vec![registry] }
    }

    #[test]
    fn a_place_may_serve_both_kinds_of_pull() {
        type Mirrors<'a> = &'a [(&'static str, PullFromMirror)];
        const DIGEST: (&str, PullFromMirror) = ("m", DigestOnly);
        const TAG: (&str, PullFromMirror) = ("m", TagOnly);
        const OTHER: (&str, PullFromMirror) = ("n", DigestOnly);
        let table: [(Mirrors<'_>, Mirrors<'_>, &[&str], Impact, &str); 9] = [
            (&[DIGEST], &[DIGEST, TAG], &["tag-only mirror added: m"], Impact::Drain, "an ITMS comes"),
            (&[DIGEST, TAG], &[DIGEST], &["tag-only mirror removed: m"], Impact::Reload, "it goes"),
            (&[TAG], &[DIGEST, TAG], &["digest-only mirror added: m"], Impact::Reload, "an IDMS comes"),
            (&[DIGEST, TAG], &[TAG], &["digest-only mirror removed: m"], Impact::Drain, "it goes"),
            (&[DIGEST], &[TAG], &["mirror m becomes tag-only from digest-only"], Impact::Drain, "the kind"),
            (
                &[DIGEST, TAG],
                &[OTHER],
                &["mirror removed: m", "digest-only mirror added: n"],
                Impact::Drain,
                "both go",
            ),
            (&[DIGEST], &[DIGEST, OTHER], &["digest-only mirror added: n"], Impact::Reload, "another place"),
            (
                &[DIGEST, TAG],
                &[DIGEST, OTHER, TAG],
                &[
                    "tag-only mirror m stays, but is compared with the other one there",
                    "digest-only mirror added: n",
                ],
                Impact::Drain,
                "upstream takes the first at a place",
            ),
            (
                &[DIGEST, OTHER],
                &[OTHER, DIGEST],
                &["order or flags of the mirrors change"],
                Impact::Reload,
                "the order",
            ),
        ];
        for (old, new, expected, impact, reason) in table {
            let change = change_between(&conf(old), &conf(new));
            let told: Vec<_> = change.reasons.iter().map(|reason| reason.what.to_string()).collect();
            assert_eq!(
                (told, change.impact),
                (expected.iter().map(|s| (*s).to_owned()).collect(), impact),
                "{reason}"
            );
        }
    }
}
