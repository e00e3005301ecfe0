//! One source, two `mirrorSourcePolicy` values.

use super::{Check, Finding, Level, Related, Rule, SetWrite, finding::some_names};
use crate::objects::SetKind;

pub(super) const RULE: Rule = Rule {
    id: "conflicting-source-policy",
    level: Level::Deny,
    summary: "one source with two mirrorSourcePolicy values, anywhere in the cluster",
    page: include_str!("conflicting_source_policy.md"),
    check: Check::MirrorSet(check),
    stops_rendering: true,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    for shared in write.shared_sources() {
        let (index, entry) = (shared.own.index, shared.own.entry());
        let others: Vec<_> =
            shared.compared().filter(|other| other.entry().policy() != entry.policy()).collect();
        let Some(first) = others.first() else { continue };
        let (mine, theirs) = (entry.policy().name(), first.entry().policy().name());
        let names = some_names(others.iter().map(|other| other.set.id()));
        let what =
            format!("source \"{}\" is {mine} here, which conflicts with {theirs} in {names}", entry.source);
        let icsp = others.iter().any(|other| other.set.kind == SetKind::Icsp) || set.kind == SetKind::Icsp;
        let fix = if icsp {
            "an ICSP always means AllowContactingSource; migrate it first, or drop NeverContactSource"
                .to_owned()
        } else {
            format!("set mirrorSourcePolicy: {theirs} here, or {mine} there")
        };
        let effect = "no node configuration is rendered any more, for the whole cluster";
        findings.push(Finding {
            related: others.iter().map(Related::to_policy).collect(),
            key: format!("{} {mine}", entry.source),
            ..Finding::new(set.policy_path(index), what, effect, fix)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Settings,
        testing::{findings, never, set},
    };
    use crate::objects::SetKind::{Icsp, Idms};

    #[test]
    fn every_path_is_a_field_that_the_kind_has() {
        let icsp = set(Icsp, "a", &[("quay.io/a", &["m.lab/a"])]);
        let idms = never(set(Idms, "a", &[("quay.io/a", &["m.lab/a"])]));
        let of_icsp = "spec.repositoryDigestMirrors[0].source";
        let of_idms = "spec.imageDigestMirrors[0].mirrorSourcePolicy";
        for (there, new, own, other) in [(&icsp, &idms, of_idms, of_icsp), (&idms, &icsp, of_icsp, of_idms)] {
            let found = findings("conflicting-source-policy", &Settings::default(), &[there], None, new);
            let paths = found.iter().map(|finding| (&*finding.path, &*finding.related[0].path));
            assert_eq!(paths.collect::<Vec<_>>(), [(own, other)]);
        }
    }
}
