//! `AdmissionReview` v1, bytes to request and verdict to bytes.

mod answer;

use std::{borrow::Cow, sync::Arc};

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

pub use self::answer::{encode, encode_unreadable, refuse};
use crate::{
    objects::{HostedCluster, ImageConfig, Kind, MirrorSet, ParseError, SetKind},
    write::{Operation, Write},
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

/// An `AdmissionRequest`.
#[derive(Debug)]
pub struct Request {
    /// To be handed back.
    pub uid: String,
    /// Who makes the request, for people.
    pub user: Option<String>,
    /// Namespace of the object, where its kind has one.
    pub namespace: Option<String>,
    /// Name of the object, for people: `metadata.name`, or empty where it is generated.
    pub name: String,
    /// Nothing will be stored.
    pub dry_run: bool,
    /// What is reviewed.
    pub write: Write,
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
    let write = match Kind::of(&wire.kind.group, &wire.kind.kind) {
        Some(Kind::Set(kind)) => {
            Write::MirrorSet(operation(&wire, |json| named_set(kind, json, &wire.name))?)
        }
        Some(Kind::HostedCluster) => Write::HostedCluster(operation(&wire, HostedCluster::from_json)?),
        Some(Kind::ImageConfig) => Write::ImageConfig(operation(&wire, ImageConfig::from_json)?),
        Some(Kind::ClusterVersion) | None => {
            let WireKind { group, kind } = wire.kind;
            return Err(Problem::UnknownKind { kind, group });
        }
    };
    let dry_run = wire.dry_run.unwrap_or_default();
    let user = wire.user_info.and_then(|user| user.username);
    let (uid, namespace, name) = (wire.uid, wire.namespace, wire.name);
    Ok(Request { uid, user, namespace, name, dry_run, write })
}

/// The objects of a request, as its operation has them.
fn operation<T>(
    wire: &WireRequest<'_>,
    read: impl Fn(&str) -> Result<T, ParseError>,
) -> Result<Operation<Arc<T>>, Problem> {
    let read = |field, raw: Option<&RawValue>| {
        let raw = raw.ok_or(Problem::NoObject(field))?;
        read(raw.get()).map(Arc::new).map_err(|source| Problem::Object { field, source })
    };
    let old = || read("oldObject", wire.old_object);
    let new = || read("object", wire.object);
    match &*wire.operation {
        "CREATE" => Ok(Operation::Create(new()?)),
        "UPDATE" => Ok(Operation::Update { old: old()?, new: new()? }),
        "DELETE" => Ok(Operation::Delete(old()?)),
        other => Err(Problem::UnknownOperation(other.to_owned())),
    }
}

/// A mirror set with the name in the request, which is there also where the object has none yet.
fn named_set(kind: SetKind, json: &str, name: &str) -> Result<MirrorSet, ParseError> {
    let mut set = MirrorSet::from_json(kind, json)?;
    if !name.is_empty() {
        set.name = name.into();
    }
    Ok(set)
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
