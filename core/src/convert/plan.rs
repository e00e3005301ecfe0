//! The order of a migration that changes no node.

use serde::Serialize;

use super::Migration;

/// What to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Plan(pub Vec<Step>);

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `apply`, `wait` or `delete`.
    pub step: &'static str,
    /// What it does and what is seen of it.
    pub what: String,
    /// What to type.
    pub command: String,
}

/// An object that `kubectl apply` cannot remember in an annotation of at most 256 KiB; half of that is left
/// for what stands beside it.
const TOO_LONG_FOR_AN_ANNOTATION: usize = 128 << 10;

impl Plan {
    /// The steps that are left. `written` is how to give the new objects to a command: `-f out/a.yaml`, or
    /// what to put before a pipe.
    pub fn of(migration: &Migration, written: &Written) -> Self {
        let mut steps = Vec::new();
        if !migration.idms.is_empty() {
            let long = |text: String| text.len() > TOO_LONG_FOR_AN_ANNOTATION;
            let server_side = migration.idms.iter().any(|idms| long(idms.to_json().to_string()));
            let apply = if server_side { "oc apply --server-side" } else { "oc apply" };
            steps.push(Step {
                step: "apply",
                what: "the ImageDigestMirrorSets come in next to the ICSPs; no node changes".to_owned(),
                command: match written {
                    Written::Files(files) => {
                        let files: Vec<_> = files.iter().map(|file| format!(" -f {file}")).collect();
                        format!("{apply}{}", files.concat())
                    }
                    Written::Printed(by) => format!("{by} | {apply} -f -"),
                },
            });
        }
        if !migration.icsps.is_empty() {
            steps.push(Step {
                step: "wait",
                what: "every pool is UPDATED, as it was before: registries.conf stays the same".to_owned(),
                command: "oc wait machineconfigpools --all --for=condition=Updated --timeout=10m".to_owned(),
            });
            steps.push(Step {
                step: "delete",
                what: "the ICSPs go last; no node changes".to_owned(),
                command: format!("oc delete imagecontentsourcepolicies {}", migration.icsps.join(" ")),
            });
        }
        Self(steps)
    }
}

/// Where the new objects went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Into these files, as a shell takes them.
    Files(Vec<String>),
    /// To standard output, by this command.
    Printed(String),
}
