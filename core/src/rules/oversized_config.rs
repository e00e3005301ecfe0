//! registries.conf becomes too large for a MachineConfig.

use super::{Check, DependsOn, Finding, Level, Rule, SetWrite};
use crate::{
    context::{View, grows, size_at_most, size_of_write},
    objects::MirrorSet,
    write::Operation,
};

pub(super) const RULE: Rule = Rule {
    id: "oversized-config",
    level: Level::Warn,
    summary: "registries.conf takes more than 80% of the size of a MachineConfig, or exceeds it",
    page: include_str!("oversized_config.md"),
    check: Check::MirrorSet(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

/// The largest MachineConfig that the machine-config operator and etcd accept, in bytes.
///
/// Follows `machine-config-operator pkg/controller/common/constants.go` `MaxMachineConfigSize`.
const LIMIT: usize = 1_572_864;
/// Bytes of the file before its first registry, and around its base64 in a MachineConfig.
const AROUND: usize = 256;

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let room = write.settings.registries_conf_room.unwrap_or(LIMIT);
    // All sets as they are now, the old one included.
    let now = write.cluster.before.size_of_context();
    // Most writes end here: the exact size would need the other sets.
    if !is_near(encoded(now + size_at_most(set)), room) {
        return;
    }
    if matches!(write.operation, Operation::Existing(_)) {
        if is_near(encoded(now), room) && is_largest(write.cluster.after, set) {
            findings.push(finding(set, encoded(now), room));
        }
        return;
    }
    if write.old_set().is_none() && encoded(now) > room {
        // The file was too large before: only whether a new object adds to it matters, not how much.
        if grows(write.cluster.before, write.cluster.after, set) {
            findings.push(Finding { at_most: Level::Warn, ..finding(set, encoded(now), room) });
        }
        return;
    }
    let size = size_of_write(write.cluster.before, write.cluster.after, write.old_set(), write.new_set());
    // What the old set takes is part of `now`, so nothing is cut off at 0.
    let (before, after) = (encoded(now), encoded((now + size.after).saturating_sub(size.before)));
    if is_near(after, room) && after > before {
        // This write did not make the file too large if it was too large before.
        let at_most = if before > room { Level::Warn } else { Level::Deny };
        findings.push(Finding { at_most, ..finding(set, after, room) });
    }
}

/// Whether the machine-config operator warns of the size in its log: above 80%.
fn is_near(encoded: usize, room: usize) -> bool {
    encoded > room / 5 * 4
}

/// Bytes of the file in a MachineConfig, where it is a data URL in base64.
fn encoded(file: usize) -> usize {
    file.div_ceil(3) * 4 + AROUND
}

/// Whether a set has the most entries, or is the first of those that have: without a write, one object is reported for
/// all.
fn is_largest(view: View<'_>, set: &MirrorSet) -> bool {
    // By kind and name: the set that is reviewed may be a copy without its invalid entries.
    view.largest_of_context().is_some_and(|largest| (largest.kind, &largest.name) == (set.kind, &set.name))
}

fn finding(set: &MirrorSet, encoded: usize, room: usize) -> Finding {
    let percent = encoded.saturating_mul(100) / room.max(1);
    let (key, by_default, effect) = if encoded > room {
        ("over", Some(Level::Deny), "the MachineConfig is too large, and nodes get no new configuration")
    } else {
        ("near", None, "the other files of the MachineConfig share this limit")
    };
    let path = set.list_path();
    let what =
        format!("registries.conf takes about {percent}% of the {room} bytes available in a MachineConfig");
    Finding {
        by_default,
        effect: effect.to_owned(),
        fix: "use registries or namespaces as sources instead of repositories".into(),
        ..Finding::new(path, key, what)
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

    /// A set that takes about this many times 4 KiB in the file: 16 entries of about 250 bytes each. In base64 that is a
    /// third more, so 80% of the limit are about 237 units, and the limit about 296.
    fn set(name: &str, units: usize) -> MirrorSet {
        let path = "x".repeat(48);
        let mut set = testing::set(Idms, name, &[]);
        for at in 0..units * 16 {
            let (source, mirror) = (format!("{name}.lab/{path}/{at:06}"), format!("m.lab/{path}/{at:06}"));
            set.entries.extend(testing::set(Idms, name, &[(&source, &[&mirror])]).entries);
        }
        set
    }

    /// A write next to other sets, all sizes in units of 4 KiB before encoding.
    struct Case {
        others: usize,
        old: usize,
        new: usize,
        /// Of the finding; `None` if there is none.
        level: Option<Level>,
        reason: &'static str,
    }

    #[test]
    fn a_write_is_denied_where_it_crosses_the_limit() {
        use Level::{Deny, Warn};
        let table = [
            Case { others: 100, old: 0, new: 10, level: None, reason: "far below" },
            Case { others: 200, old: 0, new: 60, level: Some(Warn), reason: "over 80%" },
            Case { others: 200, old: 0, new: 200, level: Some(Deny), reason: "over the limit" },
            Case { others: 400, old: 0, new: 1, level: Some(Warn), reason: "it was over before" },
            Case { others: 400, old: 10, new: 11, level: Some(Warn), reason: "it was over, and grows" },
            Case { others: 400, old: 10, new: 10, level: None, reason: "it was over, and stays as it is" },
            Case { others: 400, old: 10, new: 9, level: None, reason: "it was over, and shrinks" },
            Case { others: 250, old: 10, new: 150, level: Some(Deny), reason: "an update that crosses it" },
        ];
        let mut findings = Vec::new();
        for Case { others, old, new, level, reason } in table {
            let old = (old > 0).then(|| set("own", old));
            let mut new = set("own", new);
            // Without a change, an update of the same size would not be reviewed.
            new.entries.reverse();
            let there = [Some(set("others", others)), old.clone()].into_iter().flatten();
            let state: State = there.map(Object::from).collect();
            let operation = match old {
                Some(old) => Operation::Update { old, new },
                None => Operation::Create(new),
            };
            let verdict = testing::review(&state, &Settings::default(), operation);
            let own = verdict.diagnostics.iter().find(|diagnostic| diagnostic.rule.id == RULE.id);
            assert_eq!(own.map(|diagnostic| diagnostic.level), level, "{reason}");
            findings.extend(own.map(|diagnostic| diagnostic.finding.clone()));
        }
        testing::assert_texts(RULE.id, &findings);
    }

    #[test]
    fn of_existing_objects_only_the_largest_is_reported() {
        let sets = [set("a", 100), set("b", 200), set("c", 100)];
        let state: State = sets.iter().cloned().map(Object::from).collect();
        let reported = sets.iter().filter(|set| {
            let existing = Operation::Existing(MirrorSet::clone(set));
            let verdict = testing::review(&state, &Settings::default(), existing);
            verdict.diagnostics.iter().any(|found| found.rule.id == RULE.id && found.level == Level::Deny)
        });
        assert_eq!(reported.map(|set| &*set.name).collect::<Vec<_>>(), ["b"]);
    }
}
