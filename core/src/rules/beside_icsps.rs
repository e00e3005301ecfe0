//! The way out where a source is never contacted and ICSPs have it too, which always means `AllowContactingSource`.
//!
//! Objects are written one at a time, and a write that makes two policies of one source is rejected.

use crate::{
    context::{EntryRef, View},
    objects::{
        MirrorSourcePolicy::{AllowContactingSource, NeverContactSource},
        SetKind,
    },
};

/// The number of ICSPs that are named. Each set of a source may name all ICSPs that have it too.
const NAMED: usize = 10;

/// The command that deletes ICSPs, with the names of the first ten.
pub(super) fn delete_icsps(names: &[&str]) -> String {
    let first = names[..names.len().min(NAMED)].join(" ");
    with_others(format!("oc delete imagecontentsourcepolicy {first}"), names.len())
}

/// A text about the first [`NAMED`] of `count` ICSPs, with the number of the others.
fn with_others(text: String, count: usize) -> String {
    match count.saturating_sub(NAMED) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// The steps from ICSPs to sets that never contact a source, each of which is admitted. The nodes' configuration renders
/// after the last step, and if it renders now, after each.
pub(crate) fn steps_beside_icsps(view: View<'_>, source: &str, icsps: &[&str]) -> String {
    let find = |kind, policy| {
        let counts = |found: &EntryRef<'_>| found.set.kind == kind && found.entry().policy() == policy;
        let first = view.entries(source).filter(counts).min_by_key(EntryRef::order);
        first.map(|found| found.set.id().to_string())
    };
    let objects = icsps.iter().take(NAMED).map(|name| format!("ImageContentSourcePolicy/{name}"));
    let objects = with_others(objects.collect::<Vec<_>>().join(" and "), icsps.len());
    let delete = format!("run {}", delete_icsps(icsps));
    let never = [SetKind::Idms, SetKind::Itms].map(|kind| find(kind, NeverContactSource));
    match (never, find(SetKind::Itms, AllowContactingSource)) {
        // It does not render now, so the mirrors of the ICSPs are in effect on no node that lacks them.
        ([Some(idms), Some(_)], _) => format!(
            "first {delete}, because no configuration is rendered while it exists; then apply {idms} with every \
             entry of {objects}"
        ),
        // The IDMS that would replace the ICSPs could not be changed together with this ITMS.
        ([None, Some(itms)], _) => {
            format!("remove NeverContactSource from {itms}: an ICSP always means AllowContactingSource")
        }
        ([Some(idms), None], Some(tags)) => format!(
            "first apply {idms} without NeverContactSource and with every entry of {objects}; then {delete}; then \
             take the source out of {tags}, set NeverContactSource in {idms}, and put the source back into {tags} \
             with NeverContactSource"
        ),
        ([Some(idms), None], None) => format!(
            "first apply {idms} without NeverContactSource and with every entry of {objects}; then {delete}; then \
             set NeverContactSource in {idms}"
        ),
        // Without such a set, there is nothing to do.
        ([None, None], _) => delete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        node::renders,
        objects::{
            MirrorSet, Object,
            SetKind::{Icsp, Idms, Itms},
        },
        rules::{
            Settings,
            testing::{never, review, set},
        },
        state::State,
        write::Operation,
    };

    const ENTRY: (&str, &[&str]) = ("quay.io/a", &["m.lab/a"]);

    fn of(kind: SetKind) -> MirrorSet {
        set(kind, "s", &[ENTRY])
    }

    fn empty(kind: SetKind) -> MirrorSet {
        set(kind, "s", &[("quay.io/b", &["m.lab/b"])])
    }

    fn state_of(sets: &[MirrorSet]) -> State {
        sets.iter().cloned().map(Object::from).collect()
    }

    /// A write of a set, or the deletion of the one of a kind.
    enum Step {
        Apply(MirrorSet),
        Delete(SetKind),
    }
    use Step::{Apply, Delete};

    #[test]
    fn each_step_is_admitted_and_the_last_one_renders() {
        let icsp = || of(Icsp);
        let table = [
            (
                vec![icsp(), never(of(Idms))],
                vec![Apply(of(Idms)), Delete(Icsp), Apply(never(of(Idms)))],
                "set NeverContactSource in",
                "no ITMS",
            ),
            (
                vec![icsp(), of(Itms), never(of(Idms))],
                vec![
                    Apply(of(Idms)),
                    Delete(Icsp),
                    Apply(empty(Itms)),
                    Apply(never(of(Idms))),
                    Apply(never(of(Itms))),
                ],
                "take the source out of ImageTagMirrorSet/s",
                "an ITMS with the policy of the ICSP",
            ),
            (
                vec![icsp(), never(of(Itms)), never(of(Idms))],
                vec![Delete(Icsp), Apply(never(of(Idms)))],
                "first run oc delete imagecontentsourcepolicy s",
                "both already never contact it",
            ),
            (
                vec![icsp(), never(of(Itms))],
                vec![Apply(of(Itms))],
                "remove NeverContactSource from ImageTagMirrorSet/s",
                "only an ITMS",
            ),
        ];
        for (there, steps, text, reason) in table {
            let mut sets = there;
            let state = state_of(&sets);
            let found = steps_beside_icsps(state.context().view(), ENTRY.0, &["s"]);
            assert!(found.contains(text), "{reason}: {found}");
            for (at, step) in steps.into_iter().enumerate() {
                let kind = match &step {
                    Apply(new) => new.kind,
                    Delete(kind) => *kind,
                };
                let state = state_of(&sets);
                let old = sets.iter().position(|set| set.kind == kind).map(|at| sets.remove(at));
                let operation = match (step, old) {
                    (Apply(new), Some(old)) => Operation::Update { old, new },
                    (Apply(new), None) => Operation::Create(new),
                    (Delete(_), old) => Operation::Delete(old.unwrap()),
                };
                sets.extend(operation.after().cloned());
                let verdict = review(&state, &Settings::default(), operation);
                assert!(verdict.is_allowed(), "{reason}, step {at}: {:?}", verdict.diagnostics);
            }
            let state = state_of(&sets);
            assert!(renders(state.context().view()), "{reason}");
        }
    }
}
