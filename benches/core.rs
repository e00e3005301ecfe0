//! Decisions of the core, without the network, with few and with many mirror sets.
//!
//! Times depend on the machine: compare only results of the same `cargo bench` run.

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use mirrorguard::{
    clock::today,
    cluster::{FileState, Source},
    server::App,
};
use mirrorguard_core::{
    hypershift, node,
    objects::{Entry, HostedCluster, Kind, MirrorSet, Object, SetKind, annotation, manifest},
    review::{Reviewer, fill_in, wire},
    rules::Settings,
    state::State,
    write::{Operation, Write},
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

const FEW: usize = 10;
const MANY: usize = 1000;

/// A mirror set whose entries have two mirrors each. No other mirror set has its sources.
fn mirror_set(kind: SetKind, name: &str, entries: usize) -> MirrorSet {
    MirrorSet::new(kind, name, (0..entries).map(|at| entry(name, at)).collect())
}

fn entry(set: &str, at: usize) -> Entry {
    let path = format!("{set}/service-{at:04}");
    let mirrors = ["mirror-a", "mirror-b"].map(|host| format!("{host}.corp.example.com:5000/{path}").into());
    Entry {
        source: format!("registry-{:02}.upstream.example.com/{path}", at % 50).into(),
        mirrors: mirrors.into_iter().collect(),
        mirror_source_policy: None,
    }
}

fn state(sets: usize) -> State {
    let mut objects = Vec::new();
    for at in 0..sets {
        let kind = if at % 2 == 0 { SetKind::Idms } else { SetKind::Itms };
        objects.push(Object::from(mirror_set(kind, &format!("team-{at:04}"), 20)));
    }
    objects.into_iter().collect()
}

fn creation(set: MirrorSet) -> Write {
    Write::MirrorSet(Operation::Create(set.into()))
}

fn review_creation(c: &mut Criterion) {
    let settings = Settings::default();
    let mut group = c.benchmark_group("create an IDMS");
    for sets in [FEW, MANY] {
        let state = state(sets);
        let reviewer = Reviewer::new(&state, &settings, today());
        for entries in [20, 2000] {
            let new = creation(mirror_set(SetKind::Idms, "new", entries));
            let id = BenchmarkId::new(format!("{entries} entries"), format!("{sets} mirror sets"));
            group.bench_function(id, |b| {
                b.iter(|| reviewer.review(black_box(&new)));
            });
        }
    }
    group.finish();
}

/// An `AdmissionReview` of the creation of a mirror set.
fn creation_review(new: &MirrorSet) -> Vec<u8> {
    let entries: Vec<_> =
        new.entries.iter().map(|e| json!({"source": e.source, "mirrors": e.mirrors.to_vec()})).collect();
    let kind = Kind::Set(new.kind);
    let spec = json!({new.kind.list_field(): entries});
    let body = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u", "operation": "CREATE", "name": new.name,
            "kind": {"group": kind.group(), "version": "v1", "kind": kind.name()},
            "object": {"metadata": {"name": new.name}, "spec": spec},
        },
    });
    body.to_string().into_bytes()
}

fn decode_review(c: &mut Criterion) {
    let body = creation_review(&mirror_set(SetKind::Idms, "new", 2000));
    c.bench_function("decode a review of 2000 entries", |b| {
        b.iter(|| wire::decode(black_box(&body)));
    });
}

/// A list of mirror sets as an API server sends it, with the metadata that it adds.
fn list(sets: usize) -> String {
    let items: Vec<_> = (0..sets)
        .map(|at| {
            let mut object = json!(mirror_set(SetKind::Idms, &format!("team-{at:04}"), 20));
            object["metadata"]["resourceVersion"] = json!(at.to_string());
            object["metadata"]["managedFields"] = json!([{
                "apiVersion": object["apiVersion"], "fieldsType": "FieldsV1", "manager": "kubectl", "operation": "Update",
                "fieldsV1": {"f:spec": {".": {}, "f:imageDigestMirrors": {}}},
            }]);
            object
        })
        .collect();
    json!({"apiVersion": "config.openshift.io/v1", "kind": "ImageDigestMirrorSetList", "items": items})
        .to_string()
}

/// From the text of each object into its type, and for comparison through a tree and a second text.
fn read_list(c: &mut Criterion) {
    #[derive(Deserialize)]
    struct List<T> {
        items: Vec<T>,
    }
    let (text, kind) = (list(MANY), Kind::Set(SetKind::Idms));
    let mut group = c.benchmark_group("read a list of 1000 mirror sets");
    group.bench_function("from the text of each", |b| {
        b.iter(|| {
            let list: List<Box<RawValue>> = serde_json::from_str(black_box(&text)).expect("a list");
            list.items.iter().map(|item| Object::from_json(kind, item.get())).collect::<Result<Vec<_>, _>>()
        });
    });
    group.bench_function("through trees", |b| {
        b.iter(|| {
            let list: List<Value> = serde_json::from_str(black_box(&text)).expect("a list");
            let items = list.items.iter().map(|item| Object::from_json(kind, &item.to_string()));
            items.collect::<Result<Vec<_>, _>>()
        });
    });
    group.finish();
}

/// Mirror sets that all have one source, as the runs of many teams leave them. Twice as many should take about twice as
/// long.
fn share_a_source(c: &mut Criterion) {
    let settings = Settings::default();
    let mut group = c.benchmark_group("sets of one source");
    for sets in [MANY, 2 * MANY] {
        let objects: Vec<_> = (0..sets).map(one_of_a_source).map(Object::from).collect();
        let id = BenchmarkId::new("read and render", sets);
        group.bench_function(id, |b| {
            b.iter(|| {
                let state: State = black_box(&objects).iter().cloned().collect();
                node::render(state.context().view()).is_ok()
            });
        });
        let id = BenchmarkId::new("check each", sets);
        group.bench_function(id, |b| {
            b.iter(|| {
                let state: State = black_box(&objects).iter().cloned().collect();
                let reviewer = Reviewer::new(&state, &settings, today());
                let writes = objects.iter().filter_map(Write::existing);
                writes.map(|write| reviewer.review(&write).diagnostics.len()).sum::<usize>()
            });
        });
    }
    group.finish();
}

fn one_of_a_source(at: usize) -> MirrorSet {
    let mirrors = [format!("mirror.corp.example.com:5000/team-{at:04}").into()];
    let source = "registry.example.com/app".into();
    let entry = Entry { source, mirrors: mirrors.into_iter().collect(), mirror_source_policy: None };
    MirrorSet::new(SetKind::Idms, &format!("team-{at:04}"), vec![entry])
}

fn evaluate_cluster(c: &mut Criterion) {
    let state = state(MANY);
    let view = state.context().view();
    c.bench_function("render 1000 mirror sets", |b| b.iter(|| node::render(black_box(view))));
    c.bench_function("derive the catalog overrides from 1000 mirror sets", |b| {
        b.iter(|| hypershift::derive(black_box(view), &hypershift::Releases::default()));
    });
}

/// A HostedCluster of a release, with these annotations.
fn hosted_cluster(annotations: &Value) -> Arc<HostedCluster> {
    let image = "quay.io/openshift-release-dev/ocp-release:4.18.5-x86_64";
    let object = json!({
        "metadata": {"name": "lab", "namespace": "clusters", "annotations": annotations},
        "spec": {"release": {"image": image}},
    });
    let hosted = match Object::from_json(Kind::HostedCluster, &object.to_string()) {
        Ok(Object::HostedCluster(hosted)) => Some(hosted),
        _ => None,
    };
    hosted.expect("a HostedCluster")
}

/// The catalog overrides come from the mirror sets, for all reviews at once, or from the configuration.
fn review_hosted_cluster(c: &mut Criterion) {
    let state = state(FEW);
    let value = "registry.redhat.io/redhat=mirror.corp.example.com:5000/redhat";
    let derived = Settings::default();
    let configured = Settings { catalog_overrides: Some(value.to_owned()), ..Settings::default() };
    let annotations = json!({annotation::CATALOG_OVERRIDES: value});
    let [plain, annotated] = [json!({}), annotations].map(|annotations| hosted_cluster(&annotations));
    let mut group = c.benchmark_group("create a HostedCluster");
    for (settings, origin) in [(&derived, "derived"), (&configured, "configured")] {
        let reviewer = Reviewer::new(&state, settings, today());
        group.bench_function(BenchmarkId::new("fill in the annotation", origin), |b| {
            b.iter(|| fill_in(&reviewer, Operation::Create(black_box(&*plain))));
        });
        let write = Write::HostedCluster(Operation::Create(Arc::clone(&annotated)));
        group.bench_function(BenchmarkId::new("review one with the annotation", origin), |b| {
            b.iter(|| reviewer.review(black_box(&write)));
        });
    }
    group.finish();
}

/// The metrics of a decision.
fn record_metrics(c: &mut Criterion) {
    let (settings, state) = (Settings::default(), state(FEW));
    let reviewer = Reviewer::new(&state, &settings, today());
    let verdict = reviewer.review(&creation(mirror_set(SetKind::Icsp, "new", 20)));
    let request = wire::decode(&creation_review(&mirror_set(SetKind::Icsp, "new", 20))).expect("a review");
    let empty = FileState::of_objects(manifest::read("empty.yaml", String::new())).expect("no objects");
    let app = App::new(Settings::default(), Source::Files(empty));
    let took = Duration::from_micros(100);
    c.bench_function("record the metrics of an answer", |b| {
        b.iter(|| app.metrics.answered("validate", black_box(&request), black_box(&verdict), took));
    });
    c.bench_function("write all metrics", |b| b.iter(|| app.metrics.text()));
}

criterion_group!(
    benches,
    review_creation,
    review_hosted_cluster,
    decode_review,
    read_list,
    share_a_source,
    evaluate_cluster,
    record_metrics
);
criterion_main!(benches);
