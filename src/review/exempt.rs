//! Findings that the configuration exempts an object from.

use jiff::civil::Date;

use super::{Exempted, Judged, Verdict};
use crate::{
    objects::{HostedCluster, ImageConfig, MirrorSet, annotation},
    rules::{self, Asked, Exemption, Level, RULES},
    suggest::closest,
};

/// An object as exemptions see it.
#[derive(Debug)]
pub(crate) struct Exempt<'a> {
    /// `Kind/name`, or `Kind/namespace/name`.
    id: String,
    annotation: &'a str,
}

impl<'a> Exempt<'a> {
    /// An object by its id, `Kind/name` or `Kind/namespace/name`, and what it asks for.
    pub(crate) fn new(id: String, annotation: &'a str) -> Self {
        Self { id, annotation }
    }
}

impl From<&ImageConfig> for Exempt<'_> {
    fn from(_: &ImageConfig) -> Self {
        Self { id: "Image/cluster".to_owned(), annotation: "" }
    }
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
pub(crate) fn exempt(verdict: &mut Verdict, object: &Exempt<'_>, exemptions: &[Exemption], today: Date) {
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
    if verdict.judged.iter().any(|judged| judged.level == Level::Deny) {
        verdict.remarks.extend(misread(object.annotation).map(|text| (Level::Warn, text)));
    }
    for id in in_vain {
        let text = format!(
            "[{id}] the annotation {} asks for an exemption that the configuration does not grant, or no longer",
            annotation::EXEMPT
        );
        verdict.remarks.push((Level::Warn, text));
    }
}

/// What of an annotation can exempt from nothing, whatever the configuration allows.
fn misread(annotation: &str) -> impl Iterator<Item = String> {
    let asked = Asked::parse(annotation);
    let text = (!annotation.is_empty() && asked.is_none())
        .then(|| "cannot be read: write \"rule-id: reason\", or several ids with commas".to_owned());
    let unknown = asked.into_iter().flat_map(Asked::ids).filter(|id| rules::rule(id).is_none());
    let unknown = unknown.map(|id| {
        let meant = closest(id, RULES.iter().map(|rule| rule.id));
        let hint = meant.map(|meant| format!("; did you mean \"{meant}\"?")).unwrap_or_default();
        format!("names \"{id}\", which is no rule that judges a write{hint}")
    });
    let texts = text.into_iter().chain(unknown);
    texts.map(|text| format!("the annotation {} {text}", annotation::EXEMPT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_that_exempts_from_nothing_is_told() {
        let table = [
            ("", "", "none"),
            ("invalid-source: CHG-1", "", "it can be read"),
            (
                "invalid-source",
                "the annotation mirrorguard.io/exempt cannot be read: write \"rule-id: reason\"",
                "no reason",
            ),
            (
                "invalid-source, invalid-miror: CHG-1",
                "the annotation mirrorguard.io/exempt names \"invalid-miror\", which is no rule that judges a write; did you mean \"invalid-mirror\"?",
                "no such rule",
            ),
        ];
        for (annotation, expected, reason) in table {
            let told: Vec<_> = misread(annotation).collect();
            assert_eq!(told.len(), usize::from(!expected.is_empty()), "{reason}: {told:?}");
            assert!(told.iter().all(|text| text.starts_with(expected)), "{reason}: {told:?}");
        }
    }
}
