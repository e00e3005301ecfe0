//! The rules that need no other object, as policies that the API server evaluates by itself.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Form, NoForm, Omission,
    cel::{CEL_RULES, CelRule, Faults, Finds, variables},
};
use crate::{
    objects::SetKind,
    rules::{self, Level, RULES, Settings},
};

const COMMENTS: [&str; 10] = [
    "The rules of mirrorguard that need no other object, evaluated by the API server itself.",
    "They require Kubernetes 1.30 or OpenShift 4.17, or later. Unlike the webhook:",
    "- Each object is evaluated alone, so conflicts with other objects are admitted.",
    "- A denial names the first finding of the first rule and the number of similar entries, with a general fix.",
    "- An object that exceeds the CEL budget of the API server is admitted without evaluation (failurePolicy: Ignore).",
    "Like the webhook, they ignore writes that do not change spec, and only warn of findings that existed before the",
    "write. A finding counts as old if the same value had it before, in any entry. If two entries contradict each",
    "other, it does not matter which came first.",
    "mirror-sets.deny has the rules that deny. mirror-sets.warn has the rules that warn, and reports old findings.",
    "The levels are those of the configuration that generated these policies.",
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
    let mut denying = Vec::new();
    let mut warning = Vec::new();
    let mut old = Vec::new();
    for rule in &CEL_RULES {
        match rules::rule(rule.id).map_or(Level::Off, |rule| settings.level(rule)) {
            // Faults that the object had before are only warned of, as by the webhook.
            Level::Deny => {
                denying.push((rule, Faults::New));
                old.push((rule, Faults::Old));
            }
            Level::Warn => warning.push((rule, Faults::Any)),
            Level::Off => {}
        }
    }
    // A rule is in each policy once at most, and so are the variables that it brings.
    warning.append(&mut old);
    if denying.is_empty() && warning.is_empty() {
        let ids = CEL_RULES.map(|rule| rule.id).join(", ");
        return Err(NoForm(vec![format!("every rule that a policy can contain is off: {ids}")]));
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
    let left_out = rules_left_out(settings);
    if !left_out.is_empty() {
        let why = "a policy evaluates one mirror set at a time; the webhook evaluates these rules";
        form.omissions.push(Omission::Aside(format!("rules {}: {why}", left_out.join(", "))));
    }
    Ok(form)
}

/// The ids of the rules that the webhook evaluates at these levels, and that no policy can contain.
fn rules_left_out(settings: &Settings) -> Vec<&'static str> {
    let mut ids = Vec::new();
    for rule in RULES {
        let is_in_cel = CEL_RULES.iter().any(|in_cel| in_cel.id == rule.id);
        if rule.runs_in_webhook() && !is_in_cel && settings.level(rule) != Level::Off {
            ids.push(rule.id);
        }
    }
    ids
}

fn object<S>(kind: &'static str, name: &'static str, spec: S) -> Object<S> {
    Object { api_version: "admissionregistration.k8s.io/v1", kind, metadata: Metadata { name }, spec }
}

/// A policy of these rules, each looking for these of its faults.
fn policy(rules: &[(&CelRule, Faults)]) -> Policy {
    // In order: the expression of a variable may contain only the variables before it.
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
        match_conditions: [Named { name: "spec-changes", expression: changes }],
        variables: values.into_iter().map(|(name, expression)| Named { name, expression }).collect(),
        validations: rules.iter().map(|(rule, faults)| validation(rule, *faults)).collect(),
    }
}

fn validation(CelRule { id, finds }: &CelRule, faults: Faults) -> Validation {
    let (expression, message_expression, message) = match finds {
        Finds::Icsp(message) => {
            // An update changes no kind: an ICSP is new when it is created, and old in every update.
            let exception = match faults {
                Faults::Any => "",
                Faults::New => " || oldObject != null",
                Faults::Old => " || oldObject == null",
            };
            (
                format!("object.kind != 'ImageContentSourcePolicy'{exception}"),
                None,
                format!("[{id}] {message}"),
            )
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

    /// A policy: the action of its binding, and the ids of its rules.
    #[derive(Debug, PartialEq, Eq)]
    struct Found {
        action: String,
        ids: Vec<String>,
    }

    /// The policies for these settings; none where there is no form.
    fn policies(settings: &Settings) -> Vec<Found> {
        let Ok(form) = admission_policies(settings) else { return Vec::new() };
        let list = form.json();
        let objects = list["items"].as_array().unwrap();
        // Each policy is followed by its binding.
        objects.chunks(2).map(|pair| found(&pair[0], &pair[1])).collect()
    }

    fn found(policy: &Value, binding: &Value) -> Found {
        assert_eq!(binding["spec"]["policyName"], policy["metadata"]["name"]);
        let action = binding["spec"]["validationActions"][0].as_str().unwrap().to_owned();
        let validations = policy["spec"]["validations"].as_array().unwrap();
        Found { action, ids: validations.iter().map(id_of).collect() }
    }

    /// The id in brackets at the head of a message.
    fn id_of(validation: &Value) -> String {
        let message = validation["message"].as_str().unwrap();
        message[1..].split(']').next().unwrap().to_owned()
    }

    fn expected(action: &str, ids: &[&str]) -> Found {
        Found { action: action.to_owned(), ids: ids.iter().map(ToString::to_string).collect() }
    }

    fn all_at(level: Level) -> Settings {
        let levels = CEL_RULES.iter().map(|rule| (rule.id.to_owned(), level)).collect();
        Settings { levels, ..Settings::default() }
    }

    #[test]
    fn levels_decide_which_policy_contains_a_rule() {
        let ids = CEL_RULES.map(|rule| rule.id);
        let denying: Vec<_> = ids.into_iter().filter(|id| *id != "deprecated-icsp").collect();
        let warning = [vec!["deprecated-icsp"], denying.clone()].concat();
        let table = [
            (
                Settings::default(),
                vec![expected("Deny", &denying), expected("Warn", &warning)],
                "rules that deny also warn of old faults",
            ),
            (all_at(Level::Warn), vec![expected("Warn", &ids)], "no rule denies"),
            (all_at(Level::Deny), vec![expected("Deny", &ids), expected("Warn", &ids)], "every rule denies"),
            (all_at(Level::Off), vec![], "every rule is off"),
        ];
        for (settings, expected, reason) in table {
            assert_eq!(policies(&settings), expected, "{reason}");
        }
    }

    #[test]
    fn every_rule_in_cel_is_a_rule_and_the_others_are_omissions() {
        let form = admission_policies(&Settings::default()).unwrap();
        let [Omission::Aside(omission)] = &*form.omissions else { panic!("{:?}", form.omissions) };
        for rule in RULES {
            let in_cel = CEL_RULES.iter().any(|in_cel| in_cel.id == rule.id);
            let is_on = rule.level != Level::Off && rule.runs_in_webhook();
            assert_eq!(omission.contains(rule.id), is_on && !in_cel, "{}", rule.id);
        }
        assert!(CEL_RULES.iter().all(|rule| rules::rule(rule.id).is_some()));
    }

    #[test]
    fn what_is_off_is_no_omission() {
        let mut settings = all_at(Level::Warn);
        settings.levels.extend(rules_left_out(&settings).into_iter().map(|id| (id.to_owned(), Level::Off)));
        let form = admission_policies(&settings).unwrap();
        assert_eq!(form.omissions.len(), 0);
    }

    #[test]
    fn patterns_cannot_end_the_strings_of_an_expression() {
        use crate::objects::grammar::{DOMAIN_PATTERN, MIRROR_PATTERN};

        for pattern in [DOMAIN_PATTERN, MIRROR_PATTERN] {
            assert!(!pattern.contains(['\'', '\\']), "{pattern}");
        }
    }
}
