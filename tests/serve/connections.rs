//! Many clients, and misbehaving ones.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::Value;

use crate::client::{Answer, validate_together};
use crate::ground::Ground;
use crate::reviews::{new_icsp, new_idms, new_idms_with_scheme};
use crate::stalled::{Length, Stalled};
use crate::webhook::Webhook;

/// How long API servers wait for an answer, as set by the chart.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Half of the time after which a body that does not end is refused even if none waits for it; far more than a body
/// that gives way takes, because the machine may be busy.
const GIVEN_WAY: Duration = Duration::from_secs(15);

/// So many entries make a body of more than 400 KB.
const LARGE: usize = 2000;

/// Expects that a review on a new connection is answered in time.
fn answers_in_time(ground: &Ground, webhook: &Webhook) -> Result<()> {
    answers_within(TIMEOUT, ground, webhook, &new_icsp())
}

fn answers_within(time: Duration, ground: &Ground, webhook: &Webhook, review: &Value) -> Result<()> {
    let start = Instant::now();
    ground.client(webhook)?.validate(review)?.allowed()?;
    ensure!(start.elapsed() < time, "answered after {:?}", start.elapsed());
    Ok(())
}

/// Opens connections that each send half of a review.
fn stall(
    ground: &Ground,
    webhook: &Webhook,
    connections: usize,
    review: &Value,
    length: Length,
) -> Result<Vec<Stalled>> {
    (0..connections).map(|_| Stalled::begin(ground.connection(webhook)?, review, length)).collect()
}

#[test]
fn a_body_that_is_too_large_is_answered_before_the_connection_ends() -> Result<()> {
    let ground = Ground::new()?;
    let webhook = ground.start()?;
    let review = new_idms("too-large", 25 * LARGE);
    ensure!(review.to_string().len() > 9 << 20, "the body is too small for this test");
    ground.client(&webhook)?.validate(&review)?.refused_with(413)?;
    answers_in_time(&ground, &webhook)
}

#[test]
fn silent_connections_do_not_delay_others() -> Result<()> {
    let ground = Ground::new()?;
    let webhook = ground.start()?;
    let _no_handshake: Vec<_> =
        (0..32).map(|_| TcpStream::connect(webhook.address)).collect::<Result<_, _>>()?;
    let _no_request: Vec<_> = (0..32).map(|_| ground.connection(&webhook)).collect::<Result<_>>()?;
    answers_in_time(&ground, &webhook)
}

#[test]
fn bodies_that_never_end_do_not_delay_others() -> Result<()> {
    let ground = Ground::new()?;
    let webhook = ground.start()?;
    let (small, large) = (new_icsp(), new_idms("stalled", LARGE));
    let table = [
        (1, &small, Length::Right, "half of a small body"),
        (32, &large, Length::Right, "halves of large bodies"),
        (1, &small, Length::Bytes(4 << 20), "more than is kept in memory at once, announced and not sent"),
        (32, &small, Length::Bytes(100 << 10), "the same in several bodies"),
        (1, &small, Length::Chunked, "any number of bytes"),
    ];
    for (connections, review, length, reason) in table {
        let _stalled = stall(&ground, &webhook, connections, review, length)?;
        answers_in_time(&ground, &webhook).context(reason)?;
    }
    Ok(())
}

#[test]
fn large_bodies_that_never_end_give_way_to_one_that_does() -> Result<()> {
    let ground = Ground::new()?;
    let webhook = ground.start()?;
    let large = new_idms("large", LARGE);
    let _stalled = stall(&ground, &webhook, 2, &large, Length::Right)?;
    answers_within(GIVEN_WAY, &ground, &webhook, &large)
}

#[test]
fn a_connection_that_breaks_off_in_a_body_leaves_nothing_behind() -> Result<()> {
    let ground = Ground::new()?;
    let webhook = ground.start()?;
    for _ in 0..64 {
        drop(Stalled::begin(ground.connection(&webhook)?, &new_icsp(), Length::Bytes(4 << 20))?);
    }
    answers_in_time(&ground, &webhook)
}

#[test]
fn large_bodies_on_one_connection_do_not_block_each_other() -> Result<()> {
    let ground = Ground::new()?;
    let webhook = ground.start()?;
    let client = ground.http_2_client(&webhook)?;
    let reviews: Vec<_> = (0..16).map(|number| new_idms(&format!("set-{number}"), LARGE)).collect();
    validate_together(&client, &reviews)?.iter().try_for_each(Answer::allowed)
}

#[test]
fn sixty_four_large_bodies_at_a_time_all_get_the_right_answer() -> Result<()> {
    let ground = Ground::new()?;
    let webhook = ground.start()?;
    let (ground, webhook) = (&ground, &webhook);
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 0..64 {
            threads.push(scope.spawn(move || answers_large(ground, webhook, number)));
        }
        for (number, thread) in threads.into_iter().enumerate() {
            let result = thread.join().map_err(|_| anyhow!("the thread panicked"))?;
            result.with_context(|| format!("connection {number}"))?;
        }
        Ok(())
    })
}

/// Expects that a large review is allowed if its number is even, and denied if it is odd.
fn answers_large(ground: &Ground, webhook: &Webhook, number: usize) -> Result<()> {
    let name = format!("set-{number}");
    let is_valid = number.is_multiple_of(2);
    let review = if is_valid { new_idms(&name, LARGE) } else { new_idms_with_scheme(&name, LARGE) };
    let bytes = review.to_string().len();
    ensure!(bytes > 400_000, "a body of only {bytes} bytes");
    let answer = ground.client(webhook)?.validate(&review)?;
    if is_valid { answer.allowed() } else { answer.denied_for("invalid-source") }
}
