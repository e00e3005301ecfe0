//! `docs/metrics.md` describes the metrics of a running webhook.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::apiserver::Apiserver;
use crate::ground::Ground;
use crate::reviews::{ICSP_ALONGSIDE_IDMS, new_icsp};
use crate::wait::eventually;

const BEGIN: &str = "<!-- Generated: make generate -->\n\n";
const END: &str = "<!-- End of what the tests write. -->";

/// An exemption, so that one is counted.
const CONFIG: &str = "exemptions: [{rules: [deprecated-icsp], objects: [ImageContentSourcePolicy/*], reason: test, until: 2999-12-31}]";

/// A metric as described by the webhook.
#[derive(Default)]
struct Metric {
    help: String,
    kind: String,
    unit: String,
    labels: BTreeSet<String>,
}

/// The metrics by the names that queries use.
fn metrics(text: &str) -> Result<BTreeMap<String, Metric>> {
    let mut found: BTreeMap<String, Metric> = BTreeMap::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (what, name, rest) =
                (words.next(), words.next().context("no name")?, words.next().context("no text")?);
            let metric = found.entry(name.to_owned()).or_default();
            match what {
                Some("HELP") => rest.trim_end_matches('.').clone_into(&mut metric.help),
                Some("TYPE") => rest.clone_into(&mut metric.kind),
                Some("UNIT") => rest.clone_into(&mut metric.unit),
                _ => anyhow::bail!("unknown line {line}"),
            }
            continue;
        }
        let (name, labels) = line.split_once('{').unwrap_or((line.split(' ').next().unwrap_or_default(), ""));
        let (_, metric) = found
            .iter_mut()
            .filter(|(known, _)| name.starts_with(known.as_str()))
            .max_by_key(|(known, _)| known.len())
            .with_context(|| format!("no description of {line}"))?;
        let labels = labels.split("\",").filter_map(|label| label.split_once("=\"")).map(|(label, _)| label);
        metric.labels.extend(labels.filter(|label| *label != "le").map(str::to_owned));
    }
    Ok(found.into_iter().map(|(name, metric)| (name_in_queries(name, &metric.kind), metric)).collect())
}

fn name_in_queries(name: String, kind: &str) -> String {
    match kind {
        "counter" => format!("{name}_total"),
        "info" => format!("{name}_info"),
        _ => name,
    }
}

fn table(metrics: &BTreeMap<String, Metric>) -> Result<String> {
    let mut table = "| name | type | labels | unit | meaning |\n|---|---|---|---|---|\n".to_owned();
    for (name, Metric { help, kind, unit, labels }) in metrics {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        writeln!(table, "| `{name}` | {kind} | {} | {unit} | {help} |", labels.join(", "))?;
    }
    Ok(table)
}

#[test]
fn the_page_matches_a_running_webhook() -> Result<()> {
    let (ground, cluster) = (Ground::new()?, Apiserver::start()?);
    let config = ground.write("config.yaml", CONFIG)?;
    let webhook = ground.start_on(&cluster, &[format!("--config={}", config.display())])?;
    eventually(Duration::from_secs(30), "readiness", || {
        ensure!(webhook.probe("/readyz")? == 200, "not ready");
        Ok(())
    })?;
    let mut client = ground.client(&webhook)?;
    client.validate(&new_icsp())?.denied_for(ICSP_ALONGSIDE_IDMS)?;
    client.validate(&serde_json::json!("no review"))?.refused_with(400)?;
    let metrics = metrics(&webhook.metrics()?)?;
    for (name, metric) in &metrics {
        ensure!(!metric.help.is_empty() && !metric.kind.is_empty(), "{name} has no description");
        let unit_fits = metric.unit.is_empty() || name.trim_end_matches("_total").ends_with(&metric.unit);
        ensure!(unit_fits, "{name} does not name its unit, {}", metric.unit);
        ensure!(metric.labels.len() < 5, "{name} has too many labels");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = fs::read_to_string(&path)?;
    let (before, rest) = page.split_once(BEGIN).context("the page has no beginning of the table")?;
    let (written, after) = rest.split_once(END).context("the page has no end of the table")?;
    let table = format!("{}\n", table(&metrics)?);
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}"))?;
        return Ok(());
    }
    ensure!(written == table, "docs/metrics.md differs: run make generate:\n{table}");
    Ok(())
}
