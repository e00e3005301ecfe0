//! What is known of a cluster.

use std::sync::Arc;

use crate::{
    context::Context,
    hypershift::Derivations,
    objects::{Kind, MirrorSet, Object, SetKind},
};

/// Every object that is known of a cluster, and what its mirror sets say about the catalogs, which is derived once
/// each time they change.
#[derive(Debug, Clone)]
pub struct State {
    context: Context,
    derivations: Arc<Derivations>,
}

impl State {
    /// Works out what a context means for the catalogs.
    pub fn new(context: Context) -> Self {
        let derivations = Derivations::of(context.view()).into();
        Self { context, derivations }
    }

    /// The state after a change of objects of one kind. Only mirror sets are worked out anew: the others,
    /// above all the status of HostedClusters, change all the time and say nothing about the catalogs.
    #[must_use]
    pub fn changed(&self, kind: Kind, change: impl FnOnce(&mut Context)) -> Self {
        let mut context = self.context.clone();
        change(&mut context);
        match kind {
            Kind::Set(_) => Self::new(context),
            Kind::HostedCluster | Kind::ImageConfig | Kind::ClusterVersion => {
                Self { context, derivations: Arc::clone(&self.derivations) }
            }
        }
    }

    /// Puts an object in, in place of one of the same kind and name.
    pub fn insert(&mut self, object: Object) {
        *self = self.changed(object.kind(), |context| context.insert(object));
    }

    /// The mirror sets and settings.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// What the mirror sets say about the catalogs.
    pub fn derivations(&self) -> &Derivations {
        &self.derivations
    }

    /// A mirror set by kind and name.
    pub fn set(&self, kind: SetKind, name: &str) -> Option<&MirrorSet> {
        self.context.set(kind, name)
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new(Context::default())
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

    #[test]
    fn only_mirror_sets_are_worked_out_anew() {
        let catalogs = |mirror| {
            let entry = format!("{{source: registry.redhat.io/redhat, mirrors: [{mirror}]}}");
            let set = format!("metadata: {{name: catalogs}}\nspec: {{imageTagMirrors: [{entry}]}}");
            object("config.openshift.io/v1", &format!("kind: ImageTagMirrorSet\n{set}"))
        };
        let hosted = "kind: HostedCluster\nmetadata: {name: h, namespace: clusters}";
        let hosted = object("hypershift.openshift.io/v1beta1", hosted);
        let state: State = [catalogs("m.lab/redhat")].into_iter().collect();
        let with_hosted = state.changed(Kind::HostedCluster, |context| context.insert(hosted));
        assert_eq!(with_hosted.context().hosted_clusters().count(), 1);
        assert!(Arc::ptr_eq(&state.derivations, &with_hosted.derivations));
        let moved =
            with_hosted.changed(Kind::Set(SetKind::Itms), |context| context.insert(catalogs("n.lab/redhat")));
        assert_eq!(moved.context().hosted_clusters().count(), 1);
        let value = &moved.derivations().for_releases(&crate::hypershift::Releases::default()).value;
        assert_eq!(value.as_deref(), Ok("registry.redhat.io/redhat=n.lab/redhat"));
    }
}
