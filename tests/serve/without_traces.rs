//! A build without the feature `otel`.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::ground::Ground;
use crate::process::Signal;
use crate::reviews::new_idms;

/// How long a webhook may take to stop, draining included.
const END: Duration = Duration::from_secs(20);

#[test]
fn a_collector_in_the_environment_is_one_warning() -> Result<()> {
    let ground = Ground::new()?;
    let name = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let url = "http://127.0.0.1:4318";
    for (variables, expected, reason) in [
        (vec![], 0, "no traces are asked for"),
        (vec![(name, url.to_owned())], 1, "traces are asked for"),
        (vec![(name, url.to_owned()), ("OTEL_SDK_DISABLED", "true".to_owned())], 0, "traces are disabled"),
    ] {
        let mut webhook = ground.start_in(&variables, &[])?;
        ground.client(&webhook)?.validate(&new_idms("new", 1))?.allowed()?;
        webhook.signal(Signal::Interrupt)?;
        ensure!(webhook.ended(END)?.success(), "it failed: {reason}");
        let lines = webhook.lines()?;
        let warnings = lines.iter().filter(|line| line["level"] == "WARN" && line["endpoint"] == url);
        ensure!(warnings.count() == expected, "{reason}: {lines:#?}");
    }
    Ok(())
}
