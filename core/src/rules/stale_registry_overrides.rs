//! Hosted control planes that run with other overrides than they would be started with now.

use super::{Check, Finding, Found, Level, Rule, Survey, finding::list_names};
use crate::{
    context::View,
    hypershift::{
        HandedOn, IMAGE_OVERRIDES, OverrideMismatch, Overrides, REGISTRY_OVERRIDES, handed_further, handed_on,
    },
    inventory::{Inventory, Workload},
};

pub(super) const RULE: Rule = Rule {
    id: "stale-registry-overrides",
    level: Level::Warn,
    summary: "a hosted control plane runs with other overrides than the mirror sets make now",
    page: include_str!("stale_registry_overrides.md"),
    check: Check::Cluster(check),
    ..Rule::BASE
};

const EFFECT: &str = "HyperShift looks for images where the mirror sets placed them before";
/// Differences worth naming.
const MAX_NAMED: usize = 3;

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    let view = survey.state.context().view();
    let inventory = survey.inventory;
    for operator in inventory.operators() {
        let findings = against_mirror_sets(view, operator);
        found.extend(findings.map(|finding| Found { object: operator.object(), finding }));
    }
    for workload in inventory.control_planes() {
        let findings = [image_overrides(view, inventory, workload), registry_overrides(inventory, workload)];
        let object = || workload.object();
        found.extend(findings.into_iter().flatten().map(|finding| Found { object: object(), finding }));
    }
}

/// Whether a workload has what its control plane operator hands further: then it is no news.
pub(super) fn is_in_step(parent: &Workload, workload: &Workload) -> bool {
    let (Some(from), Some(handed)) = (parent.image_overrides(), workload.image_overrides()) else {
        return false;
    };
    handed_further(&from, &handed, &workload.registry_overrides()).is_empty()
}

/// `OPENSHIFT_IMG_OVERRIDES` against the mirror sets.
fn image_overrides(view: View<'_>, inventory: &Inventory, workload: &Workload) -> Option<Finding> {
    let parent = inventory.parent_of(workload);
    if parent.is_some_and(|parent| is_in_step(parent, workload)) {
        return None;
    }
    let own = parent.map_or_else(Overrides::new, |_| workload.registry_overrides());
    let HandedOn::Otherwise(differences) = handed_on(view, &workload.image_overrides()?, &own) else {
        return None;
    };
    let what = format!("{IMAGE_OVERRIDES} {}", told(&differences));
    let path = &*workload.image_overrides.as_ref()?.path;
    Some(Finding::new(path, what, EFFECT, restart(inventory, workload)))
}

/// `--registry-overrides` against that of whoever started the workload.
fn registry_overrides(inventory: &Inventory, workload: &Workload) -> Option<Finding> {
    let setting = workload.registry_overrides.as_ref()?;
    let has = workload.registry_overrides();
    let starters: Vec<_> =
        inventory.parent_of(workload).map_or_else(|| inventory.operators().collect(), |parent| vec![parent]);
    let none = Overrides::new();
    let compare = |starter: &&Workload| handed_further(&starter.registry_overrides(), &has, &none);
    // Of several operators, any may have started it.
    let closest = starters.iter().map(|starter| (compare(starter), starter)).min_by_key(|(d, _)| d.len());
    let (differences, starter) = closest.filter(|(differences, _)| !differences.is_empty())?;
    let what = format!(
        "{REGISTRY_OVERRIDES} is not that of {}: it {}",
        starter.namespaced_name(),
        told(&differences)
    );
    Some(Finding::new(
        &*setting.path,
        what,
        "components come from other places",
        restart(inventory, workload),
    ))
}

/// The operator's own overrides, where the mirror sets have other mirrors for the same source.
fn against_mirror_sets(view: View<'_>, operator: &Workload) -> impl Iterator<Item = Finding> {
    let mut findings = Vec::new();
    for (source, places) in operator.registry_overrides() {
        let entries: Vec<_> = view.entries(source).filter(|found| found.set.kind.is_digest()).collect();
        let mut mirrors: Vec<_> = entries.iter().flat_map(|found| &found.entry().mirrors).collect();
        mirrors.sort_unstable();
        mirrors.dedup();
        let is_mirror = |place: &&str| mirrors.iter().any(|mirror| ***mirror == **place);
        if mirrors.is_empty() || places.iter().any(is_mirror) {
            continue;
        }
        let mirrors: Vec<_> = mirrors.iter().map(ToString::to_string).collect();
        let what = format!(
            "{REGISTRY_OVERRIDES} sends {source} to {}, the mirror sets to {}",
            places.join(", "),
            list_names(&mirrors, 0)
        );
        let fix =
            format!("start the operator with {REGISTRY_OVERRIDES}={source}={}, or without it", mirrors[0]);
        let path = operator.registry_overrides.as_ref().map_or("spec", |setting| &*setting.path);
        findings.push(Finding::new(path, what, "components of hosted control planes come from there", fix));
    }
    findings.into_iter()
}

fn told(differences: &[OverrideMismatch]) -> String {
    let shown: Vec<_> = differences.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    list_names(&shown, differences.len() - shown.len())
}

/// What makes a workload get its overrides anew.
fn restart(inventory: &Inventory, workload: &Workload) -> String {
    let of = |who: &Workload| format!("oc -n {} rollout restart deployment/{}", who.namespace, who.name);
    let restart = if let Some(parent) = inventory.parent_of(workload) {
        of(parent)
    } else {
        let operator = inventory.operators().next();
        let operator = operator.map_or_else(|| "restart the HyperShift operator".to_owned(), of);
        format!("{operator} (before the fix of OCPBUGS-29110 it reads the mirror sets only when it starts)")
    };
    let hosted = inventory.hosted_cluster_of(workload);
    match hosted.filter(|hosted| !hosted.spec.paused_until.is_empty()) {
        Some(hosted) => format!(
            "{restart}; nothing reaches HostedCluster {} while it is paused (spec.pausedUntil: {})",
            hosted.namespaced_name(),
            hosted.spec.paused_until
        ),
        None => restart,
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::survey_testing::Cluster;

    const ID: &str = "stale-registry-overrides";
    const SETS: [(&str, &str, &str, &str); 1] = [("imageDigestMirrors", "a", "quay.io/a", "m.lab/a")];
    const OPERATOR: &str = "control-plane-operator";

    #[test]
    fn each_workload_is_compared_with_whoever_started_it() {
        let now = "quay.io/a=m.lab/a";
        let lacks = |name| format!("Deployment/{name}: OPENSHIFT_IMG_OVERRIDES lacks quay.io/a=m.lab/a");
        let cluster = || Cluster::new(&SETS).hosted("", "").operator("=");
        let table = [
            (cluster().started(OPERATOR, now, "="), vec![], "as now"),
            (
                cluster().started(OPERATOR, "quay.io/a=old.lab/a", "="),
                vec![lacks(OPERATOR) + ", has quay.io/a=old.lab/a"],
                "the mirror has moved",
            ),
            (cluster().started(OPERATOR, "=", "="), vec![lacks(OPERATOR)], "older than the set"),
            (
                cluster().started(OPERATOR, "=", "=").started("ignition-server", "=", "="),
                vec![lacks(OPERATOR)],
                "what follows its operator is no news",
            ),
            (
                cluster().started(OPERATOR, now, "=").started("ignition-server", "=", "="),
                vec![lacks("ignition-server")],
                "left behind by its operator",
            ),
            (
                cluster().operator("q=o").started(OPERATOR, now, "q=o").started(
                    "ignition-server",
                    &format!("q=o,{now}"),
                    "q=o",
                ),
                vec![],
                "its operator's own are handed on with the others, and either operator may have started it",
            ),
            (
                cluster().started(OPERATOR, now, "q=o"),
                vec![
                    "Deployment/control-plane-operator: --registry-overrides is not that of hypershift/operator: it has q=o"
                        .to_owned(),
                ],
                "the operator's option has gone",
            ),
            (
                Cluster::new(&SETS).hosted("", "").operator("quay.io/a=old.lab/a"),
                vec![
                    "Deployment/operator: --registry-overrides sends quay.io/a to old.lab/a, the mirror sets to m.lab/a"
                        .to_owned(),
                ],
                "the operator's option has been forgotten",
            ),
            (
                Cluster::new(&SETS).hosted("", "").operator("quay.io/a=m.lab/a,quay.io/b=o.lab/b"),
                vec![],
                "the operator's option agrees, or speaks of other sources",
            ),
        ];
        for (cluster, expected, reason) in table {
            assert_eq!(cluster.told(ID), expected, "{reason}");
        }
    }

    #[test]
    fn the_cure_is_what_starts_it_anew() {
        let restart = "oc -n hypershift rollout restart deployment/operator (before the fix of OCPBUGS-29110 it reads the mirror sets only when it starts)";
        let fix = |cluster: Cluster| cluster.found(ID)[0].verdict.diagnostics[0].finding.fix.clone();
        let stale = |spec| Cluster::new(&SETS).hosted("", spec).operator("=").started(OPERATOR, "=", "=");
        assert_eq!(fix(stale("")), restart);
        assert_eq!(
            fix(stale("pausedUntil: \"true\"")),
            format!(
                "{restart}; nothing reaches HostedCluster clusters/lab while it is paused (spec.pausedUntil: true)"
            )
        );
        let behind = Cluster::new(&SETS).hosted("", "").started(OPERATOR, "quay.io/a=m.lab/a", "=");
        let behind = behind.started("ignition-server", "=", "=");
        assert_eq!(fix(behind), "oc -n clusters-lab rollout restart deployment/control-plane-operator");
    }

    #[test]
    fn many_differences_are_counted() {
        let handed: Vec<_> = (0..6).map(|at| format!("quay.io/x{at}=old.lab/x{at}")).collect();
        let cluster = Cluster::new(&[]).hosted("", "").started(OPERATOR, &handed.join(","), "=");
        let expected = "Deployment/control-plane-operator: OPENSHIFT_IMG_OVERRIDES has quay.io/x0=old.lab/x0, \
                        has quay.io/x1=old.lab/x1, has quay.io/x2=old.lab/x2 and 3 more";
        assert_eq!(cluster.told(ID), [expected]);
    }
}
