//! Values that contradict each other are refused, with the value to change.

use anyhow::{Context as _, Result, ensure};

use crate::chart::{objects, refusal};

#[test]
fn an_account_that_nobody_makes_has_to_be_named() -> Result<()> {
    let refusal = refusal(&["serviceAccount.create=false"], &[])?;
    ensure!(refusal.contains("serviceAccount.name"), "every pod of account default had the roles: {refusal}");
    let named = objects(&["serviceAccount.create=false", "serviceAccount.name=own"], &[])?;
    let subjects: Vec<_> = named
        .iter()
        .filter(|object| object["kind"] == "ClusterRoleBinding")
        .map(|binding| binding["subjects"][0]["name"].as_str())
        .collect();
    ensure!(subjects.contains(&Some("own")) && !subjects.contains(&Some("default")), "{subjects:?}");
    objects(&["serviceAccount.name=own"], &[]).context("the chart makes it by that name")?;
    Ok(())
}

#[test]
fn lifetimes_that_do_not_fit_are_refused() -> Result<()> {
    let own = "certificates.selfManaged.";
    let manager = "certificates.certManager.";
    let table = [
        (own, "caDuration=269d", "caDuration=270d", "a third of the CA's is the certificate's"),
        (own, "duration=1h30m", "duration=1h31m", "overlap 30m is a third of it, in hours and minutes"),
        (own, "duration=90m0s", "duration=91m", "and in seconds"),
        (own, "overlap=30d", "overlap=29d23h", "a third of the certificate's"),
        (own, "overlap=0s", "overlap=1s", "no time at all"),
        (manager, "caDuration=2160h", "caDuration=2161h", "the CA ends with its certificate"),
        (manager, "duration=26280h", "duration=26279h59m", "the same from the other side"),
    ];
    for (group, wrong, right, reason) in table {
        let mode = if group == own { "selfManaged" } else { "certManager" };
        let mode = format!("certificates.mode={mode}");
        let overlap = format!("{own}overlap={}", if wrong.starts_with("duration") { "30m" } else { "5m" });
        let all = |last: &str| [mode.clone(), overlap.clone(), format!("{group}{last}")];
        let said = refusal(&all(wrong).each_ref().map(String::as_str), &[])?;
        let key = wrong.split('=').next().unwrap_or_default();
        ensure!(
            said.contains(&format!("{group}{key}"))
                && said.contains(wrong.split('=').nth(1).unwrap_or_default()),
            "{reason}, {wrong}: {said}"
        );
        objects(&all(right).each_ref().map(String::as_str), &[])
            .with_context(|| format!("{reason}: {right}"))?;
    }
    let elsewhere = ["certificates.mode=serviceCA", "certificates.selfManaged.caDuration=1d"];
    objects(&elsewhere, &[]).context("nobody reads it")?;
    let issuer = [
        "certificates.mode=certManager",
        "certificates.certManager.issuer.name=a",
        "certificates.certManager.caDuration=1h",
    ];
    objects(&issuer, &[]).context("the issuer's CA is the issuer's business")?;
    Ok(())
}
