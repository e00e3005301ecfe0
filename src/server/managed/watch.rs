//! Watches for changes. The objects themselves are read after a notification, because a watch may be behind.

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
use tracing::{info, warn};

use super::access::Access;
use crate::{
    certificates::ConfigurationKind::{Mutating, Validating},
    cluster::cause,
    server::{
        App,
        certificate_files::{ClientCa, POLL_INTERVAL},
        polled::{Change, Polled},
    },
};

/// The pause before a watch that the API server ended is restarted, and the shortest one after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Notifies about changes of the Secret, the configurations and the client CA.
pub(super) async fn follow(access: &Access, client_ca: Option<ClientCa>, app: &App, changed: &Arc<Notify>) {
    let configuration = &*access.configuration;
    tokio::join!(
        watch(&access.secrets, "Secret", &access.secret.name, changed),
        watch(&access.validating, Validating.name(), configuration, changed),
        watch(&access.mutating, Mutating.name(), configuration, changed),
        poll(client_ca, app, changed),
    );
}

/// Watches one object by name, without listing: the service account is not allowed to list.
async fn watch<K: Clone + Debug + DeserializeOwned + 'static>(
    api: &Api<K>,
    kind: &'static str,
    name: &str,
    changed: &Notify,
) {
    let params = WatchParams::default().fields(&format!("metadata.name={name}"));
    let mut failures = Failures::default();
    loop {
        let result = notify_of_events(api, &params, changed, &mut failures).await;
        let (pause, new_failure) = failures.record(result);
        if let Some(why) = new_failure {
            warn!(kind, name, "cannot watch, so changes are noticed later: {why}");
        }
        tokio::time::sleep(pause).await;
        // Changes during the pause were not reported.
        changed.notify_one();
    }
}

/// The consecutive failures of a watch.
#[derive(Default)]
struct Failures {
    backoff: DefaultBackoff,
    logged: Option<String>,
}

impl Failures {
    /// Records that the watch works.
    fn reset(&mut self) {
        self.backoff.reset();
        self.logged = None;
    }

    /// Records how a watch ended. Returns the pause before the next one, and the reason of a failure that was not
    /// logged before.
    fn record(&mut self, result: Result<(), Error>) -> (Duration, Option<String>) {
        let Err(error) = result else { return (PAUSE, None) };
        let pause = self.backoff.next().unwrap_or(PAUSE).max(PAUSE);
        let why = cause(&error);
        if self.logged.as_ref() == Some(&why) {
            return (pause, None);
        }
        self.logged = Some(why.clone());
        (pause, Some(why))
    }
}

/// Notifies about events until the watch ends. From version 0, the API server reports the object as it is first.
async fn notify_of_events<K: Clone + Debug + DeserializeOwned + 'static>(
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
        failures.reset();
    }
    Ok(())
}

/// Polls the file of the client CA. While it cannot be read, the previous CA stays in use.
async fn poll(client_ca: Option<ClientCa>, app: &App, changed: &Notify) {
    let Some(file) = client_ca else { return };
    let mut ticks = tokio::time::interval(POLL_INTERVAL);
    let mut polled = Polled::new(file.read().unwrap_or_default());
    loop {
        ticks.tick().await;
        match polled.record(file.read().map_err(|error| error.to_string())) {
            None => {}
            Some(Change::Unreadable(why)) => {
                app.metrics.certificate_failures.inc();
                warn!(
                    "cannot read the client CA, the previous one stays in use: {why}; restore the file and its \
                     permissions"
                );
            }
            Some(Change::Readable(_)) => {
                info!("the client CA can be read again");
                changed.notify_one();
            }
            Some(Change::Contents(_)) => changed.notify_one(),
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn a_failure_is_logged_once_and_attempts_become_rarer() {
        let mut failures = Failures::default();
        assert_eq!(
            failures.record(Ok(())),
            (PAUSE, None),
            "the API server ends each watch after some minutes"
        );
        let recorded: Vec<_> = (0..8).map(|_| failures.record(refusal(403))).collect();
        let logged: Vec<_> = recorded.iter().filter_map(|(_, why)| why.as_deref()).collect();
        assert_eq!(logged, ["no (403)"], "the same failure each time");
        assert!(recorded[7].0 >= Duration::from_secs(15), "a missing permission stays missing: {recorded:?}");
        assert_eq!(failures.record(refusal(500)).1.as_deref(), Some("no (500)"), "another failure");
        failures.reset();
        let (pause, why) = failures.record(refusal(403));
        assert!(pause <= Duration::from_secs(3) && why.is_some(), "it had worked in between: {pause:?}");
    }

    fn refusal(code: u16) -> Result<(), Error> {
        Err(Error::Api(Box::new(Status::failure("no", "").with_code(code))))
    }
}
