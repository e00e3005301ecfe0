//! An annotation that looks like ours and does nothing.

use super::{Found, ObjectId, Survey};
use crate::rules::{Check, Level, Rule, meaningless};

pub(super) const CHECK: Rule = Rule {
    id: "unknown-annotation",
    level: Level::Warn,
    summary: "an annotation mirrorguard.io/… that does not exist, or has a value without meaning",
    page: include_str!("unknown_annotation.md"),
    check: Check::Cluster(check),
};

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    for write in survey.hosted() {
        let object = || ObjectId::of_hosted(write.new);
        found.extend(meaningless(write.new).map(|finding| Found { object: object(), finding }));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Cluster;

    /// What is said, and the fix.
    type Told<'a> = Option<(&'a str, &'a str)>;

    #[test]
    fn a_typing_error_is_told_from_what_exists() {
        let table: [(&str, Told<'_>, &str); 6] = [
            ("mirrorguard.io/catalog-overrides: disabled", None, "the opt-out"),
            ("mirrorguard.io/catalog-overrides-derived: a=b", None, "the mark"),
            ("example.com/catalog-overides: disabled", None, "somebody else's"),
            (
                "mirrorguard.io/catalog-overides: disabled",
                Some((
                    "there is no annotation mirrorguard.io/catalog-overides",
                    "did you mean mirrorguard.io/catalog-overrides?",
                )),
                "a letter is missing",
            ),
            (
                "mirrorguard.io/skip: \"true\"",
                Some((
                    "there is no annotation mirrorguard.io/skip",
                    "remove it; these exist: mirrorguard.io/catalog-overrides, mirrorguard.io/catalog-overrides-derived, mirrorguard.io/exempt",
                )),
                "nothing alike",
            ),
            (
                "mirrorguard.io/catalog-overrides: \"false\"",
                Some((
                    "the value \"false\" of mirrorguard.io/catalog-overrides means nothing",
                    "write \"disabled\", or remove it",
                )),
                "another value",
            ),
        ];
        for (annotation, expected, reason) in table {
            let found = Cluster::new(&[]).hosted(annotation, "").found("unknown-annotation");
            let told = found.first().map(|a| (&*a.judged.finding.what, &*a.judged.finding.fix));
            assert_eq!(told, expected, "{annotation}: {reason}");
        }
    }
}
