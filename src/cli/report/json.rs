//! Findings as programs read them.

use serde::Serialize;

use super::{Judgement, ObjectRef, Places, all_exempted as exempted, findings};
use crate::{
    objects::manifest::Located,
    review::Judged,
    rules::{Level, Related},
};

/// A finding.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct FindingJson<'a> {
    rule: &'static str,
    severity: Level,
    object: ObjectJson<'a>,
    path: &'a str,
    #[serde(flatten)]
    place: Option<PlaceJson<'a>>,
    message: String,
    help: String,
    related: Vec<RelatedJson<'a>>,
}

#[derive(Debug, Serialize)]
struct ObjectJson<'a> {
    kind: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
}

impl<'a> From<ObjectRef<'a>> for ObjectJson<'a> {
    fn from(ObjectRef { kind, namespace, name }: ObjectRef<'a>) -> Self {
        Self { kind, name, namespace }
    }
}

#[derive(Debug, Serialize)]
struct RelatedJson<'a> {
    #[serde(flatten)]
    related: &'a Related,
    #[serde(flatten)]
    place: Option<PlaceJson<'a>>,
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

/// A finding that the configuration exempts from.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct ExemptedJson<'a> {
    rule: &'static str,
    object: ObjectJson<'a>,
    reason: &'a str,
    until: String,
}

/// All findings that are exempt.
pub(in crate::cli) fn exempted_json<'a>(judgements: &'a [Judgement<'a>]) -> Vec<ExemptedJson<'a>> {
    let exempted = exempted(judgements).map(|(judgement, exempted)| ExemptedJson {
        rule: exempted.rule,
        object: judgement.object.into(),
        reason: &exempted.reason,
        until: exempted.until.to_string(),
    });
    exempted.collect()
}

/// All findings.
pub(in crate::cli) fn json<'a>(judgements: &'a [Judgement<'a>], places: &Places<'a>) -> Vec<FindingJson<'a>> {
    findings(judgements).map(|(judgement, judged)| finding(judgement, judged, places)).collect()
}

fn finding<'a>(judgement: &'a Judgement<'a>, judged: &'a Judged, places: &Places<'a>) -> FindingJson<'a> {
    let (object, finding) = (judgement.object, &judged.finding);
    let yaml = finding.yaml.as_ref().map(|yaml| format!("\n{yaml}")).unwrap_or_default();
    let related = |related: &'a Related| {
        let place = places.find(related).map(|at| PlaceJson::new(at, &related.path));
        RelatedJson { related, place }
    };
    FindingJson {
        rule: judged.rule.id,
        severity: judged.level,
        object: object.into(),
        path: &finding.path,
        place: judgement.place.map(|at| PlaceJson::new(at, &finding.path)),
        message: finding.message(),
        help: format!("{}{yaml}", finding.fix),
        related: finding.related.iter().map(related).collect(),
    }
}
