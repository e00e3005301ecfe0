//! The order of a migration that changes no node.

use serde::Serialize;

use super::Migration;

/// The steps, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Plan(pub Vec<Step>);

/// A step of a migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `apply`, `wait` or `delete`.
    pub step: &'static str,
    /// What it does and what happens.
    pub what: String,
    /// The command.
    pub command: String,
}

/// Bytes of an object that `kubectl apply` may not be able to keep in an annotation: annotations take at most
/// 256 KiB, half of which is left for the others.
const TOO_LONG_FOR_AN_ANNOTATION: usize = 128 << 10;

impl Plan {
    /// The steps that are left; none for a migration that may not be carried out. `written` is how a command gets the
    /// new objects.
    pub fn of(migration: &Migration, written: &Written) -> Self {
        let mut steps = Vec::new();
        if !migration.idms.is_empty() {
            steps.push(Step {
                step: "apply",
                what: "adds the ImageDigestMirrorSets next to the ICSPs; no node changes".to_owned(),
                command: apply_command(migration, written),
            });
        }
        if !migration.icsps.is_empty() {
            steps.push(Step {
                step: "wait",
                what: "every MachineConfigPool stays UPDATED, because registries.conf stays the same"
                    .to_owned(),
                command: "oc wait machineconfigpools --all --for=condition=Updated --timeout=10m".to_owned(),
            });
            steps.push(Step {
                step: "delete",
                what: "deletes the ICSPs; no node changes".to_owned(),
                command: format!("oc delete imagecontentsourcepolicies {}", migration.icsps.join(" ")),
            });
        }
        Self(steps)
    }
}

fn apply_command(migration: &Migration, written: &Written) -> String {
    let mut sizes = migration.idms.iter().map(|idms| idms.to_json().to_string().len());
    let is_server_side = sizes.any(|size| size > TOO_LONG_FOR_AN_ANNOTATION);
    let apply = if is_server_side { "oc apply --server-side" } else { "oc apply" };
    match written {
        Written::Files(files) => {
            let files: Vec<_> = files.iter().map(|file| format!(" -f {file}")).collect();
            format!("{apply}{}", files.concat())
        }
        Written::Printed(by) => format!("{by} | {apply} -f -"),
    }
}

/// Where the new objects were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Into these files, as a shell takes them.
    Files(Vec<String>),
    /// To standard output, by this command.
    Printed(String),
}
