//! The name that was probably meant by one that does not exist.

/// A suggestion must be more similar than this, where 1 is the same; tested with typing errors in ids, keys and
/// annotations.
const MIN_SIMILARITY: f64 = 0.8;

/// The known name that is most similar to the typed one, where one is similar enough. Names with the same beginning are
/// similar: where the known names have one in common, the caller removes it, or asks [`is_misspelt`] too.
pub fn closest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let similarities = known.into_iter().map(|known| (strsim::jaro_winkler(known, typed), known));
    let (similarity, known) = similarities.max_by(|a, b| a.0.total_cmp(&b.0))?;
    if similarity > MIN_SIMILARITY { Some(known) } else { None }
}

/// The least share of letters that a misspelt name has in common with the right one.
const MIN_COMMON: f64 = 0.85;

/// Whether a name is another one with only a few letters wrong, missing, added or swapped. Stricter than [`closest`],
/// for known names that are similar to each other.
pub fn is_misspelt(typed: &str, known: &str) -> bool {
    // A text of more than twice the length has too few letters in common anyway. It is not compared, because that
    // takes time and memory for each pair of letters.
    let is_short = typed.len() <= 2 * known.len();
    is_short && typed != known && strsim::normalized_damerau_levenshtein(typed, known) >= MIN_COMMON
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

    #[test]
    fn a_misspelt_name_has_only_a_few_letters_wrong() {
        let known = "redhat-operators-catalog-image";
        let table = [
            ("redhat-operators-catlog-image", true, "a letter is missing"),
            ("rehdat-operator-catalog-image", true, "two letters are swapped, and one is missing"),
            (known, false, "the name itself"),
            ("cluster-autoscaler-image", false, "another name"),
        ];
        for (typed, expected, reason) in table {
            assert_eq!(is_misspelt(typed, known), expected, "{typed}: {reason}");
        }
    }
}
