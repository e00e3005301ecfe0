//! Lists the current objects of a cluster.

use std::collections::BTreeMap;

use kube::{Client, Error, ResourceExt, api::ListParams};
use mirrorguard_core::objects::{Kind, Object, ObjectId, SetKind};
use serde_json::{Map, Value};

use super::{
    object::{LiveObject, api},
    permission::Permission,
    unreadable::Unread,
};

/// A kind that could not be listed.
#[derive(Debug)]
pub struct ListError {
    /// The kind.
    pub kind: Kind,
    /// Why.
    pub error: Error,
}

impl ListError {
    /// Why, and the missing permission if it was refused.
    pub fn describe(&self) -> String {
        Permission::to_list(self.kind).describe(&self.error)
    }
}

/// The objects that could be listed, and the kinds that could not.
#[derive(Debug)]
pub struct Listing {
    /// The objects of all kinds that could be listed.
    pub objects: Vec<Object>,
    /// The objects that were listed and cannot be read.
    pub unreadable: Vec<Unread>,
    /// The kinds that could not be listed.
    pub unread: Vec<ListError>,
}

impl Listing {
    /// Lists every kind. Fails if mirror sets cannot be listed.
    pub async fn of(client: &Client) -> Result<Self, ListError> {
        let mut listing = Self { objects: Vec::new(), unreadable: Vec::new(), unread: Vec::new() };
        for kind in Kind::ALL {
            match list(client, kind).await {
                Ok(listed) => {
                    listing.objects.extend(listed.objects);
                    listing.unreadable.extend(listed.unread);
                }
                Err(error) if matches!(kind, Kind::Set(_)) => return Err(ListError { kind, error }),
                Err(error) => listing.unread.push(ListError { kind, error }),
            }
        }
        Ok(listing)
    }

    /// Returns the listing as it is, or the error about the first kind that could not be listed. CatalogSources and
    /// ClusterCatalogs may be missing: overrides are derived from them only if no mirror set covers the catalogs.
    pub fn complete(mut self) -> Result<Self, ListError> {
        match self.unread.iter().position(|unread| !matches!(unread.kind, Kind::Catalog(_))) {
            Some(at) => Err(self.unread.remove(at)),
            None => Ok(self),
        }
    }
}

/// The objects of one kind.
#[derive(Debug, Default)]
pub struct Listed {
    /// Those that can be read.
    pub objects: Vec<Object>,
    /// The others.
    pub unread: Vec<Unread>,
}

impl Listed {
    /// Reads an object and adds it.
    pub(super) fn add(&mut self, kind: Kind, object: LiveObject) {
        match object.into_object(kind) {
            Ok(object) => self.objects.push(object),
            Err(unread) => self.unread.push(unread),
        }
    }
}

/// The objects of a kind; none if the cluster does not serve it.
pub async fn list(client: &Client, kind: Kind) -> Result<Listed, Error> {
    let mut listed = Listed::default();
    match api(client.clone(), kind).list(&ListParams::default()).await {
        Ok(list) => list.items.into_iter().for_each(|object| listed.add(kind, object)),
        Err(error) if is_not_found(&error) => {}
        Err(error) => return Err(error),
    }
    Ok(listed)
}

/// `metadata` of every mirror set, unchanged.
pub async fn metadata_of_sets(client: &Client) -> Result<BTreeMap<ObjectId, Map<String, Value>>, ListError> {
    let mut all = BTreeMap::new();
    for kind in SetKind::ALL.map(Kind::Set) {
        let listed = match api(client.clone(), kind).list_metadata(&ListParams::default()).await {
            Ok(listed) => listed.items,
            Err(error) if is_not_found(&error) => continue,
            Err(error) => return Err(ListError { kind, error }),
        };
        for item in listed {
            let id = ObjectId::new(kind.name(), "", &item.name_any());
            let metadata = serde_json::to_value(item.metadata);
            let metadata = metadata.map_err(|error| ListError { kind, error: Error::SerdeError(error) })?;
            if let Value::Object(metadata) = metadata {
                all.insert(id, metadata);
            }
        }
    }
    Ok(all)
}

/// Whether the account may not read the kind.
pub(super) fn is_forbidden(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 403)
}

/// Whether the cluster does not serve the kind.
pub(super) fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 404)
}
