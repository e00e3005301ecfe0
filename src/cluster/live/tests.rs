use mirrorguard_core::objects::ImageConfig;
use serde_json::{Value, json};
use watcher::Event::{Apply, Delete, Init, InitApply, InitDone};

use super::*;

const IDMS: Kind = Kind::Set(SetKind::Idms);

type Event = watcher::Event<LiveObject>;

/// The set `a` at a version; its list of mirrors is one that can be read, or a number.
fn set(version: u32, is_readable: bool) -> LiveObject {
    let mirrors = if is_readable { json!(["m.lab/a"]) } else { json!(5) };
    object(&json!({
        "metadata": {"name": "a", "resourceVersion": version.to_string()},
        "spec": {"imageDigestMirrors": [{"source": "q.io/a", "mirrors": mirrors}]},
    }))
}

fn object(json: &Value) -> LiveObject {
    serde_json::from_str(&json.to_string()).unwrap()
}

fn live() -> Arc<LiveState> {
    let refuse = |_: Request<Body>| async { Err::<Response<Body>, Error>(Error::TlsRequired) };
    LiveState::new(Client::new(service_fn(refuse), "default"))
}

/// Lists one object.
fn list(object: LiveObject) -> Vec<Event> {
    vec![Init, InitApply(object), InitDone]
}

#[tokio::test]
async fn what_cannot_be_read_is_known_after_each_event() {
    // The events, the version of the set in the state, and the version that cannot be read.
    type Row = (Vec<Vec<Event>>, Option<&'static str>, Option<&'static str>, &'static str);
    let (good, bad) = (|version| set(version, true), |version| set(version, false));
    let table: [Row; 11] = [
        (vec![list(good(1))], Some("1"), None, "listed"),
        (vec![list(bad(1))], None, Some("1"), "listed and unreadable"),
        (vec![list(bad(1)), vec![Apply(good(2))]], Some("2"), None, "corrected"),
        (vec![list(bad(1)), vec![Apply(bad(2))]], None, Some("2"), "changed and still unreadable"),
        (vec![list(good(1)), vec![Apply(bad(2))]], Some("1"), Some("2"), "no longer readable"),
        (vec![list(good(1)), vec![Apply(bad(2)), Apply(good(3))]], Some("3"), None, "and corrected"),
        (vec![list(good(1)), vec![Apply(bad(2)), Delete(bad(3))]], None, None, "deleted while unreadable"),
        (vec![list(bad(1)), vec![Delete(bad(2))]], None, None, "deleted, and never read"),
        (vec![list(good(1)), vec![Apply(bad(2))], list(bad(2))], Some("1"), Some("2"), "listed again"),
        (vec![list(good(1)), vec![Apply(bad(2))], vec![Init, InitDone]], None, None, "gone in the next list"),
        (vec![list(bad(1)), list(good(2))], Some("2"), None, "corrected in the next list"),
    ];
    for (events, read, unreadable, reason) in table {
        let live = live();
        let mut listed = Listed::default();
        for event in events.into_iter().flatten() {
            live.apply(IDMS, Ok(event), &mut listed);
        }
        let state = live.shared().current();
        let version = state.set(SetKind::Idms, "a").map(|set| set.resource_version.to_string());
        assert_eq!(version.as_deref(), read, "{reason}: the state");
        let versions = live.unreadable.versions(IDMS);
        let unread: Vec<_> = versions.iter().map(|(name, version)| (&**name, &**version)).collect();
        assert_eq!(unread, Vec::from_iter(unreadable.map(|version| ("a", version))), "{reason}: unreadable");
        assert_eq!(live.unreadable.count(IDMS), unread.len(), "{reason}");
        // The newest version is what a decision compares with the API server.
        let known = live.known_versions(&state, SetKind::Idms);
        assert_eq!(known.get("a").map(String::as_str), unreadable.or(read), "{reason}: compared");
    }
}

#[tokio::test]
async fn every_kind_keeps_what_was_read_of_an_unreadable_object() {
    let release = json!({"image": "quay.io/openshift-release-dev/ocp-release:4.18.1-x86_64"});
    let metadata = json!({"name": "h", "namespace": "clusters"});
    let read = object(&json!({"metadata": metadata, "spec": {"release": release}}));
    let broken = object(&json!({"metadata": metadata, "spec": 5}));
    let config = json!({"registrySources": {"blockedRegistries": ["b.io"]}});
    let of_cluster = |spec: Value| object(&json!({"metadata": {"name": "cluster"}, "spec": spec}));
    let live = live();
    let events = [
        (Kind::HostedCluster, list(read)),
        (Kind::HostedCluster, list(broken)),
        (Kind::ImageConfig, list(of_cluster(config))),
        (Kind::ImageConfig, list(of_cluster(json!(5)))),
    ];
    for (kind, events) in events {
        let mut listed = Listed::default();
        for event in events {
            live.apply(kind, Ok(event), &mut listed);
        }
    }
    let state = live.shared().current();
    assert_eq!(state.context().hosted_clusters().count(), 1);
    assert!(*state.context().image_config != ImageConfig::default());
    assert_eq!(
        (live.unreadable.count(Kind::HostedCluster), live.unreadable.count(Kind::ImageConfig)),
        (1, 1)
    );
    live.apply(
        Kind::HostedCluster,
        Ok(Delete(object(&json!({"metadata": metadata})))),
        &mut Listed::default(),
    );
    assert_eq!(live.unreadable.count(Kind::HostedCluster), 0);
    assert_eq!(live.shared().current().context().hosted_clusters().count(), 0);
}
