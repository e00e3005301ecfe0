//! A mirrored management cluster, and a hosted cluster whose own nodes are not told of the mirror.

use super::{
    Check, Finding, HostedWrite, Level, Related, Rule,
    paste::{entry_yaml, list_yaml},
};
use crate::{
    hypershift::RELEASE_REPOSITORIES,
    node::{Places, places},
    objects::scope::is_nested,
};

pub(super) const RULE: Rule = Rule {
    id: "data-plane-not-mirrored",
    level: Level::Warn,
    summary: "the management cluster mirrors the release and a HostedCluster's imageContentSources do not",
    page: include_str!("data_plane_not_mirrored.md"),
    check: Check::HostedCluster(check),
    ..Rule::BASE
};

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    let hosted = write.new;
    if hosted.metadata.deletion_timestamp.is_some() {
        return;
    }
    let sources = &hosted.spec.image_content_sources;
    // The hosted nodes read registries.conf: a source covers everything below it.
    let is_covered =
        |image: &str| sources.iter().any(|entry| entry.is_effective() && is_nested(image, &entry.source));
    let uncovered = RELEASE_REPOSITORIES.into_iter().filter(|repository| !is_covered(repository));
    let missing: Vec<(&str, Places<'_>)> = uncovered
        .filter_map(|repository| {
            let mirrored = places(write.cluster(), repository, |found| found.set.kind.is_digest())?;
            Some((repository, mirrored))
        })
        .collect();
    if missing.is_empty() {
        return;
    }
    let last = |repository: &str| repository.rsplit('/').next().unwrap_or_default().to_owned();
    let names: Vec<_> = missing.iter().map(|(repository, _)| last(repository)).collect();
    let entries: Vec<_> =
        missing.iter().map(|(repository, mirrored)| entry_yaml(repository, &mirrored.places)).collect();
    let from = missing
        .iter()
        .map(|(repository, mirrored)| format!("{} from {}", last(repository), mirrored.places.join(", ")));
    let related = missing.iter().flat_map(|(_, mirrored)| &mirrored.entries);
    let empty = if sources.is_empty() { "it is empty, and so " } else { "" };
    findings.push(Finding {
        yaml: Some(list_yaml("imageContentSources", &entries)),
        related: related.map(|entry| Related::to_entry(entry, "source")).collect(),
        ..Finding::new(
            "spec.imageContentSources",
            format!("{empty}the hosted nodes do not know the mirror of {}", names.join(" and ")),
            "they pull from quay.io",
            format!("add {}", from.collect::<Vec<_>>().join(", ")),
        )
    });
}
