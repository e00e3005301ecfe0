//! Errors in JSON, which the parser of YAML describes in words of YAML.

use serde::de::IgnoredAny;

use crate::objects::tree::Position;

/// An error in a text, with its position. If the text is meant to be JSON, it is said in the words of JSON.
pub(super) fn in_words_of_json(text: &str, (at, message): (Position, String)) -> (Position, String) {
    if !text.trim_start().starts_with('{') {
        return (at, message);
    }
    // What is no error in JSON is a limit, which holds for both.
    let Err(error) = serde_json::from_str::<IgnoredAny>(text) else { return (at, message) };
    let at = Position { line: error.line(), column: error.column().max(1) };
    if error.is_eof() {
        return (
            at,
            "the text ends too early: a string, list or object of the JSON is not closed".to_owned(),
        );
    }
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
    (at, format!("invalid JSON: {}", what.replace('`', "\"")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::tree::documents;

    #[test]
    fn errors_in_json_have_no_words_of_yaml() {
        let early = "the text ends too early: a string, list or object of the JSON is not closed";
        let table = [
            ("{\"a\": {\"b\": \"c", (1, 14), early, "in a string"),
            ("{\"a\": [1,\n", (2, 1), early, "in a list"),
            (
                "{\n  \"a\": \"b\" \"c\"}",
                (2, 12),
                "invalid JSON: expected \",\" or \"}\"",
                "a comma is missing",
            ),
            ("a: [1", (1, 6), "while parsing a flow sequence, expected ',' or ']'", "YAML"),
        ];
        for (text, (line, column), message, reason) in table {
            let error = documents(text).1.unwrap();
            let expected = (Position { line, column }, message.to_owned());
            assert_eq!(in_words_of_json(text, error), expected, "{reason}");
        }
    }
}
