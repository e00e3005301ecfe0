//! Findings, for people and for programs.

use std::{fmt::Write, sync::Arc};

use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level as Title, Renderer, Snippet, renderer::DecorStyle,
};
use serde::Serialize;

use crate::{
    audit::ObjectId,
    objects::{Object, manifest::Located},
    review::{Judged, Verdict},
    rules::{Level, Related},
};

/// Which object it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectRef<'a> {
    pub(super) kind: &'static str,
    /// Empty where it has none.
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

impl<'a> From<&'a Object> for ObjectRef<'a> {
    fn from(object: &'a Object) -> Self {
        let namespace = match object {
            Object::HostedCluster(hosted) => &*hosted.metadata.namespace,
            _ => "",
        };
        Self { kind: object.kind().name(), namespace, name: object.name() }
    }
}

impl<'a> From<&'a ObjectId> for ObjectRef<'a> {
    fn from(ObjectId { kind, namespace, name }: &'a ObjectId) -> Self {
        Self { kind, namespace, name }
    }
}

/// An object, its verdict, and its place where it has one.
#[derive(Debug)]
pub(super) struct Judgement<'a> {
    pub(super) object: ObjectRef<'a>,
    pub(super) place: Option<&'a Located>,
    pub(super) verdict: Verdict,
}

/// A finding as programs read it.
#[derive(Debug, Serialize)]
pub(super) struct FindingJson<'a> {
    rule: &'static str,
    severity: Level,
    object: ObjectJson<'a>,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    message: String,
    help: String,
    related: &'a [Related],
}

#[derive(Debug, Serialize)]
struct ObjectJson<'a> {
    kind: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
}

/// All findings as programs read them.
pub(super) fn json<'a>(judgements: &'a [Judgement<'a>]) -> Vec<FindingJson<'a>> {
    let of = |judgement: &'a Judgement<'a>| {
        judgement.verdict.judged.iter().map(|judged| finding_json(judgement, judged))
    };
    judgements.iter().flat_map(of).collect()
}

fn finding_json<'a>(judgement: &'a Judgement<'a>, judged: &'a Judged) -> FindingJson<'a> {
    let finding = &judged.finding;
    let at = judgement.place.map(|place| place.position(&finding.path));
    let ObjectRef { kind, namespace, name } = judgement.object;
    let yaml = finding.yaml.as_ref().map(|yaml| format!("\n{yaml}")).unwrap_or_default();
    FindingJson {
        rule: judged.rule.id,
        severity: judged.level,
        object: ObjectJson { kind, name, namespace },
        path: &finding.path,
        file: judgement.place.map(|place| &*place.source.name),
        line: at.map(|at| at.line),
        column: at.map(|at| at.column),
        message: finding.message(),
        help: format!("{}{yaml}", finding.fix),
        related: &finding.related,
    }
}

/// All findings as people read them, pointed at the text where there is one.
pub(super) fn human(judgements: &[Judgement<'_>], width: usize) -> String {
    let renderer = Renderer::styled().term_width(width).decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for judgement in judgements {
        for judged in &judgement.verdict.judged {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}", renderer.render(&[group(judgement, judged, judgements)]));
            if let Some(yaml) = &judged.finding.yaml {
                let _ = writeln!(text, "\n{}", yaml.trim_end());
            }
            text.push('\n');
        }
    }
    text
}

fn group<'a>(judgement: &'a Judgement<'a>, judged: &'a Judged, all: &'a [Judgement<'a>]) -> Group<'a> {
    let finding = &judged.finding;
    let level = if judged.level == Level::Deny { Title::ERROR.with_name("denied") } else { Title::WARNING };
    let title = level.primary_title(finding.what.clone()).id(judged.rule.id);
    let mut group = Group::with_title(title);
    if let Some(place) = judgement.place {
        group = group.elements(pointed(place, judged, all));
    } else {
        let ObjectRef { kind, namespace, name } = judgement.object;
        if !name.is_empty() {
            let slash = if namespace.is_empty() { "" } else { "/" };
            let id = format!("in {kind}/{namespace}{slash}{name}, {}", finding.path);
            group = group.element(Title::NOTE.message(id));
        }
        if !finding.effect.is_empty() {
            group = group.element(Title::NOTE.message(&*finding.effect));
        }
    }
    group = group.element(Title::HELP.message(&*finding.fix));
    group
}

/// The text that is to blame, and at most three other places that have to do with it.
fn pointed<'a>(
    place: &'a Located,
    judged: &'a Judged,
    all: &'a [Judgement<'a>],
) -> Vec<Snippet<'a, Annotation<'a>>> {
    let finding = &judged.finding;
    let snippet = |at: &'a Located| Snippet::source(&*at.source.text).path(&*at.source.name);
    let primary = AnnotationKind::Primary.span(place.span(&finding.path)).label(&*finding.effect);
    let mut here = snippet(place).annotation(primary);
    let mut elsewhere = Vec::new();
    for (related, other) in finding.related.iter().filter_map(|r| Some((r, place_of(r, all)?))).take(3) {
        let label = format!("in {}", related.id());
        let there = AnnotationKind::Context.span(other.span(&related.path)).label(label);
        if Arc::ptr_eq(&other.source, &place.source) {
            here = here.annotation(there);
        } else {
            elsewhere.push(snippet(other).annotation(there));
        }
    }
    elsewhere.insert(0, here);
    elsewhere
}

fn place_of<'a>(related: &Related, all: &'a [Judgement<'a>]) -> Option<&'a Located> {
    let is_it = |j: &&Judgement<'_>| j.object.kind == related.kind && j.object.name == related.name;
    all.iter().find(is_it)?.place
}

/// How many findings deny, and how many warn.
pub(super) fn counts(judgements: &[Judgement<'_>]) -> (usize, usize) {
    let levels =
        judgements.iter().flat_map(|judgement| judgement.verdict.judged.iter().map(|judged| judged.level));
    let levels: Vec<_> = levels.collect();
    let count = |level| levels.iter().filter(|l| **l == level).count();
    (count(Level::Deny), count(Level::Warn))
}
