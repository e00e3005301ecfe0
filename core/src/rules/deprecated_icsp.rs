//! An `ImageContentSourcePolicy`.

use super::{Check, Finding, Level, Rule, SetWrite};
use crate::objects::SetKind;

pub(super) const RULE: Rule = Rule {
    id: "deprecated-icsp",
    level: Level::Warn,
    summary: "an ICSP, which has been deprecated since OpenShift 4.13",
    page: include_str!("deprecated_icsp.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set().filter(|set| set.kind == SetKind::Icsp) else { return };
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
