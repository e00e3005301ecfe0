//! The known objects of a cluster.

use std::sync::{Arc, OnceLock};

use crate::{
    context::Context,
    hypershift::Derivations,
    node::Orders,
    objects::{Kind, MirrorSet, Object, SetKind},
};

/// All known objects of a cluster, and the catalog overrides derived from them. They are derived when they are first
/// asked for, so that many changes in a row cost one derivation.
#[derive(Debug, Clone, Default)]
pub struct State {
    context: Context,
    /// Shared by all clones, and by the states after changes that do not affect it: one of them derives for all.
    derivations: Arc<OnceLock<Derivations>>,
    /// What reviews have found of this state so far, shared in the same way. It depends on the mirror sets alone.
    orders: Arc<Orders>,
}

impl State {
    /// The state with these objects.
    pub fn new(context: Context) -> Self {
        Self { context, derivations: Arc::default(), orders: Arc::default() }
    }

    /// The state after a change of objects of one kind. The catalog overrides are derived again only after a change
    /// that can affect them: the status of most kinds changes often and does not.
    #[must_use]
    pub fn changed(&self, kind: Kind, change: impl FnOnce(&mut Context)) -> Self {
        let mut context = self.context.clone();
        change(&mut context);
        let affects_derivations = match kind {
            Kind::Set(_) => true,
            Kind::HostedCluster | Kind::MachineConfiguration => false,
            Kind::ImageConfig
            | Kind::ClusterVersion
            | Kind::ClusterImagePolicy
            | Kind::ImagePolicy
            | Kind::Catalog(_) => !context.has_settings_of(&self.context),
        };
        if affects_derivations {
            return Self::new(context);
        }
        Self { context, derivations: Arc::clone(&self.derivations), orders: Arc::clone(&self.orders) }
    }

    /// Adds an object, or replaces the one with the same kind and name.
    pub fn insert(&mut self, object: Object) {
        *self = self.changed(object.kind(), |context| context.insert(object));
    }

    /// The known objects.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The catalog overrides derived from the mirror sets, or else from the catalogs of the cluster.
    pub fn derivations(&self) -> &Derivations {
        self.derivations.get_or_init(|| Derivations::of(self.context.view()))
    }

    /// The orders in which nodes try the mirrors of a source of many sets: filled by the reviews that need them.
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// A mirror set by kind and name.
    pub fn set(&self, kind: SetKind, name: &str) -> Option<&MirrorSet> {
        self.context.set(kind, name)
    }
}

impl FromIterator<Object> for State {
    fn from_iter<I: IntoIterator<Item = Object>>(objects: I) -> Self {
        Self::new(objects.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::manifest;

    /// The one object of a text, given without its `apiVersion`.
    fn object(api: &str, rest: &str) -> Object {
        manifest::read("object", format!("apiVersion: {api}\n{rest}")).objects.remove(0).object
    }

    /// An ITMS with a mirror of the catalogs.
    fn catalogs_at(mirror: &str) -> Object {
        let entry = format!("{{source: registry.redhat.io/redhat, mirrors: [{mirror}]}}");
        let set = format!("metadata: {{name: catalogs}}\nspec: {{imageTagMirrors: [{entry}]}}");
        object("config.openshift.io/v1", &format!("kind: ImageTagMirrorSet\n{set}"))
    }

    #[test]
    fn only_what_can_affect_the_catalog_overrides_derives_them_again() {
        let hosted = "kind: HostedCluster\nmetadata: {name: h, namespace: clusters}";
        let hosted = object("hypershift.openshift.io/v1beta1", hosted);
        let state: State = [catalogs_at("m.lab/redhat")].into_iter().collect();
        let with_hosted = state.changed(Kind::HostedCluster, |context| context.insert(hosted));
        assert_eq!(with_hosted.context().hosted_clusters().count(), 1);
        assert!(Arc::ptr_eq(&state.derivations, &with_hosted.derivations));
        let with_other_mirror = with_hosted
            .changed(Kind::Set(SetKind::Itms), |context| context.insert(catalogs_at("n.lab/redhat")));
        assert_eq!(with_other_mirror.context().hosted_clusters().count(), 1);
        let value =
            &with_other_mirror.derivations().for_releases(&crate::hypershift::Releases::default()).value;
        assert_eq!(value.as_deref(), Ok("registry.redhat.io/redhat=n.lab/redhat"));
        let spec = "spec: {registrySources: {insecureRegistries: [\"*.*\"]}}";
        let config =
            object("config.openshift.io/v1", &format!("kind: Image\nmetadata: {{name: cluster}}\n{spec}"));
        let with_config = with_other_mirror.changed(Kind::ImageConfig, |context| context.insert(config));
        let value = &with_config.derivations().for_releases(&crate::hypershift::Releases::default()).value;
        assert!(value.is_err(), "the image configuration keeps the nodes from getting a file");
        let same = with_config.changed(Kind::ClusterVersion, |_| {});
        assert!(Arc::ptr_eq(&same.derivations, &with_config.derivations), "only a status has changed");
    }
}
