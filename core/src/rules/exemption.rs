//! Exemptions: findings to ignore until a date, with a reason.

use jiff::civil::Date;

/// An exemption of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exemption {
    /// Ids of the rules whose findings are exempt.
    pub rules: Vec<String>,
    /// Which objects are exempt.
    pub who: Who,
    /// Why, for [`Who::Objects`]. With [`Who::Annotated`], the annotation of each object gives the reason.
    pub reason: String,
    /// The last day, in UTC.
    pub until: Date,
}

/// Which objects an exemption is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Objects whose annotation names the rule and gives a reason of their own.
    Annotated,
    /// Objects by kind and name, `ImageDigestMirrorSet/a` or `HostedCluster/namespace/a`; a name may end in
    /// `*`.
    Objects(Vec<String>),
}

/// The exemption that an object's annotation requests, `rule-id,…: reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    rules: &'a str,
    reason: &'a str,
}

impl<'a> Request<'a> {
    /// Reads the annotation; `None` if it has no reason.
    pub fn parse(annotation: &'a str) -> Option<Self> {
        let (rules, reason) = annotation.split_once(':')?;
        let reason = reason.trim();
        (!reason.is_empty()).then_some(Self { rules, reason })
    }

    /// Whether it names the rule.
    pub fn names(&self, rule: &str) -> bool {
        self.ids().any(|named| named == rule)
    }

    /// The ids that it names.
    pub fn ids(self) -> impl Iterator<Item = &'a str> {
        self.rules.split(',').map(str::trim)
    }
}

impl Exemption {
    /// Whether its last day has passed.
    pub fn is_over(&self, today: Date) -> bool {
        today > self.until
    }

    /// The reason why a finding of a rule in an object is exempt until the last day; `None` if it never was. `object`
    /// is written as in [`Who::Objects`], and `request` is what the object's own annotation says.
    pub fn reason_for<'s>(
        &'s self,
        rule: &str,
        object: &str,
        request: Option<Request<'s>>,
    ) -> Option<&'s str> {
        if !self.rules.iter().any(|named| named == rule) {
            return None;
        }
        match &self.who {
            Who::Annotated => request.filter(|request| request.names(rule)).map(|request| request.reason),
            Who::Objects(objects) => {
                objects.iter().any(|pattern| matches(pattern, object)).then_some(&*self.reason)
            }
        }
    }
}

fn matches(pattern: &str, object: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => object.starts_with(start),
        None => pattern == object,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const ICSP: &str = "ImageContentSourcePolicy/legacy-0";

    struct Case {
        rule: &'static str,
        object: &'static str,
        annotation: &'static str,
        today: Date,
        /// The reason of the exemption.
        expected: Option<&'static str>,
        reason: &'static str,
    }

    /// An object without an annotation, on the last day, and not exempt.
    const BASE: Case = Case {
        rule: "deprecated-icsp",
        object: ICSP,
        annotation: "",
        today: date(2026, 3, 31),
        expected: None,
        reason: "",
    };

    fn exemption(who: Who) -> Exemption {
        Exemption {
            rules: vec!["deprecated-icsp".to_owned()],
            who,
            reason: "moves in spring".to_owned(),
            until: date(2026, 3, 31),
        }
    }

    fn assert_cases(exemption: &Exemption, cases: &[Case]) {
        for Case { rule, object, annotation, today, expected, reason } in cases {
            let found = exemption.reason_for(rule, object, Request::parse(annotation));
            let found = found.filter(|_| !exemption.is_over(*today));
            assert_eq!(found, *expected, "{reason}");
        }
    }

    #[test]
    fn an_exemption_of_objects_holds_for_its_rules_objects_and_days() {
        let exemption = exemption(Who::Objects(vec!["ImageContentSourcePolicy/legacy-*".to_owned()]));
        let object = "ImageContentSourcePolicy/new";
        let cases = [
            Case { expected: Some("moves in spring"), reason: "the last day counts", ..BASE },
            Case { today: date(2026, 4, 1), reason: "the day after", ..BASE },
            Case { rule: "invalid-source", reason: "another rule", ..BASE },
            Case { object, reason: "another object", ..BASE },
        ];
        assert_cases(&exemption, &cases);
    }

    #[test]
    fn an_annotation_requests_an_exemption_with_its_own_reason() {
        let annotation = "a, deprecated-icsp: CHG-1";
        let (rule, other) = ("invalid-source", "invalid-source: CHG-1");
        let cases = [
            Case { reason: "nothing is requested", ..BASE },
            Case { annotation: "deprecated-icsp:", reason: "no reason", ..BASE },
            Case { annotation, expected: Some("CHG-1"), reason: "requested", ..BASE },
            Case { rule, annotation: other, reason: "the rule is not allowed", ..BASE },
        ];
        assert_cases(&exemption(Who::Annotated), &cases);
    }
}
