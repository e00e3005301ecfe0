//! The log lines about decisions, and their description in `docs/logs.md`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::process::{Process, Signal};
use crate::reviews::{ICSP_ALONGSIDE_IDMS, IDMS_FILE, UID, new_icsp, new_idms};
use crate::wait::eventually;

const SOON: Duration = Duration::from_secs(10);

/// The one line with this message.
fn line(lines: Vec<Value>, message: &str) -> Result<Value> {
    let mut found = lines.into_iter().filter(|line| line["message"] == message);
    let line = found.next().with_context(|| format!("no line with the message {message}"))?;
    ensure!(found.next().is_none(), "two lines with the message {message}");
    Ok(line)
}

#[test]
fn a_denial_is_one_line_with_all_fields() -> Result<()> {
    let ground = Ground::new()?;
    ground.write("mirrors/idms.yaml", IDMS_FILE)?;
    let webhook = ground.start()?;
    let mut review = new_icsp();
    review["request"]["dryRun"] = json!(true);
    ground.client(&webhook)?.validate(&review)?.denied_for(ICSP_ALONGSIDE_IDMS)?;
    webhook.logged(SOON, "denied")?;
    let mut line = line(webhook.lines()?, "denied")?;
    let took = line["duration_ms"].take();
    ensure!(took.as_f64().is_some_and(|took| took > 0.0), "it took {took}");
    ensure!(line["timestamp"].take().is_string(), "no time");
    let expected = json!({
        "timestamp": null, "level": "INFO", "message": "denied", "target": "mirrorguard::server::router",
        "endpoint": "validate", "uid": UID, "kind": "ImageContentSourcePolicy", "name": "new",
        "operation": "CREATE", "user": "kubeadmin", "dry_run": true,
        "rules": ["deprecated-icsp", "icsp-alongside-idms"], "patched": false, "duration_ms": null,
    });
    ensure!(line == expected, "{line}");
    Ok(())
}

#[test]
fn an_admission_is_logged_only_at_level_debug() -> Result<()> {
    let ground = Ground::new()?;
    for (more, expected) in [(vec![], false), (vec!["-v".to_owned()], true)] {
        let mut webhook = ground.start_with(&more)?;
        ground.client(&webhook)?.validate(&new_idms("new", 1))?.allowed()?;
        webhook.signal(Signal::Interrupt)?;
        webhook.ended(SOON)?;
        let is_logged = webhook.lines()?.into_iter().any(|line| line["message"] == "allowed");
        ensure!(is_logged == expected, "{more:?}: {is_logged}");
    }
    Ok(())
}

#[test]
fn the_text_format_has_lines_of_text() -> Result<()> {
    let ground = Ground::new()?;
    let more = ["--log-format=text", "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"].map(str::to_owned);
    let process = Process::start(ground.arguments().into_iter().chain(more), &[], ground.path("log"))?;
    eventually(SOON, "the first line", || {
        let log = process.log()?;
        ensure!(
            log.contains(" INFO mirrorguard::cli::serve: ") && log.contains(" address=127.0.0.1:"),
            "{log}"
        );
        Ok(())
    })
}

#[test]
fn the_page_describes_every_field() -> Result<()> {
    let ground = Ground::new()?;
    ground.write("mirrors/idms.yaml", IDMS_FILE)?;
    let webhook = ground.start()?;
    ground.client(&webhook)?.validate(&new_icsp())?.denied_for(ICSP_ALONGSIDE_IDMS)?;
    webhook.logged(SOON, "denied")?;
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/logs.md"))?;
    let line = line(webhook.lines()?, "denied")?;
    for field in line.as_object().context("no object")?.keys() {
        ensure!(page.contains(&format!("| `{field}` |")), "docs/logs.md does not describe {field}");
    }
    Ok(())
}
