//! The certificate is reloaded when its files change.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

use crate::certificates::{Serving, shown};
use crate::client::{Client, trusting};
use crate::ground::Ground;
use crate::reviews::new_icsp;
use crate::texts::matches_snapshot;
use crate::wait::eventually;
use crate::webhook::Webhook;

/// How soon a change of the files is noticed.
const NOTICED: Duration = Duration::from_secs(15);

const FAILURES: &str = "mirrorguard_certificate_reload_failures_total";
const EXPIRY: &str = "mirrorguard_certificate_expiry_timestamp_seconds";

#[test]
fn a_renewed_certificate_is_served_and_no_request_is_dropped() -> Result<()> {
    let mut ground = Ground::new()?;
    let webhook = ground.start()?;
    let (mut kept, address, authority) = (ground.client(&webhook)?, webhook.address, ground.authority.pem());
    let renewed = AtomicBool::new(false);
    let requests = thread::scope(|scope| {
        let client = scope.spawn(|| -> Result<usize> {
            let mut requests = 0;
            while !renewed.load(Ordering::Relaxed) {
                kept.validate(&new_icsp()).context("on the kept connection")?.allowed()?;
                let mut new = Client::connect(address, trusting(&authority)?)?;
                new.validate(&new_icsp()).context("on a new connection")?.allowed()?;
                requests += 1;
            }
            Ok(requests)
        });
        let replaced = (0..3).try_for_each(|_| replace(&mut ground, &webhook));
        renewed.store(true, Ordering::Relaxed);
        let requests = client.join().map_err(|_| anyhow!("the thread of the client panicked"))?;
        replaced.and(requests)
    })?;
    ensure!(requests > 0, "no request was sent meanwhile");
    ensure!(failures(&webhook)? < 0.5, "a good pair was counted as a failure");
    Ok(())
}

/// Puts a new pair in place and waits until it is served.
fn replace(ground: &mut Ground, webhook: &Webhook) -> Result<()> {
    let before = shown(&ground.connection(webhook)?)?;
    ground.publish(&ground.issue()?)?;
    eventually(NOTICED, "the renewed certificate", || {
        ensure!(shown(&ground.connection(webhook)?)? != before, "the old certificate is still served");
        Ok(())
    })
}

fn failures(webhook: &Webhook) -> Result<f64> {
    webhook.metric(FAILURES)
}

#[test]
fn a_broken_pair_is_counted_and_leaves_the_old_one_until_a_good_one_comes() -> Result<()> {
    let mut ground = Ground::new()?;
    let webhook = ground.start()?;
    let served = shown(&ground.connection(&webhook)?)?;
    let (one, other) = (ground.issue()?, ground.issue()?);
    let broken = [
        (&*one.certificate, &*other.key, "a key that belongs to another certificate"),
        (&*one.certificate, "", "an empty key"),
        ("no PEM\n", &*one.key, "not a certificate"),
    ];
    for (failed, (certificate, key, reason)) in (1_u32..).zip(broken) {
        ground.tls.publish(&[("tls.crt", certificate), ("tls.key", key)])?;
        eventually(NOTICED, "the failure in the metrics", || {
            ensure!(failures(&webhook)? >= f64::from(failed), "{reason} is not counted");
            Ok(())
        })?;
        ensure!(shown(&ground.connection(&webhook)?)? == served, "{reason} replaced the certificate");
        ground.client(&webhook)?.validate(&new_icsp())?.allowed().context(reason)?;
        ensure!(webhook.probe("/readyz")? == 200, "{reason} made it unready");
    }
    let counted = failures(&webhook)?;
    replace(&mut ground, &webhook)?;
    ensure!(failures(&webhook)? <= counted, "the good pair was counted as a failure");
    Ok(())
}

#[test]
fn the_expiry_metric_is_that_of_the_certificate_served() -> Result<()> {
    let mut ground = Ground::new()?;
    ground.publish(&ending(2100)?)?;
    let webhook = ground.start()?;
    let end_of_2100 = webhook.metric(EXPIRY)?;
    let broken = Serving { key: ending(2200)?.key, ..ending(2200)? };
    ground.publish(&broken)?;
    eventually(NOTICED, "the failure in the metrics", || {
        ensure!(failures(&webhook)? > 0.5, "not counted");
        Ok(())
    })?;
    let now = webhook.metric(EXPIRY)?;
    ensure!(now <= end_of_2100, "a pair that is not served moved the expiry from {end_of_2100} to {now}");
    ground.publish(&ending(2200)?)?;
    eventually(NOTICED, "the expiry of the new pair", || {
        ensure!(webhook.metric(EXPIRY)? > end_of_2100, "still the old one");
        Ok(())
    })
}

#[test]
fn only_a_certificate_outside_its_validity_is_warned_about_at_the_start() -> Result<()> {
    let table = [(1990, 2001, 1, "expired"), (2100, 2200, 1, "not valid yet"), (1990, 2200, 0, "valid")];
    let mut texts = String::new();
    for (begin, end, expected, reason) in table {
        let mut ground = Ground::new()?;
        ground.publish(&lasting(begin, end)?)?;
        let certificate = ground.tls.path("tls.crt").display().to_string();
        // The line with the address, for which a start waits, is later than any warning.
        let lines = ground.start()?.lines()?;
        let warnings: Vec<_> = lines.iter().filter(|line| line["level"] == "WARN").collect();
        let is_about_it = warnings.iter().all(|warning| warning["certificate"] == certificate);
        ensure!(warnings.len() == expected && is_about_it, "{reason}: {lines:?}");
        for warning in warnings {
            writeln!(texts, "{}", warning["message"].as_str().context("no message")?)?;
        }
    }
    matches_snapshot(&texts, "validity.txt")
}

#[test]
fn files_that_cannot_be_read_are_reported_once_and_again_when_they_can() -> Result<()> {
    let ground = Ground::new()?;
    let webhook = ground.start()?;
    let served = shown(&ground.connection(&webhook)?)?;
    let key = ground.tls.path("tls.key");
    let target = fs::read_link(&key)?;
    let counted = |expected: u32, reason: &str| {
        eventually(NOTICED, "the failure in the metrics", || {
            let now = failures(&webhook)?;
            ensure!((now - f64::from(expected)).abs() < 0.5, "{reason}: {now} failures");
            Ok(())
        })
    };
    fs::remove_file(&key)?;
    counted(1, "the key is gone")?;
    fs::create_dir(&key)?;
    counted(2, "a folder in its place")?;
    ensure!(shown(&ground.connection(&webhook)?)? == served, "another certificate is served");
    fs::remove_dir(&key)?;
    symlink(target, &key)?;
    webhook.logged(NOTICED, "can be read again")?;
    webhook.logged(NOTICED, "certificate reloaded")?;
    ensure!(shown(&ground.connection(&webhook)?)? == served, "another certificate is served");
    counted(2, "it is back")?;
    let lines = webhook.lines()?;
    let warnings: Vec<_> = lines.iter().filter(|line| line["level"] == "WARN").collect();
    let reasons: Vec<_> = warnings.iter().filter_map(|line| line["message"].as_str()).collect();
    let [gone, folder] = reasons.as_slice() else { anyhow::bail!("each state once: {reasons:?}") };
    let name = key.display().to_string();
    ensure!(gone.contains(&name) && gone.contains("No such file"), "{gone}");
    ensure!(folder.contains(&name) && folder.contains("not a regular file"), "{folder}");
    Ok(())
}

#[test]
fn a_certificate_without_the_name_that_is_called_is_warned_about() -> Result<()> {
    // The names of the certificate, arguments and variables, what `/readyz` answers, and how many warnings there are.
    type Row<'a> = (&'a [&'a str], &'a [String], &'a [(&'a str, String)], u16, usize, &'a str);
    let named = ["--tls-name=webhook.lab.svc".to_owned()];
    let in_pod = [("KUBERNETES_SERVICE_HOST", "127.0.0.1".to_owned())];
    let table: [Row<'_>; 6] = [
        (&["webhook.lab.svc"], &named, &[], 200, 0, "the name"),
        (&["webhook.other.svc"], &named, &[], 503, 1, "another one"),
        (&[], &named, &[], 503, 1, "none"),
        (&["webhook.other.svc"], &[], &in_pod, 200, 0, "a Service, but which one is not known"),
        (&["localhost"], &[], &in_pod, 200, 1, "no Service"),
        (&[], &[], &[], 200, 1, "none, wherever it is called"),
    ];
    let mut texts = String::new();
    for (names, arguments, environment, status, expected, reason) in table {
        let mut ground = Ground::new()?;
        ground.publish(&named_pair(names)?)?;
        let webhook = ground.start_in(environment, arguments)?;
        ensure!(webhook.probe("/readyz")? == status, "{reason}: not {status}");
        let lines = webhook.lines()?;
        let warnings: Vec<_> = lines.iter().filter(|line| line["level"] == "WARN").collect();
        ensure!(warnings.len() == expected, "{reason}: {lines:?}");
        for warning in warnings {
            writeln!(texts, "{}", warning["message"].as_str().context("no message")?)?;
        }
        // A renewed certificate counts too, and heals.
        let right = if arguments.is_empty() { continue } else { named_pair(&["webhook.lab.svc"])? };
        ground.publish(&right)?;
        eventually(NOTICED, "the renewed certificate", || {
            ensure!(webhook.probe("/readyz")? == 200, "{reason}: still not ready");
            Ok(())
        })?;
    }
    matches_snapshot(&texts, "names.txt")
}

/// A self-signed pair with these DNS names.
fn named_pair(names: &[&str]) -> Result<Serving> {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "webhook.lab.svc");
    let key = KeyPair::generate()?;
    Ok(Serving { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
}

/// A self-signed pair that is valid until the first day of a year.
fn ending(year: i32) -> Result<Serving> {
    lasting(1990, year)
}

fn lasting(begin: i32, end: i32) -> Result<Serving> {
    let mut params = CertificateParams::new(["localhost".to_owned()])?;
    params.not_before = date_time_ymd(begin, 1, 1);
    params.not_after = date_time_ymd(end, 1, 1);
    let key = KeyPair::generate()?;
    Ok(Serving { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
}
