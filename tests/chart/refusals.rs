//! Values that contradict each other are rejected, with an error that names the value to change.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::chart::{ROOT, objects, rejection};

const OWN: &str = "certificates.selfManaged.";
const MANAGER: &str = "certificates.certManager.";

#[test]
fn a_service_account_that_the_chart_does_not_create_requires_a_name() -> Result<()> {
    let error = rejection(&["serviceAccount.create=false"], &[])?;
    ensure!(
        error.contains("serviceAccount.name"),
        "every pod of account default would get the roles: {error}"
    );
    let named = objects(&["serviceAccount.create=false", "serviceAccount.name=own"], &[])?;
    let subjects: Vec<_> = named
        .iter()
        .filter(|object| object["kind"] == "ClusterRoleBinding")
        .map(|binding| binding["subjects"][0]["name"].as_str())
        .collect();
    ensure!(subjects.contains(&Some("own")) && !subjects.contains(&Some("default")), "{subjects:?}");
    objects(&["serviceAccount.name=own"], &[]).context("the chart creates it by that name")?;
    Ok(())
}

/// A lifetime that does not fit the others, and one that does.
struct Lifetime {
    group: &'static str,
    key: &'static str,
    wrong: &'static str,
    right: &'static str,
    reason: &'static str,
}

const LIFETIMES: [Lifetime; 7] = [
    Lifetime {
        group: OWN,
        key: "caDuration",
        wrong: "269d",
        right: "270d",
        reason: "the certificate may live for a third of the CA's lifetime",
    },
    Lifetime {
        group: OWN,
        key: "duration",
        wrong: "1h30m",
        right: "1h31m",
        reason: "the overlap of 30m is a third of it, in hours and minutes",
    },
    Lifetime { group: OWN, key: "duration", wrong: "90m0s", right: "91m", reason: "and in seconds" },
    Lifetime {
        group: OWN,
        key: "overlap",
        wrong: "30d",
        right: "29d23h",
        reason: "a third of the certificate's",
    },
    Lifetime { group: OWN, key: "overlap", wrong: "0s", right: "1s", reason: "no time at all" },
    Lifetime {
        group: MANAGER,
        key: "caDuration",
        wrong: "2160h",
        right: "2161h",
        reason: "the CA must outlive its certificate",
    },
    Lifetime {
        group: MANAGER,
        key: "duration",
        wrong: "26280h",
        right: "26279h59m",
        reason: "the same, by the other value",
    },
];

impl Lifetime {
    fn values(&self, lifetime: &str) -> [String; 3] {
        let mode = if self.group == OWN { "selfManaged" } else { "certManager" };
        let overlap = if self.key == "duration" { "30m" } else { "5m" };
        [
            format!("certificates.mode={mode}"),
            format!("{OWN}overlap={overlap}"),
            format!("{}{}={lifetime}", self.group, self.key),
        ]
    }
}

#[test]
fn lifetimes_that_do_not_fit_are_rejected() -> Result<()> {
    for case in &LIFETIMES {
        let Lifetime { group, key, wrong, right, reason } = case;
        let error = rejection(&case.values(wrong).each_ref().map(String::as_str), &[])?;
        let names_value = error.contains(&format!("{group}{key}")) && error.contains(wrong);
        ensure!(names_value, "{key}={wrong}, {reason}: {error}");
        objects(&case.values(right).each_ref().map(String::as_str), &[])
            .with_context(|| format!("{key}={right}: {reason}"))?;
    }
    let elsewhere = ["certificates.mode=serviceCA", "certificates.selfManaged.caDuration=1d"];
    objects(&elsewhere, &[]).context("this mode does not use it")?;
    let issuer = [
        "certificates.mode=certManager",
        "certificates.certManager.issuer.name=a",
        "certificates.certManager.caDuration=1h",
    ];
    objects(&issuer, &[]).context("the issuer has its own CA")?;
    Ok(())
}

/// The error messages of the templates are held here and nowhere else; `make generate-chart` writes the file.
/// One more needs the object of a real cluster, see `tests/cluster/scenarios/hosted_control_plane.rs`.
#[test]
fn error_messages_of_the_templates_match_the_snapshot() -> Result<()> {
    let existing_secret = "certificates.mode=existingSecret";
    let cluster = "apiregistration.k8s.io/v1";
    let mut messages = String::new();
    for (values, apis) in [
        (&["serviceAccount.create=false"][..], &[][..]),
        (&["networkPolicy.enabled=true", "monitoring.serviceMonitor.enabled=true"], &[]),
        (&["monitoring.prometheusRule.enabled=true"], &[]),
        (&["monitoring.serviceMonitor.enabled=true"], &[cluster]),
        (&["certificates.mode=serviceCA", "certificates.caBundle=x"], &[]),
        (&[existing_secret], &[]),
        (&[existing_secret, "certificates.caBundle=x"], &[]),
        (&[existing_secret, "certificates.caBundle=-----BEGIN PRIVATE KEY-----"], &[]),
        (&["certificates.mode=selfManaged", "certificates.selfManaged.caDuration=269d"], &[]),
        (&["certificates.mode=selfManaged", "certificates.selfManaged.overlap=0s"], &[]),
        (&["certificates.mode=certManager", "certificates.certManager.caDuration=1h"], &[]),
    ] {
        let error = rejection(values, apis)?;
        writeln!(messages, "{}", values.join(" "))?;
        // Only the message: Helm puts the template's name and line before it, and a hint after it.
        let message = error.rsplit_once("error calling fail: ").map_or(&*error, |(_, message)| message);
        let message = message.split_once("): ").map_or(message, |(_, message)| message);
        writeln!(messages, "    {}", message.lines().next().unwrap_or_default())?;
    }
    let path = Path::new(ROOT).join("tests/chart/refusals.txt");
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        return fs::write(&path, messages).context("failed to write the snapshot");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    ensure!(messages == expected, "{} differs: run make generate-chart:\n{messages}", path.display());
    Ok(())
}
