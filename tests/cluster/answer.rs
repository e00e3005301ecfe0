//! What a client program printed, and what the tests expect of it.

use std::process::Output;

use anyhow::{Result, ensure};

/// The webhook of the chart that may refuse a mirror set.
const MIRROR_SETS: &str = "mirror-sets.validate.mirrorguard.io";

/// The webhook of the chart that may refuse a hosted cluster.
pub(crate) const HOSTED_CLUSTERS: &str = "hosted-clusters.validate.mirrorguard.io";

/// A finished client program, not judged yet.
#[derive(Debug)]
#[must_use = "an answer proves nothing until somebody expects something of it"]
pub(crate) struct Answer {
    success: bool,
    pub(crate) printed: Printed,
}

/// What it wrote.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let printed = Printed { stdout: text(&output.stdout), stderr: text(&output.stderr) };
        Self { success: output.status.success(), printed }
    }
}

impl Answer {
    /// Expects success.
    pub(crate) fn succeeded(self) -> Result<Printed> {
        let Self { success, printed } = self;
        ensure!(success, "refused:\n{}{}", printed.stdout, printed.stderr);
        Ok(printed)
    }

    /// Expects that our webhook for mirror sets denied the request for this rule.
    pub(crate) fn denied_for(self, rule: &str) -> Result<Printed> {
        self.denied_by(MIRROR_SETS, rule)
    }

    /// Expects that this webhook denied the request for this rule.
    /// Any other refusal (by a schema, for lack of a permission or of the webhook) is a failure of the test.
    pub(crate) fn denied_by(self, webhook: &str, rule: &str) -> Result<Printed> {
        let Self { success, printed } = self;
        let Printed { stdout, stderr } = &printed;
        ensure!(!success, "admitted, although [{rule}] should refuse it:\n{stdout}{stderr}");
        ensure!(stderr.contains("(Forbidden)"), "not refused as Forbidden:\n{stderr}");
        let denied = format!("admission webhook \"{webhook}\" denied the request: ");
        let reason = stderr.split_once(&denied).map(|(_, reason)| reason);
        let names_rule = reason.is_some_and(|reason| reason.contains(&format!("[{rule}]")));
        ensure!(names_rule, "not refused by {webhook} for [{rule}]:\n{stderr}");
        Ok(printed)
    }
}

impl Printed {
    /// The warnings that carry this rule's id.
    pub(crate) fn warnings_of(&self, rule: &str) -> Vec<&str> {
        let id = format!("[{rule}]");
        self.stderr.lines().filter(|line| line.starts_with("Warning: ") && line.contains(&id)).collect()
    }
}
