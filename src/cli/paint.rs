//! Colors. The output removes them where they are not wanted, so no meaning is in a color alone.

pub(super) const BOLD: &str = "\u{1b}[1m";
pub(super) const DIM: &str = "\u{1b}[2m";
pub(super) const RED: &str = "\u{1b}[31m";
pub(super) const YELLOW: &str = "\u{1b}[33m";
pub(super) const GREEN: &str = "\u{1b}[32m";
pub(super) const CYAN: &str = "\u{1b}[36m";
pub(super) const PLAIN: &str = "\u{1b}[0m";

/// A text in a style; an empty style changes nothing.
pub(super) fn painted(text: &str, style: &str) -> String {
    if style.is_empty() { text.to_owned() } else { format!("{style}{text}{PLAIN}") }
}
