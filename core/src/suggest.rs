//! What was probably meant by a name that does not exist.

/// Names are alike from here on, 1 being the same; tried on typing errors in ids, keys and annotations.
const ALIKE: f64 = 0.8;

/// The known name that is most like the typed one, where one is alike.
pub fn closest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = known.into_iter().map(|known| (strsim::jaro_winkler(known, typed), known));
    let best = likeness.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > ALIKE).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_told_from_another_word() {
        let known = ["rules", "profile", "exemptions"];
        let table = [
            ("rule", Some("rules"), "a letter is missing"),
            ("porfile", Some("profile"), "two are exchanged"),
            ("levels", None, "nothing alike"),
        ];
        for (typed, expected, reason) in table {
            assert_eq!(closest(typed, known), expected, "{typed}: {reason}");
        }
    }
}
