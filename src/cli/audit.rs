//! `mirrorguard audit`.

use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use mirrorguard_core::{
    objects::Object,
    report::Reviewed,
    review::{Audited, Reviewer},
    state::State,
};

use super::{
    Answer,
    connect::{cannot_list, connect, describe_kind, runtime},
    input::Input,
    lint::{self, FailOn},
    output::Output,
    report::Run,
    review,
};
use crate::{
    clock::today,
    cluster::{Listing, Readings, Unread, read_inventory},
};

const HELP: &str = "\
Output:
  stdout  findings; or a JSON, SARIF or JUnit report
  stderr  a summary, and what was not checked, with the permission that is missing

Exit codes:
  0  no findings at or above --fail-on
  1  findings at or above --fail-on
  2  usage error, or the mirror sets could not be read

Examples:
  mirrorguard audit
  mirrorguard audit --fail-on warn -o json
  mirrorguard rules stale-registry-overrides";

/// Check a running cluster and its hosted control planes
///
/// Checks the cluster of the current kubeconfig: mirror sets and HostedClusters with all rules, and also stale
/// annotations, the overrides that hosted control planes run with, and the pull secrets and CAs of the mirrors. Never
/// changes the cluster. If a permission is missing, the check is skipped and the permission is named.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct AuditArgs {
    /// Exit with 1 if there are findings at or above this level
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = FailOn::Deny)]
    pub(super) fail_on: FailOn,
}

pub(super) fn run(args: &AuditArgs, output: &Output) -> Result<Answer> {
    let settings = output.settings()?;
    let (input, Readings { inventory, unread }) = runtime()?.block_on(read(output))?;
    for line in unread {
        report_not_checked(&line, output);
    }
    let state: State = input.objects().cloned().collect();
    let mut reviewed = review::review(&input, &state, &settings);
    let objects = reviewed.len() + inventory.len();
    let audited = Reviewer::new(&state, &settings, today()).audit(&inventory);
    for Audited { object, verdict } in audited {
        reviewed.push(Reviewed { object, place: None, verdict });
    }
    let places = input.with_places().collect();
    // Errors in files make the exit code 2. What an audit may not read is named above, and does not.
    let run = Run { reviewed: &reviewed, places: &places, unread: &[], fails_from: args.fail_on.into() };
    lint::print(&run, lint::Checked { objects, has_more_kinds: !inventory.is_empty() }, &input, output)
}

/// Reads everything that the user may read; mirror sets are required.
async fn read(output: &Output) -> Result<(Input, Readings)> {
    let connection = connect(output).await?;
    let listing = Listing::of(&connection.client).await;
    let listing = listing.map_err(|error| cannot_list(&connection.server, &error))?;
    let Listing { objects: live, unreadable, unread } = listing;
    for unread in unread {
        report_not_checked(&format!("{}: {}", describe_kind(unread.kind), unread.describe()), output);
    }
    for Unread { id, why, .. } in unreadable {
        report_not_checked(&format!("{id}: {why}"), output);
    }
    let mut hosted_clusters = Vec::new();
    for object in &live {
        if let Object::HostedCluster(hosted) = object {
            hosted_clusters.push(Arc::clone(hosted));
        }
    }
    let readings = read_inventory(&connection.client, hosted_clusters).await;
    Ok((Input { live, cluster: Some(connection.server.to_string()), ..Input::default() }, readings))
}

fn report_not_checked(line: &str, output: &Output) {
    output.message(&format!("not checked: {line}\n"));
}
