//! New objects: behind the object that they are for, so that they get to the same cluster.

use super::{
    TextEdit,
    layout::Layout,
    place::{Places, Spot},
};
use crate::objects::{
    MirrorSet,
    manifest::{Holder, Located, Source},
    tree::{self, Data, Node, Repeat},
    yaml::to_yaml,
};

const IN_BRACKETS: &str =
    "an object cannot be added to a list in brackets or with comments behind its dashes";

impl Located {
    /// The edit of its file that adds a new mirror set: at the end of the file, or, for an item of a list of objects, as
    /// the next item. An error is why there is none, a main clause.
    pub fn addition(&self, set: &MirrorSet) -> Result<TextEdit, String> {
        match self.holder {
            Holder::File => at_end(&self.source, set),
            Holder::List => behind(&self.source, self.editable_root(), set),
            Holder::Text => Err("an object cannot be added to the text of a field".to_owned()),
            Holder::InstallConfig => Err("the installer reads only one document of its file".to_owned()),
            Holder::Closed(what) => Err(format!("an object cannot be added to {what}")),
        }
    }
}

/// An insertion of one more document. An error for JSON, and where the last document ends with a block of text that has
/// no line break, as one more would become part of the text.
fn at_end(source: &Source, set: &MirrorSet) -> Result<TextEdit, String> {
    let Source { text, newline, .. } = source;
    if text.trim_start().starts_with(['{', '[']) {
        return Err("an object cannot be added to a JSON file".to_owned());
    }
    let is_open = !text.ends_with('\n');
    if is_open && ends_with_block_text(text) {
        return Err("the block of text at the end of the file has no line break".to_owned());
    }
    let separator = if is_open { newline } else { "" };
    let document = to_yaml(set).replace('\n', newline);
    let text = format!("{separator}---{newline}{document}");
    Ok(TextEdit { range: source.text.len()..source.text.len(), text })
}

/// Whether the last thing in a file is a block of text. A document that is a single value is taken for one.
fn ends_with_block_text(text: &str) -> bool {
    let (documents, _) = tree::documents(text);
    documents.last().is_some_and(|last| match last.data {
        Data::Scalar(_) => true,
        _ => Places(text).ends_with_block_text(Spot { node: last, from: last.span.start }),
    })
}

/// An insertion of an item behind this one.
fn behind(source: &Source, item: Option<&Node>, set: &MirrorSet) -> Result<TextEdit, String> {
    let item = item.ok_or("an object cannot be added to the text of a field")?;
    insertion(source, item, set).ok_or_else(|| IN_BRACKETS.to_owned())
}

fn insertion(source: &Source, item: &Node, set: &MirrorSet) -> Option<TextEdit> {
    if item.repeat != Repeat::None {
        return None;
    }
    let before = source.text[..item.span.start].trim_end().strip_suffix('-')?;
    let layout = Layout::new(source, item);
    if !layout.is_first_in_line(before.len()) {
        return None;
    }
    let text = layout.dashed(&to_yaml(set), layout.column(before.len()));
    let spot = Spot { node: item, from: item.span.start };
    layout.insert_below(spot, format!("{}{text}", layout.newline))
}
