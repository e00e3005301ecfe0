//! Answers that are made without an object that was skipped.

use mirrorguard_core::objects::manifest::Located;
use serde::Serialize;

use super::{Input, places::is_for_nodes};
use crate::cli::{Answer, output::Output};

/// What an answer does not take into account, in JSON.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct NotChecked {
    what: String,
    why: String,
}

impl NotChecked {
    fn of(located: &Located) -> Self {
        let path = located.written.placeholders.first().map_or("", String::as_str);
        Self { what: located.object.id().to_string(), why: format!("{path} is a placeholder") }
    }
}

impl Input {
    /// The objects that are skipped because of placeholders, and that the files of the nodes depend on.
    fn missing_for_nodes(&self) -> impl Iterator<Item = &Located> {
        self.open.iter().filter(|located| is_for_nodes(&located.object))
    }

    /// The first of the objects that are skipped because of placeholders, and that the files of the nodes depend on.
    pub(in crate::cli) fn first_open(&self) -> Option<&Located> {
        self.missing_for_nodes().next()
    }

    /// All of them, for a report.
    pub(in crate::cli) fn not_checked(&self) -> Vec<NotChecked> {
        self.missing_for_nodes().map(NotChecked::of).collect()
    }

    /// The answer of a command about the nodes that has printed what this names: no, with the reason, if an object is
    /// missing in it.
    pub(in crate::cli) fn answer_for(&self, what: &str, output: &Output) -> Answer {
        let Some(open) = self.first_open() else { return Answer::Yes };
        output.error(&format!("this {what} is incomplete, because {} is skipped", open.object.id()));
        Answer::No
    }
}
