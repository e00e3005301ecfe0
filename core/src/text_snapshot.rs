//! Tests compare the texts that a module writes for people with a file next to it, which has each of them once.
#![expect(clippy::disallowed_methods, reason = "the tests read the texts that are checked in")]

use std::{env, fs, path::Path};

/// Compares texts with a file below `src`; with `MIRRORGUARD_UPDATE` set, writes the file instead.
pub(crate) fn assert(file: &str, texts: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    if env::var_os("MIRRORGUARD_UPDATE").is_some() {
        fs::write(&path, texts).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(texts, expected, "{file}: run make generate");
}
