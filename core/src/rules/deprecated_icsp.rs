//! An `ImageContentSourcePolicy`.

use super::{Check, Finding, Level, Rule, SetWrite, paste::as_idms};
use crate::objects::SetKind;

pub(super) const RULE: Rule = Rule {
    id: "deprecated-icsp",
    level: Level::Warn,
    summary: "an ICSP, deprecated since 4.13, with the way to migrate it",
    page: include_str!("deprecated_icsp.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set().filter(|set| set.kind == SetKind::Icsp) else { return };
    let whole: Vec<_> = (0..set.entries.len()).collect();
    findings.push(Finding {
        yaml: Some(as_idms(set, &whole)),
        ..Finding::new(
            "kind",
            "ImageContentSourcePolicy is deprecated since 4.13".to_owned(),
            "nothing converts it on upgrade",
            format!(
                "mirrorguard migrate writes the equal IDMS: apply that, then delete imagecontentsourcepolicy {}",
                set.name
            ),
        )
    });
}
