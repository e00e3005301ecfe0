//! Manual pages.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Result, ensure};

use crate::command::{mirrorguard, mirrorguard_of};
use crate::help::commands;

/// The roff requests that the pages use.
const REQUESTS: [&str; 13] = ["TH", "SH", "TP", "PP", "nf", "fi", "SS", "RS", "RE", "IP", "br", "ie", "el"];

/// Expects a page of this name that `man` can format.
fn is_page(page: &str, name: &str) -> Result<()> {
    for line in page.lines().filter(|line| line.starts_with(['.', '\''])) {
        let request = line[1..].split(' ').next().unwrap_or_default();
        ensure!(REQUESTS.contains(&request), "{name}: a line that roff reads as a request: {line}");
    }
    let title = format!(".TH {name} 1");
    ensure!(page.contains(&title), "{name}: no {title}:\n{page}");
    for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "\"EXIT CODES\"", "EXAMPLES"] {
        ensure!(page.contains(&format!("\n.SH {heading}\n")), "{name}: no {heading}:\n{page}");
    }
    let opened = page.matches("\n.nf\n").count();
    ensure!(opened > 0 && opened == page.matches("\n.fi\n").count(), "{name}: nofill stays on:\n{page}");
    Ok(())
}

#[test]
fn each_command_has_a_page() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("man1");
    let run = mirrorguard_of(["man".as_ref(), "--out".as_ref(), out.as_os_str()])?.code(0)?;
    let mut expected = BTreeSet::from(["mirrorguard.1".to_owned()]);
    is_page(&mirrorguard("man")?.code(0)?.says("")?.stdout, "mirrorguard")?;
    for name in commands()? {
        let page = mirrorguard(&format!("man {name}"))?.code(0)?.says("")?.stdout;
        is_page(&page, &format!("mirrorguard-{name}"))?;
        let file = format!("mirrorguard-{name}.1");
        ensure!(fs::read_to_string(out.join(&file))? == page, "{file} is another page");
        expected.insert(file);
    }
    run.prints("")?.says(&expected.len().to_string())?;
    let written = fs::read_dir(&out)?.map(|file| Ok(file?.file_name().to_string_lossy().into_owned()));
    let written: BTreeSet<String> = written.collect::<Result<_>>()?;
    ensure!(written == expected, "{written:?}");
    Ok(())
}
