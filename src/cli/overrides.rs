//! `mirrorguard overrides`.

use std::{collections::BTreeMap, fmt::Write, path::PathBuf};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{Answer, input, options::PATHS_HELP, output::Output, report};
use crate::clock::today;
use mirrorguard_core::{
    hypershift::{
        CatalogMirrors, Derivation, Release, Releases,
        catalogs::{self, CatalogOverrides},
        misreadings,
    },
    objects::{HostedCluster, annotation},
    report::{FindingJson, Places, Reviewed, findings_json},
    review::Reviewer,
    rules::Settings,
    state::State,
};

const HELP: &str = "\
Output:
  stdout  the value and where each catalog is mirrored, or with --check how each era reads the value, and the findings; or one JSON object
  stderr  what is said about it

Exit codes:
  0  derived, also where no value is right; or the value that was checked is read as it is meant
  1  the value that was checked is ignored, corrupted or read at random
  2  usage, or a file or cluster that cannot be read

Examples:
  mirrorguard overrides mirrors/
  mirrorguard overrides --release 4.20 -o json mirrors/ | jq -r .value
  mirrorguard overrides --check registry.redhat.io=mirror.lab.example:8443/redhat.io mirrors/";

/// Derive the catalog overrides annotation of HostedClusters, or judge one
///
/// The catalogs of a hosted cluster run in the management cluster, from an ImageStream that mirror sets do not
/// amend. The annotation hypershift.openshift.io/olm-catalogs-is-registry-overrides does, but its meaning
/// changed with 4.17. A value is derived only where both readings place every catalog where the mirror sets do.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct OverridesArgs {
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
    /// Judge this value instead of deriving one
    #[arg(long, value_name = "VALUE")]
    pub(super) check: Option<String>,
    /// Only for this release of the hosted cluster, such as 4.20; may be given again
    #[arg(long, value_name = "RELEASE")]
    pub(super) release: Vec<Release>,
}

#[derive(Serialize)]
struct DerivedJson<'a> {
    value: Option<&'a str>,
    reason: Option<String>,
    catalogs: Vec<CatalogJson<'a>>,
}

#[derive(Serialize)]
struct CatalogJson<'a> {
    name: &'static str,
    image: String,
    mirrors: &'a [String],
}

impl<'a> From<&'a CatalogMirrors> for CatalogJson<'a> {
    fn from(CatalogMirrors { catalog, mirrors }: &'a CatalogMirrors) -> Self {
        Self { name: catalog.name, image: catalog.image(), mirrors }
    }
}

#[derive(Serialize)]
struct CheckedJson<'a> {
    parsed: BTreeMap<&'a str, Vec<&'a str>>,
    replace: BTreeMap<&'static str, Vec<String>>,
    list: BTreeMap<&'static str, Option<Vec<String>>>,
    findings: Vec<FindingJson<'a>>,
}

pub(super) fn run(args: &OverridesArgs, output: &Output) -> Result<Answer> {
    let settings = output.settings()?;
    let asked = (!args.release.is_empty()).then(|| args.release.iter().copied().collect());
    let releases: Releases = asked.unwrap_or_else(|| settings.releases.clone());
    // A value can be judged without knowing any mirror set.
    let state: State = if args.check.is_some() && args.paths.is_empty() {
        State::default()
    } else {
        input::read(&args.paths, output)?.complete()?.objects().cloned().collect()
    };
    match &args.check {
        Some(value) => check(value, releases, &state, settings, output),
        None => derived(state.derivations().for_releases(&releases), output),
    }
}

fn derived(derivation: &Derivation, output: &Output) -> Result<Answer> {
    let Derivation { value, catalogs } = derivation;
    if output.is_json() {
        output.json(&DerivedJson {
            value: value.as_deref().ok(),
            reason: value.as_ref().err().map(ToString::to_string),
            catalogs: catalogs.iter().map(CatalogJson::from).collect(),
        })?;
        return Ok(Answer::Yes);
    }
    let mut text = match value {
        Ok(value) => format!("{}: \"{value}\"\n", annotation::CATALOG_OVERRIDES),
        Err(obstacle) => format!("no value is right in every release: {obstacle}\n"),
    };
    for catalog in catalogs {
        let mirrors =
            if catalog.mirrors.is_empty() { "not mirrored".to_owned() } else { catalog.mirrors.join(", ") };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {:<20} {mirrors}", catalog.catalog.name);
    }
    output.result(&text)?;
    Ok(Answer::Yes)
}

fn check(
    value: &str,
    releases: Releases,
    state: &State,
    settings: Settings,
    output: &Output,
) -> Result<Answer> {
    // A HostedCluster without a release image is reviewed for the releases of the settings.
    let settings = Settings { releases, ..settings };
    let releases = &settings.releases;
    let verdict = Reviewer::new(state, &settings, today()).check_overrides(value);
    let is_misread = !verdict.is_allowed();
    let reviewed = [Reviewed { object: HostedCluster::default().id(), place: None, verdict }];
    let overrides = catalogs::parse(value).unwrap_or_default();
    if output.is_json() {
        output.json(&checked(&overrides, releases, findings_json(&reviewed, &Places::default())))?;
    } else {
        output.result(&human(&overrides, releases))?;
        output.result(&report::human(&reviewed, &Places::default(), Output::width()))?;
        let placed = state.derivations().for_releases(releases);
        if misreadings(value, releases, placed).is_empty() {
            output.say("read as it is meant in every release asked for\n");
        }
    }
    Ok(if is_misread { Answer::No } else { Answer::Yes })
}

fn checked<'a>(
    overrides: &CatalogOverrides<'a>,
    releases: &Releases,
    findings: Vec<FindingJson<'a>>,
) -> CheckedJson<'a> {
    let catalogs = || catalogs::catalogs_of(releases);
    CheckedJson {
        parsed: overrides.0.iter().cloned().collect(),
        replace: catalogs()
            .map(|c| (c.name, catalogs::replace_era(overrides, &c.image()).into_iter().collect()))
            .collect(),
        list: catalogs()
            .map(|c| {
                let lists = catalogs::list_era(overrides, c);
                (c.name, <[_; 1]>::try_from(lists).ok().map(|[list]| list))
            })
            .collect(),
        findings,
    }
}

fn human(overrides: &CatalogOverrides<'_>, releases: &Releases) -> String {
    let mut text = String::new();
    for catalog in catalogs::catalogs_of(releases) {
        let replaced: Vec<_> = catalogs::replace_era(overrides, &catalog.image()).into_iter().collect();
        let listed = catalogs::list_era(overrides, catalog);
        let listed: Vec<_> = listed.iter().map(|list| list.join(", then ")).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", catalog.name);
        let _ = writeln!(text, "  up to 4.16    {}", replaced.join("  or at random  "));
        let _ = writeln!(text, "  from 4.17 on  {}", listed.join("  or at random  "));
    }
    text
}
