//! Findings that the configuration exempts an object from.

use jiff::civil::Date;

use super::{Exempted, Judged, Verdict};
use crate::{
    objects::{HostedCluster, MirrorSet, annotation},
    rules::{Asked, Exemption, Level},
};

/// An object as exemptions see it.
#[derive(Debug)]
pub(super) struct Exempt<'a> {
    /// `Kind/name`, or `Kind/namespace/name`.
    id: String,
    annotation: &'a str,
}

impl<'a> From<&'a MirrorSet> for Exempt<'a> {
    fn from(set: &'a MirrorSet) -> Self {
        Self { id: set.id(), annotation: &set.exempt }
    }
}

impl<'a> From<&'a HostedCluster> for Exempt<'a> {
    fn from(hosted: &'a HostedCluster) -> Self {
        let metadata = &hosted.metadata;
        Self {
            id: format!("HostedCluster/{}/{}", metadata.namespace, metadata.name),
            annotation: hosted.annotation(annotation::EXEMPT).unwrap_or_default(),
        }
    }
}

/// Takes out what the object is exempt from. An annotation that asks in vain is answered, since its owner
/// would look for the mistake elsewhere.
pub(super) fn exempt(verdict: &mut Verdict, object: &Exempt<'_>, exemptions: &[Exemption], today: Date) {
    if exemptions.is_empty() && object.annotation.is_empty() {
        return;
    }
    let asked = Asked::parse(object.annotation);
    let grant = |judged: &Judged| {
        exemptions.iter().find_map(|exemption| {
            let reason = exemption.reason_for(judged.rule.id, &object.id, asked, today)?;
            Some(Exempted {
                rule: judged.rule.id,
                level: judged.level,
                reason: reason.to_owned(),
                until: exemption.until,
            })
        })
    };
    let mut in_vain = Vec::new();
    for judged in std::mem::take(&mut verdict.judged) {
        if let Some(exempted) = grant(&judged) {
            verdict.exempted.push(exempted);
            continue;
        }
        let id = judged.rule.id;
        if judged.level == Level::Deny && asked.is_some_and(|asked| asked.names(id)) && !in_vain.contains(&id)
        {
            in_vain.push(id);
        }
        verdict.judged.push(judged);
    }
    for id in in_vain {
        let text = format!(
            "[{id}] the annotation {} asks for an exemption that the configuration does not grant, or no longer",
            annotation::EXEMPT
        );
        verdict.remarks.push((Level::Warn, text));
    }
}
