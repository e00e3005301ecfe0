//! registries.conf outgrows what etcd takes.

use super::{Check, Finding, Level, Rule, SetWrite};
use crate::{
    context::{View, grows, size_at_most, size_of_write},
    objects::MirrorSet,
    write::Operation,
};

pub(super) const RULE: Rule = Rule {
    id: "oversized-config",
    level: Level::Warn,
    summary: "the nodes' file nears etcd's 1.5 MiB, or passes them, which is denied",
    page: include_str!("oversized_config.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

/// The most that the machine-config operator, and etcd, take of a MachineConfig.
///
/// Follows `machine-config-operator pkg/controller/common/constants.go` `MaxMachineConfigSize`.
const LIMIT: usize = 1_572_864;
/// What stands in the file before its first registry, and around its base64 in a MachineConfig.
const AROUND: usize = 256;

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let room = write.settings.registries_conf_room.unwrap_or(LIMIT);
    // From 80 % on the machine-config operator warns in its log.
    let is_near = |encoded: usize| encoded > room / 5 * 4;
    let there = write.cluster.before.size_of_context();
    if !is_near(encoded(there + size_at_most(set))) {
        return;
    }
    if matches!(write.operation, Operation::Existing(_)) {
        if is_near(encoded(there)) && is_largest(write.cluster.after, set) {
            findings.push(finding(set, encoded(there), room));
        }
        return;
    }
    if write.old_set().is_none() && encoded(there) > room {
        // It was too large before, so that it does not matter by how much a new object adds to it.
        if grows(write.cluster.before, write.cluster.after, set) {
            findings.push(Finding { at_most: Level::Warn, ..finding(set, encoded(there), room) });
        }
        return;
    }
    let size = size_of_write(write.cluster.before, write.cluster.after, write.old_set(), write.new_set());
    let (before, after) = (encoded(there), encoded((there + size.after).saturating_sub(size.before)));
    if is_near(after) && after > before {
        // What was too large before is not this write's doing.
        let at_most = if before > room { Level::Warn } else { Level::Deny };
        findings.push(Finding { at_most, ..finding(set, after, room) });
    }
}

/// Bytes of the file as it stands in a MachineConfig, a data URL in base64.
fn encoded(file: usize) -> usize {
    file.div_ceil(3) * 4 + AROUND
}

/// Whether no set that is seen has more entries: where nothing is written one object is blamed for all.
fn is_largest(view: View<'_>, set: &MirrorSet) -> bool {
    let mut largest: Option<&MirrorSet> = None;
    for other in view.sets() {
        if largest.is_none_or(|largest| other.entries.len() > largest.entries.len()) {
            largest = Some(other);
        }
    }
    largest.is_some_and(|largest| std::ptr::eq(largest, set))
}

fn finding(set: &MirrorSet, encoded: usize, room: usize) -> Finding {
    let is_over = encoded > room;
    let percent = encoded.saturating_mul(100) / room.max(1);
    let effect = if is_over {
        "no new configuration reaches the nodes"
    } else {
        "whatever else is in the MachineConfig comes on top"
    };
    Finding {
        by_default: is_over.then_some(Level::Deny),
        key: if is_over { "over" } else { "near" }.to_owned(),
        ..Finding::new(
            format!("spec.{}", set.kind.list_field()),
            format!("registries.conf takes about {percent} % of the {room} bytes of a MachineConfig"),
            effect,
            "use registries or namespaces as sources in place of repositories".to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{Object, SetKind::Idms},
        rules::{Settings, testing},
        state::State,
    };

    /// A set of some KiB in the encoded file: 16 entries of about 256 bytes each, in a unit.
    fn set(name: &str, units: usize) -> MirrorSet {
        let path = "x".repeat(48);
        let entry = |at| (format!("{name}.lab/{path}/{at:06}"), format!("m.lab/{path}/{at:06}"));
        let entries: Vec<_> = (0..units * 16).map(entry).collect();
        let mirrors: Vec<_> = entries.iter().map(|(_, mirror)| [&**mirror]).collect();
        let entries: Vec<_> =
            entries.iter().zip(&mirrors).map(|((source, _), mirrors)| (&**source, &mirrors[..])).collect();
        testing::set(Idms, name, &entries)
    }

    #[test]
    fn a_write_is_denied_where_it_crosses_the_limit() {
        use Level::{Deny, Warn};
        type Case<'a> = (usize, usize, usize, Option<Level>, &'a str);
        let table: [Case<'_>; 8] = [
            (100, 0, 10, None, "far below"),
            (200, 0, 60, Some(Warn), "over 80 %"),
            (200, 0, 200, Some(Deny), "over the limit"),
            (400, 0, 1, Some(Warn), "it was over before"),
            (400, 10, 11, Some(Warn), "it was over, and grows"),
            (400, 10, 10, None, "it was over, and stays as it is"),
            (400, 10, 9, None, "it was over, and shrinks"),
            (250, 10, 150, Some(Deny), "an update that crosses it"),
        ];
        for (others, old, new, expected, reason) in table {
            let old = (old > 0).then(|| set("own", old));
            let mut new = set("own", new);
            // Something to judge where the size stays.
            new.entries.reverse();
            let there = [Some(set("others", others)), old.clone()].into_iter().flatten();
            let state: State = there.map(Object::from).collect();
            let operation = match old {
                Some(old) => Operation::Update { old, new },
                None => Operation::Create(new),
            };
            let verdict = testing::review(&state, &Settings::default(), operation);
            let own = verdict.diagnostics.iter().find(|diagnostic| diagnostic.rule.id == RULE.id);
            assert_eq!(own.map(|diagnostic| diagnostic.level), expected, "{reason}");
        }
    }

    #[test]
    fn of_what_is_there_the_largest_object_is_blamed_for_all() {
        let sets = [set("a", 100), set("b", 200), set("c", 100)];
        let state: State = sets.iter().cloned().map(Object::from).collect();
        let blamed = sets.iter().filter(|set| {
            let existing = Operation::Existing(MirrorSet::clone(set));
            let verdict = testing::review(&state, &Settings::default(), existing);
            verdict.diagnostics.iter().any(|found| found.rule.id == RULE.id && found.level == Level::Deny)
        });
        assert_eq!(blamed.map(|set| &*set.name).collect::<Vec<_>>(), ["b"]);
    }
}
