//! A wildcard source over a blocked or insecure scope without mirrors of its own.

use super::{Check, Finding, Level, Rule, SetWrite};
use crate::node::Rendering;

pub(super) const RULE: Rule = Rule {
    id: "wildcard-over-nested-scope",
    level: Level::Deny,
    summary: "a wildcard source over a nested blocked or insecure scope that has no mirrors of its own",
    page: include_str!("wildcard_over_nested_scope.md"),
    check: Check::MirrorSet(check),
    stops_rendering: true,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let after = Rendering::new(write.cluster.after);
    let scopes = after.unmirrored_scopes();
    if scopes.is_empty() {
        return;
    }
    let before = Rendering::new(write.cluster.before);
    for scope in scopes {
        let Err(error) = after.registry_at(scope) else { continue };
        let own = write.new_set().and_then(|set| {
            let entry = set.effective_entries().find(|(_, entry)| *entry.source == *error.wildcard);
            entry.map(|(index, _)| set.field_path(index, "source"))
        });
        // Without the wildcard in this object, it is to blame only for having taken the scope's mirrors away.
        let path = match own {
            Some(path) => path,
            None if before.registry_at(scope).is_ok() => "spec".to_owned(),
            None => continue,
        };
        findings.push(Finding::new(
            path,
            format!(
                "the wildcard source \"{}\" lies over \"{scope}\" of image.config.openshift.io/cluster, which has no mirrors of its own",
                error.wildcard
            ),
            "rendering fails with an internal error, and the nodes get no new configuration",
            format!("give \"{scope}\" an entry of its own, or write out the hosts instead of \"{}\"", error.wildcard),
        ));
    }
}
