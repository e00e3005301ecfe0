//! Changes of the known objects of one kind.

use std::{collections::BTreeSet, sync::Arc};

use mirrorguard_core::{
    context::Context,
    objects::{ClusterVersion, HostedCluster, ImageConfig, Kind, MirrorSet, ObjectId, OperatorCatalog},
};

use super::listing::Listed;

/// Replaces the objects of a kind by those of a list. What was known of an object that is there and cannot be read stays.
pub(super) fn replace(context: &mut Context, kind: Kind, listed: Listed) {
    let unread: BTreeSet<_> = listed.unread.into_iter().map(|unread| unread.id).collect();
    for id in ids_of(context, kind) {
        if !unread.contains(&id) {
            remove(context, kind, &id);
        }
    }
    for object in listed.objects {
        context.insert(object);
    }
}

/// The ids of the known objects of a kind. Of the image configuration and ClusterVersion only one name counts: its id is
/// returned even if the object is not known, as removing it then changes nothing.
fn ids_of(context: &Context, kind: Kind) -> Vec<ObjectId> {
    match kind {
        Kind::Set(set) => context.sets_of(set).map(MirrorSet::id).collect(),
        Kind::ImageConfig => vec![ObjectId::new(kind.name(), "", ImageConfig::NAME)],
        Kind::ClusterVersion => vec![ObjectId::new(kind.name(), "", ClusterVersion::NAME)],
        Kind::HostedCluster => context.hosted_clusters().map(HostedCluster::id).collect(),
        // Not watched.
        Kind::ClusterImagePolicy | Kind::ImagePolicy | Kind::MachineConfiguration => Vec::new(),
        Kind::Catalog(of_kind) => {
            let catalogs = context.catalogs().filter(|catalog| catalog.kind == of_kind);
            catalogs.map(OperatorCatalog::id).collect()
        }
    }
}

/// Removes one object of a kind.
pub(super) fn remove(context: &mut Context, kind: Kind, id: &ObjectId) {
    match kind {
        Kind::Set(set) => context.remove_set(set, &id.name),
        Kind::ImageConfig if &*id.name == ImageConfig::NAME => context.image_config = Arc::default(),
        Kind::ClusterVersion if &*id.name == ClusterVersion::NAME => {
            context.set_version(ClusterVersion::default());
        }
        Kind::HostedCluster => context.remove_hosted(&id.namespace, &id.name),
        // Objects of other names, which no operator reads, and kinds that are not watched.
        Kind::ImageConfig
        | Kind::ClusterVersion
        | Kind::ClusterImagePolicy
        | Kind::ImagePolicy
        | Kind::MachineConfiguration => {}
        Kind::Catalog(_) => context.remove_catalog(id),
    }
}
