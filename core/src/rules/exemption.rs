//! Exemptions: findings to ignore until a date, with a reason.

use jiff::civil::Date;

/// An exemption of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exemption {
    /// Ids of the rules that may be exempted from.
    pub rules: Vec<String>,
    /// Who is exempt.
    pub who: Who,
    /// Why.
    pub reason: String,
    /// The last day, in UTC.
    pub until: Date,
}

/// Who an exemption is for.
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
    /// Reads the annotation; `None` where it has no rule or no reason.
    pub fn parse(annotation: &'a str) -> Option<Self> {
        let (rules, reason) = annotation.split_once(':')?;
        let reason = reason.trim();
        (!reason.is_empty()).then_some(Self { rules, reason })
    }

    /// Whether the rule is named.
    pub fn names(&self, rule: &str) -> bool {
        self.ids().any(|named| named == rule)
    }

    /// The rules that are named.
    pub fn ids(self) -> impl Iterator<Item = &'a str> {
        self.rules.split(',').map(str::trim)
    }
}

impl Exemption {
    /// Whether it holds on a day for a rule and an object, and the reason that is given.
    pub fn reason_for<'s>(
        &'s self,
        rule: &str,
        object: &str,
        request: Option<Request<'s>>,
        today: Date,
    ) -> Option<&'s str> {
        if today > self.until || !self.rules.iter().any(|named| named == rule) {
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

    #[test]
    fn an_exemption_holds_for_its_rules_objects_and_days() {
        let listed = Exemption {
            rules: vec!["deprecated-icsp".to_owned()],
            who: Who::Objects(vec!["ImageContentSourcePolicy/legacy-*".to_owned()]),
            reason: "moves in spring".to_owned(),
            until: date(2026, 3, 31),
        };
        let annotated = Exemption { who: Who::Annotated, ..listed.clone() };
        let icsp = "ImageContentSourcePolicy/legacy-0";
        let table = [
            (&listed, "deprecated-icsp", icsp, "", 31, Some("moves in spring"), "the last day counts"),
            (&listed, "deprecated-icsp", icsp, "", 32, None, "the day after"),
            (&listed, "invalid-source", icsp, "", 1, None, "another rule"),
            (&listed, "deprecated-icsp", "ImageContentSourcePolicy/new", "", 1, None, "another object"),
            (&annotated, "deprecated-icsp", icsp, "", 1, None, "nothing asked for"),
            (&annotated, "deprecated-icsp", icsp, "deprecated-icsp:", 1, None, "no reason"),
            (&annotated, "deprecated-icsp", icsp, "a, deprecated-icsp: CHG-1", 1, Some("CHG-1"), "asked for"),
            (&annotated, "invalid-source", icsp, "invalid-source: CHG-1", 1, None, "not allowed"),
        ];
        for (exemption, rule, object, annotation, day, expected, reason) in table {
            let today = if day > 31 { date(2026, 4, 1) } else { date(2026, 3, day) };
            let found = exemption.reason_for(rule, object, Request::parse(annotation), today);
            assert_eq!(found, expected, "{reason}");
        }
    }
}
