//! The objects of a cluster at one moment.

use std::collections::BTreeMap;

use kube::{Client, Error, ResourceExt, api::ListParams};
use mirrorguard_core::objects::{Kind, Object, ObjectId, SetKind};
use serde_json::{Map, Value};

use super::object::api;

/// What could be listed, and what could not.
#[derive(Debug)]
pub struct Listing {
    /// The objects of the kinds that are kept.
    pub objects: Vec<Object>,
    /// The kinds that could not be listed, and why.
    pub unread: Vec<(Kind, Error)>,
}

impl Listing {
    /// Lists every kind that is kept; an error where mirror sets cannot be listed.
    pub async fn of(client: &Client) -> Result<Self, Error> {
        let mut listing = Self { objects: Vec::new(), unread: Vec::new() };
        for kind in Kind::ALL {
            match list(client, kind).await {
                Ok(objects) => listing.objects.extend(objects),
                Err(error) if matches!(kind, Kind::Set(_)) => return Err(error),
                Err(error) => listing.unread.push((kind, error)),
            }
        }
        Ok(listing)
    }

    /// The objects, where every kind could be listed.
    pub fn complete(self) -> Result<Vec<Object>, Error> {
        match self.unread.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(self.objects),
        }
    }
}

/// The objects of a kind; none where the cluster does not serve it.
pub async fn list(client: &Client, kind: Kind) -> Result<Vec<Object>, Error> {
    match api(client.clone(), kind).list(&ListParams::default()).await {
        Ok(list) => Ok(list.items.into_iter().filter_map(|object| object.into_object(kind)).collect()),
        Err(error) if is_not_found(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// `metadata` of every mirror set, as it is.
pub async fn metadata_of_sets(client: &Client) -> Result<BTreeMap<ObjectId, Map<String, Value>>, Error> {
    let mut all = BTreeMap::new();
    for kind in SetKind::ALL.map(Kind::Set) {
        let listed = match api(client.clone(), kind).list_metadata(&ListParams::default()).await {
            Ok(listed) => listed.items,
            Err(error) if is_not_found(&error) => continue,
            Err(error) => return Err(error),
        };
        for item in listed {
            let id = ObjectId::new(kind.name(), "", &item.name_any());
            if let Value::Object(metadata) = serde_json::to_value(item.metadata).map_err(Error::SerdeError)? {
                all.insert(id, metadata);
            }
        }
    }
    Ok(all)
}

/// Whether the cluster does not serve what was asked for.
pub(super) fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 404)
}
