//! Reads the objects of one file.

use std::{collections::HashSet, sync::Arc};

use super::{
    Located, ReadError, Reading, Source, Written,
    install_config::{self, InstallConfig},
    json, kustomize,
    located::first_line,
    naming::{Naming, is_old_hosted_cluster, naming},
    placeholder::{
        find_blank, find_placeholders, is_name, is_open_field, is_read, is_read_in_part, without_open_lists,
    },
    unfold::{Content, Head, Part, unfold},
    written::Names,
};
use crate::{
    objects::{
        Kind, Object, ParseError,
        schema::{self, Mistyped, Shape, UnknownField},
        tree::{self, Data, Field, Node, Position},
    },
    wording::in_plain_words,
};

/// What is wrong with a template whose placeholders are not in quotes.
const BLANK: &str = "a placeholder outside of quotes is no value";

/// Reads one file.
pub fn read(name: &str, text: String) -> Reading {
    let source = Arc::new(Source::new(name, text));
    let mut reader = Reader { reading: Reading { files: 1, ..Reading::default() }, source };
    let (documents, error) = tree::documents(&reader.source.text);
    for document in documents {
        reader.add(Part::of_file(document));
    }
    if let Some((at, message)) = error.map(|error| json::in_words_of_json(&reader.source.text, error)) {
        let offset = reader.source.offset_of(at);
        let error = reader.source.error(at, offset..offset, message);
        reader.reading.errors.push(ReadError { is_syntax: true, ..error });
    }
    reader.reading
}

/// An error in the field of a policy whose text is a list of objects.
fn in_raw(why: &str) -> String {
    format!("ConfigurationPolicy: spec.object-templates-raw: {why}")
}

impl Head {
    fn names(&self, is_misnamed: bool) -> Names<'_> {
        Names { api_version: &self.api_version, kind: &self.kind, is_misnamed }
    }
}

impl Source {
    pub(in crate::objects) fn new(name: &str, text: String) -> Self {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Self { name: name.to_owned(), text, newline }
    }

    fn error(self: &Arc<Self>, at: Position, span: std::ops::Range<usize>, message: String) -> ReadError {
        let excerpt = Some((Arc::clone(self), span));
        ReadError { excerpt, ..ReadError::new(&self.name, at, message) }
    }

    /// An error in a field of a document, which `document` names.
    pub(super) fn error_in(
        self: &Arc<Self>,
        node: &Node,
        document: &str,
        path: &str,
        message: &str,
    ) -> ReadError {
        let value = node.nearest(path);
        let span = first_line(&self.text, value);
        self.error(value.at, span, format!("{document}: {path}: {message}"))
    }

    /// The errors in values of other types, each once where it is written.
    pub(super) fn type_errors(
        self: &Arc<Self>,
        node: &Node,
        document: &str,
        mistyped: &[Mistyped],
    ) -> Vec<ReadError> {
        let mut seen = Faults::default();
        let written = mistyped.iter().filter(|fault| seen.insert(node, &fault.path, &fault.message));
        written.map(|fault| self.error_in(node, document, &fault.path, &fault.message)).collect()
    }

    /// An error about a field of the root of a document, which `document` names. It points at the field's name, not at
    /// its value.
    pub(super) fn error_of(self: &Arc<Self>, document: &str, field: &Field, message: &str) -> ReadError {
        self.error(field.at, field.span.clone(), format!("{document}: {}: {message}", field.name))
    }

    /// The byte offset of a position. For a column behind its line, that is the end of the line; for a line behind the
    /// text, the end of the text.
    fn offset_of(&self, at: Position) -> usize {
        let lines = self.text.split_inclusive('\n');
        let start: usize = lines.take(at.line.saturating_sub(1)).map(str::len).sum();
        let line = self.text.get(start..).unwrap_or_default();
        let column =
            line.char_indices().nth(at.column.saturating_sub(1)).map_or(line.len(), |(byte, _)| byte);
        start + column.min(line.find('\n').unwrap_or(line.len()))
    }
}

/// The faults of a document, so that one that an alias or a merge key repeats is reported once.
#[derive(Default)]
struct Faults(HashSet<(Position, String)>);

impl Faults {
    /// Adds what is wrong at a path. Returns whether to report it: not if it repeats another.
    fn insert(&mut self, document: &Node, path: &str, what: &str) -> bool {
        let (at, is_repeated) = document.origin_of(path);
        self.0.insert((at, what.to_owned())) || !is_repeated
    }
}

struct Reader {
    source: Arc<Source>,
    reading: Reading,
}

impl Reader {
    /// Adds an object, or each object inside of it.
    fn add(&mut self, part: Part) {
        if !matches!(part.node.data, Data::Map(_)) {
            return self.pass_over(&part.node, "a list or a single value");
        }
        let (part, head) = match unfold(&self.source.text, part) {
            Content::Parts(parts) => return parts.into_iter().for_each(|part| self.add(part)),
            Content::InstallConfig(part) => return self.add_install_config(part),
            Content::Template(text) => return self.pass_over(&text, "a template in object-templates-raw"),
            Content::Unreadable(value, at, why) => {
                let error = self.source.error(at, first_line(&self.source.text, &value), in_raw(&why));
                return self.reading.errors.push(error);
            }
            Content::Object(part, head) => (part, head),
        };
        match naming(&head.api_version, &head.kind, &part.node) {
            Naming::Other if head.api_version.is_empty() || head.kind.is_empty() => {
                self.pass_over(&part.node, "not a Kubernetes object");
            }
            Naming::Other => self.reading.skipped += 1,
            Naming::Known(kind) | Naming::Meant(kind) if Self::is_template(kind, &part.node, &head) => {
                self.pass_over(&part.node, "a template");
            }
            _ if self.add_blank(&part.node) => {}
            _ if kustomize::is_patch(&part.node) => self.pass_over(&part.node, kustomize::PATCH),
            Naming::Known(kind) => {
                let read = self.read(kind, part, &head.names(false));
                self.reading.objects.extend(read);
            }
            Naming::Meant(kind) => {
                let read = self.read(kind, part, &head.names(true));
                self.reading.misnamed.extend(read);
            }
        }
    }

    fn add_install_config(&mut self, part: Part) {
        if self.add_blank(&part.node) {
            return;
        }
        let InstallConfig { sets, meant, errors } = install_config::read(&self.source, part);
        self.reading.objects.extend(sets);
        self.reading.misnamed.extend(meant);
        self.reading.errors.extend(errors);
    }

    /// Adds an error if an object has a placeholder that is not in quotes; returns whether it has.
    fn add_blank(&mut self, object: &Node) -> bool {
        let Some(blank) = find_blank(&self.source.text, object) else { return false };
        let error = self.source.error(blank.at, first_line(&self.source.text, blank), BLANK.to_owned());
        self.reading.errors.push(ReadError { is_syntax: true, ..error });
        true
    }

    fn pass_over(&mut self, node: &Node, what: &'static str) {
        self.reading.pass_over(&self.source.name, node.at, what);
    }

    /// Whether an object has a placeholder and cannot be read without it.
    fn is_template(kind: Kind, node: &Node, head: &Head) -> bool {
        let is_old = is_old_hosted_cluster(kind, &head.api_version);
        if is_read_in_part(kind) && !is_old {
            return false;
        }
        // An old one is read without a schema, and its fields are not those of `is_read`.
        find_placeholders(kind, node).iter().any(|path| is_old || is_read(kind, path))
    }

    /// Reads an object without the fields and values that do not fit its schema, and without placeholders. Each value
    /// that does not fit is an error; unknown fields are left to a rule. `node` keeps all of them, since it has the
    /// positions.
    fn read(&mut self, kind: Kind, part: Part, names: &Names<'_>) -> Option<Located> {
        let Part { mut node, is_editable, holder, cluster, .. } = part;
        let schema = schema::of(kind).filter(|_| !is_old_hosted_cluster(kind, names.api_version));
        let mut placeholders = find_placeholders(kind, &node);
        let Shape { mut unknown, mut mistyped } =
            schema.map(|schema| schema::check(&mut node, schema)).unwrap_or_default();
        let open_fields = unknown.extract_if(.., |field| is_open_field(field)).map(|field| field.path);
        let open_fields: Vec<_> = open_fields.collect();
        // What a placeholder becomes may be of any type.
        let open: HashSet<&str> = placeholders.iter().map(String::as_str).collect();
        mistyped.retain(|Mistyped { path, .. }| !open.contains(&**path));
        self.reading.errors.extend(self.source.type_errors(&node, kind.name(), &mistyped));
        let mut unreadable: Vec<_> = mistyped.iter().map(|mistyped| &*mistyped.path).collect();
        unreadable.extend(placeholders.iter().map(String::as_str).filter(|path| !is_name(path)));
        let is_whole = unreadable.is_empty() && unknown.is_empty() && open_fields.is_empty();
        let neutral = schema.filter(|_| !is_whole);
        let neutral = neutral.map(|schema| schema::neutralized(&node, schema, unreadable.iter().copied()));
        // A misspelt source is as unknown as one of another type.
        let misspelt: Vec<_> = unknown.iter().filter_map(UnknownField::meant_path).collect();
        unreadable.extend(misspelt.iter().map(String::as_str));
        let mut seen = Faults::default();
        let reported = unknown.iter().filter(|field| seen.insert(&node, &field.path, &field.name));
        let reported = reported.cloned().collect();
        // A field whose name is a placeholder may become any field of its entry.
        unreadable.extend(open_fields.iter().map(String::as_str));
        match Object::from_node(kind, neutral.as_ref().unwrap_or(&node), unreadable.iter().copied()) {
            Ok(object) => {
                let object = without_open_lists(object, &unreadable);
                placeholders.retain(|path| is_read(kind, path));
                placeholders.extend(open_fields.iter().cloned());
                let written = Written { placeholders, ..Written::new(&object, names, &node, reported) };
                let source = Arc::clone(&self.source);
                Some(Located { object, source, cluster, written, node, is_editable, holder })
            }
            Err(ParseError { path, message }) => {
                let message = in_plain_words(&message);
                self.reading.errors.push(self.source.error_in(&node, kind.name(), &path, &message));
                None
            }
        }
    }
}
