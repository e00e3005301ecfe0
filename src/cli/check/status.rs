//! A check and its status.

use serde::Serialize;

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    #[serde(rename = "check")]
    pub(super) name: &'static str,
    pub(super) status: Status,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    Failed,
    /// There is no result.
    Unknown,
    /// It does not apply to the cluster.
    Skipped,
}

impl Check {
    pub(super) fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, message: message.into(), remedy: None }
    }

    pub(super) fn skipped(name: &'static str, message: impl Into<String>) -> Self {
        Self { status: Status::Skipped, ..Self::ok(name, message) }
    }

    pub(super) fn failed(name: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, status: Status::Failed, message: message.into(), remedy: Some(remedy.into()) }
    }

    pub(super) fn unknown(name: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Unknown, ..Self::failed(name, message, remedy) }
    }
}
