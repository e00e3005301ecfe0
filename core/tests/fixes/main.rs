//! Every fix, applied to the files it is for: the finding is gone, nothing new is wrong, and no pull loses a place.
//!
//! The files are the examples of the rule pages, the inputs in `cases`, and a thousand random clusters.

#[path = "../../../tests/pages/mod.rs"]
mod pages;

mod clusters;
mod proof;
mod rerun;
mod spread;

use std::fs;

use mirrorguard_core::{config, rules::Settings};
use pages::examples;
use proof::{Cluster, Proof};
use rerun::Mode;

#[test]
fn the_fixes_on_the_rule_pages_hold() {
    let mut proof = Proof::default();
    for example in examples() {
        let settings = config::parse("settings", &example.settings).unwrap();
        let text = format!("{}\n---\n{}", example.before, example.text);
        Cluster::new(&example.place(), text, settings).prove_fixes(&mut proof, &Mode::ALL);
    }
    proof.assert_holds();
    // The number of rules whose fixes were tried: without any fix, everything would hold.
    assert!(proof.tried.len() >= 14, "{:?}", proof.tried);
}

#[test]
fn the_fixes_of_the_cases_hold() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixes/cases");
    let mut proof = Proof::default();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        Cluster::new(&path.display().to_string(), text, Settings::default())
            .prove_fixes(&mut proof, &Mode::ALL);
    }
    proof.assert_holds();
    assert!(proof.tried.len() >= 5, "{:?}", proof.tried);
}

#[test]
fn the_fixes_of_random_clusters_hold() {
    let mut proof = Proof::default();
    for (seed, mode) in (0..1000).zip(Mode::ALL.iter().cycle()) {
        Cluster::new(&format!("seed {seed}"), clusters::random(seed), clusters::settings())
            .prove_fixes(&mut proof, std::slice::from_ref(mode));
    }
    proof.assert_holds();
    assert!(proof.tried.len() > 8, "{:?}", proof.tried);
}
