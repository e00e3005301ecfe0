//! What a client program printed, and what the tests expect of it.

use std::process::Output;

use anyhow::{Result, ensure};

/// The webhook of the chart that may refuse a mirror set.
const VALIDATING_WEBHOOK: &str = "mirror-sets.validate.mirrorguard.io";

/// A finished client program.
#[derive(Debug)]
#[must_use = "an answer proves nothing until somebody looks at it"]
pub(crate) struct Answer {
    success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { success: output.status.success(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

impl Answer {
    /// The answer, where the program succeeded.
    pub(crate) fn succeeded(self) -> Result<Self> {
        ensure!(self.success, "refused:\n{}{}", self.stdout, self.stderr);
        Ok(self)
    }

    /// The answer, where our webhook denied the request for this rule.
    /// Any other refusal (by a schema, for lack of a permission or of the webhook) is a failure of the test.
    pub(crate) fn denied_for(self, rule: &str) -> Result<Self> {
        let denied = format!("admission webhook \"{VALIDATING_WEBHOOK}\" denied the request: ");
        let Self { success, stdout, stderr } = &self;
        ensure!(!success, "admitted, although [{rule}] should refuse it:\n{stdout}{stderr}");
        ensure!(stderr.contains("(Forbidden)"), "not refused as Forbidden:\n{stderr}");
        let reason = stderr.split_once(&denied).map(|(_, reason)| reason);
        let names_rule = reason.is_some_and(|reason| reason.contains(&format!("[{rule}]")));
        ensure!(names_rule, "not refused by {VALIDATING_WEBHOOK} for [{rule}]:\n{stderr}");
        Ok(self)
    }

    /// The warnings that carry this rule's id.
    pub(crate) fn warnings_of(&self, rule: &str) -> Vec<&str> {
        let id = format!("[{rule}]");
        self.stderr.lines().filter(|line| line.starts_with("Warning: ") && line.contains(&id)).collect()
    }
}
