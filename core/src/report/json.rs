//! Findings in JSON.

use std::borrow::Cow;

use serde::Serialize;

use super::{AppliedFix, Places, Reviewed, apply_fix, exempted, findings, lapsed};
use crate::{
    objects::{ObjectId, manifest::Located},
    review::{Diagnostic, Exempted},
    rules::{Level, Related},
};

/// A finding.
#[derive(Debug, Serialize)]
pub struct FindingJson<'a> {
    rule: &'static str,
    severity: Level,
    object: &'a ObjectId,
    path: &'a str,
    #[serde(flatten)]
    place: Option<PlaceJson<'a>>,
    message: String,
    help: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<AppliedFix<'a>>,
    /// At most [`crate::rules::MAX_RELATED`].
    related: Vec<RelatedJson<'a>>,
    /// How many related fields are not listed.
    #[serde(rename = "moreRelated", skip_serializing_if = "is_zero")]
    more_related: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[derive(Debug, Serialize)]
struct RelatedJson<'a> {
    #[serde(flatten)]
    object: &'a ObjectId,
    path: Cow<'a, str>,
    #[serde(flatten)]
    place: Option<PlaceJson<'a>>,
}

impl<'a> RelatedJson<'a> {
    fn new(one: &Reviewed<'a>, related: &'a Related, places: &Places<'a>) -> Self {
        let Related { object, path } = related;
        let located = one.place_of(object, places);
        let place = located.map(|at| PlaceJson::new(at, path));
        let path = located.map_or(Cow::Borrowed(&**path), |at| at.written_path(path));
        Self { object, path, place }
    }
}

#[derive(Debug, Serialize)]
struct PlaceJson<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

impl<'a> PlaceJson<'a> {
    fn new(located: &'a Located, path: &str) -> Self {
        let at = located.position(path);
        Self { file: &located.source.name, line: at.line, column: at.column }
    }
}

/// A finding that the configuration exempts.
#[derive(Debug, Serialize)]
pub struct ExemptedJson<'a> {
    rule: &'static str,
    object: &'a ObjectId,
    reason: &'a str,
    until: String,
}

/// All exempt findings.
pub fn exempted_json<'a>(reviewed: &'a [Reviewed<'a>]) -> Vec<ExemptedJson<'a>> {
    exempted(reviewed).map(exemption_json).collect()
}

/// All exemptions that are over, of findings that are reported again.
pub fn lapsed_json<'a>(reviewed: &'a [Reviewed<'a>]) -> Vec<ExemptedJson<'a>> {
    lapsed(reviewed).map(exemption_json).collect()
}

fn exemption_json<'a>((reviewed, exempted): (&'a Reviewed<'a>, &'a Exempted)) -> ExemptedJson<'a> {
    ExemptedJson {
        rule: exempted.rule,
        object: &reviewed.object,
        reason: &exempted.reason,
        until: exempted.until.to_string(),
    }
}

/// All findings.
pub fn findings_json<'a>(reviewed: &'a [Reviewed<'a>], places: &Places<'a>) -> Vec<FindingJson<'a>> {
    findings(reviewed).map(|(reviewed, diagnostic)| finding_json(reviewed, diagnostic, places)).collect()
}

fn finding_json<'a>(
    reviewed: &'a Reviewed<'a>,
    diagnostic: &'a Diagnostic,
    places: &Places<'a>,
) -> FindingJson<'a> {
    let finding = &diagnostic.finding;
    let yaml = finding.fix.yaml().map(|yaml| format!("\n{yaml}")).unwrap_or_default();
    FindingJson {
        rule: diagnostic.rule.id,
        severity: diagnostic.level,
        object: &reviewed.object,
        path: &finding.path,
        place: reviewed.place.map(|at| PlaceJson::new(at, &finding.path)),
        message: finding.message(),
        help: format!("{}{yaml}", finding.fix.title),
        fix: apply_fix(reviewed.place, &finding.fix, places),
        related: finding.related.iter().map(|related| RelatedJson::new(reviewed, related, places)).collect(),
        more_related: finding.related.more(),
    }
}
