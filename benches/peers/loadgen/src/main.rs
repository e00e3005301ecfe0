//! A small closed-loop HTTPS load generator for admission webhooks.
//!
//! ```text
//! loadgen run    --port P --path /p --body FILE [--expect TEXT] [--proto h1|h2] [--conc N]
//!                [--warm S] [--secs S] [--max N] [--pid PID]
//!     N workers each send the POST, wait for the whole answer, check it, and repeat. h1: one
//!     keep-alive connection per worker; h2: a single connection with one stream per request, like
//!     kube-apiserver. Prints one JSON object. PID is the server whose CPU and memory are measured.
//! loadgen first  --port P --path /p --body FILE [--expect TEXT] [--secs S]
//!     Sends the request until the first correct answer, and prints when it arrived (Unix time, ns).
//! loadgen once   --port P --path /p --body FILE
//!     Sends one request and prints the body of the answer.
//! ```
//!
//! Connects only to 127.0.0.1, and does not verify the certificate of the server.

mod client;
mod load;
mod options;
mod process;

use std::{
    error::Error,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::BytesMut;
use client::{Client, Target};
use options::{Options, Verb};
use tokio::{task::LocalSet, time::timeout};

type Res<T> = Result<T, Box<dyn Error>>;

const RETRY_EVERY: Duration = Duration::from_millis(1);

fn main() -> Res<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        match options.verb {
            Verb::Run => println!("{}", load::run(&options).await?),
            Verb::First => println!("{}", time_of_first_answer(&options).await?),
            Verb::Once => println!("{}", String::from_utf8_lossy(&send_once(&Target::new(&options)?).await?)),
        }
        Ok(())
    })
}

async fn send_once(target: &Target) -> Res<BytesMut> {
    Client::new(target).await?.call(target).await
}

/// When the first correct answer arrived, in nanoseconds of Unix time.
async fn time_of_first_answer(options: &Options) -> Res<u128> {
    let target = Target::new(options)?;
    let start = Instant::now();
    while start.elapsed() < options.duration {
        if let Ok(Ok(_)) = timeout(Duration::from_secs(5), send_once(&target)).await {
            return Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos());
        }
        tokio::time::sleep(RETRY_EVERY).await;
    }
    Err("no correct answer in time".into())
}
