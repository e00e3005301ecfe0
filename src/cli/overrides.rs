//! `mirrorguard overrides`.

use std::{collections::BTreeMap, fmt::Write, path::PathBuf};

use anyhow::Result;
use clap::Args;
use mirrorguard_core::{
    hypershift::{
        CatalogEra, CatalogMirrors, Derivation, Origin, Placement, Release, Releases, catalogs,
        newest_reading, readings,
    },
    objects::{HostedCluster, annotation},
    report::{FindingJson, Places, Reviewed, findings_json},
    review::Reviewer,
    rules::Settings,
    state::State,
};
use serde::Serialize;

use super::{
    Answer,
    input::{self, ReadOptions},
    options::PATHS_HELP,
    output::Output,
    report,
};
use crate::clock::today;

const HELP: &str = "\
Output:
  stdout  the value, and the mirrors of each catalog; with --check what the value resolves to in each release, and findings
  stderr  messages

Exit codes:
  0  a value was derived, or no value is correct in every release; with --check: the value is correct
  1  with --check: HyperShift misreads the value, or it leads to other locations than catalogOverrides.value of the configuration, the mirror sets, or the CatalogSources and ClusterCatalogs of PATH
  2  usage, I/O or parse error, or an object with placeholders from which the value is derived

Examples:
  mirrorguard overrides mirrors/
  mirrorguard overrides --release 4.20 -o json mirrors/ | jq -r .value
  mirrorguard overrides --check registry.redhat.io=mirror.lab.example:8443/redhat.io mirrors/";

/// Derive or check the catalog overrides annotation of HostedClusters
///
/// The OLM catalogs of a hosted cluster run on the management cluster, from an ImageStream that ignores mirror sets.
/// The annotation hypershift.openshift.io/olm-catalogs-is-registry-overrides redirects them, but its meaning changed
/// in 4.17. A value is derived only if every release resolves each catalog to its mirror.
///
/// The value is the first of: catalogOverrides.value of the configuration; the mirrors that nodes use according to the
/// mirror sets; where no mirror set covers a default catalog, the repositories from which CatalogSources in
/// openshift-marketplace and ClusterCatalogs serve them.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct OverridesArgs {
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
    /// Check this value instead of deriving one, and compare it with the value derived from PATH and the configuration
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(super) check: Option<String>,
    /// Release of the hosted cluster, such as 4.20; can be repeated. Defaults to the releases of the configuration
    #[arg(long, value_name = "RELEASE")]
    pub(super) release: Vec<Release>,
}

#[derive(Serialize)]
struct DerivedJson<'a> {
    value: Option<&'a str>,
    from: Option<Origin>,
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
    fn from(CatalogMirrors { catalog, mirrors, .. }: &'a CatalogMirrors) -> Self {
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
    let releases: Releases = if args.release.is_empty() {
        settings.releases.clone()
    } else {
        args.release.iter().copied().collect()
    };
    // A value can be checked without any mirror set.
    let state: State = if args.check.is_some() && args.paths.is_empty() {
        State::default()
    } else {
        input::read(&args.paths, ReadOptions::default(), output)?
            .complete()?
            .of_one_cluster()?
            .for_derivation()?
            .objects()
            .cloned()
            .collect()
    };
    if let Some(value) = &args.check {
        return check(value, releases, &state, settings, output);
    }
    let configured = settings.catalog_overrides.as_deref();
    print_derivation(&state.derivations().or_configured(configured, &releases), output)
}

fn print_derivation(derivation: &Derivation, output: &Output) -> Result<Answer> {
    let Derivation { value, from, catalogs } = derivation;
    if output.is_json() {
        output.json(&DerivedJson {
            value: value.as_deref().ok(),
            from: value.is_ok().then_some(*from),
            reason: value.as_ref().err().map(ToString::to_string),
            catalogs: catalogs.iter().map(CatalogJson::from).collect(),
        })?;
        return Ok(Answer::Yes);
    }
    let mut text = match value {
        Ok(value) => format!("{}: \"{value}\"\n  {:<20} {from}\n", annotation::CATALOG_OVERRIDES, "from"),
        Err(obstacle) => format!("no value is correct in every release: {obstacle}\n"),
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
    // The value is reviewed as if a HostedCluster without a release image had it: for the releases of the settings.
    let settings = Settings { releases, ..settings };
    let releases = &settings.releases;
    let verdict = Reviewer::new(state, &settings, today()).check_overrides(value);
    let answer = if verdict.is_allowed() { Answer::Yes } else { Answer::No };
    let is_clean = verdict.diagnostics.is_empty();
    let reviewed = [Reviewed { object: HostedCluster::default().id(), place: None, verdict }];
    if output.is_json() {
        output.json(&checked_json(value, releases, findings_json(&reviewed, &Places::default())))?;
        return Ok(answer);
    }
    output.result(&human(value, releases))?;
    output.result(&report::human(&reviewed, &Places::default(), Output::width()))?;
    if sets_nothing(value) {
        output.message("the value sets no overrides: catalogs are pulled from registry.redhat.io\n");
    } else if is_clean {
        output.message("the value is correct in every release that was checked\n");
    }
    Ok(answer)
}

/// Whether a value has no effect, such as an empty one. That does not depend on the release.
fn sets_nothing(value: &str) -> bool {
    readings(value, &Releases::default(), Placement::Management).is_empty()
}

/// What the value means in both eras, and how the newest of these releases parses it.
fn checked_json<'a>(value: &'a str, releases: &Releases, findings: Vec<FindingJson<'a>>) -> CheckedJson<'a> {
    let [replace_era, list_era] =
        [CatalogEra::Replace, CatalogEra::List].map(|era| newest_reading(value, era, releases));
    let (mut replace, mut list) = (BTreeMap::new(), BTreeMap::new());
    for catalog in catalogs::catalogs_of(releases) {
        // In this era each list is one image: of several, a random one is used.
        replace.insert(catalog.name, replace_era.places(catalog).concat());
        let lists = list_era.places(catalog);
        // Which of several lists is used depends on the order of a map: then the value is null.
        list.insert(catalog.name, <[_; 1]>::try_from(lists).ok().map(|[only]| only));
    }
    let newest = if CatalogEra::of(releases).contains(&CatalogEra::List) { list_era } else { replace_era };
    CheckedJson { parsed: newest.overrides.0.into_iter().collect(), replace, list, findings }
}

/// Between results of which a random one is used.
const OR_RANDOMLY: &str = "  or (at random)  ";
/// In place of results that are too many to follow.
const MANY_PLACES: &str = "one of many places (at random)";

/// Where each release looks for each catalog.
fn human(value: &str, releases: &Releases) -> String {
    let readings = readings(value, releases, Placement::Management);
    let mut text = String::new();
    for catalog in catalogs::catalogs_of(releases) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", catalog.name);
        // The value has no effect, so each catalog is looked for at its image itself.
        if readings.is_empty() {
            let _ = writeln!(text, "  {:<13}  {}", "every release", catalog.image());
        }
        for reading in &readings {
            let lists: Vec<_> = reading.places(catalog).iter().map(|list| list.join(", then ")).collect();
            let lists = if lists.is_empty() { MANY_PLACES.to_owned() } else { lists.join(OR_RANDOMLY) };
            let _ = writeln!(text, "  {:<13}  {lists}", reading.readers.span.to_string());
        }
    }
    text
}
