//! An `ImageContentSourcePolicy`.

use super::{Check, DependsOn, Finding, Level, Rule, SetWrite};
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
        fix: format!(
            "run mirrorguard migrate, apply the IDMS that it writes, then delete imagecontentsourcepolicy {}",
            set.name
        )
        .into(),
        // The key needs no more than the kind: there is one finding for each object.
        ..Finding::new(
            "kind",
            set.kind.name(),
            "ImageContentSourcePolicy has been deprecated since OpenShift 4.13",
        )
    });
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
    use crate::rules::{
        Settings,
        testing::{assert_texts, findings, set},
    };

    #[test]
    fn only_an_icsp_is_deprecated() {
        let mut all = Vec::new();
        for kind in SetKind::ALL {
            let new = set(kind, "a", &[("quay.io/a", &["m/a"]), ("quay.io/b", &["m/b"])]);
            let found = findings(RULE.id, &Settings::default(), &[], None, &new);
            let paths: Vec<_> = found.iter().map(|finding| &*finding.path).collect();
            assert_eq!(paths, if kind == SetKind::Icsp { vec!["kind"] } else { vec![] }, "{kind:?}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
