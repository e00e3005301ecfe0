//! An `ImageContentSourcePolicy`.

use super::{
    Check, DependsOn, Finding, Fix, Level, MigrationObstacle, Rule, SetWrite,
    conflicting_source_policy::conflicting_sources,
    explicit::free_name,
    icsp_alongside_idms::{InIdmss, covering_idms},
    invalid_mirror,
    invalid_name::problem_of_name,
    invalid_source,
    migration_obstacle::FIX_ERRORS,
};
use crate::objects::{MirrorSet, Origin, SetKind};

pub(super) const RULE: Rule = Rule {
    id: "deprecated-icsp",
    level: Level::Warn,
    summary: "an ICSP, which has been deprecated since OpenShift 4.13",
    page: include_str!("deprecated_icsp.md"),
    check: Check::MirrorSet(check),
    depends_on: DependsOn::Nothing,
    about_kinds: true,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set().filter(|set| set.kind == SetKind::Icsp) else { return };
    if set.origin == Origin::InstallConfig {
        findings.push(in_install_config(set));
        return;
    }
    findings.push(Finding {
        effect: "no cluster update converts it".to_owned(),
        fix: way_to_idms(write, set),
        // The key needs no more than the kind: there is one finding for each object.
        ..Finding::new(
            "kind",
            set.kind.name(),
            "ImageContentSourcePolicy has been deprecated since OpenShift 4.13",
        )
    });
}

/// How to get an IDMS in the place of an ICSP. What `mirrorguard migrate` refuses comes first, as far as this set, the
/// sources that it shares and the settings tell. Empty where another finding of the ICSP has to be fixed first, and may
/// leave nothing to migrate.
fn way_to_idms(write: &SetWrite<'_>, set: &MirrorSet) -> Fix {
    let name = &set.name;
    // invalid-name asks for another name, and conflicting-source-policy takes the source out of the ICSP.
    if problem_of_name(name).is_some() || !conflicting_sources(write).is_empty() {
        return Fix::default();
    }
    let obstacle = write.settings.migration_obstacle;
    // What is not known of the ICSP may be what the next steps depend on.
    if let Some(open @ (MigrationObstacle::Placeholder | MigrationObstacle::UnknownField)) = obstacle {
        return open.fix().into();
    }
    // `mirrorguard migrate` itself prints the steps after it.
    if has_invalid_values(write) {
        return "first correct its invalid sources and mirrors, then run mirrorguard migrate".into();
    }
    // What icsp-alongside-idms says as well.
    if let Some(idms) = covering_idms(write.cluster.others, set) {
        return format!("delete imagecontentsourcepolicy {name}: {} has all of its entries", idms.id())
            .into();
    }
    let all: Vec<_> = (0..set.entries.len()).collect();
    let there = InIdmss::find(write.cluster.others, set, &all);
    if let Some(there) = there.filter(|_| set.gaps.is_empty()) {
        return there.replace_icsp(name).into();
    }
    if write.cluster.after.set(SetKind::Idms, name).is_some() {
        return past_namesake(write, set);
    }
    if let Some(obstacle) = obstacle {
        return obstacle.fix().into();
    }
    if !write.renders() {
        return FIX_ERRORS.into();
    }
    format!(
        "run mirrorguard migrate, apply the IDMS that it writes, then delete imagecontentsourcepolicy {name}"
    )
    .into()
}

/// Whether the ICSP has a source or mirror that invalid-source or invalid-mirror reports.
fn has_invalid_values(write: &SetWrite<'_>) -> bool {
    let mut found = Vec::new();
    invalid_source::check(write, &mut found);
    invalid_mirror::check(write, &mut found);
    !found.is_empty()
}

/// The way to an IDMS where one has the name that `mirrorguard migrate` would give to the new one.
fn past_namesake(write: &SetWrite<'_>, icsp: &MirrorSet) -> Fix {
    let name = &icsp.name;
    let free = free_name(write.cluster.after, SetKind::Idms, name, "");
    format!(
        "put its entries in a new ImageDigestMirrorSet {free}, then delete imagecontentsourcepolicy {name}"
    )
    .into()
}

/// The finding for the list that the installer makes an ICSP of.
fn in_install_config(set: &MirrorSet) -> Finding {
    let path = set.list_path();
    Finding {
        effect: "the installer makes an ImageContentSourcePolicy of it, which no cluster update converts"
            .to_owned(),
        fix: "rename it to imageDigestSources for installers from 4.14 on".into(),
        ..Finding::new(path, set.kind.name(), "imageContentSources has been deprecated since OpenShift 4.14")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        convert::{Document, Origin, migrate},
        objects::{
            Object,
            SetKind::{Icsp, Idms},
        },
        rules::{
            Settings,
            testing::{assert_texts, findings, found_in, never, set},
        },
        state::State,
    };

    #[test]
    fn only_an_icsp_is_deprecated() {
        for kind in SetKind::ALL {
            let new = set(kind, "a", &[("quay.io/a", &["m/a"]), ("quay.io/b", &["m/b"])]);
            let found = findings(RULE.id, &Settings::default(), &[], None, &new);
            let paths: Vec<_> = found.iter().map(|finding| &*finding.path).collect();
            assert_eq!(paths, if kind == SetKind::Icsp { vec!["kind"] } else { vec![] }, "{kind:?}");
        }
    }

    /// Whether `mirrorguard migrate` writes something for these sets.
    fn migrates(sets: &[MirrorSet]) -> bool {
        let no_metadata = serde_json::Map::new();
        let documents = sets.iter().map(|set| Document::new(set.clone(), &no_metadata, Origin::Cluster));
        let migration = migrate(&documents.collect::<Vec<_>>(), State::default().context());
        migration.is_right() && !migration.idms.is_empty()
    }

    /// What is found in an ICSP of files that `mirrorguard migrate` refuses for another object.
    fn of_files_that_are_not_migrated(icsp: &MirrorSet) -> Vec<Finding> {
        let obstacles = [
            (MigrationObstacle::Placeholder, "render the template"),
            (MigrationObstacle::UnknownField, "first correct"),
            (MigrationObstacle::Duplicate, "first keep"),
            (MigrationObstacle::InvalidValue, "first fix"),
        ];
        let mut all = Vec::new();
        for (obstacle, first) in obstacles {
            let settings = Settings { migration_obstacle: Some(obstacle), ..Settings::default() };
            let found = found_in(RULE.id, icsp, None, &settings);
            assert!(found.iter().all(|finding| finding.fix.title.starts_with(first)), "{found:?}");
            assert_eq!(found.len(), 1, "{obstacle:?}");
            all.extend(found);
        }
        all
    }

    /// What icsp-alongside-idms says of an ICSP next to another set.
    fn alongside(icsp: &MirrorSet, other: Option<&MirrorSet>) -> Vec<Finding> {
        found_in("icsp-alongside-idms", icsp, other.cloned().map(Object::from), &Settings::default())
    }

    /// Whether a finding says to complete entries that are there.
    fn adds_mirrors(found: &[Finding]) -> bool {
        found.iter().any(|finding| finding.fix.title.starts_with("add the mirrors"))
    }

    #[test]
    fn what_cannot_be_migrated_as_it_is_is_not_sent_to_the_migration() {
        let entries: &[(&str, &[&str])] = &[("quay.io/a", &["m.lab/a"])];
        let (icsp, idms) = (set(Icsp, "a", entries), |name| set(Idms, name, entries));
        let other: &[(&str, &[&str])] = &[("quay.io/b", &["m.lab/b"])];
        let both = set(Icsp, "a", &[entries[0], other[0]]);
        let invalid: &[(&str, &[&str])] = &[("https://quay.io/a", &["m.lab/a"])];
        let invalid_mirror: &[(&str, &[&str])] = &[("quay.io/a", &["m.lab/a:v1"])];
        let table = [
            (&icsp, None, true, "alone"),
            (&icsp, Some(set(Idms, "b", other)), true, "next to an IDMS with another source"),
            (&icsp, Some(idms("b")), false, "an IDMS of another name has all of it"),
            (&icsp, Some(set(Idms, "b", &[("quay.io/a", &["n.lab/a"])])), false, "an IDMS has the source"),
            (&icsp, Some(set(Idms, "a", &[("quay.io/a", &["n.lab/a"])])), false, "the same, and the name"),
            (&both, Some(idms("b")), true, "an IDMS has one of the sources"),
            (&both, Some(set(Idms, "b", &[entries[0], ("quay.io/b", &["n.lab/b"])])), false, "both sources"),
            (&icsp, Some(idms("a")), false, "the IDMS is there"),
            (&icsp, Some(set(Idms, "a", other)), false, "its name is taken"),
            (&icsp, Some(never(idms("b"))), false, "an IDMS never contacts the source"),
            (&icsp, Some(never(set(Idms, "b", other))), true, "an IDMS never contacts another source"),
            (&icsp, Some(set(Icsp, "b", invalid)), false, "another ICSP stops rendering"),
            (&set(Icsp, "a", invalid), None, false, "an invalid source"),
            (&set(Icsp, "a", invalid_mirror), None, false, "an invalid mirror"),
            (&set(Icsp, "A", entries), None, false, "an invalid name"),
        ];
        let mut all = of_files_that_are_not_migrated(&icsp);
        for (icsp, other, expected, reason) in table {
            let sets: Vec<_> = other.iter().chain([icsp]).cloned().collect();
            let found = found_in(RULE.id, icsp, other.clone().map(Object::from), &Settings::default());
            let is_sent =
                found.iter().any(|finding| finding.fix.title.starts_with("run mirrorguard migrate"));
            assert_eq!(is_sent, expected, "{reason}");
            assert!(!is_sent || migrates(&sets), "{reason}");
            assert_eq!(adds_mirrors(&found), adds_mirrors(&alongside(icsp, other.as_ref())), "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
