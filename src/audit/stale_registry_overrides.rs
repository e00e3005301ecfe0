//! Hosted control planes that run with other overrides than they would be started with now.

use super::{Found, Inventory, Survey, Workload};
use crate::{
    context::View,
    hypershift::{
        Difference, HandedOn, IMAGE_OVERRIDES, Overrides, REGISTRY_OVERRIDES, handed_further, handed_on,
    },
    rules::{Check, Finding, Level, Rule, list_names},
};

pub(super) const CHECK: Rule = Rule {
    id: "stale-registry-overrides",
    level: Level::Warn,
    summary: "a hosted control plane runs with other overrides than the mirror sets make now",
    page: include_str!("stale_registry_overrides.md"),
    check: Check::Cluster(check),
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
    let what = format!("{REGISTRY_OVERRIDES} is not that of {}: it {}", starter.id(), told(&differences));
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
        if mirrors.is_empty() || places.iter().any(|place| is_mirror(place)) {
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

fn told(differences: &[Difference]) -> String {
    let shown: Vec<_> = differences.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    list_names(&shown, differences.len() - shown.len())
}

/// What makes a workload get its overrides anew.
fn restart(inventory: &Inventory, workload: &Workload) -> String {
    let of = |who: &Workload| format!("oc -n {} rollout restart deployment/{}", who.namespace, who.name);
    let mut text = if let Some(parent) = inventory.parent_of(workload) {
        of(parent)
    } else {
        let operator = inventory.operators().next();
        let operator = operator.map_or_else(|| "restart the HyperShift operator".to_owned(), of);
        format!("{operator}; before the fix of OCPBUGS-29110 it reads the mirror sets only when it starts")
    };
    let hosted = inventory.hosted_cluster_of(workload);
    if let Some(hosted) = hosted.filter(|hosted| !hosted.spec.paused_until.is_empty()) {
        let (id, until) = (hosted.id(), &hosted.spec.paused_until);
        text +=
            &format!("; nothing reaches HostedCluster {id} while it is paused (spec.pausedUntil: {until})");
    }
    text
}
