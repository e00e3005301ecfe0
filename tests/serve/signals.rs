//! The shutdown after a signal.

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

/// Shorter than requests are accepted after SIGTERM, so that a request within it is answered.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Half of the 30 seconds after which the kubelet kills the process.
const SOON: Duration = Duration::from_secs(15);

/// Waits for the end, which must be successful.
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
fn a_request_in_flight_is_answered_after_the_listener_is_closed() -> Result<()> {
    let ground = Ground::new()?;
    let mut webhook = ground.start()?;
    let request = Stalled::begin(ground.connection(&webhook)?, &new_icsp(), Length::Right)?;
    ground.client(&webhook)?.validate(&new_icsp())?.allowed()?;
    webhook.signal(Signal::Terminate)?;
    eventually(SOON, "the end of the listener", || match TcpStream::connect(webhook.address) {
        Ok(_) => bail!("new connections are still accepted"),
        Err(_) => Ok(()),
    })?;
    request.finish()?.allowed()?;
    ends_well(&mut webhook, AT_ONCE)
}

#[test]
fn after_sigterm_an_answer_asks_to_close_the_connection() -> Result<()> {
    let ground = Ground::new()?;
    // The test ends it; on a busy machine the default may pass before the last answer.
    let webhook = ground.start_with(&["--shutdown-delay=60s".to_owned()])?;
    let mut kept = ground.client(&webhook)?;
    kept.validate(&new_icsp())?.allowed()?;
    ensure!(!kept.validate(&new_icsp())?.is_last, "asked to close the connection too early");
    webhook.signal(Signal::Terminate)?;
    becomes_unready(&webhook)?;
    let last = kept.validate(&new_icsp())?;
    last.allowed()?;
    ensure!(last.is_last, "not asked to close the connection");
    Ok(())
}

#[test]
fn an_idle_http_2_connection_is_closed_with_goaway() -> Result<()> {
    let ground = Ground::new()?;
    let mut webhook = ground.start()?;
    let mut idle = Frames::begin(ground.connection(&webhook)?)?;
    webhook.signal(Signal::Terminate)?;
    idle.closes_gracefully(0)?;
    idle.ended()?;
    ends_well(&mut webhook, AT_ONCE)
}

#[test]
fn an_open_http_2_stream_is_answered_after_goaway() -> Result<()> {
    let ground = Ground::new()?;
    let mut webhook = ground.start()?;
    let mut open = Frames::begin(ground.connection(&webhook)?)?;
    open.open_stream()?;
    ground.client(&webhook)?.validate(&new_icsp())?.allowed()?;
    webhook.signal(Signal::Terminate)?;
    open.closes_gracefully(1)?;
    let answer = open.finish(&new_icsp().to_string())?;
    Answer::read(200, &answer)?.allowed()?;
    ends_well(&mut webhook, AT_ONCE)
}

#[test]
fn requests_are_accepted_for_the_shutdown_delay() -> Result<()> {
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
fn unused_connections_delay_the_end_only_for_a_limited_time() -> Result<()> {
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
fn a_start_that_waits_for_an_api_server_can_be_stopped() -> Result<()> {
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
        let _request = eventually(SOON, "a request to the API server", || Ok(silent.accept()?))?;
        process.signal(signal)?;
        let status = process.ended(AT_ONCE).with_context(|| format!("{signal:?}"))?;
        ensure!(status.code() == Some(0), "{signal:?}: ended with {status}");
        let log = process.log()?;
        let is_logged = log.contains("\"level\":\"INFO\"") && !log.contains("\"address\":");
        ensure!(is_logged, "{signal:?}: it listened, or did not log its end:\n{log}");
    }
    Ok(())
}
