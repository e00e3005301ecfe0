//! What people see, held against files.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::command::ROOT;

/// Holds a text against a file below `tests/cli`; `MIRRORGUARD_UPDATE=1` writes the file instead.
pub(crate) fn matches_snapshot(seen: &str, name: &str) -> Result<()> {
    let path = Path::new(ROOT).join("tests/cli").join(name);
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        return fs::write(&path, seen).with_context(|| format!("cannot write {}", path.display()));
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    ensure!(seen == expected, "{} differs, MIRRORGUARD_UPDATE=1 writes it anew:\n{seen}", path.display());
    Ok(())
}
