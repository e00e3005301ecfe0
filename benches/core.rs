//! The pure core: the cost of a decision without the network, with few and with many sets.
//!
//! `cargo bench` prints times of this machine; compare the pairs of one run.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use mirrorguard::{
    clock::today,
    cluster::{FileState, Source},
    server::App,
};
use mirrorguard_core::{
    hypershift, node,
    objects::{Entry, Kind, MirrorSet, Object, SetKind, manifest},
    review::{Reviewer, wire},
    rules::Settings,
    state::State,
    write::{Operation, Write},
};
use serde_json::json;

const FEW: usize = 10;
const MANY: usize = 1000;

/// A set of entries with two mirrors each, none of whose sources is in another set.
fn set(kind: SetKind, name: &str, entries: usize) -> MirrorSet {
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
        objects.push(Object::from(set(kind, &format!("team-{at:04}"), 20)));
    }
    objects.into_iter().collect()
}

fn created(set: MirrorSet) -> Write {
    Write::MirrorSet(Operation::Create(set.into()))
}

fn decisions(c: &mut Criterion) {
    let settings = Settings::default();
    let mut group = c.benchmark_group("create an IDMS");
    for sets in [FEW, MANY] {
        let state = state(sets);
        let reviewer = Reviewer::new(&state, &settings, today());
        for entries in [20, 2000] {
            let new = created(set(SetKind::Idms, "new", entries));
            let id = BenchmarkId::new(format!("{entries} entries"), format!("{sets} sets"));
            group.bench_function(id, |b| {
                b.iter(|| reviewer.review(black_box(&new)));
            });
        }
    }
    group.finish();
}

/// An `AdmissionReview` of creating a set.
fn review(new: &MirrorSet) -> Vec<u8> {
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

fn reading(c: &mut Criterion) {
    let body = review(&set(SetKind::Idms, "new", 2000));
    c.bench_function("decode a review of 2000 entries", |b| {
        b.iter(|| wire::decode(black_box(&body)));
    });
}

fn whole_clusters(c: &mut Criterion) {
    let state = state(MANY);
    let view = state.context().view();
    c.bench_function("render 1000 sets", |b| b.iter(|| node::render(black_box(view))));
    c.bench_function("derive the catalog overrides from 1000 sets", |b| {
        b.iter(|| hypershift::derive(black_box(view), &hypershift::Releases::default()));
    });
}

/// The cost of the metrics of a decision.
fn counting(c: &mut Criterion) {
    let (settings, state) = (Settings::default(), state(FEW));
    let reviewer = Reviewer::new(&state, &settings, today());
    let verdict = reviewer.review(&created(set(SetKind::Icsp, "new", 20)));
    let request = wire::decode(&review(&set(SetKind::Icsp, "new", 20))).expect("a review");
    let nothing = FileState::of_objects(manifest::read("nothing", String::new())).expect("no objects");
    let app = App::new(Settings::default(), Source::Files(nothing));
    let took = Duration::from_micros(100);
    c.bench_function("count an answer", |b| {
        b.iter(|| app.metrics.answered("validate", black_box(&request), black_box(&verdict), took));
    });
    c.bench_function("write the metrics", |b| b.iter(|| app.metrics.text()));
}

criterion_group!(benches, decisions, reading, whole_clusters, counting);
criterion_main!(benches);
