//! How it ends.

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::apiserver::kubeconfig;
use crate::client::Answer;
use crate::frames::Frames;
use crate::ground::Ground;
use crate::process::{Process, Signal};
use crate::reviews::new_icsp;
use crate::stalled::{Length, Stalled};
use crate::wait::eventually;
use crate::webhook::Webhook;

/// Shorter than requests are still taken after SIGTERM, so that who comes within it need not hurry.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Half of the 30 seconds after which a kubelet kills.
const SOON: Duration = Duration::from_secs(15);

/// Waits for the end, which must be a good one.
fn ends_well(webhook: &mut Webhook, deadline: Duration) -> Result<()> {
    let status = webhook.ended(deadline)?;
    ensure!(status.code() == Some(0), "ended with {status}");
    Ok(())
}

/// Waits until it has received a signal.
fn becomes_unready(webhook: &Webhook) -> Result<()> {
    eventually(AT_ONCE, "503 of /readyz", || {
        let status = webhook.probe("/readyz")?;
        ensure!(status == 503, "it answers {status}");
        Ok(())
    })
}

#[test]
fn after_sigterm_it_is_unready_at_once_and_answers_until_it_ends() -> Result<()> {
    let ground = Ground::new()?;
    let mut webhook = ground.start()?;
    let mut kept = ground.client(&webhook)?;
    kept.validate(&new_icsp())?.allowed()?;
    webhook.signal(Signal::Terminate)?;
    becomes_unready(&webhook)?;
    ensure!(webhook.probe("/healthz")? == 200, "it is not alive any more");
    kept.validate(&new_icsp())?.allowed()?;
    ground.client(&webhook)?.validate(&new_icsp())?.allowed()?;
    ends_well(&mut webhook, SOON)
}

#[test]
fn a_request_that_is_under_way_is_answered_after_the_door_is_closed() -> Result<()> {
    let ground = Ground::new()?;
    let mut webhook = ground.start()?;
    let request = Stalled::begin(ground.connection(&webhook)?, &new_icsp(), Length::Right)?;
    ground.client(&webhook)?.validate(&new_icsp())?.allowed()?;
    webhook.signal(Signal::Terminate)?;
    eventually(SOON, "the end of the listener", || match TcpStream::connect(webhook.address) {
        Ok(_) => bail!("new connections are still taken"),
        Err(_) => Ok(()),
    })?;
    request.finish()?.allowed()?;
    ends_well(&mut webhook, AT_ONCE)
}

#[test]
fn after_sigterm_an_answer_says_that_its_connection_is_not_to_be_used_again() -> Result<()> {
    let ground = Ground::new()?;
    // The test ends it; on a busy machine the default may pass before the last answer.
    let webhook = ground.start_with(&["--shutdown-delay=60s".to_owned()])?;
    let mut kept = ground.client(&webhook)?;
    kept.validate(&new_icsp())?.allowed()?;
    ensure!(!kept.validate(&new_icsp())?.is_last, "told to go without a reason");
    webhook.signal(Signal::Terminate)?;
    becomes_unready(&webhook)?;
    let last = kept.validate(&new_icsp())?;
    last.allowed()?;
    ensure!(last.is_last, "not told to go");
    Ok(())
}

#[test]
fn an_idle_http_2_connection_is_ended_by_goaway() -> Result<()> {
    let ground = Ground::new()?;
    let mut webhook = ground.start()?;
    let mut idle = Frames::begin(ground.connection(&webhook)?)?;
    webhook.signal(Signal::Terminate)?;
    idle.told_to_go(0)?;
    idle.ended()?;
    ends_well(&mut webhook, AT_ONCE)
}

#[test]
fn a_stream_of_http_2_that_is_open_is_answered_after_goaway() -> Result<()> {
    let ground = Ground::new()?;
    let mut webhook = ground.start()?;
    let mut asking = Frames::begin(ground.connection(&webhook)?)?;
    asking.ask()?;
    ground.client(&webhook)?.validate(&new_icsp())?.allowed()?;
    webhook.signal(Signal::Terminate)?;
    asking.told_to_go(1)?;
    let answer = asking.finish(&new_icsp().to_string())?;
    Answer::read(200, &answer)?.allowed()?;
    ends_well(&mut webhook, AT_ONCE)
}

#[test]
fn requests_are_taken_for_as_long_as_was_asked_for() -> Result<()> {
    let ground = Ground::new()?;
    for (delay, least, reason) in
        [("1s", Duration::from_secs(1), "shorter than by default"), ("0s", Duration::ZERO, "not at all")]
    {
        let mut webhook = ground.start_with(&[format!("--shutdown-delay={delay}")])?;
        ground.client(&webhook)?.validate(&new_icsp())?.allowed()?;
        let start = Instant::now();
        webhook.signal(Signal::Terminate)?;
        ends_well(&mut webhook, SOON)?;
        let took = start.elapsed();
        ensure!(took >= least && took < least + AT_ONCE, "{reason}: it took {took:?}");
    }
    Ok(())
}

#[test]
fn connections_that_nobody_uses_hold_up_the_end_only_so_long() -> Result<()> {
    let ground = Ground::new()?;
    let mut webhook = ground.start()?;
    let _silent = TcpStream::connect(webhook.address)?;
    let _shaken = ground.connection(&webhook)?;
    let _stalled = Stalled::begin(ground.connection(&webhook)?, &new_icsp(), Length::Right)?;
    ground.client(&webhook)?.validate(&new_icsp())?.allowed()?;
    webhook.signal(Signal::Terminate)?;
    ends_well(&mut webhook, SOON)
}

#[test]
fn a_second_sigterm_does_not_wait() -> Result<()> {
    let ground = Ground::new()?;
    let mut webhook = ground.start()?;
    let _stalled = Stalled::begin(ground.connection(&webhook)?, &new_icsp(), Length::Right)?;
    ground.client(&webhook)?.validate(&new_icsp())?.allowed()?;
    webhook.signal(Signal::Terminate)?;
    becomes_unready(&webhook)?;
    let second = Instant::now();
    webhook.signal(Signal::Terminate)?;
    webhook.ended(SOON)?;
    ensure!(second.elapsed() < AT_ONCE, "it took {:?}", second.elapsed());
    Ok(())
}

#[test]
fn sigint_ends_it_at_once() -> Result<()> {
    let ground = Ground::new()?;
    let mut webhook = ground.start()?;
    let mut kept = ground.client(&webhook)?;
    kept.validate(&new_icsp())?.allowed()?;
    webhook.signal(Signal::Interrupt)?;
    ends_well(&mut webhook, AT_ONCE)
}

#[test]
fn a_start_that_waits_for_an_apiserver_is_ended_too() -> Result<()> {
    let ground = Ground::new()?;
    let silent = TcpListener::bind("127.0.0.1:0")?;
    silent.set_nonblocking(true)?;
    let config = ground.write("kubeconfig", &kubeconfig(silent.local_addr()?))?;
    let environment = [("KUBECONFIG", config.display().to_string())];
    let managed = [
        "--tls-managed-secret=mirrorguard/tls",
        "--tls-name=mirrorguard.mirrorguard.svc",
        "--webhook-configuration=mirrorguard",
    ];
    let arguments = ["--state=cluster", "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"];
    for signal in [Signal::Terminate, Signal::Interrupt] {
        let arguments = arguments.iter().chain(&managed);
        let mut process = Process::start(arguments, &environment, ground.path("log"))?;
        let _asked = eventually(SOON, "a request to the apiserver", || Ok(silent.accept()?))?;
        process.signal(signal)?;
        let status = process.ended(AT_ONCE).with_context(|| format!("{signal:?}"))?;
        ensure!(status.code() == Some(0), "{signal:?}: ended with {status}");
        let log = process.log()?;
        let is_logged = log.contains("\"level\":\"INFO\"") && !log.contains("\"address\":");
        ensure!(is_logged, "{signal:?}: it listened, or did not log its end:\n{log}");
    }
    Ok(())
}
