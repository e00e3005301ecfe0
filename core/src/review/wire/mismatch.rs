//! Why a body is not a review.

use serde_json::error::Category;

/// Why the body is not a review, in plain words, with the position.
pub(super) fn describe(error: &serde_json::Error) -> String {
    let place = format!("line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let detail = text.strip_suffix(&format!(" at {place}")).unwrap_or(&text);
    match error.classify() {
        Category::Eof if (error.line(), error.column()) == (1, 0) => "it is empty".to_owned(),
        Category::Eof => format!("the JSON is cut off at {place}"),
        Category::Syntax | Category::Io => format!("invalid JSON at {place}: {}", syntax_in_words(detail)),
        Category::Data => format!("{} at {place}", mismatch_in_words(detail)),
    }
}

fn syntax_in_words(detail: &str) -> &str {
    match detail {
        "expected ident" => "expected true, false or null",
        "expected value" => "expected a value",
        "trailing characters" => "text after the end of the object",
        other => other,
    }
}

/// serde reads a list as the fields in their order, and reports only its length.
fn mismatch_in_words(detail: &str) -> String {
    if detail.starts_with("invalid length ") {
        return "expected an object, found a list,".to_owned();
    }
    let Some((found, expected)) =
        detail.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return detail.to_owned();
    };
    let found = match found {
        "sequence" => "a list",
        "map" => "an object",
        // `string "x"` becomes "x", and integer `5` becomes 5.
        other => other.strip_prefix("string ").or_else(|| other.split('`').nth(1)).unwrap_or(other),
    };
    let expected = if expected == "a map" { "an object" } else { expected };
    format!("expected {expected}, found {found},")
}
