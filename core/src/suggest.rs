//! The name that was probably meant by one that does not exist.

/// The least similarity of a suggestion, where 1 is the same; tested with typing errors in ids, keys and annotations.
const MIN_SIMILARITY: f64 = 0.8;

/// The known name that is most similar to the typed one, where one is similar enough.
pub fn closest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let similarities = known.into_iter().map(|known| (strsim::jaro_winkler(known, typed), known));
    let (similarity, known) = similarities.max_by(|a, b| a.0.total_cmp(&b.0))?;
    if similarity > MIN_SIMILARITY { Some(known) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_typing_errors_have_a_suggestion() {
        let known = ["rules", "profile", "exemptions"];
        let table = [
            ("rule", Some("rules"), "a letter is missing"),
            ("porfile", Some("profile"), "two letters are swapped"),
            ("levels", None, "another word"),
        ];
        for (typed, expected, reason) in table {
            assert_eq!(closest(typed, known), expected, "{typed}: {reason}");
        }
    }
}
