//! Writes a value as YAML in a random layout.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::{objects::yaml::to_inline, random::Random};

/// What a value is written behind.
#[derive(Clone, Copy, PartialEq)]
enum Behind {
    Name,
    Dash,
}

pub(super) struct Writer<'r> {
    random: &'r mut Random,
    text: String,
    comments: usize,
    /// The values with an anchor so far, without those that contain an alias.
    anchors: Vec<(String, Value)>,
    /// Whether anchors, tags, comments, and tabs are written.
    has: [bool; 4],
    /// Whether a text was just written that lines which follow may belong to: one that ends with all empty lines.
    after_text: Option<bool>,
}

impl<'r> Writer<'r> {
    pub(super) fn new(random: &'r mut Random) -> Self {
        let has = [2, 3, 2, 4].map(|times| random.once_in(times));
        Self { random, text: String::new(), comments: 0, anchors: Vec::new(), has, after_text: None }
    }

    /// A file with the value as one of its documents, and which one it is.
    pub(super) fn file(mut self, value: &Value) -> (String, usize) {
        let is_second = self.random.once_in(4);
        if is_second {
            self.text +=
                self.random.one_of(&["---\nfirst: 1\n---\n", "first: |+\n  x\n\n--- # next\n", "{}\n---\n"]);
        } else {
            self.text += self.random.one_of(&["", "", "", "---\n", "# head\n\n", "--- # head\n"]);
        }
        let Value::Object(fields) = value else { panic!("a map") };
        if self.random.once_in(6) {
            self.flow(value, 0);
            self.end_line(0);
        } else {
            self.map(fields, 0);
        }
        let mut text = self.text;
        match self.random.below(6) {
            0 => text += "---\nlast: 2\n",
            1 => text += "...\n",
            2 => {
                let read = crate::objects::tree::documents(text.trim_end_matches('\n')).0;
                // Without the last line break, a text that ends with one would be another.
                if read.last().is_some_and(|last| last.to_json() == *value) {
                    text.truncate(text.trim_end_matches('\n').len());
                }
            }
            _ => {}
        }
        if self.random.once_in(3) {
            text = text.replace('\n', "\r\n");
        }
        if self.random.once_in(6) {
            text.insert(0, '\u{feff}');
        }
        (text, usize::from(is_second))
    }

    fn comment(&mut self) {
        self.comments += 1;
        let _ = write!(self.text, "# c{}: \"x\", [- &a |", self.comments);
    }

    /// Ends a line, with a comment or not; then there may be lines without a value, as far as they do not become part of
    /// a text before. `column`: the deepest indentation of comments behind a text.
    fn end_line(&mut self, column: usize) {
        if self.after_text.is_none() && self.has[2] && self.random.once_in(4) {
            self.text += if self.has[3] { self.random.one_of(&["\t", " ", " \t "]) } else { " " };
            self.comment();
        }
        if self.after_text.is_none() {
            self.text += if self.has[3] { self.random.one_of(&["", "\t", " "]) } else { "" };
            self.text.push('\n');
        }
        if self.has[2] && self.random.once_in(6) {
            let deepest = if self.after_text.is_some() { column } else { 9 };
            self.text += &" ".repeat(self.random.below(deepest + 1));
            self.comment();
            self.text.push('\n');
            self.after_text = None;
        }
        if self.after_text != Some(true) && self.random.once_in(8) {
            self.text.push('\n');
        }
        self.after_text = None;
    }

    fn indent(&mut self, column: usize) {
        self.text += &" ".repeat(column);
    }

    fn name(&mut self, name: &str, in_flow: bool) {
        let plain = to_inline(name);
        let name = match self.random.below(4) {
            0 => json!(name).to_string(),
            1 => format!("'{}'", name.replace('\'', "''")),
            _ => plain,
        };
        self.text += &name;
        self.text += if !in_flow && self.random.once_in(12) { " :" } else { ":" };
    }

    /// A map without brackets, whose first name is written at the current place.
    fn map(&mut self, fields: &Map<String, Value>, column: usize) {
        let merged = self.merged(fields);
        let own: Vec<_> = fields
            .iter()
            .filter(|(name, value)| match &merged {
                Some((_, merged)) => merged.get(*name) != Some(*value) || self.random.once_in(4),
                None => true,
            })
            .collect();
        let at = merged.as_ref().map(|_| self.random.below(own.len() + 1));
        let mut is_first = true;
        for index in 0..=own.len() {
            if let (Some(at), Some((anchor, _))) = (at, &merged)
                && at == index
            {
                if !std::mem::take(&mut is_first) {
                    self.indent(column);
                }
                let _ = write!(self.text, "<<: *{anchor}");
                self.end_line(column);
            }
            let Some((name, value)) = own.get(index) else { break };
            if !std::mem::take(&mut is_first) {
                self.indent(column);
            }
            self.name(name, false);
            self.value(value, column, Behind::Name);
        }
    }

    /// An anchored map whose fields these fields have, or replace.
    fn merged(&mut self, fields: &Map<String, Value>) -> Option<(String, Map<String, Value>)> {
        let mut fitting = self.anchors.iter().filter_map(|(anchor, value)| {
            let merged = value.as_object()?;
            let fits = !merged.is_empty() && merged.keys().all(|name| fields.contains_key(name));
            fits.then(|| (anchor.clone(), merged.clone()))
        });
        fitting.next_back().filter(|_| self.random.once_in(2))
    }

    /// An anchor and a tag, and whether there is any.
    fn marks(&mut self, value: &Value) -> (Option<String>, bool) {
        let anchor = (self.has[0] && self.random.once_in(3)).then(|| format!("a{}", self.text.len()));
        if let Some(anchor) = &anchor {
            let _ = write!(self.text, " &{anchor}");
        }
        let tag = match value {
            Value::String(_) => "!!str",
            Value::Array(_) => "!!seq",
            Value::Object(_) => "!!map",
            Value::Number(_) => "!!int",
            _ => "!!null",
        };
        let is_tagged = self.has[1] && self.random.once_in(4);
        if is_tagged {
            let _ = write!(self.text, " {tag}");
        }
        let has_marks = anchor.is_some() || is_tagged;
        (anchor, has_marks)
    }

    /// A value that was written before, as an alias.
    fn alias(&mut self, value: &Value) -> bool {
        let anchor = self.anchors.iter().rfind(|(_, other)| other == value).map(|(anchor, _)| anchor.clone());
        let Some(anchor) = anchor.filter(|_| self.random.once_in(2)) else { return false };
        let _ = write!(self.text, " *{anchor}");
        true
    }

    /// A value behind a name or dash in this column, and the end of its line.
    fn value(&mut self, value: &Value, column: usize, behind: Behind) {
        if self.alias(value) {
            return self.end_line(column);
        }
        let (anchor, has_marks) = self.marks(value);
        match value {
            Value::Array(items) if !items.is_empty() && !self.random.once_in(3) => {
                let column = self.column_of_child(column, behind, has_marks, true);
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.indent(column);
                    }
                    self.text.push('-');
                    self.value(item, column, Behind::Dash);
                }
            }
            Value::Object(fields) if !fields.is_empty() && !self.random.once_in(4) => {
                let column = self.column_of_child(column, behind, has_marks, false);
                self.map(fields, column);
            }
            Value::String(text) if self.random.once_in(2) && self.block_text(text, column) => {
                self.end_line(column);
            }
            _ => {
                self.single(value, column, has_marks);
                self.end_line(column);
            }
        }
        if let Some(anchor) = anchor {
            self.anchors.push((anchor, value.clone()));
        }
    }

    /// Goes to where the first child is written: on the next line, or behind a dash.
    fn column_of_child(&mut self, column: usize, behind: Behind, has_marks: bool, is_list: bool) -> usize {
        if behind == Behind::Dash && !has_marks && self.random.below(3) > 0 {
            let blanks = self.random.one_of(&[1, 1, 3]);
            self.indent(blanks);
            return column + 1 + blanks;
        }
        self.end_line(9);
        let shallowest = usize::from(!(is_list && behind == Behind::Name));
        let column = column + self.random.one_of(&[shallowest, 2, 2, 4]);
        self.indent(column);
        column
    }

    /// A text below `|` or `>`, if there can be one.
    fn block_text(&mut self, text: &str, column: usize) -> bool {
        let body = text.trim_end_matches('\n');
        let breaks = text.len() - body.len();
        if body.contains('\t') || (body.is_empty() && breaks > 0) {
            return false;
        }
        let extra = 1 + self.random.below(3);
        let is_indented = body.starts_with(' ');
        let can_fold = !body.contains('\n') && !is_indented;
        self.text += if can_fold && self.random.once_in(2) { " >" } else { " |" };
        if is_indented {
            self.text += &extra.to_string();
        }
        let chomping = match breaks {
            0 => "-",
            1 if !body.is_empty() => self.random.one_of(&["", "+"]),
            _ => "+",
        };
        self.text += chomping;
        if self.has[2] && self.random.once_in(3) {
            self.text.push(' ');
            self.comment();
        }
        self.text.push('\n');
        for line in body.split('\n').filter(|_| !body.is_empty()) {
            if !line.is_empty() {
                self.indent(column + extra);
            }
            self.text += line;
            self.text.push('\n');
        }
        let more = if chomping == "+" { breaks - 1 } else { self.random.below(3) };
        self.text += &"\n".repeat(more);
        self.after_text = Some(chomping == "+");
        true
    }

    /// A value on the same line, or in brackets.
    fn single(&mut self, value: &Value, column: usize, has_marks: bool) {
        let nothing = if has_marks { " ~" } else { "" };
        match value {
            Value::Null => self.text += self.random.one_of(&[nothing, "", " ~", " null"]),
            Value::String(text) => {
                let blank = if self.has[3] { self.random.one_of(&[" ", "\t"]) } else { " " };
                self.text += blank;
                self.string(text);
            }
            _ => {
                self.text.push(' ');
                self.flow(value, column);
            }
        }
    }

    fn string(&mut self, text: &str) {
        let text = match self.random.below(3) {
            0 if !text.contains(['\n', '\t']) => format!("'{}'", text.replace('\'', "''")),
            1 => to_inline(text),
            _ => json!(text).to_string(),
        };
        self.text += &text;
    }

    /// A blank, or a line break inside of brackets.
    fn blank(&mut self, column: usize) {
        if self.random.once_in(3) {
            return;
        }
        if self.random.below(4) > 0 {
            return self.text.push(' ');
        }
        if self.has[2] && self.random.once_in(2) {
            self.text.push(' ');
            self.comment();
        }
        self.text.push('\n');
        self.indent(column + 2);
    }

    fn flow(&mut self, value: &Value, column: usize) {
        match value {
            Value::Array(items) => {
                self.text.push('[');
                for (at, item) in items.iter().enumerate() {
                    self.separate(at, column);
                    if !self.pair(item) {
                        self.flow_value(item, column);
                    }
                }
                self.close(!items.is_empty(), ']', column);
            }
            Value::Object(fields) => {
                self.text.push('{');
                for (at, (name, value)) in fields.iter().enumerate() {
                    self.separate(at, column);
                    if value.is_null() && to_inline(name) == *name && self.random.once_in(3) {
                        self.text += name;
                        continue;
                    }
                    self.name(name, true);
                    self.text.push(' ');
                    if value.is_null() && self.random.once_in(3) {
                        continue;
                    }
                    self.flow_value(value, column);
                }
                self.close(!fields.is_empty(), '}', column);
            }
            Value::String(text) => self.string(text),
            other => self.text += &other.to_string(),
        }
    }

    fn separate(&mut self, at: usize, column: usize) {
        if at > 0 {
            self.text.push(',');
        }
        self.blank(column);
    }

    fn close(&mut self, has_children: bool, bracket: char, column: usize) {
        if has_children && self.random.once_in(6) {
            self.text.push(',');
        }
        self.blank(column);
        self.text.push(bracket);
    }

    fn flow_value(&mut self, value: &Value, column: usize) {
        if self.alias(value) {
            self.text.push(' ');
            return;
        }
        let (anchor, has_marks) = self.marks(value);
        if has_marks {
            self.text.push(' ');
        }
        self.flow(value, column);
        if let Some(anchor) = anchor {
            self.anchors.push((anchor, value.clone()));
        }
    }

    /// A map of one field in a list in brackets, without brackets of its own: `[a: b]`.
    fn pair(&mut self, value: &Value) -> bool {
        let Some((name, value)) =
            value.as_object().filter(|fields| fields.len() == 1).and_then(|f| f.iter().next())
        else {
            return false;
        };
        if to_inline(name) != *name || !value.is_number() || self.random.once_in(2) {
            return false;
        }
        let _ = write!(self.text, "{name}: {value}");
        true
    }
}
