//! The texts of a module in a file next to it, so that each is held in one place.
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
