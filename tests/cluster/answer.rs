//! What a client program printed, and what the tests expect of it.
//!
//! kubectl prints a failed request as `Error from server (REASON): …`
//! (`k8s.io/kubectl/pkg/cmd/util/helpers.go`), with these messages of the API server:
//! `admission webhook "NAME" denied the request: …` (`pkg/admission/plugin/webhook/errors/statuserror.go`),
//! and `ValidatingAdmissionPolicy 'NAME' with binding …` (`pkg/admission/plugin/policy/validating/dispatcher.go`).

use std::process::Output;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// The webhook of the chart that may reject a mirror set.
pub(crate) const MIRROR_SETS: &str = "mirror-sets.validate.mirrorguard.io";

/// The webhook of the chart that may reject a hosted cluster.
pub(crate) const HOSTED_CLUSTERS: &str = "hosted-clusters.validate.mirrorguard.io";

/// A finished client program.
#[derive(Debug)]
#[must_use = "an answer proves nothing until a test expects something of it"]
pub(crate) struct Answer {
    pub(crate) success: bool,
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
        let printed = Printed {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        Self { success: output.status.success(), printed }
    }
}

impl Answer {
    /// Expects success.
    pub(crate) fn succeeded(self) -> Result<Printed> {
        let Self { success, printed } = self;
        ensure!(success, "failed:\n{}{}", printed.stdout, printed.stderr);
        Ok(printed)
    }

    /// Expects a failure, whatever the reason.
    pub(crate) fn failed(self) -> Result<Printed> {
        let Self { success, printed } = self;
        ensure!(!success, "succeeded:\n{}{}", printed.stdout, printed.stderr);
        Ok(printed)
    }

    /// Expects that the API server failed the request for this reason, for example `Conflict`.
    pub(crate) fn failed_with(self, reason: &str) -> Result<Printed> {
        let printed = self.failed()?;
        let expected = format!("Error from server ({reason}): ");
        ensure!(
            printed.stderr.contains(&expected),
            "failed for another reason than {reason}:\n{}",
            printed.stderr
        );
        Ok(printed)
    }

    /// Expects that our webhook for mirror sets denied the request for this rule.
    pub(crate) fn denied_for(self, rule: &str) -> Result<Printed> {
        self.denied_by(MIRROR_SETS, rule)
    }

    /// Expects that this webhook denied the request for this rule.
    /// Any other failure (by a schema, for lack of a permission or of the webhook) is a failure of the test.
    pub(crate) fn denied_by(self, webhook: &str, rule: &str) -> Result<Printed> {
        let printed = self.failed_with("Forbidden").with_context(|| format!("no denial for [{rule}]"))?;
        let heading = format!("admission webhook \"{webhook}\" denied the request: ");
        let findings = printed.stderr.split_once(&heading).map(|(_, findings)| findings);
        let names_rule = findings.is_some_and(|findings| findings.contains(&format!("[{rule}]")));
        ensure!(names_rule, "not denied by {webhook} for [{rule}]:\n{}", printed.stderr);
        Ok(printed)
    }

    /// Expects that an admission policy denied the request for this rule, at this path of the object.
    pub(crate) fn denied_by_policy(self, policy: &str, rule: &str, path: &str) -> Result<Printed> {
        let printed = self.failed()?;
        let error = printed.error();
        let is_denial = error.contains(&format!("ValidatingAdmissionPolicy '{policy}' "))
            && error.contains(&format!("[{rule}] {path}"));
        ensure!(is_denial, "not denied by {policy} for [{rule}] at {path}:\n{}", printed.stderr);
        Ok(printed)
    }

    /// Expects that the request failed because the API server got no answer from this webhook.
    pub(crate) fn unanswered_by(self, webhook: &str) -> Result<Printed> {
        let printed = self.failed_with("InternalError")?;
        ensure!(
            printed.stderr.contains(&format!("webhook \"{webhook}\"")),
            "not about {webhook}:\n{}",
            printed.stderr
        );
        Ok(printed)
    }
}

impl Printed {
    /// The warnings that carry this rule's id.
    pub(crate) fn warnings_of(&self, rule: &str) -> Vec<&str> {
        let id = format!("[{rule}]");
        self.warnings().filter(|line| line.contains(&id)).collect()
    }

    /// The warnings that begin a finding of this rule: `[rule-id] path: …`. The fix of a long one is another warning.
    pub(crate) fn findings_of(&self, rule: &str) -> Vec<&str> {
        let beginning = format!("[{rule}] spec");
        self.warnings().filter(|line| line.contains(&beginning)).collect()
    }

    /// All warnings of the API server.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = &str> {
        self.stderr.lines().filter(|line| line.starts_with("Warning: "))
    }

    /// Standard error without the warnings.
    pub(crate) fn error(&self) -> String {
        let lines = self.stderr.lines().filter(|line| !line.starts_with("Warning: "));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout)
            .with_context(|| format!("no JSON:\n{}{}", self.stdout, self.stderr))
    }
}
