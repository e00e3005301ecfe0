//! A catalog overrides annotation, set by hand, that HyperShift does not interpret as written.

use super::{Check, Finding, Fix, HostedWrite, Level, Rule};
use crate::{
    hypershift::{CatalogEra, Derivation, Misreading, Releases, find_correction, misreadings},
    objects::annotation,
};

pub(crate) const RULE: Rule = Rule {
    id: "misread-catalog-overrides",
    level: Level::Deny,
    summary: "a catalog overrides value that HyperShift ignores, corrupts or interprets at random",
    page: include_str!("misread_catalog_overrides.md"),
    check: Check::HostedCluster(check),
    ..Rule::BASE
};

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(value) = write.new.catalog_overrides() else { return };
    if write.overrides_reach_nothing() {
        return;
    }
    let releases = write.releases();
    let derivation = write.derivation();
    for misreading in misreadings(value, &releases, &derivation) {
        let (at_most, effect) = match misreading {
            Misreading::Ignored(..) => (Level::Warn, "this part of the value has no effect"),
            Misreading::Random(..) => {
                (Level::Deny, "HyperShift may look for the catalogs in the wrong location")
            }
            _ => (Level::Deny, "the catalogs are not pulled from the mirror"),
        };
        let fix = match correct_value(value, &releases, &derivation) {
            Some(correct) => Fix::changing_pulls(format!("set the value to \"{correct}\"")).set(
                write.new.id(),
                annotation::path(annotation::CATALOG_OVERRIDES),
                correct,
            ),
            None => "write the value as registry.redhat.io/redhat=HOST/NAMESPACE".into(),
        };
        let path = annotation::path(annotation::CATALOG_OVERRIDES);
        findings.push(Finding {
            at_most,
            effect: effect.to_owned(),
            fix,
            ..Finding::new(path, key(&misreading), misreading.to_string())
        });
    }
}

/// A value that every release interprets as written: the derived one, or else what was probably meant.
fn correct_value(value: &str, releases: &Releases, derivation: &Derivation) -> Option<String> {
    let derived = derivation.value.clone().ok();
    [derived, find_correction(value)]
        .into_iter()
        .flatten()
        .find(|value| misreadings(value, releases, derivation).is_empty())
}

/// The kind of problem, the releases that have it, and the values that it is about.
fn key(misreading: &Misreading) -> String {
    let (era, problem) = match misreading {
        Misreading::Void(era) => (era, "void".to_owned()),
        Misreading::Ignored(era, source) => (era, format!("ignored {source}")),
        Misreading::Random(era, choices) => (era, format!("random {}", choices.join(" "))),
        Misreading::Elsewhere(era, actual, meant) => (era, format!("elsewhere {actual} {meant}")),
        Misreading::Unreadable(era, actual) => (era, format!("unreadable {actual}")),
    };
    let era = match era {
        CatalogEra::Replace => "replace",
        CatalogEra::List => "list",
    };
    format!("{era} {problem}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{MirrorSet, Object, SetKind::Itms},
        rules::{
            Settings,
            testing::{assert_texts, hosted, set},
        },
        state::State,
    };

    /// What is found in a value for a hosted cluster of one release, next to other mirror sets.
    fn find(value: &str, release: &str, sets: &[MirrorSet]) -> Vec<Finding> {
        let image = format!("quay.io/openshift-release-dev/ocp-release:{release}.1-x86_64");
        let annotations = format!("{}: \"{value}\"", annotation::CATALOG_OVERRIDES);
        let Object::HostedCluster(hosted) = hosted("lab", &image, &annotations) else { panic!() };
        let (state, settings) =
            (sets.iter().cloned().map(Object::from).collect::<State>(), Settings::default());
        let write = HostedWrite { old: None, new: &hosted, state: &state, settings: &settings };
        let mut findings = Vec::new();
        check(&write, &mut findings);
        findings
    }

    #[test]
    fn each_misreading_is_a_finding_of_its_own() {
        use Level::{Deny, Warn};
        type Expected<'a> = &'a [(Level, &'a str)];
        let table: [(&str, &str, Expected<'_>, &str); 7] = [
            ("registry.redhat.io/redhat=m/r", "4.18", &[], "as written"),
            (
                "registry.redhat.io=m/a",
                "4.18",
                &[(Deny, "list elsewhere m/a/certified-operator-index m/a/redhat/certified-operator-index")],
                "the namespace is not appended",
            ),
            ("quay.io=m", "4.16", &[(Deny, "replace void")], "no catalog is below this source"),
            ("quay.io=m", "4.18", &[(Deny, "list void")], "in later releases too"),
            (
                "registry.redhat.io/redhat=m/r,quay.io=m",
                "4.18",
                &[(Warn, "list ignored quay.io")],
                "the other source has an effect",
            ),
            (
                "registry.redhat.io/redhat= m/r",
                "4.20",
                &[(Deny, "list unreadable  m/r/certified-operator-index")],
                "spaces are kept",
            ),
            (
                "registry.redhat.io/redhat=m/r,registry.redhat.io=n/r",
                "4.16",
                &[(Deny, "replace random m/r/certified-operator-index n/r/redhat/certified-operator-index")],
                "both sources are in the image",
            ),
        ];
        let mut all = Vec::new();
        for (value, release, expected, reason) in table {
            let found = find(value, release, &[]);
            let levels: Vec<_> = found.iter().map(|finding| (finding.at_most, &*finding.key)).collect();
            assert_eq!(levels, expected, "{reason}");
            all.extend(found);
        }
        let mirrored = [set(Itms, "a", &[("registry.redhat.io/redhat", &["n.lab/r"])])];
        all.extend(find("quay.io=m", "4.18", &mirrored));
        assert_texts(RULE.id, &all);
    }
}
