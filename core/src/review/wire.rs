//! `AdmissionReview` v1, bytes to request and verdict to bytes.

mod answer;
mod mismatch;

use std::{borrow::Cow, sync::Arc};

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

pub use self::answer::{encode, encode_unreadable, refuse};
use crate::{
    objects::{HostedCluster, ImageConfig, Kind, MirrorSet, ParseError, SetKind},
    wording::in_plain_words,
    write::{Operation, Write},
};

/// The only supported version.
const API_VERSION: &str = "admission.k8s.io/v1";

/// A body that could not be read. The response is 400, with the request's uid if it could be read.
#[derive(Debug, Error)]
#[error("{problem}")]
pub struct Unreadable {
    /// `request.uid`, if it could be read.
    pub uid: Option<String>,
    /// What is wrong with the body.
    pub problem: Problem,
}

/// What is wrong with a body.
#[derive(Debug, Error)]
pub enum Problem {
    /// Not JSON, or a field of another type.
    #[error("the body is not an AdmissionReview: {}", mismatch::describe(.0))]
    NotAReview(#[from] serde_json::Error),
    /// Another kind or version.
    #[error("expected an AdmissionReview of {API_VERSION}, got {kind:?} of {api_version:?}{}", version_fix(.kind))]
    OtherVersion {
        /// `kind` of the body.
        kind: String,
        /// `apiVersion` of the body.
        api_version: String,
    },
    /// A review without a request.
    #[error("the AdmissionReview has no request")]
    NoRequest,
    /// An object of a kind that no rule reads.
    #[error("cannot review {kind:?} of {group:?}: mirrorguard does not know this kind")]
    UnknownKind {
        /// Kind of the object.
        kind: String,
        /// Group of the object.
        group: String,
    },
    /// Another operation than create, update and delete.
    #[error("cannot review the operation {0:?}")]
    UnknownOperation(String),
    /// A request without an object that its operation requires.
    #[error("the request has no {0}")]
    NoObject(&'static str),
    /// An object with a field of the wrong type.
    #[error("cannot read {field}: {source}")]
    Object {
        /// `object` or `oldObject`.
        field: &'static str,
        /// The field and the problem.
        source: ParseError,
    },
}

/// An `AdmissionRequest`.
#[derive(Debug)]
pub struct Request {
    /// The uid to return in the response.
    pub uid: String,
    /// Who makes the request, for people.
    pub user: Option<String>,
    /// Namespace of the object, if its kind has one.
    pub namespace: Option<String>,
    /// Name of the object, for people: `metadata.name`, or empty if it will be generated.
    pub name: String,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// The write to review.
    pub write: Write,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a map")]
struct WireVersion<'a> {
    #[serde(borrow, default)]
    api_version: Cow<'a, str>,
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a map")]
struct WireReview<'a> {
    #[serde(borrow, default)]
    api_version: Cow<'a, str>,
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    request: Option<WireRequest<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a map")]
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
#[serde(expecting = "a map")]
struct WireUser {
    #[serde(default)]
    username: Option<String>,
}

#[derive(Deserialize)]
#[serde(expecting = "a map")]
struct WireKind {
    group: String,
    kind: String,
}

/// Reads a request.
pub fn decode(body: &[u8]) -> Result<Request, Unreadable> {
    let review: WireReview<'_> = serde_json::from_slice(body).map_err(|error| {
        // The request of another version may have other fields.
        let problem = version_of(body).and_then(WireVersion::problem).unwrap_or_else(|| error.into());
        Unreadable { uid: uid_of(body), problem }
    })?;
    let WireReview { api_version, kind, request } = review;
    if let Some(problem) = (WireVersion { api_version, kind }).problem() {
        return Err(Unreadable { uid: request.map(|request| request.uid), problem });
    }
    let request = request.ok_or(Unreadable { uid: None, problem: Problem::NoRequest })?;
    let uid = request.uid.clone();
    interpret(request).map_err(|problem| Unreadable { uid: Some(uid), problem })
}

/// The version of a body whose request cannot be read.
fn version_of(body: &[u8]) -> Option<WireVersion<'_>> {
    // serde would read the items of a list as the fields, in their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    serde_json::from_slice(body).ok()
}

impl WireVersion<'_> {
    /// What is wrong with another version or kind; `None` for the supported ones.
    fn problem(self) -> Option<Problem> {
        let Self { api_version, kind } = self;
        if api_version == API_VERSION && kind == "AdmissionReview" {
            return None;
        }
        Some(Problem::OtherVersion { kind: kind.into_owned(), api_version: api_version.into_owned() })
    }
}

fn interpret(wire: WireRequest<'_>) -> Result<Request, Problem> {
    let write = match Kind::of(&wire.kind.group, &wire.kind.kind) {
        Some(Kind::Set(kind)) => {
            Write::MirrorSet(operation(&wire, |json| named_set(kind, json, &wire.name))?)
        }
        Some(Kind::HostedCluster) => Write::HostedCluster(operation(&wire, HostedCluster::from_json)?),
        Some(Kind::ImageConfig) => Write::ImageConfig(operation(&wire, ImageConfig::from_json)?),
        Some(
            Kind::ClusterVersion
            | Kind::ClusterImagePolicy
            | Kind::ImagePolicy
            | Kind::MachineConfiguration
            | Kind::Catalog(_),
        )
        | None => {
            let WireKind { group, kind } = wire.kind;
            return Err(Problem::UnknownKind { kind, group });
        }
    };
    let dry_run = wire.dry_run.unwrap_or_default();
    let user = wire.user_info.and_then(|user| user.username);
    let (uid, namespace, name) = (wire.uid, wire.namespace, wire.name);
    Ok(Request { uid, user, namespace, name, dry_run, write })
}

/// The operation of a request, with its objects.
fn operation<T>(
    wire: &WireRequest<'_>,
    read: impl Fn(&str) -> Result<T, ParseError>,
) -> Result<Operation<Arc<T>>, Problem> {
    let [old, new] = [("oldObject", wire.old_object), ("object", wire.object)];
    match &*wire.operation {
        "CREATE" => Ok(Operation::Create(read_object(new, read)?)),
        "UPDATE" => Ok(Operation::Update { old: read_object(old, &read)?, new: read_object(new, &read)? }),
        "DELETE" => Ok(Operation::Delete(read_object(old, read)?)),
        other => Err(Problem::UnknownOperation(other.to_owned())),
    }
}

/// The object in a field of a request.
fn read_object<T>(
    (field, raw): (&'static str, Option<&RawValue>),
    read: impl Fn(&str) -> Result<T, ParseError>,
) -> Result<Arc<T>, Problem> {
    let raw = raw.ok_or(Problem::NoObject(field))?;
    read(raw.get()).map(Arc::new).map_err(|ParseError { path, message }| {
        let source = ParseError { path, message: in_plain_words(&message) };
        Problem::Object { field, source }
    })
}

/// A mirror set with the name in the request, under which it is stored. The request has none if the API server will
/// generate it: the set then keeps its `generateName`.
fn named_set(kind: SetKind, json: &str, name: &str) -> Result<MirrorSet, ParseError> {
    let mut set = MirrorSet::from_json(kind, json)?;
    if !name.is_empty() {
        set.name = name.into();
    }
    Ok(set)
}

/// What to do about a review of another version.
fn version_fix(kind: &str) -> &'static str {
    if kind == "AdmissionReview" {
        "; no other version is served: set admissionReviewVersions of the webhook to [v1]"
    } else {
        ""
    }
}

/// The uid of a review that [`WireReview`] cannot read, if this much of it can be read.
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
