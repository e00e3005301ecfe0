//! Colours of what is drawn by hand. They are taken out again where none are wanted; no meaning is in a
//! colour alone.

pub(super) const BOLD: &str = "\u{1b}[1m";
pub(super) const DIM: &str = "\u{1b}[2m";
pub(super) const RED: &str = "\u{1b}[31m";
pub(super) const YELLOW: &str = "\u{1b}[33m";
pub(super) const GREEN: &str = "\u{1b}[32m";
pub(super) const CYAN: &str = "\u{1b}[36m";
pub(super) const PLAIN: &str = "\u{1b}[0m";

/// A text in a style; without a style as it is.
pub(super) fn painted(text: &str, style: &str) -> String {
    if style.is_empty() { text.to_owned() } else { format!("{style}{text}{PLAIN}") }
}
