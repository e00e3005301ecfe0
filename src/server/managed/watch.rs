//! Tells of changes. What has changed is read by whoever is told: a watch may be behind.

use std::{fmt::Debug, pin::pin, sync::Arc, time::Duration};

use futures::StreamExt;
use kube::{Api, Error, api::WatchParams, core::WatchEvent};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tracing::debug;

use super::access::Access;
use crate::server::tls::{ClientCa, LOOK_EVERY};

/// Before a watch that ended is begun anew.
const PAUSE: Duration = Duration::from_secs(1);

/// Notifies of each change of the Secret, of the configurations and of the client CA.
pub(super) async fn follow(access: &Access, client_ca: Option<ClientCa>, changed: &Arc<Notify>) {
    let configuration = &*access.configuration;
    tokio::join!(
        watch(&access.secrets, &access.secret.name, changed),
        watch(&access.validating, configuration, changed),
        watch(&access.mutating, configuration, changed),
        look(client_ca, changed),
    );
}

/// Watches one object by name, without listing: the account may not list.
async fn watch<K: Clone + Debug + DeserializeOwned + 'static>(api: &Api<K>, name: &str, changed: &Notify) {
    let params = WatchParams::default().fields(&format!("metadata.name={name}"));
    loop {
        if let Err(error) = events(api, &params, changed).await {
            debug!("watch of {name}: {error}");
        }
        tokio::time::sleep(PAUSE).await;
        // What happened in between was not told.
        changed.notify_one();
    }
}

async fn events<K: Clone + Debug + DeserializeOwned + 'static>(
    api: &Api<K>,
    params: &WatchParams,
    changed: &Notify,
) -> Result<(), Error> {
    let mut events = pin!(api.watch_metadata(params, "0").await?);
    while let Some(event) = events.next().await {
        match event? {
            WatchEvent::Error(status) => return Err(Error::Api(status)),
            WatchEvent::Bookmark(_) => {}
            _ => changed.notify_one(),
        }
    }
    Ok(())
}

async fn look(client_ca: Option<ClientCa>, changed: &Notify) {
    let Some(file) = client_ca else { return };
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    let mut seen = file.read().ok();
    loop {
        ticks.tick().await;
        let now = file.read().ok();
        if now.is_some() && now != seen {
            seen = now;
            changed.notify_one();
        }
    }
}
