//! ICSPs that a hosted control plane was started without, because an IDMS exists.

use super::{
    Check, DependsOn, Finding, Found, Level, Related, Rule, Survey, finding::some_names,
    stale_registry_overrides::is_in_step,
};
use crate::{
    context::View,
    hypershift::{HandedOn, IMAGE_OVERRIDES, Overrides, compare_with_mirror_sets},
    inventory::{Inventory, Workload},
    objects::SetKind,
};

pub(super) const RULE: Rule = Rule {
    id: "ignored-icsp",
    level: Level::Warn,
    summary: "a hosted control plane was started without the ICSPs, because an IDMS exists",
    page: include_str!("ignored_icsp.md"),
    check: Check::Cluster(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    let view = survey.state.context().view();
    for workload in survey.inventory.control_planes() {
        let finding = review(view, survey.inventory, workload);
        found.extend(finding.map(|finding| Found { object: workload.object(), finding }));
    }
}

fn review(view: View<'_>, inventory: &Inventory, workload: &Workload) -> Option<Finding> {
    let (handed, setting) = (workload.image_overrides()?, workload.image_overrides.as_ref()?);
    let parent = inventory.parent_of(workload);
    // What its control plane operator passes on is reported for that operator alone.
    if parent.is_some_and(|parent| is_in_step(parent, workload)) {
        return None;
    }
    // A control plane operator has no parent: what starts it does not append `--registry-overrides` to the variable.
    let own = parent.map_or_else(Overrides::new, |_| workload.registry_overrides());
    // Any other difference is for stale-registry-overrides.
    if compare_with_mirror_sets(view, &handed, &own) != HandedOn::WithoutIcsps {
        return None;
    }
    let (mut ids, mut related) = (Vec::new(), Vec::new());
    for set in view.sets_of(SetKind::Icsp).filter(|set| !set.entries.is_empty()) {
        ids.push(set.id().to_string());
        related.push(Related::to_set(set, set.list_path()));
    }
    Some(Finding {
        effect: "HyperShift without the fix for OCPBUGS-29466 ignores every ICSP while an IDMS exists"
            .to_owned(),
        fix: "move the ICSP's entries to an ImageDigestMirrorSet, or update the HyperShift operator".into(),
        related: related.into(),
        ..Finding::of_faults(
            &*setting.path,
            &ids,
            format!(
                "{IMAGE_OVERRIDES} has the entries of the ImageDigestMirrorSets, but none of {}",
                some_names(&ids)
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::{survey_testing::Cluster, testing::assert_texts};

    const SETS: [(&str, &str, &str, &str); 2] = [
        ("imageDigestMirrors", "new", "quay.io/a", "m.lab/a"),
        ("repositoryDigestMirrors", "old", "quay.io/b", "m.lab/b"),
    ];

    /// A hosted control plane whose two workloads were started with these overrides of images.
    fn started_with(overrides: &str) -> Cluster {
        let cluster = Cluster::new(&SETS).hosted("", "");
        cluster.started("control-plane-operator", overrides, "=").started("ignition-server", overrides, "=")
    }

    #[test]
    fn icsps_that_were_left_out_are_found_once_for_a_control_plane() {
        let table = [
            ("quay.io/a=m.lab/a", true, "without the ICSP"),
            ("quay.io/a=m.lab/a,quay.io/b=m.lab/b", false, "with both"),
        ];
        let mut all = Vec::new();
        for (overrides, expected, reason) in table {
            let cluster = started_with(overrides);
            assert!(cluster.found("stale-registry-overrides").is_empty(), "{reason}");
            let found = cluster.found(RULE.id);
            assert_eq!(found.len(), usize::from(expected), "{reason}");
            for audited in found {
                let finding = audited.verdict.diagnostics[0].finding.clone();
                assert_eq!(&*audited.object.name, "control-plane-operator", "{reason}");
                assert_eq!(
                    (&*finding.path, &*finding.key),
                    ("env", "ImageContentSourcePolicy/old"),
                    "{reason}"
                );
                all.push(finding);
            }
        }
        assert_texts(RULE.id, &all);
    }
}
