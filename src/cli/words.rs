//! Words that depend on numbers.

/// `1 object`, `2 objects`.
pub(super) fn plural(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// `, 1 object of another kind skipped`, or nothing where none was skipped.
pub(super) fn skipped(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", 1 object of another kind skipped".to_owned(),
        _ => format!(", {} of other kinds skipped", plural(count, "object")),
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
