//! Findings that the configuration exempts an object from.

use jiff::civil::Date;

use super::{Diagnostic, Exempted, Verdict};
use crate::{
    objects::{HostedCluster, MirrorSet, ObjectId, annotation},
    rules::{self, Exemption, Level, RULES, Request},
    suggest::closest,
};

/// An object, and the exemption that its annotation requests.
#[derive(Debug)]
pub(super) struct Requester<'a> {
    /// The object.
    pub(super) id: ObjectId,
    /// Its annotation `mirrorguard.io/exempt`; empty where it has none.
    pub(super) annotation: &'a str,
}

impl Requester<'_> {
    /// The image configuration, whose annotations are not read.
    pub(super) fn of_image_config() -> Self {
        Self { id: ObjectId::new("Image", "", "cluster"), annotation: "" }
    }
}

impl<'a> From<&'a MirrorSet> for Requester<'a> {
    fn from(set: &'a MirrorSet) -> Self {
        Self { id: set.id(), annotation: &set.exempt }
    }
}

impl<'a> From<&'a HostedCluster> for Requester<'a> {
    fn from(hosted: &'a HostedCluster) -> Self {
        Self { id: hosted.id(), annotation: hosted.annotation(annotation::EXEMPT).unwrap_or_default() }
    }
}

/// Takes out what the object is exempt from. An annotation that requests in vain is answered, since its owner
/// would look for the mistake elsewhere.
pub(super) fn exempt(verdict: &mut Verdict, object: &Requester<'_>, exemptions: &[Exemption], today: Date) {
    if exemptions.is_empty() && object.annotation.is_empty() {
        return;
    }
    let request = Request::parse(object.annotation);
    let id = object.id.to_string();
    let mut in_vain = Vec::new();
    for diagnostic in std::mem::take(&mut verdict.diagnostics) {
        let rule = diagnostic.rule.id;
        if let Some(exempted) = granted(&diagnostic, &id, request, exemptions, today) {
            verdict.exempted.push(exempted);
            continue;
        }
        let is_requested = request.is_some_and(|request| request.names(rule));
        if diagnostic.level == Level::Deny && is_requested && !in_vain.contains(&rule) {
            in_vain.push(rule);
        }
        verdict.diagnostics.push(diagnostic);
    }
    if !verdict.is_allowed() {
        verdict.remarks.extend(unreadable_requests(object.annotation).map(|text| (Level::Warn, text)));
    }
    for rule in in_vain {
        let text = format!(
            "[{rule}] the annotation {} requests an exemption that the configuration does not grant, or no longer grants",
            annotation::EXEMPT
        );
        verdict.remarks.push((Level::Warn, text));
    }
}

fn granted(
    diagnostic: &Diagnostic,
    object: &str,
    request: Option<Request<'_>>,
    exemptions: &[Exemption],
    today: Date,
) -> Option<Exempted> {
    exemptions.iter().find_map(|exemption| {
        let rule = diagnostic.rule.id;
        let reason = exemption.reason_for(rule, object, request, today)?.to_owned();
        Some(Exempted { rule, level: diagnostic.level, reason, until: exemption.until })
    })
}

/// What of an annotation can exempt from nothing, whatever the configuration allows.
fn unreadable_requests(annotation: &str) -> impl Iterator<Item = String> {
    let request = Request::parse(annotation);
    let unreadable = (!annotation.is_empty() && request.is_none())
        .then(|| "cannot be read: write \"rule-id: reason\", or several ids with commas".to_owned());
    let unknown = request.into_iter().flat_map(Request::ids).filter_map(unknown_rule);
    unreadable.into_iter().chain(unknown).map(|text| format!("the annotation {} {text}", annotation::EXEMPT))
}

fn unknown_rule(id: &str) -> Option<String> {
    if rules::rule(id).is_some() {
        return None;
    }
    let meant = closest(id, RULES.iter().map(|rule| rule.id));
    let hint = meant.map(|meant| format!("; did you mean \"{meant}\"?")).unwrap_or_default();
    Some(format!("names \"{id}\", which is not a rule{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_that_exempts_from_nothing_is_answered() {
        let table = [
            ("", false, "none"),
            ("invalid-source: CHG-1", false, "it can be read"),
            ("invalid-source", true, "no reason"),
            ("invalid-source, invalid-miror: CHG-1", true, "no such rule"),
            ("stale-registry-overrides: CHG-1", false, "audit reads it"),
        ];
        for (annotation, expected, reason) in table {
            assert_eq!(unreadable_requests(annotation).count(), usize::from(expected), "{reason}");
        }
    }
}
