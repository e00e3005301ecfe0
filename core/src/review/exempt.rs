//! Findings that the configuration exempts.

use jiff::civil::Date;

use super::{Diagnostic, Exempted, Verdict};
use crate::{
    objects::{HostedCluster, MirrorSet, ObjectId, annotation},
    rules::{self, Exemption, Level, RULES, Request},
    suggest::closest,
};

/// An object, and the exemption that its annotation requests.
#[derive(Debug)]
pub(super) struct Requester<'a> {
    /// The object.
    pub(super) id: ObjectId,
    /// Its annotation `mirrorguard.io/exempt`; empty if it has none.
    pub(super) annotation: &'a str,
}

impl Requester<'_> {
    /// The image configuration, whose annotations are not read.
    pub(super) fn of_image_config() -> Self {
        Self { id: ObjectId::new("Image", "", "cluster"), annotation: "" }
    }
}

impl<'a> From<&'a MirrorSet> for Requester<'a> {
    fn from(set: &'a MirrorSet) -> Self {
        Self { id: set.id(), annotation: &set.exempt }
    }
}

impl<'a> From<&'a HostedCluster> for Requester<'a> {
    fn from(hosted: &'a HostedCluster) -> Self {
        Self { id: hosted.id(), annotation: hosted.annotation(annotation::EXEMPT).unwrap_or_default() }
    }
}

/// Moves the exempt findings of a verdict from `diagnostics` to `exempted`. If an annotation requests an exemption from
/// a denial and gets none, a remark says so: its owner would look for the mistake elsewhere.
pub(super) fn exempt(verdict: &mut Verdict, object: &Requester<'_>, exemptions: &[Exemption], today: Date) {
    if exemptions.is_empty() && object.annotation.is_empty() {
        return;
    }
    let request = Request::parse(object.annotation);
    let id = object.id.to_string();
    let mut not_granted = Vec::new();
    for diagnostic in std::mem::take(&mut verdict.diagnostics) {
        let rule = diagnostic.rule.id;
        match find_exemption(&diagnostic, &id, request, exemptions) {
            Some(exempted) if exempted.until >= today => {
                // What is reported of an exemption is the same for all findings of a rule.
                if !verdict.exempted.contains(&exempted) {
                    verdict.exempted.push(exempted);
                }
                continue;
            }
            Some(lapsed) => {
                verdict.lapsed.push(lapsed);
                verdict.diagnostics.push(diagnostic);
                continue;
            }
            None => {}
        }
        let is_requested = request.is_some_and(|request| request.names(rule));
        if diagnostic.level == Level::Deny && is_requested && !not_granted.contains(&rule) {
            not_granted.push(rule);
        }
        verdict.diagnostics.push(diagnostic);
    }
    // For an admitted write, a mistake in the annotation makes no difference.
    if !verdict.is_allowed() {
        verdict.remarks.extend(invalid_requests(object.annotation).map(|text| (Level::Warn, text)));
    }
    for rule in not_granted {
        let text = format!(
            "[{rule}] the annotation {} requests an exemption that the configuration does not grant, or no longer \
             grants",
            annotation::EXEMPT
        );
        verdict.remarks.push((Level::Warn, text));
    }
}

/// Of the exemptions of a finding the one that ends last, which may be over.
fn find_exemption(
    diagnostic: &Diagnostic,
    object: &str,
    request: Option<Request<'_>>,
    exemptions: &[Exemption],
) -> Option<Exempted> {
    let rule = diagnostic.rule.id;
    let found = exemptions.iter().filter_map(|exemption| {
        let reason = exemption.reason_for(rule, object, request)?.to_owned();
        Some(Exempted { rule, level: diagnostic.level, reason, until: exemption.until })
    });
    found.max_by_key(|exempted| exempted.until)
}

/// What is wrong with an annotation itself: it has no reason, or names what is not a rule. Whether the configuration
/// grants the request is not asked here.
fn invalid_requests(annotation: &str) -> impl Iterator<Item = String> {
    let problems = match Request::parse(annotation) {
        Some(request) => request.ids().filter_map(unknown_rule).collect(),
        None if annotation.is_empty() => Vec::new(),
        None => vec!["has no reason: write \"rule-id: reason\", with commas between several ids".to_owned()],
    };
    problems.into_iter().map(|problem| format!("the annotation {} {problem}", annotation::EXEMPT))
}

/// The end of a sentence about an annotation with an id that is not a rule; `None` for a rule.
fn unknown_rule(id: &str) -> Option<String> {
    if rules::rule(id).is_some() {
        return None;
    }
    let meant = closest(id, RULES.iter().map(|rule| rule.id));
    let hint = meant.map(|meant| format!(", but \"{meant}\" is")).unwrap_or_default();
    Some(format!("names \"{id}\", which is not a rule{hint}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::civil::date;

    use super::*;
    use crate::{
        objects::{Entry, Object, SetKind},
        review::Reviewer,
        rules::{Finding, Settings, Who, rule},
        state::State,
        write::{Operation, Write},
    };

    struct Case<'a> {
        exemptions: &'a [Exemption],
        today: Date,
        /// The last day of the exemption that is named.
        lapsed: Option<Date>,
        is_exempt: bool,
        reason: &'static str,
    }

    /// An exemption of one rule and object.
    fn exemption(until: Date) -> Exemption {
        Exemption {
            rules: vec!["invalid-source".to_owned()],
            who: Who::Objects(vec!["ImageDigestMirrorSet/a".to_owned()]),
            reason: "CHG-1".to_owned(),
            until,
        }
    }

    /// The verdict with one error of that rule in that object.
    fn error() -> Verdict {
        let rule = rule("invalid-source").unwrap();
        let finding = Finding::new("spec", "key", "what");
        Verdict::of(vec![Diagnostic { rule, level: Level::Deny, finding }])
    }

    #[test]
    fn an_exemption_that_is_over_is_named() {
        let (first, last) = (date(2020, 1, 1), date(2021, 1, 1));
        let (next, late) = (date(2020, 1, 2), date(2026, 1, 1));
        let one = [exemption(first)];
        let two = [exemption(first), exemption(last)];
        let other = [Exemption { rules: vec!["invalid-mirror".to_owned()], ..exemption(first) }];
        let base = Case { exemptions: &one, today: late, lapsed: None, is_exempt: false, reason: "" };
        let table = [
            Case { today: first, is_exempt: true, reason: "the last day", ..base },
            Case { today: next, lapsed: Some(first), reason: "the day after", ..base },
            Case { exemptions: &two, today: next, is_exempt: true, reason: "another one is granted", ..base },
            Case { exemptions: &two, lapsed: Some(last), reason: "the later one is named", ..base },
            Case { exemptions: &other, reason: "of another rule", ..base },
        ];
        for Case { exemptions, today, lapsed, is_exempt, reason } in table {
            let mut verdict = error();
            let object = Requester { id: ObjectId::new("ImageDigestMirrorSet", "", "a"), annotation: "" };
            exempt(&mut verdict, &object, exemptions, today);
            let found: Vec<_> = verdict.lapsed.iter().map(|lapsed| lapsed.until).collect();
            assert_eq!(found, Vec::from_iter(lapsed), "{reason}");
            assert_eq!(verdict.exempted.len(), usize::from(is_exempt), "{reason}");
            assert_eq!(verdict.diagnostics.len(), usize::from(!is_exempt), "{reason}: the finding is back");
            assert_eq!(verdict.warnings().count(), usize::from(is_exempt || lapsed.is_some()), "{reason}");
        }
    }

    /// A set that does something to nodes.
    fn set(annotation: &str) -> Arc<MirrorSet> {
        let entry = Entry {
            source: "q.io/a".into(),
            mirrors: vec![Box::from("m.io/a")].into(),
            mirror_source_policy: None,
        };
        let mut set = MirrorSet::new(SetKind::Idms, "a", vec![entry]);
        set.exempt = annotation.into();
        set.into()
    }

    /// The verdict on the deletion of a set, by a rule that denies.
    fn review_deletion(annotation: &str, exemptions: Vec<Exemption>) -> Verdict {
        let levels = [("node-impact".to_owned(), Level::Deny)].into();
        let settings = Settings { levels, exemptions, ..Settings::default() };
        let set = set(annotation);
        let state: State = [Object::MirrorSet(Arc::clone(&set))].into_iter().collect();
        let reviewer = Reviewer::new(&state, &settings, date(2026, 1, 1));
        reviewer.review(&Write::MirrorSet(Operation::Delete(set)))
    }

    #[test]
    fn a_deletion_needs_no_exemption() {
        let exemption = Exemption {
            rules: vec!["node-impact".to_owned()],
            who: Who::Objects(vec!["ImageDigestMirrorSet/a".to_owned()]),
            reason: "CHG-1".to_owned(),
            until: date(2026, 3, 31),
        };
        let verdict = review_deletion("", vec![exemption]);
        let levels: Vec<_> = verdict.exempted.iter().map(|exempted| exempted.level).collect();
        assert_eq!(levels, [Level::Warn], "nothing would have been denied");
        for (annotation, reason) in [("node-impact: CHG-1", "not granted"), ("node-impact", "no reason")] {
            let verdict = review_deletion(annotation, Vec::new());
            let ids = verdict.rule_ids();
            assert!(verdict.is_allowed() && verdict.remarks.is_empty(), "{reason}: {:?}", verdict.remarks);
            assert!(ids.contains(&"node-impact"), "{ids:?}");
        }
    }

    #[test]
    fn an_annotation_that_cannot_exempt_anything_gets_a_remark() {
        // Whether there is a remark, and why.
        let table = [
            ("", false, "no annotation"),
            ("invalid-source: CHG-1", false, "it can be read"),
            ("invalid-source", true, "no reason"),
            ("invalid-source, invalid-miror: CHG-1", true, "no such rule"),
            ("stale-registry-overrides: CHG-1", false, "a rule that only audits run is known, too"),
        ];
        for (annotation, expected, reason) in table {
            assert_eq!(invalid_requests(annotation).count(), usize::from(expected), "{reason}");
        }
    }
}
