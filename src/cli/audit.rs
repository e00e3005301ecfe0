//! `mirrorguard audit`.

use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use mirrorguard_core::{
    objects::{Kind, Object},
    report::{Places, Reviewed},
    review::{Audited, Reviewer},
    state::State,
};

use super::{
    Answer,
    input::{self, Connection, Input},
    lint::{self, FailOn},
    output::Output,
    report::Run,
};
use crate::{
    clock::today,
    cluster::{Listing, Readings, cause, read_inventory},
};

const HELP: &str = "\
Output:
  stdout  the findings; a JSON report; SARIF for code scanning; JUnit XML for test reports
  stderr  the count, and what could not be checked, with the right it needs

Exit codes:
  0  nothing at or above --fail-on was found
  1  something was
  2  usage, or the mirror sets cannot be read

Examples:
  mirrorguard audit
  mirrorguard audit --fail-on warn -o json
  mirrorguard rules stale-registry-overrides";

/// Check what is in the cluster now, and what its hosted control planes were started with
///
/// Reads the cluster of the current kubeconfig: every rule over its mirror sets and HostedClusters, and beyond the
/// rules annotations that have gone stale, what hosted control planes were really started with, pull secrets and
/// CAs for the mirrors. Nothing is written. What may not be read is told and left out.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct AuditArgs {
    /// The lowest level that makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Deny)]
    pub(super) fail_on: FailOn,
}

pub(super) fn run(args: &AuditArgs, output: &Output) -> Result<Answer> {
    let settings = output.settings()?;
    let (input, Readings { inventory, unread }) = input::runtime()?.block_on(read(output))?;
    for line in unread {
        not_checked(&line, output);
    }
    let state: State = input.objects().cloned().collect();
    let mut reviewed = lint::review(&input, &state, &settings);
    let objects = reviewed.len() + inventory.len();
    let audited = Reviewer::new(&state, &settings, today()).audit(&inventory);
    reviewed.extend(audited.into_iter().map(|Audited { object, verdict }| Reviewed {
        object,
        place: None,
        verdict,
    }));
    let places = Places::default();
    let run = Run { reviewed: &reviewed, places: &places, unread: &[], fails_from: args.fail_on.into() };
    lint::print(&run, lint::Checked { objects, more: !inventory.is_empty() }, &input, output)
}

/// Everything that can be read; only mirror sets must be.
async fn read(output: &Output) -> Result<(Input, Readings)> {
    let Connection { client, server } = input::connect().await?;
    let listing = Listing::of(&client).await;
    let Listing { objects: live, unread } = listing.map_err(|error| input::unreadable(&server, &error))?;
    for (kind, error) in unread {
        not_checked(&refused(kind, &error), output);
    }
    let hosted = live.iter().filter_map(|object| match object {
        Object::HostedCluster(hosted) => Some(Arc::clone(hosted)),
        _ => None,
    });
    let readings = read_inventory(&client, hosted.collect()).await;
    Ok((Input { live, cluster: Some(server), ..Input::default() }, readings))
}

/// What of a kind is missing, and what reading it takes.
fn refused(kind: Kind, error: &kube::Error) -> String {
    let (what, needs) = match kind {
        Kind::HostedCluster => ("HostedClusters", "hostedclusters.hypershift.openshift.io"),
        Kind::ImageConfig => ("insecure and blocked registries", "images.config.openshift.io"),
        Kind::ClusterVersion => ("the payload", "clusterversions.config.openshift.io"),
        Kind::Set(set) => (set.name(), set.api().2),
    };
    match error {
        kube::Error::Api(status) if status.code == 403 => {
            format!("{what}: not allowed, needs list on {needs}")
        }
        other => format!("{what}: {}", cause(other)),
    }
}

fn not_checked(line: &str, output: &Output) {
    output.say(&format!("not checked: {line}\n"));
}
