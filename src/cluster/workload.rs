//! The overrides that Deployments of HyperShift run with.

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Container};
use kube::ResourceExt;
use mirrorguard_core::{
    hypershift::{IMAGE_OVERRIDES, REGISTRY_OVERRIDES},
    inventory::{Setting, Workload},
};

/// The executable of the HyperShift operator.
const OPERATOR: &str = "hypershift-operator";

/// The workload of a Deployment that is the HyperShift operator or runs with overrides; `None` for any other.
pub(super) fn workload(deployment: &Deployment) -> Option<Workload> {
    let pod = deployment.spec.as_ref()?.template.spec.as_ref()?;
    let mut workload = Workload {
        namespace: deployment.namespace().unwrap_or_default(),
        name: deployment.name_any(),
        is_operator: pod.containers.iter().any(is_operator),
        registry_overrides: None,
        image_overrides: None,
    };
    for (index, container) in pod.containers.iter().enumerate() {
        let path = format!("spec.template.spec.containers[{index}]");
        workload.registry_overrides = workload.registry_overrides.or_else(|| option(container, &path));
        workload.image_overrides = workload.image_overrides.or_else(|| variable(container, &path));
    }
    // Other programs may have an option of that name; only those of HyperShift have the variable.
    if workload.is_operator || workload.image_overrides.is_some() { Some(workload) } else { None }
}

/// Whether a container runs the HyperShift operator.
fn is_operator(container: &Container) -> bool {
    let executable = container.command.iter().flatten().next();
    executable.is_some_and(|path| path.rsplit('/').next() == Some(OPERATOR))
}

/// `OPENSHIFT_IMG_OVERRIDES` of a container.
fn variable(container: &Container, path: &str) -> Option<Setting> {
    let variables = container.env.iter().flatten().enumerate();
    // Of several variables with one name, the last one counts.
    variables.filter(|(_, variable)| variable.name == IMAGE_OVERRIDES).last().map(|(at, variable)| Setting {
        path: format!("{path}.env[{at}].value"),
        value: variable.value.clone().unwrap_or_default(),
    })
}

/// `--registry-overrides` of a container, in its command or its arguments, as one word or as two.
fn option(container: &Container, path: &str) -> Option<Setting> {
    let command = container.command.iter().flatten().enumerate().map(|word| ("command", word));
    let arguments = container.args.iter().flatten().enumerate().map(|word| ("args", word));
    let mut words = command.chain(arguments);
    while let Some((field, (at, word))) = words.next() {
        let Some(rest) = word.strip_prefix(REGISTRY_OVERRIDES) else { continue };
        if let Some(value) = rest.strip_prefix('=') {
            return Some(Setting { path: format!("{path}.{field}[{at}]"), value: value.to_owned() });
        }
        if rest.is_empty() {
            // The value is the next word, which may be the first one of the arguments.
            return words.next().map(|(field, (at, value))| Setting {
                path: format!("{path}.{field}[{at}]"),
                value: value.clone(),
            });
        }
        // Another option whose name only begins like this one.
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(container: &Value) -> Option<(bool, Option<String>, Option<String>)> {
        let deployment = json!({
            "metadata": {"name": "d", "namespace": "n"},
            "spec": {
                "selector": {},
                "template": {"spec": {"containers": [{"name": "sidecar"}, container]}},
            },
        });
        let workload = workload(&serde_json::from_value(deployment).unwrap())?;
        Some((
            workload.is_operator,
            workload.registry_overrides.as_ref().map(show),
            workload.image_overrides.as_ref().map(show),
        ))
    }

    fn show(setting: &Setting) -> String {
        format!("{}: {}", setting.path, setting.value)
    }

    fn at(place: &str) -> String {
        format!("spec.template.spec.containers[1].{place}")
    }

    #[test]
    fn overrides_are_read_from_every_workload() {
        let env = json!([{"name": "A", "value": "b"}, {"name": "OPENSHIFT_IMG_OVERRIDES", "value": "q=m"}]);
        let table = [
            (
                json!({"name": "c", "command": ["/usr/bin/control-plane-operator"],
                    "args": ["run", "--registry-overrides=a=b,c=d"], "env": env}),
                Some((false, Some(at("args[1]: a=b,c=d")), Some(at("env[1].value: q=m")))),
                "control-plane-operator: one word",
            ),
            (
                json!({"name": "c", "args": ["--registry-overrides", "=", "--platform", "None"], "env": env}),
                Some((false, Some(at("args[1]: =")), Some(at("env[1].value: q=m")))),
                "ignition-server: two words",
            ),
            (
                json!({"name": "c", "command": ["/usr/bin/x", "--registry-overrides", "a=b"], "env": env}),
                Some((false, Some(at("command[2]: a=b")), Some(at("env[1].value: q=m")))),
                "hosted-cluster-config-operator: in the command",
            ),
            (
                json!({"name": "c", "command": ["/usr/bin/hypershift-operator"], "args": ["run"]}),
                Some((true, None, None)),
                "the operator, without an option",
            ),
            (
                json!({"name": "c", "args": ["--registry-overrides=a=b"]}),
                None,
                "a program that is not of HyperShift",
            ),
            (
                json!({"name": "c", "args": ["--registry-overrides-file=x"], "env": env}),
                Some((false, None, Some(at("env[1].value: q=m")))),
                "another option that starts alike",
            ),
        ];
        for (container, expected, reason) in table {
            assert_eq!(read(&container), expected, "{reason}");
        }
    }
}
