//! Objects of an API server, read from their bytes without an intermediate tree.

use std::borrow::Cow;

use kube::{
    Api, Client, Resource,
    core::{ApiResource, DynamicResourceScope, GroupVersionKind, ObjectMeta},
};
use mirrorguard_core::objects::{Kind, Object, ObjectId};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::unreadable::Unread;

/// The JSON of an object, and the metadata that a watch requires.
///
/// The JSON is read later, because an object that cannot be read must not prevent reading the others of its list. This
/// requires that the type of a watch event comes before its object, as it does from an API server: otherwise serde
/// parses the object before it knows the type, and its text is no longer available.
#[derive(Debug, Clone)]
pub(super) struct LiveObject {
    metadata: ObjectMeta,
    json: Box<RawValue>,
}

impl<'de> Deserialize<'de> for LiveObject {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Head {
            metadata: Metadata,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Metadata {
            name: Option<String>,
            namespace: Option<String>,
            resource_version: Option<String>,
        }
        let json = Box::<RawValue>::deserialize(input)?;
        let head: Head = serde_json::from_str(json.get()).map_err(serde::de::Error::custom)?;
        let Metadata { name, namespace, resource_version } = head.metadata;
        let metadata = ObjectMeta { name, namespace, resource_version, ..ObjectMeta::default() };
        Ok(Self { metadata, json })
    }
}

impl Resource for LiveObject {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl LiveObject {
    /// Its kind, namespace and name.
    pub(super) fn id(&self, kind: Kind) -> ObjectId {
        let namespace = self.metadata.namespace.as_deref().unwrap_or_default();
        ObjectId::new(kind.name(), namespace, self.metadata.name.as_deref().unwrap_or_default())
    }

    /// Reads the object. Where it cannot be read, the operators could not read it either.
    pub(super) fn into_object(self, kind: Kind) -> Result<Object, Unread> {
        Object::from_json(kind, self.json.get()).map_err(|error| Unread {
            id: self.id(kind),
            version: self.metadata.resource_version.clone().unwrap_or_default(),
            why: error.to_string(),
        })
    }
}

/// The objects of a kind, in all namespaces.
pub(super) fn api(client: Client, kind: Kind) -> Api<LiveObject> {
    let version = match kind {
        Kind::Set(set) => set.api().1,
        Kind::HostedCluster => "v1beta1",
        Kind::ImageConfig
        | Kind::ClusterVersion
        | Kind::ClusterImagePolicy
        | Kind::ImagePolicy
        | Kind::MachineConfiguration => "v1",
        Kind::Catalog(catalog) => catalog.api().1,
    };
    let gvk = GroupVersionKind::gvk(kind.group(), version, kind.name());
    Api::all_with(client, &ApiResource::from_gvk_with_plural(&gvk, kind.plural()))
}
