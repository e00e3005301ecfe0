//! What `mirrorguard lint` does with many files: reading them with the position of each field, and checking each mirror
//! set together with all others.
//!
//! Times depend on the machine. `docs/benchmarks.md` has the times of the binary, which also prints findings.

use std::{fmt::Write as _, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use mirrorguard_core::{
    objects::manifest::{self, Located},
    review::Reviewer,
    rules::Settings,
    state::State,
    write::Write,
};

const FILES: usize = 200;
const ENTRIES: usize = 50;

/// A file with one mirror set, in the usual form.
fn manifest_text(at: usize) -> String {
    let (kind, field) = if at.is_multiple_of(2) {
        ("ImageDigestMirrorSet", "imageDigestMirrors")
    } else {
        ("ImageTagMirrorSet", "imageTagMirrors")
    };
    let mut text = format!(
        "apiVersion: config.openshift.io/v1\nkind: {kind}\nmetadata:\n  name: team-{at:04}\nspec:\n  {field}:\n"
    );
    for entry in 0..ENTRIES {
        let path = format!("team-{at:04}/service-{entry:04}");
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "  - source: registry-{entry:02}.upstream.example.com/{path}\n    mirrors:\n    \
             - mirror-a.corp.example.com:5000/{path}\n    - mirror-b.corp.example.com:5000/{path}\n"
        );
    }
    text
}

fn read(files: &[String]) -> Vec<Located> {
    files.iter().flat_map(|text| manifest::read("x.yaml", text.clone()).objects).collect()
}

fn lint(c: &mut Criterion) {
    let files: Vec<_> = (0..FILES).map(manifest_text).collect();
    c.bench_function("read 10000 entries in 200 files", |b| b.iter(|| read(black_box(&files))));

    let located = read(&files);
    let settings = Settings::default();
    c.bench_function("check 10000 entries in 200 mirror sets", |b| {
        b.iter(|| {
            let state: State = located.iter().map(|located| located.object.clone()).collect();
            let reviewer = Reviewer::new(&state, &settings, mirrorguard::clock::today());
            for write in located.iter().filter_map(|located| Write::existing(&located.object)) {
                black_box(reviewer.review(&write));
            }
        });
    });
    let list: Vec<_> = files.iter().map(|text| format!("{text}---\n")).collect();
    let list = list.concat();
    c.bench_function("read 10000 entries in one file", |b| {
        b.iter(|| manifest::read("x.yaml", black_box(&list).clone()));
    });
}

criterion_group!(benches, lint);
criterion_main!(benches);
