//! Words that depend on numbers.

/// `1 object`, `2 objects`.
pub(super) fn plural(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// `, 3 other documents skipped`, or nothing where none was skipped: objects of other kinds, and what is no
/// object, such as templates and patches.
pub(super) fn skipped(count: usize) -> String {
    match count {
        0 => String::new(),
        _ => format!(", {} skipped", plural(count, "other document")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|count| plural(count, "file")), ["0 files", "1 file", "2 files"]);
    }
}
