//! The core decides and does nothing else: what it is built from can neither ask a cluster nor look at a clock.

use std::{collections::BTreeSet, env, process::Command};

/// Every package that the core is built from, those of its build and of its macros included.
const ALLOWED: &[&str] = &[
    "aho-corasick",
    "arraydeque",
    "autocfg",
    "base64",
    "foldhash",
    "hashbrown",
    "hashlink",
    "itoa",
    "jiff",
    "jiff-core",
    "memchr",
    "mirrorguard-core",
    "num-traits",
    "ordered-float",
    "proc-macro2",
    "quote",
    "regex",
    "regex-automata",
    "regex-syntax",
    "saphyr",
    "saphyr-parser",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "serde_path_to_error",
    "smallvec",
    "strsim",
    "syn",
    "thiserror",
    "thiserror-impl",
    "unicode-ident",
    "zmij",
];

#[test]
fn the_core_is_built_from_nothing_that_does_input_or_output() {
    let cargo = env::var_os("CARGO").unwrap_or("cargo".into());
    let tree = Command::new(cargo)
        .args(["tree", "--locked", "--package", "mirrorguard-core", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs its own tests");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let packages: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(packages, ALLOWED.iter().copied().collect(), "argue for a new package in core/Cargo.toml");
}
