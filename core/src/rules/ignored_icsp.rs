//! ICSPs that a hosted control plane was not told of, because there are IDMS too.

use super::{
    Check, Finding, Found, Level, Related, Rule, Survey, finding::some_names,
    stale_registry_overrides::is_in_step,
};
use crate::{
    hypershift::{HandedOn, Overrides, handed_on},
    objects::{MirrorSet, SetKind},
};

pub(super) const RULE: Rule = Rule {
    id: "ignored-icsp",
    level: Level::Warn,
    summary: "a hosted control plane was started without the ICSPs, because there are IDMS too",
    page: include_str!("ignored_icsp.md"),
    check: Check::Cluster(check),
    ..Rule::BASE
};

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    let view = survey.state.context().view();
    for workload in survey.inventory.control_planes() {
        let parent = survey.inventory.parent_of(workload);
        let (Some(handed), Some(setting)) = (workload.image_overrides(), &workload.image_overrides) else {
            continue;
        };
        if parent.is_some_and(|parent| is_in_step(parent, workload)) {
            continue;
        }
        let own = parent.map_or_else(Overrides::new, |_| workload.registry_overrides());
        if handed_on(view, &handed, &own) != HandedOn::WithoutIcsps {
            continue;
        }
        let ignored: Vec<_> = view.sets_of(SetKind::Icsp).filter(|set| !set.entries.is_empty()).collect();
        let names = some_names(ignored.iter().map(|set| set.id()));
        let related = |set: &&MirrorSet| Related::to_set(set, format!("spec.{}", set.kind.list_field()));
        let finding = Finding {
            related: ignored.iter().map(related).collect(),
            ..Finding::new(
                &*setting.path,
                format!("it holds the ImageDigestMirrorSets and nothing of {names}"),
                "HyperShift before the fix of OCPBUGS-29466 reads no ICSP while there is an IDMS, and looks past its mirrors",
                "write the ICSP's entries into an ImageDigestMirrorSet, or update the HyperShift operator"
                    .to_owned(),
            )
        };
        found.push(Found { object: workload.object(), finding });
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::survey_testing::Cluster;

    #[test]
    fn icsps_that_were_left_out_are_told_once_a_control_plane() {
        let both = [
            ("imageDigestMirrors", "new", "quay.io/a", "m.lab/a"),
            ("repositoryDigestMirrors", "old", "quay.io/b", "m.lab/b"),
        ];
        let start = |image: &str| {
            let cluster = Cluster::new(&both).hosted("", "").started("control-plane-operator", image, "=");
            let cluster = cluster.started("ignition-server", image, "=");
            (cluster.told("ignored-icsp"), cluster.told("stale-registry-overrides"))
        };
        let line = "Deployment/control-plane-operator: it holds the ImageDigestMirrorSets and nothing of ImageContentSourcePolicy/old";
        assert_eq!(start("quay.io/a=m.lab/a"), (vec![line.to_owned()], vec![]));
        assert_eq!(start("quay.io/a=m.lab/a,quay.io/b=m.lab/b"), (vec![], vec![]));
    }
}
