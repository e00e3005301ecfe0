//! `AdmissionReview` v1, bytes to request and verdict to bytes.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use json_patch::Patch;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use super::{Exempted, Verdict};
use crate::{
    objects::{Kind, Object, ParseError},
    rules::Operation,
};

/// The only version spoken.
const API_VERSION: &str = "admission.k8s.io/v1";

/// A body that could not be read. Answered with 400, and with the request's uid where there is one.
#[derive(Debug, Error)]
#[error("{problem}")]
pub struct Unreadable {
    /// `request.uid`, where it could be read.
    pub uid: Option<String>,
    /// What is wrong with the body.
    pub problem: Problem,
}

/// What is wrong with a body.
#[derive(Debug, Error)]
pub enum Problem {
    /// Not JSON, or a field of another type.
    #[error("the body is not an AdmissionReview: {0}")]
    NotAReview(#[from] serde_json::Error),
    /// Another kind or version.
    #[error("expected an AdmissionReview of admission.k8s.io/v1, got {kind:?} of {api_version:?}")]
    OtherVersion {
        /// `kind` of the body.
        kind: String,
        /// `apiVersion` of the body.
        api_version: String,
    },
    /// A review that is no question.
    #[error("the AdmissionReview has no request")]
    NoRequest,
    /// An object of a kind that no rule reads.
    #[error("cannot judge {kind:?} of {group:?}: the webhook is registered for a kind it does not know")]
    UnknownKind {
        /// Kind of the object.
        kind: String,
        /// Group of the object.
        group: String,
    },
    /// Something else than create, update and delete.
    #[error("cannot judge the operation {0:?}")]
    UnknownOperation(String),
    /// No object where the operation has one.
    #[error("the request has no {0}")]
    NoObject(&'static str),
    /// An object whose fields have other types than expected.
    #[error("cannot read {field}: {source}")]
    Object {
        /// `object` or `oldObject`.
        field: &'static str,
        /// The path and the problem.
        source: ParseError,
    },
}

/// A question of an apiserver.
#[derive(Debug)]
pub struct Request {
    /// To be handed back.
    pub uid: String,
    /// Kind of the object.
    pub kind: Kind,
    /// Who asks for it, for people.
    pub user: Option<String>,
    /// Namespace of the object, where its kind has one.
    pub namespace: Option<String>,
    /// Name of the object, for people: `metadata.name`, or empty where it is generated.
    pub name: String,
    /// What happens to it.
    pub operation: Operation,
    /// Nothing will be stored.
    pub dry_run: bool,
    /// The object before; for an update and a deletion.
    pub old: Option<Object>,
    /// The object after; for a creation and an update.
    pub new: Option<Object>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireReview<'a> {
    #[serde(borrow, default)]
    api_version: Cow<'a, str>,
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    request: Option<WireRequest<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRequest<'a> {
    #[serde(default)]
    uid: String,
    kind: WireKind,
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    user_info: Option<WireUser>,
    #[serde(borrow, default)]
    operation: Cow<'a, str>,
    #[serde(borrow, default)]
    object: Option<&'a RawValue>,
    #[serde(borrow, default)]
    old_object: Option<&'a RawValue>,
    #[serde(default)]
    dry_run: Option<bool>,
}

#[derive(Deserialize)]
struct WireUser {
    #[serde(default)]
    username: Option<String>,
}

#[derive(Deserialize)]
struct WireKind {
    group: String,
    kind: String,
}

/// Reads a request.
pub fn decode(body: &[u8]) -> Result<Request, Unreadable> {
    let review: WireReview<'_> = serde_json::from_slice(body)
        .map_err(|error| Unreadable { uid: uid_of(body), problem: error.into() })?;
    if review.api_version != API_VERSION || review.kind != "AdmissionReview" {
        let (kind, api_version) = (review.kind.into_owned(), review.api_version.into_owned());
        let uid = review.request.map(|request| request.uid);
        return Err(Unreadable { uid, problem: Problem::OtherVersion { kind, api_version } });
    }
    let request = review.request.ok_or(Unreadable { uid: None, problem: Problem::NoRequest })?;
    let uid = request.uid.clone();
    interpret(request).map_err(|problem| Unreadable { uid: Some(uid), problem })
}

fn interpret(wire: WireRequest<'_>) -> Result<Request, Problem> {
    let WireKind { group, kind } = wire.kind;
    let kind = Kind::of(&group, &kind).ok_or(Problem::UnknownKind { kind, group })?;
    let operation = match &*wire.operation {
        "CREATE" => Operation::Create,
        "UPDATE" => Operation::Update,
        "DELETE" => Operation::Delete,
        other => return Err(Problem::UnknownOperation(other.to_owned())),
    };
    let read = |field, raw: Option<&RawValue>| {
        let raw = raw.ok_or(Problem::NoObject(field))?;
        let named = |object| with_name(object, &wire.name);
        Object::from_json(kind, raw.get()).map(named).map_err(|source| Problem::Object { field, source })
    };
    let new = match operation {
        Operation::Delete => None,
        _ => Some(read("object", wire.object)?),
    };
    let old = match operation {
        Operation::Create => None,
        _ => Some(read("oldObject", wire.old_object)?),
    };
    let dry_run = wire.dry_run.unwrap_or_default();
    let user = wire.user_info.and_then(|user| user.username);
    let (uid, namespace, name) = (wire.uid, wire.namespace, wire.name);
    Ok(Request { uid, kind, user, namespace, name, operation, dry_run, old, new })
}

/// The name in the request stands also where the object has none yet.
fn with_name(object: Object, name: &str) -> Object {
    match object {
        Object::MirrorSet(mut set) if !name.is_empty() => {
            set.name = name.into();
            Object::MirrorSet(set)
        }
        other => other,
    }
}

/// The uid of a review that is otherwise unreadable.
fn uid_of(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Review {
        request: Request,
    }
    #[derive(Deserialize)]
    struct Request {
        uid: String,
    }
    serde_json::from_slice::<Review>(body).ok().map(|review| review.request.uid)
}

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
}

/// Writes the answer to a request.
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
    let exempt = exempt_from(verdict);
    let some = rules.is_some() || impact.is_some() || exempt.is_some();
    let audit_annotations = some.then_some(WireAudit { rules, impact, exempt });
    let patch = (!patch.0.is_empty()).then(|| STANDARD.encode(bytes(patch)));
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

/// `rule-id: reason (until day)`, one after another.
fn exempt_from(verdict: &Verdict) -> Option<String> {
    let exempted = verdict.exempted.iter();
    let texts: Vec<_> = exempted
        .map(|Exempted { rule, reason, until, .. }| format!("{rule}: {reason} (until {until})"))
        .collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// Writes the answer to a body that could not be read: a review where its uid is known, else a `Status`,
/// whose message an apiserver hands on.
pub fn encode_unreadable(unreadable: &Unreadable) -> Vec<u8> {
    refuse(unreadable.uid.as_deref(), 400, "BadRequest", unreadable.to_string())
}

/// Writes a refusal that is not about the content of an object.
pub fn refuse(uid: Option<&str>, code: u16, reason: &'static str, message: String) -> Vec<u8> {
    match uid {
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
    // Only maps with keys that are no texts can fail, and there are none.
    serde_json::to_vec(value).unwrap_or_default()
}
