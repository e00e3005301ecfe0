//! Probes and metrics.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::apiserver::Apiserver;
use crate::ground::Ground;
use crate::process::Signal;
use crate::reviews::{ICSP_ALONGSIDE_IDMS, IDMS_FILE, new_icsp, new_idms};
use crate::texts::matches_snapshot;
use crate::wait::eventually;

/// Shorter than requests are still answered after SIGTERM.
const SOON: Duration = Duration::from_secs(2);

/// The sample of creations with this verdict.
macro_rules! requests {
    ($kind:literal, $verdict:literal) => {
        concat!(
            "mirrorguard_admission_requests_total{endpoint=\"validate\",kind=\"",
            $kind,
            "\",operation=\"CREATE\",verdict=\"",
            $verdict,
            "\"}"
        )
    };
}

#[test]
fn the_probes_are_answered() -> Result<()> {
    let ground = Ground::new()?;
    let webhook = ground.start()?;
    let table = [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/validate", 404)];
    for (path, expected) in table {
        let status = webhook.probe(path)?;
        ensure!(status == expected, "{path} answers {status}, not {expected}");
    }
    Ok(())
}

#[test]
fn readyz_says_why_it_is_not_ready() -> Result<()> {
    let (ground, cluster) = (Ground::new()?, Apiserver::start()?);
    cluster.break_down();
    let webhook = ground.start_on(&cluster, &[])?;
    let unread = webhook.get("/readyz")?;
    webhook.signal(Signal::Terminate)?;
    let stopping = eventually(SOON, "another answer after SIGTERM", || {
        let answer = webhook.get("/readyz")?;
        ensure!(answer.body != unread.body, "the same");
        Ok(answer)
    })?;
    ensure!((unread.status, stopping.status) == (503, 503), "{unread:?}, {stopping:?}");
    matches_snapshot(&format!("{}{}", unread.body, stopping.body), "readyz.txt")
}

#[test]
fn answers_and_findings_are_counted() -> Result<()> {
    let ground = Ground::new()?;
    ground.write("mirrors/idms.yaml", IDMS_FILE)?;
    let webhook = ground.start()?;
    let mut client = ground.client(&webhook)?;
    client.validate(&new_icsp())?.denied_for(ICSP_ALONGSIDE_IDMS)?;
    client.validate(&new_icsp())?.denied_for(ICSP_ALONGSIDE_IDMS)?;
    client.validate(&new_idms("new", 1))?.allowed()?;
    let table = [
        (requests!("ImageContentSourcePolicy", "denied"), 2.0, "both ICSPs"),
        (requests!("ImageDigestMirrorSet", "allowed"), 1.0, "the IDMS"),
        (requests!("ImageDigestMirrorSet", "denied"), 0.0, "exists before anything is denied"),
        ("mirrorguard_admission_duration_seconds_count{endpoint=\"validate\"}", 3.0, "every answer is timed"),
        (concat!("mirrorguard_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0, "the version"),
        ("mirrorguard_findings_total{rule=\"icsp-alongside-idms\",level=\"deny\"}", 2.0, "errors"),
        ("mirrorguard_findings_total{rule=\"deprecated-icsp\",level=\"warn\"}", 2.0, "warnings"),
        ("mirrorguard_certificate_reload_failures_total", 0.0, "exists before anything fails"),
        ("mirrorguard_unverified_decisions_total", 0.0, "files need no API server"),
    ];
    for (sample, expected, reason) in table {
        let value = webhook.metric(sample)?;
        ensure!((value - expected).abs() < f64::EPSILON, "{sample} is {value}, not {expected}: {reason}");
    }
    Ok(())
}
