//! State from a cluster. Watches keep it up to date, and a decision on a mirror set compares it with the API server.

use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};

use axum::http::{Request, Response, StatusCode};
use futures::{StreamExt, future::try_join_all};
use kube::{
    Client, Error, ResourceExt,
    api::ListParams,
    client::Body,
    runtime::{WatchStreamExt, watcher},
};
use mirrorguard_core::{
    context::Context,
    objects::{Kind, SetKind},
    state::State,
};
use tower::service_fn;
use tracing::{debug, warn};

use super::{
    Health, Shared, cause,
    known::{remove, replace},
    listing::{Listed, is_forbidden, is_not_found, list},
    object::{LiveObject, api},
    unreadable::Unreadable,
};

/// How long a decision waits for the API server, which waits 5 s for the decision.
const COMPARE_TIMEOUT: Duration = Duration::from_secs(3);

/// The state of a live cluster.
#[derive(Debug)]
pub struct LiveState {
    shared: Arc<Shared>,
    health: Arc<Health>,
    unreadable: Unreadable,
    client: ClientBox,
}

/// A client with `Debug`.
struct ClientBox(Client);

impl std::fmt::Debug for ClientBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl LiveState {
    /// A state that is incomplete until [`LiveState::follow`] has listed every kind once.
    pub fn new(client: Client) -> Arc<Self> {
        let shared = Shared::waiting_for(Kind::ALL.len() as u64);
        let (health, unreadable) = (Arc::default(), Unreadable::default());
        Arc::new(Self { shared, health, unreadable, client: ClientBox(client) })
    }

    /// The health of the watches.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// The objects that cannot be read.
    pub fn unreadable(&self) -> &Unreadable {
        &self.unreadable
    }

    /// The state.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Lists and watches all kinds until the task is dropped.
    pub async fn follow(self: Arc<Self>) {
        let watches = Kind::ALL.map(|kind| self.watch(kind));
        futures::future::join_all(watches).await;
    }

    /// Lists and watches one kind. After its first complete list, the kind counts as read.
    async fn watch(&self, kind: Kind) {
        let config = watcher::Config::default().page_size(200);
        let health = self.health.of(kind);
        let client = recording_contact(self.client.0.clone(), kind, Arc::clone(&self.health));
        let mut events = pin!(watcher(api(client, kind), config).default_backoff());
        let mut listed = Listed::default();
        let mut is_first = true;
        while let Some(event) = events.next().await {
            if !self.apply(kind, event, &mut listed) {
                continue;
            }
            // `recording_contact` records only the responses; one response of a watch carries events for minutes.
            health.record_contact();
            if std::mem::take(&mut is_first) {
                self.shared.record_part();
            }
        }
    }

    /// Applies an event to the state. Returns whether the state now has all objects of the kind, which are none if
    /// the cluster does not serve it. `listed` collects the objects of a list until it is complete.
    fn apply(
        &self,
        kind: Kind,
        event: Result<watcher::Event<LiveObject>, watcher::Error>,
        listed: &mut Listed,
    ) -> bool {
        match event {
            Ok(watcher::Event::Init) => {
                *listed = Listed::default();
                false
            }
            Ok(watcher::Event::InitApply(object)) => {
                listed.add(kind, object);
                false
            }
            Ok(watcher::Event::InitDone) => {
                let listed = std::mem::take(listed);
                debug!(kind = kind.name(), objects = listed.objects.len(), "listed");
                self.unreadable.replace(kind, &listed.unread);
                self.change(kind, |context| replace(context, kind, listed));
                true
            }
            Ok(watcher::Event::Apply(object)) => {
                match object.into_object(kind) {
                    Ok(object) => {
                        self.unreadable.remove(&object.id());
                        self.change(kind, |context| context.insert(object));
                    }
                    // The version that was read before stays, as in the caches of the operators.
                    Err(unread) => self.unreadable.record(unread),
                }
                true
            }
            Ok(watcher::Event::Delete(object)) => {
                let id = object.id(kind);
                self.unreadable.remove(&id);
                self.change(kind, |context| remove(context, kind, &id));
                true
            }
            Err(error) if request_of(&error).is_some_and(is_not_found) => {
                debug!(kind = kind.name(), "not served by this cluster");
                true
            }
            Err(error) => {
                self.health.of(kind).record_error();
                warn!(kind = kind.name(), "cannot watch: {}", describe(&error));
                // Roles of an earlier release do not allow this, and no write is decided by these kinds.
                matches!(kind, Kind::Catalog(_)) && request_of(&error).is_some_and(is_forbidden)
            }
        }
    }

    /// Publishes a state with a changed context. The kind says whether the catalog overrides have to be derived again.
    fn change(&self, kind: Kind, change: impl FnOnce(&mut Context)) {
        self.shared.change(|state| state.changed(kind, change));
    }

    /// The state with the current mirror sets of the API server. Only names and versions are listed, and a kind is
    /// listed in full only if they differ from the known ones.
    pub async fn fresh(&self) -> Result<Arc<State>, String> {
        match tokio::time::timeout(COMPARE_TIMEOUT, self.compare()).await {
            Ok(result) => result.map_err(|error| cause(&error)),
            Err(_) => Err(format!("no answer within {} s", COMPARE_TIMEOUT.as_secs())),
        }
    }

    /// What [`LiveState::fresh`] returns, without a limit on the time.
    async fn compare(&self) -> Result<Arc<State>, Error> {
        let versions = try_join_all(SetKind::ALL.map(|kind| self.versions(kind))).await?;
        // Taken after the answers, with everything that the watches have delivered meanwhile.
        let current = self.shared.current();
        let mut context: Option<Context> = None;
        for (kind, versions) in SetKind::ALL.into_iter().zip(versions) {
            if self.known_versions(&current, kind) != versions {
                self.health.of(Kind::Set(kind)).record_behind();
                let listed = list(&self.client.0, Kind::Set(kind)).await?;
                let context = context.get_or_insert_with(|| current.context().clone());
                replace(context, Kind::Set(kind), listed);
            }
        }
        Ok(context.map_or(current, |context| Arc::new(State::new(context))))
    }

    /// The resource version of each set of a kind that the watches have delivered, by name, whether or not it can be
    /// read: one that cannot be read is not read again for every decision.
    fn known_versions(&self, state: &State, kind: SetKind) -> BTreeMap<String, String> {
        let sets = state.context().sets_of(kind);
        let read = sets.map(|set| (set.name.to_string(), set.resource_version.to_string()));
        // In this order: the version that cannot be read is the newer one.
        read.chain(self.unreadable.versions(Kind::Set(kind))).collect()
    }

    /// The resource version of each set of a kind, by name; empty if the cluster does not serve the kind.
    async fn versions(&self, kind: SetKind) -> Result<BTreeMap<String, String>, Error> {
        let list = api(self.client.0.clone(), Kind::Set(kind)).list_metadata(&ListParams::default()).await;
        let items = match list {
            Ok(list) => list.items,
            Err(error) if is_not_found(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(items.iter().map(|item| (item.name_any(), item.resource_version().unwrap_or_default())).collect())
    }
}

/// A client that records when it is answered. While nothing changes, a watch can be silent for weeks, but it is
/// restarted every few minutes, and the API server answers that.
fn recording_contact(client: Client, kind: Kind, health: Arc<Health>) -> Client {
    let namespace = client.default_namespace().to_owned();
    let send =
        move |request: Request<Body>| send_recording(client.clone(), kind, Arc::clone(&health), request);
    Client::new(service_fn(send), namespace)
}

async fn send_recording(
    client: Client,
    kind: Kind,
    health: Arc<Health>,
    request: Request<Body>,
) -> Result<Response<Body>, Error> {
    let response = client.send(request).await?;
    // An API server answers 404 for a kind that it does not serve.
    if response.status().is_success() || response.status() == StatusCode::NOT_FOUND {
        health.of(kind).record_contact();
    }
    Ok(response)
}

fn describe(error: &watcher::Error) -> String {
    request_of(error).map_or_else(|| error.to_string(), cause)
}

/// The error of the request that the watch sent; `None` for other errors.
fn request_of(error: &watcher::Error) -> Option<&Error> {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => Some(error),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
