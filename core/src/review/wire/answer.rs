//! Verdict to bytes.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::{API_VERSION, Unreadable};
use crate::{
    hypershift::Origin,
    review::{Exempted, Patch, Verdict},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireAnswer<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: WireResponse<'a>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireResponse<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<WireStatus>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<WireAudit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
}

#[derive(Serialize)]
struct WireStatus {
    code: u16,
    reason: &'static str,
    message: String,
}

#[derive(Serialize)]
struct WireAudit {
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exempt: Option<String>,
    #[serde(rename = "catalogOverridesFrom", skip_serializing_if = "Option::is_none")]
    catalog_overrides_from: Option<Origin>,
}

/// Writes the response to a request.
pub fn encode(uid: &str, verdict: &Verdict, patch: &Patch) -> Vec<u8> {
    let allowed = verdict.is_allowed();
    let status = (!allowed).then(|| WireStatus {
        code: 403,
        reason: "Forbidden",
        message: verdict.denials().collect::<Vec<_>>().join("\n"),
    });
    let ids = verdict.rule_ids();
    let rules = (!ids.is_empty()).then(|| ids.join(","));
    let impact = verdict.impact.map(|impact| impact.to_string());
    let exempt = exempt_text(verdict);
    let catalog_overrides_from = verdict.filled_in_from;
    let has_audit =
        rules.is_some() || impact.is_some() || exempt.is_some() || catalog_overrides_from.is_some();
    let audit = WireAudit { rules, impact, exempt, catalog_overrides_from };
    let audit_annotations = has_audit.then_some(audit);
    let patch = (!patch.is_empty()).then(|| STANDARD.encode(bytes(patch)));
    answer(WireResponse {
        uid,
        allowed,
        status,
        warnings: verdict.warnings().collect(),
        audit_annotations,
        patch_type: patch.as_ref().map(|_| "JSONPatch"),
        patch,
    })
}

/// `rule-id: reason (until day)` of each exempt finding; `None` if there is none.
fn exempt_text(verdict: &Verdict) -> Option<String> {
    let exempted = verdict.exempted.iter();
    let texts: Vec<_> = exempted
        .map(|Exempted { rule, reason, until, .. }| format!("{rule}: {reason} (until {until})"))
        .collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// Writes the response to a body that could not be read: a review if its uid is known, otherwise a `Status`, whose
/// message an API server passes on.
pub fn encode_unreadable(unreadable: &Unreadable) -> Vec<u8> {
    refuse(unreadable.uid.as_deref(), 400, "BadRequest", unreadable.to_string())
}

/// Writes a rejection that is not about the content of an object: a review, or a `Status` without a uid.
pub fn refuse(uid: Option<&str>, code: u16, reason: &'static str, message: String) -> Vec<u8> {
    match uid {
        // `allowed` is false by default.
        Some(uid) => answer(WireResponse {
            uid,
            status: Some(WireStatus { code, reason, message }),
            ..WireResponse::default()
        }),
        None => bytes(&serde_json::json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure",
            "code": code, "reason": reason, "message": message,
        })),
    }
}

fn answer(response: WireResponse<'_>) -> Vec<u8> {
    bytes(&WireAnswer { api_version: API_VERSION, kind: "AdmissionReview", response })
}

fn bytes(value: &impl Serialize) -> Vec<u8> {
    // Only a map whose keys are not strings can fail, and there is none.
    serde_json::to_vec(value).unwrap_or_default()
}
