//! Builds trees from the events of the YAML parser.

mod merge;
mod offsets;

use std::{
    collections::{BTreeMap, HashSet},
    mem,
    ops::Range,
};

use saphyr::Scalar;
use saphyr_parser::{Event, Parser, Span};
use serde_json::Value;

use self::offsets::{Offsets, within};
use super::{Data, Field, Node, Position, Repeat};

/// How deep lists and maps may be nested. The limit of `serde_json` is the same.
const MAX_DEPTH: usize = 127;
/// How many nodes all aliases of a file may expand to.
const MAX_ALIASED: usize = 100_000;

/// An error in a text, with its position.
type Failure = (Position, String);

/// The documents of a text before its first error, and that error. Empty documents are skipped.
pub(in crate::objects) fn documents(text: &str) -> (Vec<Node>, Option<Failure>) {
    let mut builder = Builder::new(text);
    for event in Parser::new_from_str(text) {
        let added = match event {
            Ok((event, span)) => builder.add(event, span),
            Err(error) => Err((within(text, error.marker().into()), error.info().to_owned())),
        };
        if let Err(failure) = added {
            return (builder.documents, Some(failure));
        }
    }
    (builder.documents, None)
}

struct Builder<'t> {
    offsets: Offsets<'t>,
    documents: Vec<Node>,
    /// The value of the current document, once it is complete.
    root: Option<Node>,
    /// The lists and maps that have not ended yet, the innermost last.
    open: Vec<Open>,
    /// The nodes of the document that aliases may refer to, by the anchor's number in the parser.
    anchors: BTreeMap<usize, Node>,
    /// The byte ranges of the nodes of the document that aliases refer to.
    originals: HashSet<Range<usize>>,
    /// How many nodes the aliases of the file have expanded to.
    aliased: usize,
}

/// A list or map that has not ended yet.
struct Open {
    at: Position,
    start: usize,
    /// The number of its anchor in the parser; 0 if it has none.
    anchor: usize,
    inside: Inside,
}

enum Inside {
    List(Vec<Node>),
    Map {
        fields: Vec<Field>,
        /// The names of the fields.
        names: HashSet<String>,
        /// The name of the field whose value comes next.
        next: Option<Node>,
    },
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            offsets: Offsets::of(text),
            documents: Vec::new(),
            root: None,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            originals: HashSet::new(),
            aliased: 0,
        }
    }

    fn add(&mut self, event: Event<'_>, span: Span) -> Result<(), Failure> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => Ok(()),
            Event::DocumentEnd => {
                self.anchors.clear();
                let originals = mem::take(&mut self.originals);
                let mut root = self.root.take().filter(|node| !node.is_null());
                if let Some(root) = root.as_mut().filter(|_| !originals.is_empty()) {
                    root.mark_originals(&originals, Repeat::None);
                }
                self.documents.extend(root);
                Ok(())
            }
            Event::SequenceStart(anchor, _) => self.begin(Inside::List(Vec::new()), anchor, span),
            Event::MappingStart(anchor, _) => {
                let inside = Inside::Map { fields: Vec::new(), names: HashSet::new(), next: None };
                self.begin(inside, anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = Scalar::parse_from_cow_and_metadata(text, style, tag.as_ref());
                let (at, span) = (Position::from(&span.start), self.bytes(span));
                let written = &self.offsets.text[span.clone()];
                // A value that is not of the type of its tag (`!!int a`) is read as nothing.
                let data = Data::Scalar(scalar.map_or(Value::Null, |scalar| value(scalar, written)));
                self.insert(Node { at, span, data, repeat: Repeat::None, has_merge_key: false }, anchor)
            }
            Event::Alias(anchor) => self.alias(anchor, span),
        }
    }

    fn bytes(&self, span: Span) -> Range<usize> {
        self.offsets.byte(span.start.index())..self.offsets.byte(span.end.index())
    }

    fn begin(&mut self, inside: Inside, anchor: usize, span: Span) -> Result<(), Failure> {
        let at = Position::from(&span.start);
        if self.open.len() >= MAX_DEPTH {
            return Err((at, format!("lists and maps are nested more than {MAX_DEPTH} levels deep")));
        }
        let start = self.offsets.byte(span.start.index());
        self.open.push(Open { at, start, anchor, inside });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Failure> {
        let Some(Open { at, start, anchor, inside }) = self.open.pop() else { return Ok(()) };
        let (data, has_merge_key) = match inside {
            Inside::List(items) => (Data::List(items), false),
            Inside::Map { fields, names, .. } => {
                let (fields, has_merge_key) = merge::fields(self.offsets.text, fields, names)?;
                (Data::Map(fields), has_merge_key)
            }
        };
        // The event that ends it has the place of the closing bracket, if there is one: that is left out.
        let span = start..self.offsets.byte(span.start.index());
        self.insert(Node { at, span, data, repeat: Repeat::None, has_merge_key }, anchor)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Failure> {
        let at = Position::from(&span.start);
        // The parser rejects anchors that the file does not have before. It keeps those of earlier documents, though an
        // anchor ends with its document; and the anchor of a list or map is kept here only once that has ended.
        let Some(node) = self.anchors.get(&anchor) else {
            let is_inside = self.open.iter().any(|open| open.anchor == anchor);
            let what = if is_inside { "an alias contains itself" } else { "unknown anchor" };
            return Err((at, what.to_owned()));
        };
        // Counted before it is copied, so that a small file cannot take much memory.
        self.aliased += node.count();
        if self.aliased > MAX_ALIASED {
            return Err((at, format!("aliases expand to more than {MAX_ALIASED} values")));
        }
        self.originals.insert(node.span.clone());
        let node = Node { at, span: self.bytes(span), repeat: Repeat::Alias(node.at), ..node.clone() };
        self.insert(node, 0)
    }

    /// Adds a node to the innermost list or map, or sets it as the root. In a map, every second node is the name of the
    /// field whose value comes next. `anchor` is the number of the node's anchor; 0 if it has none.
    fn insert(&mut self, node: Node, anchor: usize) -> Result<(), Failure> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.inside) {
            None => self.root = Some(node),
            Some(Inside::List(items)) => items.push(node),
            Some(Inside::Map { fields, names, next }) => match mem::take(next) {
                None => *next = Some(node),
                Some(key) => {
                    let (at, span, name) = (key.at, key.span.clone(), key.into_name());
                    if !names.insert(name.clone()) {
                        return Err((at, format!("duplicate field {name}")));
                    }
                    fields.push(Field { name, at, span, value: node, is_unknown: false, is_merged: false });
                }
            },
        }
        Ok(())
    }
}

impl Node {
    pub(in crate::objects) fn is_null(&self) -> bool {
        matches!(self.data, Data::Scalar(Value::Null))
    }

    /// Marks the nodes with these byte ranges and all nodes inside of them. `around` is what is known of the list or map
    /// around this node.
    fn mark_originals(&mut self, originals: &HashSet<Range<usize>>, around: Repeat) {
        if matches!(self.repeat, Repeat::Alias(_)) {
            return;
        }
        self.repeat = if originals.contains(&self.span) { Repeat::Original } else { around };
        let repeat = self.repeat;
        match &mut self.data {
            Data::Scalar(_) => {}
            Data::List(items) => items.iter_mut().for_each(|item| item.mark_originals(originals, repeat)),
            Data::Map(fields) => {
                let own = fields.iter_mut().filter(|field| !field.is_merged);
                own.for_each(|field| field.value.mark_originals(originals, repeat));
            }
        }
    }

    /// How many nodes it contains, including itself.
    fn count(&self) -> usize {
        match &self.data {
            Data::Scalar(_) => 1,
            Data::List(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Data::Map(fields) => 1 + fields.iter().map(|field| field.value.count()).sum::<usize>(),
        }
    }

    /// The node as the name of a field; empty for a list or map, which cannot be one.
    fn into_name(self) -> String {
        match self.data {
            Data::Scalar(Value::String(text)) => text,
            Data::Scalar(value) => value.to_string(),
            Data::List(_) | Data::Map(_) => String::new(),
        }
    }
}

/// The value of a scalar that is written like this in the file.
fn value(scalar: Scalar<'_>, written: &str) -> Value {
    match scalar {
        // A number that is too large, like the abbreviated commit 12e3456, is a string to kubectl. A written infinity
        // begins with a dot, and is nothing that JSON could hold.
        Scalar::FloatingPoint(value)
            if value.is_infinite() && !written.contains(".i") && !written.contains(".I") =>
        {
            // What is written begins with its anchor and tag, if it has any.
            Value::from(written.rsplit(char::is_whitespace).next().unwrap_or(written))
        }
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => Value::Bool(value),
        Scalar::Integer(value) => Value::from(value),
        Scalar::FloatingPoint(value) => Value::from(*value),
        Scalar::String(text) => Value::String(text.into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_too_large_is_a_string() {
        for (text, reason) in
            [("12e3456", "alone"), ("&a 12e3456", "with an anchor"), ("!!float 12e3456", "with a tag")]
        {
            let (documents, error) = documents(&format!("a: {text}\n"));
            assert!(error.is_none(), "{reason}: {error:?}");
            assert_eq!(documents[0].text("a"), Some("12e3456"), "{reason}");
        }
    }

    #[test]
    fn documents_before_a_syntax_error_are_read() {
        let (documents, error) = documents("a: 1\n---\nb: 2\n---\nc: [1,\n---\n");
        assert_eq!(documents.len(), 2);
        assert_eq!(error.unwrap().0.line, 6);
    }

    #[test]
    fn errors_that_the_parser_does_not_find_have_a_position() {
        let deep = format!("a: {}", "[".repeat(MAX_DEPTH + 1));
        let laughs = (1..8).fold("a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned(), |text, at| {
            format!("{text}a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 8].join(", "))
        });
        let table = [
            ("a: 1\nb: 2\na: 3\n", (3, 1), "a duplicate field"),
            ("a: &a {b: *a}\n", (1, 11), "an alias inside the value that it refers to"),
            ("a: &a\n  b:\n  - *a\n", (3, 5), "the same in a block"),
            ("x: &a 1\na: &a {b: *a}\n", (2, 11), "an anchor that is used again"),
            ("x: &a 1\n---\na: *a\n", (3, 4), "an anchor of another document"),
            (&*deep, (1, MAX_DEPTH + 3), "nested too deep"),
            (&*laughs, (6, 15), "aliases of aliases"),
        ];
        for (text, (line, column), reason) in table {
            let (_, failure) = documents(text);
            assert_eq!(failure.map(|(at, _)| at), Some(Position { line, column }), "{reason}");
        }
    }

    #[test]
    fn an_anchor_ends_with_its_document() {
        let inside = ("a: &s {x: *s}\n", "an alias contains itself");
        for (text, expected) in [("a: &s {x: 1}\n---\nb: *s\n", "unknown anchor"), inside] {
            assert_eq!(documents(text).1.unwrap().1, expected, "{text}");
        }
    }

    #[test]
    fn an_alias_has_the_value_of_its_anchor() {
        let (documents, failure) = documents("a: &a [1, {b: c}]\nd: *a\n");
        assert_eq!(failure, None);
        assert_eq!(documents[0].get("d").unwrap().to_json(), serde_json::json!([1, {"b": "c"}]));
    }
}
