//! Findings for people, pointing at their lines in files.

use std::{fmt::Write, ops::Range, sync::Arc};

use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level as Title, Origin, Renderer, Snippet, renderer::DecorStyle,
};
use anstream::adapter::strip_str;
use mirrorguard_core::{
    objects::manifest::{Located, Position, Source},
    report::{Pasted, Places, Reviewed, pasted},
    review::Diagnostic,
    rules::Level,
};

use super::alike::{Shown, shown};
use crate::cli::input::Unread;

/// The largest distance of two places in one drawing, in bytes.
const NEAR: usize = 4096;

/// The longest line that is drawn, in bytes: for JSON on one line, object and path are more useful.
const LONG: usize = 2000;

/// The number of related places that are shown.
const OTHERS: usize = 3;

/// All findings, drawn `width` columns wide.
pub(in crate::cli) fn human(reviewed: &[Reviewed<'_>], places: &Places<'_>, width: usize) -> String {
    let renderer = Renderer::styled().term_width(width).decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    let shown = shown(reviewed);
    let pasted = pasted(shown.iter().map(|shown| &shown.diagnostic.finding));
    for (shown, Pasted { yaml, note }) in shown.iter().zip(pasted) {
        let group = group(shown, places, width);
        let group = note.into_iter().fold(group, |group, note| group.element(Title::NOTE.message(note)));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", renderer.render(&[group]));
        if let Some(yaml) = yaml {
            let _ = writeln!(text, "\n{}", yaml.trim_end());
        }
        text.push('\n');
    }
    text
}

/// The errors in files, drawn `width` columns wide. Those without an excerpt were printed when the files were read.
pub(in crate::cli) fn errors(unread: &[Unread], width: usize) -> String {
    let renderer = Renderer::styled().term_width(width).decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for Unread { message, place, excerpt, .. } in unread {
        let (Some((_, at)), Some((source, span))) = (place, excerpt) else { continue };
        let group = Group::with_title(Title::ERROR.primary_title(strip_str(message).to_string()));
        let drawing = Drawing::of(source, *at, span.clone());
        let group = drawing.draw(group, AnnotationKind::Primary, &[]);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}\n", renderer.render(&[group]));
    }
    text
}

/// The drawing of a finding: its title, the place with related ones, the effect, and the fix.
fn group<'a>(shown: &Shown<'a>, places: &Places<'a>, width: usize) -> Group<'a> {
    let Shown { one, diagnostic, .. } = *shown;
    let (object, finding) = (&one.object, &diagnostic.finding);
    let level = if diagnostic.level == Level::Deny { Title::ERROR } else { Title::WARNING };
    let mut group = Group::with_title(level.primary_title(finding.what.clone()).id(diagnostic.rule.id));
    let mut effect = Some(&*finding.effect).filter(|effect| !effect.is_empty());
    if let Some(place) = one.place {
        let here = Drawing::new(place, &finding.path);
        // The effect is written after the underline where there is room, else as a note below.
        let label = effect.take_if(|effect| here.has_room_for(effect, width)).unwrap_or_default();
        let here = here.with_label(label.to_owned());
        group = draw(group, &here, related_drawings(one, diagnostic, places, &here));
        if here.is_long() {
            group = group.element(Title::NOTE.message(format!("in {}, {}", object, finding.path)));
        }
    // An object without a name is what `overrides --check` reviews: a value that is in no object.
    } else if !object.name.is_empty() {
        group = group.element(Title::NOTE.message(format!("in {}, {}", object, finding.path)));
    }
    if let Some(effect) = effect {
        group = group.element(Title::NOTE.message(effect));
    }
    if let Some(others) = shown.describe_others() {
        group = group.element(Title::NOTE.message(others));
    }
    let related = &finding.related;
    // `more` counts those that the finding does not list; of the listed ones, at most `OTHERS` are drawn.
    if related.more() > 0 {
        let more = related.len().saturating_sub(OTHERS) + related.more();
        group = group.element(Title::NOTE.message(format!("{more} more places are related")));
    }
    if finding.fix.is_empty() { group } else { group.element(Title::HELP.message(&*finding.fix.title)) }
}

/// Drawings of the first related places in files, each on a line of its own that is not the finding's.
fn related_drawings<'a>(
    one: &Reviewed<'a>,
    diagnostic: &'a Diagnostic,
    places: &Places<'a>,
    here: &Drawing<'a>,
) -> Vec<Drawing<'a>> {
    let mut drawings: Vec<Drawing<'a>> = Vec::new();
    for related in &diagnostic.finding.related {
        let Some(place) = one.place_of(&related.object, places) else { continue };
        let drawing = Drawing::new(place, &related.path);
        if drawings.len() < OTHERS
            && drawings.iter().chain([here]).all(|other| !other.is_on_line_of(&drawing))
        {
            drawings.push(drawing.with_label(format!("in {}", related.object)));
        }
    }
    drawings
}

/// Adds the place of a finding, with related places near it in the same drawing and all others in their own.
fn draw<'a>(group: Group<'a>, here: &Drawing<'a>, others: Vec<Drawing<'a>>) -> Group<'a> {
    let (near, far): (Vec<_>, Vec<_>) = others.into_iter().partition(|other| here.is_near(other));
    let group = here.draw(group, AnnotationKind::Primary, &near);
    far.iter().fold(group, |group, other| other.draw(group, AnnotationKind::Context, &[]))
}

/// A value in a file, and its lines.
struct Drawing<'a> {
    source: &'a Arc<Source>,
    /// Where the value begins.
    at: Position,
    /// The bytes of the value.
    span: Range<usize>,
    /// The bytes of the lines that the value is on, without the last line end.
    lines: Range<usize>,
    /// What is written after the underline.
    label: String,
}

impl<'a> Drawing<'a> {
    /// The value at a path of an object.
    fn new(place: &'a Located, path: &str) -> Self {
        Self::of(&place.source, place.position(path), place.span(path))
    }

    /// Any bytes of a file, which begin at a position.
    fn of(source: &'a Arc<Source>, at: Position, span: Range<usize>) -> Self {
        let text = &*source.text;
        let start = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[span.end..].find('\n').map_or(text.len(), |newline| span.end + newline);
        let lines = start..start + text[start..end].trim_end_matches('\r').len();
        Self { source, at, span, lines, label: String::new() }
    }

    fn with_label(mut self, label: String) -> Self {
        self.label = label;
        self
    }

    fn is_on_line_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.source, other.source) && self.at.line == other.at.line
    }

    fn is_long(&self) -> bool {
        self.lines.len() > LONG
    }

    /// Whether a label fits into the width after the value.
    fn has_room_for(&self, label: &str, width: usize) -> bool {
        let gutter = self.at.line.to_string().len() + " | ".len();
        let before = self.source.text[self.lines.start..self.span.end].chars().count();
        !self.is_long() && gutter + before + 1 + label.chars().count() <= width
    }

    /// Whether another place can be in the same drawing.
    fn is_near(&self, other: &Self) -> bool {
        let from = self.lines.start.min(other.lines.start);
        let to = self.lines.end.max(other.lines.end);
        Arc::ptr_eq(self.source, other.source) && to - from < NEAR && !self.is_long() && !other.is_long()
    }

    /// Adds the lines with the value and the places near it, or only the position if the line is too long.
    fn draw(&self, group: Group<'a>, kind: AnnotationKind, near: &[Self]) -> Group<'a> {
        let source = &**self.source;
        if self.is_long() {
            let origin = Origin::path(&*source.name).line(self.at.line).char_column(self.at.column);
            return group.element(origin);
        }
        let (mut start, mut end, mut first) = (self.lines.start, self.lines.end, self.at.line);
        for other in near {
            start = start.min(other.lines.start);
            end = end.max(other.lines.end);
            first = first.min(other.at.line);
        }
        let snippet = Snippet::source(&source.text[start..end]).line_start(first).path(&*source.name);
        let others = near.iter().map(|other| other.annotation(AnnotationKind::Context, start));
        group.element(snippet.annotation(self.annotation(kind, start)).annotations(others))
    }

    /// The underline of the value in a text that begins at byte `start` of the file.
    fn annotation(&self, kind: AnnotationKind, start: usize) -> Annotation<'a> {
        let annotation = kind.span(self.span.start - start..self.span.end - start);
        if self.label.is_empty() { annotation } else { annotation.label(self.label.clone()) }
    }
}

#[cfg(test)]
mod tests;
