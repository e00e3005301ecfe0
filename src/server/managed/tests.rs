//! The controller against an API server in memory, which can fail, stop answering, or revert writes.

mod apiserver;

use jiff::{SignedDuration, Timestamp};
use mirrorguard_core::rules::Settings;
use serde_json::json;
use tempfile::TempDir;

use self::apiserver::{Apiserver, MUTATING, Mood, SECRET, VALIDATING};
use super::*;
use crate::{
    certificates::{ConfigurationKind, authority, issue},
    cluster::{FileState, Source},
};

const NAME: &str = "mirrorguard.mirrorguard.svc";

fn options() -> ManagedOptions {
    let day = SignedDuration::from_hours(24);
    ManagedOptions {
        secret: "mirrorguard/tls".parse().unwrap(),
        configuration: "mirrorguard".to_owned(),
        names: vec![NAME.to_owned()],
        lifetimes: Lifetimes { serving: day * 90, authority: day * 1095, overlap: day / 288 },
        client_ca: None,
    }
}

/// A replica that has not started, with a state that is ready.
fn replica(apiserver: &Arc<Apiserver>) -> (Managed, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let source = Source::Files(FileState::open(folder.path()).unwrap());
    let app = App::new(Settings::default(), source);
    (Managed::new(apiserver.client(), options(), app), folder)
}

/// A replica that serves a certificate, which both configurations trust.
async fn running(apiserver: &Arc<Apiserver>) -> (Managed, TempDir) {
    let (mut managed, folder) = replica(apiserver);
    managed.round().await.unwrap();
    (managed, folder)
}

fn failures(managed: &Managed) -> u64 {
    managed.app.metrics.certificate_failures.get()
}

#[tokio::test]
async fn a_start_fills_the_secret_and_both_configurations() {
    let apiserver = Apiserver::new();
    let (managed, _folder) = running(&apiserver).await;
    let bundles = [VALIDATING, MUTATING].map(|path| apiserver.bundle(path));
    assert!(bundles[0].is_some() && bundles[0] == bundles[1], "{bundles:?}");
    assert_eq!(managed.app.readiness.not_ready(), None);
    assert_eq!(apiserver.writes(), 4, "a CA, a certificate, and each of the configurations");
}

/// Something that goes wrong while a replica runs.
type Fault = fn(&Apiserver, &mut Managed);

fn fail(apiserver: &Apiserver, _: &mut Managed) {
    apiserver.set_mood(Mood::Failing);
}

fn fail_while_due(apiserver: &Apiserver, managed: &mut Managed) {
    apiserver.set_mood(Mood::Failing);
    let now = Timestamp::now() - SignedDuration::from_hours(24 * 80);
    let signer = authority(now, options().lifetimes.authority).unwrap();
    let old = issue(&signer, &options().names, now, options().lifetimes.serving).unwrap();
    managed.served.as_mut().unwrap().0 = old;
    // Otherwise the last certificate of the Secret would be served at once.
    managed.seen = None;
}

fn forbid(apiserver: &Apiserver, _: &mut Managed) {
    apiserver.set_mood(Mood::Forbidding);
}

fn delete_secret(apiserver: &Apiserver, _: &mut Managed) {
    apiserver.remove(SECRET);
}

fn take_over_secret(apiserver: &Apiserver, _: &mut Managed) {
    apiserver.change(SECRET, |secret| secret["metadata"]["annotations"] = json!({}));
}

fn empty_bundle_for_good(apiserver: &Apiserver, _: &mut Managed) {
    apiserver.change(MUTATING, |found| found["webhooks"][0]["clientConfig"] = json!({}));
    apiserver.set_mood(Mood::ReadOnly);
}

#[tokio::test]
async fn only_an_outage_while_nothing_is_due_is_no_failure() {
    // A fault, and how many failures are counted.
    let table: [(Fault, u64, &str); 6] = [
        (fail, 0, "the API server restarts: the certificate is valid for weeks"),
        (fail_while_due, 1, "the same while a renewal is due"),
        (forbid, 1, "the permissions are gone"),
        (delete_secret, 1, "the Secret was deleted"),
        (take_over_secret, 1, "the Secret belongs to another client now"),
        (empty_bundle_for_good, 1, "the CA was removed and cannot be written again"),
    ];
    for (fault, expected, reason) in table {
        let apiserver = Apiserver::new();
        let (mut managed, _folder) = running(&apiserver).await;
        fault(&apiserver, &mut managed);
        let error = managed.round().await.unwrap_err();
        managed.report(&error);
        assert_eq!(failures(&managed), expected, "{reason}: {error}");
    }
}

#[tokio::test]
async fn a_client_that_reverts_every_write_is_reported_and_waited_for() {
    let apiserver = Apiserver::new();
    apiserver.revert_writes_of(VALIDATING);
    let (mut managed, _folder) = replica(&apiserver);
    let error = managed.round().await.unwrap_err();
    let ManagedError::Contested { flag, object, resource } = &error else { panic!("{error:?}") };
    assert_eq!((*flag, &**object), ("--webhook-configuration", "ValidatingWebhookConfiguration mirrorguard"));
    assert_eq!(resource, "validatingwebhookconfiguration mirrorguard");
    assert!(apiserver.bundle(MUTATING).is_some(), "the other configuration does not wait");
    let before = (apiserver.writes(), apiserver.reads());
    let app = Arc::clone(&managed.app);
    // It never ends; a second is enough for thousands of rounds without a pause.
    tokio::time::timeout(Duration::from_secs(1), Box::pin(managed.follow())).await.unwrap_err();
    let after = (apiserver.writes(), apiserver.reads());
    assert!(after.0 <= before.0 + 1 && after.1 < before.1 + 20, "{before:?}, then {after:?}");
    assert!(app.metrics.certificate_failures.get() >= 1, "the failures are not counted");
}

#[tokio::test]
async fn a_silent_apiserver_is_not_waited_for() {
    let apiserver = Apiserver::new();
    apiserver.set_mood(Mood::Silent);
    let (mut managed, _folder) = replica(&apiserver);
    managed.access.patience = Duration::from_millis(50);
    let error = managed.round().await.unwrap_err();
    let ManagedError::Failed { flag, verb, object, why } = &error else { panic!("{error:?}") };
    assert_eq!((*flag, *verb), ("--webhook-configuration", "get"));
    assert_eq!(object, "ValidatingWebhookConfiguration mirrorguard");
    assert!(why.contains("50ms"), "{why}");
    assert!(error.is_transient(), "a start tries again");
}

#[tokio::test]
async fn a_configuration_counts_even_if_the_secret_cannot_be_read() {
    let untrusted = describe_obstacle(Obstacle::Untrusted(ConfigurationKind::Validating), "mirrorguard");
    let table = [(true, Some(untrusted), "another CA was written"), (false, None, "nothing changed")];
    for (is_replaced, expected, reason) in table {
        let apiserver = Apiserver::new();
        let (mut managed, _folder) = running(&apiserver).await;
        if is_replaced {
            apiserver
                .change(VALIDATING, |c| c["webhooks"][0]["clientConfig"]["caBundle"] = "b3RoZXI=".into());
        }
        apiserver.set_mood(Mood::SecretFailing);
        managed.round().await.unwrap_err();
        let why = managed.app.readiness.not_ready();
        assert_eq!(why.as_deref().map(str::trim_end), expected.as_deref(), "{reason}");
    }
}
