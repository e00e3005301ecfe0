//! Tells of changes. What has changed is read by whoever is told: a watch may be behind.

use std::{fmt::Debug, pin::pin, sync::Arc, time::Duration};

use futures::StreamExt;
use kube::{
    Api, Error,
    api::WatchParams,
    core::WatchEvent,
    runtime::{utils::Backoff, watcher::DefaultBackoff},
};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tracing::warn;

use super::access::Access;
use crate::{
    certificates::ConfigurationKind::{Mutating, Validating},
    cluster::cause,
    server::tls::{ClientCa, LOOK_EVERY},
};

/// Before a watch that the apiserver ended is begun anew.
const PAUSE: Duration = Duration::from_secs(1);

/// Notifies of each change of the Secret, of the configurations and of the client CA.
pub(super) async fn follow(access: &Access, client_ca: Option<ClientCa>, changed: &Arc<Notify>) {
    let configuration = &*access.configuration;
    tokio::join!(
        watch(&access.secrets, "Secret", &access.secret.name, changed),
        watch(&access.validating, Validating.name(), configuration, changed),
        watch(&access.mutating, Mutating.name(), configuration, changed),
        look(client_ca, changed),
    );
}

/// Watches one object by name, without listing: the account may not list.
async fn watch<K: Clone + Debug + DeserializeOwned + 'static>(
    api: &Api<K>,
    kind: &'static str,
    name: &str,
    changed: &Notify,
) {
    let params = WatchParams::default().fields(&format!("metadata.name={name}"));
    let mut failures = Failures::default();
    loop {
        let ended = events(api, &params, changed, &mut failures).await;
        let (pause, news) = failures.after(ended);
        if let Some(why) = news {
            warn!(kind, name, "cannot watch, so changes are noticed later: {why}");
        }
        tokio::time::sleep(pause).await;
        // What happened in between was not told.
        changed.notify_one();
    }
}

/// The failures of a watch, one after another.
#[derive(Default)]
struct Failures {
    backoff: DefaultBackoff,
    told: Option<String>,
}

impl Failures {
    /// The watch works.
    fn end(&mut self) {
        self.backoff.reset();
        self.told = None;
    }

    /// How long to wait after a watch that ended, and what there is to tell that was not told before.
    fn after(&mut self, ended: Result<(), Error>) -> (Duration, Option<String>) {
        let Err(error) = ended else { return (PAUSE, None) };
        let why = cause(&error);
        let is_news = self.told.as_ref() != Some(&why);
        self.told = Some(why.clone());
        (self.backoff.next().unwrap_or(PAUSE).max(PAUSE), is_news.then_some(why))
    }
}

async fn events<K: Clone + Debug + DeserializeOwned + 'static>(
    api: &Api<K>,
    params: &WatchParams,
    changed: &Notify,
    failures: &mut Failures,
) -> Result<(), Error> {
    let mut events = pin!(api.watch_metadata(params, "0").await?);
    while let Some(event) = events.next().await {
        match event? {
            WatchEvent::Error(status) => return Err(Error::Api(status)),
            WatchEvent::Bookmark(_) => {}
            _ => changed.notify_one(),
        }
        failures.end();
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

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn a_watch_that_fails_is_told_once_and_tried_ever_less_often() {
        let refused = |code| Err(Error::Api(Box::new(Status::failure("no", "").with_code(code))));
        let mut failures = Failures::default();
        assert_eq!(failures.after(Ok(())), (PAUSE, None), "the apiserver ends each after some minutes");
        let pauses: Vec<_> = (0..8).map(|_| failures.after(refused(403))).collect();
        let news: Vec<_> = pauses.iter().filter_map(|(_, news)| news.as_deref()).collect();
        assert_eq!(news, ["no (403)"], "the same again and again");
        assert!(pauses[7].0 >= Duration::from_secs(15), "a right that is missing stays so: {pauses:?}");
        assert_eq!(failures.after(refused(500)).1.as_deref(), Some("no (500)"), "something else is wrong");
        failures.end();
        let (pause, news) = failures.after(refused(403));
        assert!(pause <= Duration::from_secs(3) && news.is_some(), "it had worked in between: {pause:?}");
    }
}
