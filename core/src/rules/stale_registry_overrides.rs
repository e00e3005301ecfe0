//! Hosted control planes that run with outdated overrides.

use super::{Check, DependsOn, Finding, Found, Level, Rule, Survey, finding::list_names};
use crate::{
    context::View,
    hypershift::{
        HandedOn, IMAGE_OVERRIDES, OverrideMismatch, Overrides, REGISTRY_OVERRIDES, compare_with_mirror_sets,
        compare_with_operator,
    },
    inventory::{Inventory, Workload},
};

pub(super) const RULE: Rule = Rule {
    id: "stale-registry-overrides",
    level: Level::Warn,
    summary: "a hosted control plane that runs with outdated overrides",
    page: include_str!("stale_registry_overrides.md"),
    check: Check::Cluster(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

/// Differences to name in one finding.
const MAX_NAMED: usize = 3;

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    let view = survey.state.context().view();
    let inventory = survey.inventory;
    for operator in inventory.operators() {
        let findings = against_mirror_sets(view, operator);
        found.extend(findings.into_iter().map(|finding| Found { object: operator.object(), finding }));
    }
    for workload in inventory.control_planes() {
        let findings = [image_overrides(view, inventory, workload), registry_overrides(inventory, workload)];
        for finding in findings.into_iter().flatten() {
            found.push(Found { object: workload.object(), finding });
        }
    }
}

/// Whether a workload has what its control plane operator passes on: then it is not reported again.
pub(super) fn is_in_step(parent: &Workload, workload: &Workload) -> bool {
    let (Some(from), Some(handed)) = (parent.image_overrides(), workload.image_overrides()) else {
        return false;
    };
    compare_with_operator(&from, &handed, &workload.registry_overrides()).is_empty()
}

/// Compares `OPENSHIFT_IMG_OVERRIDES` with the mirror sets.
fn image_overrides(view: View<'_>, inventory: &Inventory, workload: &Workload) -> Option<Finding> {
    let parent = inventory.parent_of(workload);
    if parent.is_some_and(|parent| is_in_step(parent, workload)) {
        return None;
    }
    // A control plane operator has no parent: what starts it does not append the option to the variable.
    let own = parent.map_or_else(Overrides::new, |_| workload.registry_overrides());
    // What only lacks the ICSPs is for ignored-icsp.
    let HandedOn::Otherwise(differences) = compare_with_mirror_sets(view, &workload.image_overrides()?, &own)
    else {
        return None;
    };
    let path = &workload.image_overrides.as_ref()?.path;
    let what = format!("{IMAGE_OVERRIDES} is out of date: {}", describe(&differences));
    Some(Finding {
        effect: "HyperShift looks for images where they were mirrored before".to_owned(),
        fix: describe_restart(inventory, workload).into(),
        ..Finding::of_faults(path, keys(IMAGE_OVERRIDES, &differences), what)
    })
}

/// Compares `--registry-overrides` with that of the workload that started this one.
fn registry_overrides(inventory: &Inventory, workload: &Workload) -> Option<Finding> {
    let setting = workload.registry_overrides.as_ref()?;
    let (starter, differences) = match inventory.parent_of(workload) {
        Some(parent) => (parent, registry_differences(parent, workload)),
        // Any of several operators may have started it: the one that it differs from least.
        None => inventory
            .operators()
            .map(|operator| (operator, registry_differences(operator, workload)))
            .min_by_key(|(_, differences)| differences.len())?,
    };
    if differences.is_empty() {
        return None;
    }
    let what = format!(
        "{REGISTRY_OVERRIDES} differs from that of {}: {}",
        starter.namespaced_name(),
        describe(&differences)
    );
    Some(Finding {
        effect: "the hosted control plane pulls components from outdated locations".to_owned(),
        fix: describe_restart(inventory, workload).into(),
        ..Finding::of_faults(&setting.path, keys(REGISTRY_OVERRIDES, &differences), what)
    })
}

fn registry_differences(starter: &Workload, workload: &Workload) -> Vec<OverrideMismatch> {
    compare_with_operator(&starter.registry_overrides(), &workload.registry_overrides(), &Overrides::new())
}

/// A finding for each of the operator's own overrides whose source has mirrors in the mirror sets, but none that the
/// operator has for it.
fn against_mirror_sets(view: View<'_>, operator: &Workload) -> Vec<Finding> {
    let Some(setting) = &operator.registry_overrides else { return Vec::new() };
    let mut findings = Vec::new();
    for (source, locations) in operator.registry_overrides() {
        let entries: Vec<_> = view.entries(source).filter(|found| found.set.kind.is_digest()).collect();
        let mut mirrors: Vec<_> = entries.iter().flat_map(|found| &found.entry().mirrors).collect();
        mirrors.sort_unstable();
        mirrors.dedup();
        if locations.iter().any(|location| mirrors.iter().any(|mirror| ***mirror == **location)) {
            continue;
        }
        let Some(first) = mirrors.first() else { continue };
        let names: Vec<_> = mirrors.iter().map(ToString::to_string).collect();
        let locations = locations.join(", ");
        let what = format!(
            "{REGISTRY_OVERRIDES} redirects {source} to {locations}, but the mirror sets redirect it to {}",
            list_names(&names, 0)
        );
        findings.push(Finding {
            effect: format!("hosted control planes pull components from {locations}"),
            fix: format!("change this override to {source}={first}, or remove it").into(),
            ..Finding::new(&setting.path, format!("{REGISTRY_OVERRIDES} {source}"), what)
        });
    }
    findings
}

/// The first differences as clauses, and how many more there are.
fn describe(differences: &[OverrideMismatch]) -> String {
    let mut clauses: Vec<_> = differences.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    match differences.len() - clauses.len() {
        0 => {}
        1 => clauses.push("1 more difference".to_owned()),
        more => clauses.push(format!("{more} more differences")),
    }
    clauses.join("; ")
}

/// The keys of all differences of a setting, also of those that [`describe`] only counts.
fn keys(setting: &str, differences: &[OverrideMismatch]) -> impl Iterator<Item = String> {
    differences.iter().map(move |difference| match difference {
        OverrideMismatch::Lacks(source, mirror) => format!("{setting} -{source}={mirror}"),
        OverrideMismatch::StillHas(source, mirror) => format!("{setting} +{source}={mirror}"),
        OverrideMismatch::Reordered(source) => format!("{setting} ~{source}"),
    })
}

/// The fix that starts a workload again with the current overrides; a hosted cluster that is paused has to be resumed
/// first.
fn describe_restart(inventory: &Inventory, workload: &Workload) -> String {
    let restart = match starter(inventory, workload) {
        Some(starter) => {
            format!("run oc -n {} rollout restart deployment/{}", starter.namespace, starter.name)
        }
        None => "restart the HyperShift operator".to_owned(),
    };
    match inventory.hosted_cluster_of(workload).filter(|hosted| !hosted.spec.paused_until.is_empty()) {
        Some(paused) => {
            format!("remove spec.pausedUntil of HostedCluster {}, then {restart}", paused.namespaced_name())
        }
        None => restart,
    }
}

/// The workload that gives this one its overrides when it is restarted; of several operators, the first. `None` if no
/// operator is known.
fn starter<'a>(inventory: &'a Inventory, workload: &Workload) -> Option<&'a Workload> {
    inventory.parent_of(workload).or_else(|| inventory.operators().next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{survey_testing::Cluster, testing::assert_texts};

    /// The control plane operator. [`Cluster::operator`] adds the other one, the HyperShift operator, named `operator`.
    const OPERATOR: &str = "control-plane-operator";
    const NOW: &str = "quay.io/a=m.lab/a";
    const OLD: &str = "quay.io/a=old.lab/a";

    /// A hosted cluster, with more of its spec, and one mirror set.
    fn cluster(spec: &str) -> Cluster {
        Cluster::new(&[("imageDigestMirrors", "a", "quay.io/a", "m.lab/a")]).hosted("", spec)
    }

    /// The same with an operator that has no overrides of its own.
    fn with_operator(spec: &str) -> Cluster {
        cluster(spec).operator("=")
    }

    /// A control plane operator that was started without overrides.
    fn without_overrides(spec: &str) -> Cluster {
        with_operator(spec).started(OPERATOR, "=", "=")
    }

    #[test]
    fn each_workload_is_compared_with_the_one_that_started_it() {
        let lacks = "Deployment/control-plane-operator: OPENSHIFT_IMG_OVERRIDES -quay.io/a=m.lab/a";
        let moved = "Deployment/control-plane-operator: OPENSHIFT_IMG_OVERRIDES -quay.io/a=m.lab/a\nOPENSHIFT_IMG_OVERRIDES +quay.io/a=old.lab/a";
        let behind = "Deployment/ignition-server: OPENSHIFT_IMG_OVERRIDES -quay.io/a=m.lab/a";
        let option = "Deployment/control-plane-operator: --registry-overrides +q=o";
        let operator = "Deployment/operator: --registry-overrides quay.io/a";
        let with_option = with_operator("").operator("q=o").started(OPERATOR, NOW, "q=o");
        let with_option = with_option.started("ignition-server", &format!("q=o,{NOW}"), "q=o");
        let table: [(Cluster, &[&str], &str); 9] = [
            (with_operator("").started(OPERATOR, NOW, "="), &[], "up to date"),
            (with_operator("").started(OPERATOR, OLD, "="), &[moved], "the mirror has moved"),
            (without_overrides(""), &[lacks], "older than the set"),
            (
                without_overrides("").started("ignition-server", "=", "="),
                &[lacks],
                "a workload that follows its operator is not reported again",
            ),
            (
                with_operator("").started(OPERATOR, NOW, "=").started("ignition-server", "=", "="),
                &[behind],
                "older than its operator",
            ),
            (
                with_option,
                &[],
                "the operator's own are passed on too, and either operator may have started it",
            ),
            (with_operator("").started(OPERATOR, NOW, "q=o"), &[option], "the operator's option was removed"),
            (cluster("").operator(OLD), &[operator], "the operator's option was forgotten"),
            (
                cluster("").operator(&format!("{NOW},quay.io/b=o.lab/b")),
                &[],
                "the operator's option agrees, or has other sources",
            ),
        ];
        let mut findings = Vec::new();
        for (cluster, expected, reason) in table {
            assert_eq!(cluster.keys(RULE.id), expected, "{reason}");
            findings.extend(cluster.findings(RULE.id));
        }
        findings.extend(without_overrides("pausedUntil: \"true\"").findings(RULE.id));
        findings.extend(cluster("").started(OPERATOR, "=", "=").findings(RULE.id));
        let many: Vec<_> = (0..6).map(|at| format!("quay.io/x{at}=old.lab/x{at}")).collect();
        findings.extend(with_operator("").started(OPERATOR, &many.join(","), "=").findings(RULE.id));
        assert_texts(RULE.id, &findings);
    }

    #[test]
    fn the_workload_to_restart_is_the_one_that_starts_it() {
        let table = [
            (without_overrides(""), Some("operator"), "the operator starts the control plane operator"),
            (cluster("").started(OPERATOR, "=", "="), None, "no operator is known"),
            (
                cluster("").started("ignition-server", "=", "=").started(OPERATOR, NOW, "="),
                Some(OPERATOR),
                "the control plane operator starts every other workload, also where no HyperShift operator is known",
            ),
        ];
        for (cluster, expected, reason) in table {
            let inventory = &cluster.inventory;
            // The workload to restart is looked up for the workload that is added first.
            let workload = inventory.control_planes().next().unwrap();
            assert_eq!(starter(inventory, workload).map(|starter| &*starter.name), expected, "{reason}");
        }
    }
}
