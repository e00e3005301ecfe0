//! The rules that need no other object, as policies that the apiserver judges by itself.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Form, NoForm, Omission,
    cel::{CEL_RULES, CelRule, Faults, Finds, variables},
};
use crate::{
    objects::SetKind,
    rules::{self, Check, Level, RULES, Rule, Settings},
};

const COMMENTS: [&str; 10] = [
    "The rules of mirrorguard that need no other object, judged by the apiserver itself.",
    "For Kubernetes 1.30 and OpenShift 4.17, or later. Unlike the webhook:",
    "- They see one object at a time; what conflicts with another object goes through.",
    "- A denial names the first fault of the first rule, with the number of entries alike; the fix is a general one.",
    "- An object that is too large for the apiserver's CEL budget is admitted unjudged (failurePolicy: Ignore).",
    "As with the webhook, a write that leaves spec as it was is not judged, and a fault that the object had before",
    "only warns. A fault is the same as before while its value is, wherever it stands; of two entries that",
    "contradict each other it does not matter which came first.",
    "mirror-sets.deny has the rules that deny, mirror-sets.warn those that warn and the faults that were there",
    "before; the levels are those of the configuration that this was written with.",
];

/// A policy or its binding.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<S> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    spec: S,
}

#[derive(Serialize)]
struct Metadata {
    name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    #[serde(rename = "failurePolicy")]
    on_failure: &'static str,
    match_constraints: Value,
    match_conditions: [Named; 1],
    variables: Vec<Named>,
    validations: Vec<Validation>,
}

#[derive(Serialize)]
struct Named {
    name: &'static str,
    expression: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Validation {
    expression: String,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_expression: Option<String>,
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Binding {
    policy_name: &'static str,
    validation_actions: [&'static str; 2],
}

/// A policy that denies, one that warns, and their bindings, with the levels of the settings.
pub fn admission_policies(settings: &Settings) -> Result<Form, NoForm> {
    let level = |rule: &CelRule| rules::rule(rule.id).map_or(Level::Off, |rule| settings.level(rule));
    let at = |wanted| CEL_RULES.iter().filter(move |rule| level(rule) == wanted);
    let denying: Vec<_> = at(Level::Deny).map(|rule| (rule, Faults::New)).collect();
    let old = at(Level::Deny).map(|rule| (rule, Faults::Old));
    let warning: Vec<_> = at(Level::Warn).map(|rule| (rule, Faults::Any)).chain(old).collect();
    if denying.is_empty() && warning.is_empty() {
        let ids = CEL_RULES.map(|rule| rule.id).join(", ");
        return Err(NoForm(vec![format!("every rule that a policy could hold is off: {ids}")]));
    }
    let mut form = Form { comments: COMMENTS.map(str::to_owned).into(), ..Form::default() };
    for (name, action, rules) in [
        ("mirror-sets.deny.mirrorguard.io", "Deny", denying),
        ("mirror-sets.warn.mirrorguard.io", "Warn", warning),
    ] {
        if !rules.is_empty() {
            let binding = Binding { policy_name: name, validation_actions: [action, "Audit"] };
            form.push(&object("ValidatingAdmissionPolicy", name, policy(&rules)));
            form.push(&object("ValidatingAdmissionPolicyBinding", name, binding));
        }
    }
    let is_left = |rule: &&Rule| {
        let is_asked = !matches!(rule.check, Check::ImageConfig(_));
        is_asked && settings.level(rule) != Level::Off && CEL_RULES.iter().all(|in_cel| in_cel.id != rule.id)
    };
    let left: Vec<_> = RULES.iter().filter(is_left).map(|rule| rule.id).collect();
    let why = "a policy sees one mirror set at a time; the webhook has them";
    form.omissions.push(Omission::Aside(format!("the rules {}: {why}", left.join(", "))));
    Ok(form)
}

fn object<S>(kind: &'static str, name: &'static str, spec: S) -> Object<S> {
    Object { api_version: "admissionregistration.k8s.io/v1", kind, metadata: Metadata { name }, spec }
}

fn policy(rules: &[(&CelRule, Faults)]) -> Policy {
    let named = |(name, expression)| Named { name, expression };
    let mut values = variables();
    for (rule, faults) in rules {
        if let Finds::Entries(fault) = &rule.finds {
            values.extend(fault.needs.map(|(name, value)| (name, value.to_owned())));
            values.push((fault.variable, fault.entries(*faults)));
        }
    }
    let changes = "oldObject == null || dyn(object).?spec != dyn(oldObject).?spec".to_owned();
    Policy {
        on_failure: "Ignore",
        match_constraints: json!({ "resourceRules": SetKind::ALL.map(resource_rule) }),
        match_conditions: [named(("spec-changes", changes))],
        variables: values.into_iter().map(named).collect(),
        validations: rules.iter().map(|(rule, faults)| validation(rule, *faults)).collect(),
    }
}

fn validation(CelRule { id, finds }: &CelRule, faults: Faults) -> Validation {
    let (expression, message_expression, message) = match finds {
        Finds::Icsp(message) => {
            // An ICSP has been one since it was created.
            let excuse = match faults {
                Faults::Any => "",
                Faults::New => " || oldObject != null",
                Faults::Old => " || oldObject == null",
            };
            (format!("object.kind != 'ImageContentSourcePolicy'{excuse}"), None, format!("[{id}] {message}"))
        }
        Finds::Entries(fault) => (
            format!("size(variables.{}) == 0", fault.variable),
            Some(fault.message(id, faults)),
            format!("[{id}] spec: {}", fault.fallback),
        ),
    };
    Validation { expression, reason: "Forbidden", message_expression, message }
}

fn resource_rule(kind: SetKind) -> Value {
    let (group, version, resource) = kind.api();
    json!({
        "apiGroups": [group],
        "apiVersions": [version],
        "operations": ["CREATE", "UPDATE"],
        "resources": [resource],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first policy of each action, and the ids that its validations name.
    fn held(settings: &Settings) -> Vec<(String, Vec<String>)> {
        let list = admission_policies(settings).map_or_else(|_| json!({"items": []}), |form| form.json());
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let policies = items.chunks(2).map(|pair| {
            let binding = &pair[1]["spec"];
            assert_eq!(binding["policyName"], pair[0]["metadata"]["name"]);
            let validations = pair[0]["spec"]["validations"].as_array().cloned().unwrap_or_default();
            let id = |v: &Value| v["message"].as_str().unwrap()[1..].split(']').next().unwrap().to_owned();
            (
                binding["validationActions"][0].as_str().unwrap().to_owned(),
                validations.iter().map(id).collect(),
            )
        });
        policies.collect()
    }

    fn expected(action: &str, ids: &[&str]) -> (String, Vec<String>) {
        (action.to_owned(), ids.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn levels_decide_which_policy_holds_a_rule() {
        let ids = CEL_RULES.map(|rule| rule.id);
        let all = |level| ids.iter().map(move |id| ((*id).to_owned(), level)).collect();
        let denying: Vec<_> = ids.into_iter().filter(|id| *id != "deprecated-icsp").collect();
        let then_old = |first| [vec![first], denying.clone()].concat();
        let table = [
            (
                Settings::default(),
                vec![expected("Deny", &denying), expected("Warn", &then_old("deprecated-icsp"))],
                "what denies also warns of old faults",
            ),
            (
                Settings { levels: all(Level::Warn), ..Settings::default() },
                vec![expected("Warn", &ids)],
                "nothing denies",
            ),
            (
                Settings { levels: all(Level::Deny), ..Settings::default() },
                vec![expected("Deny", &ids), expected("Warn", &ids)],
                "everything denies",
            ),
            (Settings { levels: all(Level::Off), ..Settings::default() }, vec![], "nothing is left"),
        ];
        for (settings, policies, reason) in table {
            assert_eq!(held(&settings), policies, "{reason}");
        }
    }

    #[test]
    fn every_rule_in_cel_is_a_rule_and_the_others_are_told() {
        let form = admission_policies(&Settings::default()).unwrap();
        let [Omission::Aside(told)] = &*form.omissions else { panic!("{:?}", form.omissions) };
        for rule in RULES {
            let in_cel = CEL_RULES.iter().any(|in_cel| in_cel.id == rule.id);
            let is_on = rule.level != Level::Off && !matches!(rule.check, Check::ImageConfig(_));
            assert_eq!(told.contains(rule.id), is_on && !in_cel, "{}", rule.id);
        }
        assert!(CEL_RULES.iter().all(|rule| rules::rule(rule.id).is_some()));
    }

    #[test]
    fn what_becomes_part_of_an_expression_cannot_end_its_texts() {
        use crate::objects::grammar::{DOMAIN_PATTERN, MIRROR_PATTERN};

        for pattern in [DOMAIN_PATTERN, MIRROR_PATTERN] {
            assert!(!pattern.contains(['\'', '\\']), "{pattern}");
        }
    }
}
