//! State from a cluster: watches keep it, and a decision on a mirror set compares it with the apiserver.

use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};

use axum::http::{Request, StatusCode};
use futures::{StreamExt, future::try_join_all};
use kube::{
    Api, Client, Error, ResourceExt,
    api::ListParams,
    client::Body,
    core::{ApiResource, DynamicObject, GroupVersionKind, ObjectMeta},
    runtime::{WatchStreamExt, watcher},
};
use tower::service_fn;
use tracing::{debug, warn};

use super::{Health, Shared, cause};
use mirrorguard_core::{
    context::Context,
    objects::{Kind, MirrorSet, Object, SetKind},
    state::State,
};

/// How long a decision waits for the apiserver; well within the 5 s that it waits for us.
const PATIENCE: Duration = Duration::from_secs(3);

/// Kinds that could not be read, and why.
pub type Unread = Vec<(Kind, Error)>;

/// The state of a live cluster.
#[derive(Debug)]
pub struct LiveState {
    shared: Arc<Shared>,
    health: Arc<Health>,
    client: ClientBox,
}

/// A client that does not print itself.
struct ClientBox(Client);

impl std::fmt::Debug for ClientBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl LiveState {
    /// A state that is empty until [`LiveState::follow`] has listed everything.
    pub fn new(client: Client) -> Arc<Self> {
        let shared = Shared::waiting_for(Kind::ALL.len() as u64);
        Arc::new(Self { shared, health: Arc::default(), client: ClientBox(client) })
    }

    /// How the watches are doing.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// The state.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Lists and watches until the task is dropped.
    pub async fn follow(self: Arc<Self>) {
        let watches = Kind::ALL.map(|kind| self.watch(kind));
        futures::future::join_all(watches).await;
    }

    async fn watch(&self, kind: Kind) {
        let config = watcher::Config::default().page_size(200);
        let health = self.health.of(kind);
        let client = heard(self.client.0.clone(), kind, Arc::clone(&self.health));
        let mut events = pin!(watcher(api(client, kind), config).default_backoff());
        let mut listed = Vec::new();
        let mut first = true;
        while let Some(event) = events.next().await {
            let is_read = match event {
                Ok(watcher::Event::Init) => {
                    listed.clear();
                    false
                }
                Ok(watcher::Event::InitApply(object)) => {
                    listed.extend(convert(kind, &object));
                    false
                }
                Ok(watcher::Event::InitDone) => {
                    let objects = std::mem::take(&mut listed);
                    debug!(kind = kind.name(), objects = objects.len(), "listed");
                    self.change(kind, |context| replace(context, kind, objects));
                    true
                }
                Ok(watcher::Event::Apply(object)) => {
                    if let Some(object) = convert(kind, &object) {
                        self.change(kind, |context| context.insert(object));
                    }
                    true
                }
                Ok(watcher::Event::Delete(object)) => {
                    self.change(kind, |context| remove(context, kind, &object));
                    true
                }
                Err(error) if request_of(&error).is_some_and(is_not_found) => {
                    debug!(kind = kind.name(), "not served by this cluster");
                    true
                }
                Err(error) => {
                    health.record_error();
                    warn!(kind = kind.name(), "cannot watch: {}", why(&error));
                    false
                }
            };
            if is_read {
                health.record_contact();
            }
            if is_read && std::mem::take(&mut first) {
                self.shared.part_is_read();
            }
        }
    }

    fn change(&self, kind: Kind, change: impl FnOnce(&mut Context)) {
        self.shared.change(|state| state.changed(kind, change));
    }

    /// The state with the mirror sets exactly as the apiserver has them now: names and versions are listed,
    /// and only a kind in which they differ from what is known is listed whole.
    pub async fn fresh(&self) -> Result<Arc<State>, String> {
        match tokio::time::timeout(PATIENCE, self.compare()).await {
            Ok(result) => result.map_err(|error| cause(&error)),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }

    async fn compare(&self) -> Result<Arc<State>, Error> {
        let versions = try_join_all(SetKind::ALL.map(|kind| self.versions(kind))).await?;
        let current = self.shared.current();
        let mut context: Option<Context> = None;
        for (kind, versions) in SetKind::ALL.into_iter().zip(versions) {
            let known = current
                .context()
                .sets_of(kind)
                .map(|set| (set.name.to_string(), set.resource_version.to_string()));
            if known.collect::<BTreeMap<_, _>>() != versions {
                self.health.of(Kind::Set(kind)).record_behind();
                let listed = self.list(Kind::Set(kind)).await?;
                let context = context.get_or_insert_with(|| current.context().clone());
                replace(context, Kind::Set(kind), listed);
            }
        }
        Ok(context.map_or(current, |context| Arc::new(State::new(context))))
    }

    async fn versions(&self, kind: SetKind) -> Result<BTreeMap<String, String>, Error> {
        let list = self.api(Kind::Set(kind)).list_metadata(&ListParams::default()).await;
        let items = list
            .map(|list| list.items)
            .or_else(|error| if is_not_found(&error) { Ok(Vec::new()) } else { Err(error) })?;
        Ok(items
            .into_iter()
            .map(|item| (item.name_any(), item.resource_version().unwrap_or_default()))
            .collect())
    }

    async fn list(&self, kind: Kind) -> Result<Vec<Object>, Error> {
        Ok(self.list_whole(kind).await?.into_iter().map(|(object, _)| object).collect())
    }

    async fn list_whole(&self, kind: Kind) -> Result<Vec<(Object, ObjectMeta)>, Error> {
        let list = self.api(kind).list(&ListParams::default()).await?;
        let read = |object: DynamicObject| Some((convert(kind, &object)?, object.metadata));
        Ok(list.items.into_iter().filter_map(read).collect())
    }

    /// Every object of the kinds that are kept as the cluster has them now.
    pub async fn snapshot(client: Client) -> Result<Vec<Object>, Error> {
        Ok(Self::whole_snapshot(client).await?.into_iter().map(|(object, _)| object).collect())
    }

    /// The same with the objects' metadata.
    pub async fn whole_snapshot(client: Client) -> Result<Vec<(Object, ObjectMeta)>, Error> {
        let (objects, unread) = Self::lenient_snapshot(client).await?;
        unread.into_iter().next().map_or(Ok(objects), |(_, error)| Err(error))
    }

    /// The same, where only mirror sets have to be readable: with the other kinds that were not, and why.
    pub async fn lenient_snapshot(client: Client) -> Result<(Vec<(Object, ObjectMeta)>, Unread), Error> {
        let live = Self::new(client);
        let (mut objects, mut unread) = (Vec::new(), Vec::new());
        for kind in Kind::ALL {
            match live.list_whole(kind).await {
                Ok(listed) => objects.extend(listed),
                Err(error) if is_not_found(&error) => {}
                Err(error) if matches!(kind, Kind::Set(_)) => return Err(error),
                Err(error) => unread.push((kind, error)),
            }
        }
        Ok((objects, unread))
    }

    /// The HostedClusters; none where the cluster does not know the kind.
    pub async fn hosted_clusters(client: Client) -> Result<Vec<Object>, Error> {
        match Self::new(client).list(Kind::HostedCluster).await {
            Err(error) if is_not_found(&error) => Ok(Vec::new()),
            other => other,
        }
    }

    fn api(&self, kind: Kind) -> Api<DynamicObject> {
        api(self.client.0.clone(), kind)
    }
}

fn api(client: Client, kind: Kind) -> Api<DynamicObject> {
    let version = match kind {
        Kind::Set(set) => set.api().1,
        Kind::HostedCluster => "v1beta1",
        Kind::ImageConfig | Kind::ClusterVersion => "v1",
    };
    let gvk = GroupVersionKind::gvk(kind.group(), version, kind.name());
    Api::all_with(client, &ApiResource::from_gvk_with_plural(&gvk, kind.plural()))
}

/// A client that notes when it is answered. Where nothing changes a watch tells nothing for weeks, but it is
/// taken up anew every few minutes, and that is answered.
fn heard(client: Client, kind: Kind, health: Arc<Health>) -> Client {
    let namespace = client.default_namespace().to_owned();
    let ask = move |request: Request<Body>| {
        let (client, health) = (client.clone(), Arc::clone(&health));
        async move {
            let response = client.send(request).await?;
            if response.status().is_success() || response.status() == StatusCode::NOT_FOUND {
                health.of(kind).record_contact();
            }
            Ok::<_, Error>(response)
        }
    };
    Client::new(service_fn(ask), namespace)
}

/// What the apiserver sent, as an object; one that cannot be read is left out with a warning, since the
/// nodes' operator could not read it either.
fn convert(kind: Kind, object: &DynamicObject) -> Option<Object> {
    let json = serde_json::to_string(object).ok()?;
    match Object::from_json(kind, &json) {
        Ok(object) => Some(object),
        Err(error) => {
            warn!(kind = kind.name(), name = object.name_any(), "left out: {error}");
            None
        }
    }
}

/// Exchanges all objects of one kind.
fn replace(context: &mut Context, kind: Kind, objects: Vec<Object>) {
    match kind {
        Kind::Set(set) => {
            let names: Vec<_> = context.sets_of(set).map(|set: &MirrorSet| set.name.clone()).collect();
            for name in names {
                context.remove_set(set, &name);
            }
        }
        Kind::ImageConfig => context.image_config = Arc::default(),
        Kind::ClusterVersion => context.payload = None,
        Kind::HostedCluster => context.clear_hosted(),
    }
    for object in objects {
        context.insert(object);
    }
}

fn remove(context: &mut Context, kind: Kind, object: &DynamicObject) {
    let name = object.name_any();
    match kind {
        Kind::Set(set) => context.remove_set(set, &name),
        Kind::ImageConfig => context.image_config = Arc::default(),
        Kind::ClusterVersion => context.payload = None,
        Kind::HostedCluster => context.remove_hosted(&object.namespace().unwrap_or_default(), &name),
    }
}

fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 404)
}

fn why(error: &watcher::Error) -> String {
    request_of(error).map_or_else(|| error.to_string(), cause)
}

/// The failure of the request that a watch was about.
fn request_of(error: &watcher::Error) -> Option<&Error> {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => Some(error),
        _ => None,
    }
}
