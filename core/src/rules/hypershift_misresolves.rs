//! An entry that HyperShift and the nodes resolve to different locations.

use std::{cell::OnceCell, collections::HashSet};

use super::{
    Check, DependsOn, Finding, Level, Related, Rule, SetWrite,
    astray::{Astray, astray, describe_lookups, eras_in_use, eras_of, hosted_in, in_order},
    explicit::add_explicit,
    finding::some_hosted,
};
use crate::{
    hypershift::{Era, RELEASE_REPOSITORIES, Redirect, Span, crashes_on, override_mirrors, redirect},
    node::{Places, places},
    objects::{
        Entry, HostedCluster, MirrorSet, annotation,
        reference::{DockerReference, Image},
        scope::{is_nested, is_wildcard, names_registry},
    },
};

pub(super) const RULE: Rule = Rule {
    id: "hypershift-misresolves",
    level: Level::Warn,
    summary: "an entry that HyperShift and nodes resolve to different locations",
    page: include_str!("hypershift_misresolves.md"),
    check: Check::MirrorSet(check),
    depends_on: DependsOn::Sources,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set().filter(|set| set.kind.is_digest()) else { return };
    let asked = find_asked(write);
    let crashing = Crashing::of(write);
    let mut seen = HashSet::new();
    for (index, entry) in set.entries.iter().enumerate().filter(|(_, entry)| seen.insert(*entry)) {
        findings.extend(crashing.as_ref().and_then(|crashing| crashing.review(set, index)));
        // For unqualified-mirror.
        if entry.real_mirrors().any(|(_, mirror)| !names_registry(mirror)) {
            continue;
        }
        let mut concerned = asked.iter().filter(|asked| asked.may_match(&entry.source));
        findings.extend(concerned.find_map(|asked| review(write, set, index, asked)));
    }
}

/// The hosted clusters whose control plane operator crashes on a source that it cannot parse.
struct Crashing<'a> {
    hosted: Vec<&'a HostedCluster>,
}

impl<'a> Crashing<'a> {
    /// `None` if neither a hosted cluster nor the configuration has such a release.
    fn of(write: &SetWrite<'a>) -> Option<Self> {
        let hosted = hosted_in(write, &[Era::Exact]);
        // Without configured releases, each may be in use. That alone is no reason to report a crash of old ones.
        let releases = &write.settings.releases;
        let is_configured = !releases.is_every() && Span::EXACT_LOOKUP.contains_any(releases);
        (is_configured || !hosted.is_empty()).then_some(Self { hosted })
    }

    /// The finding for an entry with a source that cannot be parsed.
    fn review(&self, set: &MirrorSet, index: usize) -> Option<Finding> {
        let entry = &set.entries[index];
        if override_mirrors(entry).is_none() || !crashes_on(Era::Exact, &entry.source) {
            return None;
        }
        let users =
            if self.hosted.is_empty() { "hosted clusters".to_owned() } else { some_hosted(&self.hosted) };
        let fix = if is_wildcard(&entry.source) {
            "replace the wildcard by an entry for each registry, or update these hosted clusters first"
        } else {
            "write the source as host[:port][/namespace[/name]]"
        };
        Some(Finding {
            effect: format!(
                "{}, the control plane operator of {users} crashes at random, or always if this is the only source",
                Span::EXACT_LOOKUP
            ),
            fix: fix.into(),
            related: self
                .hosted
                .iter()
                .map(|hosted| Related::to_hosted(hosted, "spec.release.image"))
                .collect(),
            ..Finding::new(
                set.field_path(index, "source"),
                format!("{} crash", entry.source),
                format!("source \"{}\" is not an image reference that HyperShift can parse", entry.source),
            )
        })
    }
}

/// A repository whose images HyperShift looks up by the rules of the metadata lookup.
struct Asked<'a> {
    name: String,
    /// Where the path begins, behind the host.
    path: usize,
    /// The HostedCluster that names it, and the path of the field; `None` for the repositories of every release.
    named_by: Option<(&'a HostedCluster, String)>,
    eras: Vec<Era>,
    /// Where nodes pull its images from.
    nodes: OnceCell<Option<Places<'a>>>,
}

impl<'a> Asked<'a> {
    fn new(name: &str, named_by: Option<(&'a HostedCluster, String)>, eras: Vec<Era>) -> Self {
        let path = name.find('/').map_or(name.len(), |at| at + 1);
        Self { name: name.to_owned(), path, named_by, eras, nodes: OnceCell::new() }
    }

    /// Whether a source may match the repository, for HyperShift (which compares the path or the namespace, on any
    /// host) or for nodes. Cheaper than parsing the source, and `true` for every source that does match.
    fn may_match(&self, source: &str) -> bool {
        let path = &self.name[self.path..];
        let namespace = path.split_once('/').map_or("", |(namespace, _)| namespace);
        ends_in(source, path) || ends_in(source, namespace) || is_nested(&self.name, source)
    }
}

/// Whether the last elements of a path are these.
fn ends_in(path: &str, last: &str) -> bool {
    let before = path.strip_suffix(last).filter(|_| !last.is_empty());
    before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// What HyperShift looks up: the release, its components, and what else HostedClusters name. Catalogs are left
/// out: the annotations that say where they are have rules of their own.
fn find_asked<'a>(write: &SetWrite<'a>) -> Vec<Asked<'a>> {
    let of_all = eras_in_use(write);
    let mut asked: Vec<_> =
        RELEASE_REPOSITORIES.map(|repository| Asked::new(repository, None, of_all.clone())).into();
    for hosted in write.cluster.after.hosted_clusters() {
        let operator = hosted.annotation(annotation::CONTROL_PLANE_OPERATOR);
        let release = (&*hosted.spec.release.image, "spec.release.image".to_owned());
        let operator = operator.map(|image| (image, annotation::path(annotation::CONTROL_PLANE_OPERATOR)));
        for (image, path) in [release].into_iter().chain(operator) {
            let Ok(image) = Image::parse(image) else { continue };
            let eras = eras_of(hosted, write.settings);
            match asked.iter_mut().find(|known| known.name == image.name()) {
                Some(known) => known.eras = in_order(&[&*known.eras, &*eras].concat()),
                None => asked.push(Asked::new(image.name(), Some((hosted, path)), eras)),
            }
        }
    }
    asked
}

/// What is wrong with an entry for a repository, with the HostedCluster that names the repository.
fn review<'a>(write: &SetWrite<'a>, set: &MirrorSet, index: usize, asked: &Asked<'a>) -> Option<Finding> {
    let mut finding = find_misresolved(write, set, index, asked)?;
    finding.related.extend(asked.named_by.iter().map(|(hosted, path)| Related::to_hosted(hosted, path)));
    Some(finding)
}

fn find_misresolved<'a>(
    write: &SetWrite<'a>,
    set: &MirrorSet,
    index: usize,
    asked: &Asked<'a>,
) -> Option<Finding> {
    let entry = &set.entries[index];
    let repository = &*asked.name;
    let nodes = asked
        .nodes
        .get_or_init(|| places(write.cluster.after, repository, |found| found.set.kind.is_digest()));
    let nodes = nodes.as_ref();
    if !is_nested(repository, &entry.source) {
        return taken_by_mistake(set, index, asked, nodes);
    }
    let explicit = *entry.source == *repository;
    // Next to a nearer source a broader one is at worst tried in vain: from 4.17 on, where it can match, HyperShift
    // checks whether the image is there.
    let nodes = nodes.filter(|nodes| nodes.source == &*entry.source && nodes.are_usable())?;
    // A broader source over the release's own repositories is for root-level-source.
    if !explicit && RELEASE_REPOSITORIES.contains(&repository) {
        return None;
    }
    let astray = astray(&asked.eras, repository, &entry.source, &entry.mirrors);
    let mirror = astray.first()?.mirror;
    Some(if explicit {
        one_element(set, index, mirror, &astray)
    } else {
        let fix = add_explicit(write.cluster.after, set, &asked.name, &nodes.places);
        Finding { fix, ..broader(set, index, &asked.name, nodes, &astray) }
    })
}

/// A repository as the source, with a mirror (the one at `at`) of fewer than two path elements: no other mirror of an
/// explicit entry goes astray.
fn one_element(set: &MirrorSet, index: usize, at: usize, astray: &[Astray]) -> Finding {
    let entry = &set.entries[index];
    let mirror = &*entry.mirrors[at];
    let right = with_two_elements(&entry.source, mirror);
    Finding {
        effect: describe_lookups(astray),
        fix: format!("mirror the images to a location such as {right}").into(),
        ..Finding::new(
            set.field_path(index, &format!("mirrors[{at}]")),
            format!("{} {mirror}", entry.source),
            format!("mirror \"{mirror}\" has fewer than two path elements"),
        )
    }
}

/// A location with at least two path elements, below a mirror with fewer: for the source `q.io/a/b`, `m.lab/x/b` below
/// `m.lab/x`, and `m.lab/a/b` below `m.lab`.
fn with_two_elements(source: &str, mirror: &str) -> String {
    let path = source.split_once('/').map_or(source, |(_, path)| path);
    let last = path.rsplit('/').next().unwrap_or_default();
    match (mirror.contains('/'), path.contains('/')) {
        (true, _) => format!("{mirror}/{last}"),
        (false, true) => format!("{mirror}/{path}"),
        (false, false) => format!("{mirror}/mirror/{path}"),
    }
}

/// A broader source that alone redirects the nodes for images of a HostedCluster.
fn broader(
    set: &MirrorSet,
    index: usize,
    repository: &str,
    nodes: &Places<'_>,
    astray: &[Astray],
) -> Finding {
    let source = nodes.source;
    Finding {
        effect: describe_lookups(astray),
        ..Finding::new(
            set.field_path(index, "source"),
            format!("{source} {repository}"),
            format!("HyperShift interprets source \"{source}\" differently from nodes for {repository}"),
        )
    }
}

/// A source on another host that HyperShift takes for the repository's, since it does not compare hosts.
fn taken_by_mistake(
    set: &MirrorSet,
    index: usize,
    asked: &Asked<'_>,
    nodes: Option<&Places<'_>>,
) -> Option<Finding> {
    let entry = &set.entries[index];
    let right = nodes.map_or(&[][..], |nodes| &nodes.places);
    let wrong = asked.eras.iter().filter_map(|era| find_wrong_place(*era, &asked.name, entry, right));
    let astray: Vec<_> = wrong.collect();
    let first = astray.first()?;
    Some(Finding {
        // From 4.17 on it tries the next place if the image is not there.
        at_most: if first.era == Era::Exact { Level::Deny } else { Level::Warn },
        effect: describe_lookups(&astray),
        fix: "give both sources the same mirror, or remove this entry from clusters that host control planes"
            .into(),
        ..Finding::new(
            set.field_path(index, "source"),
            format!("{} {}", entry.source, asked.name),
            format!(
                "HyperShift does not compare hosts, so it uses source \"{}\" for {}",
                entry.source, asked.name
            ),
        )
    })
}

/// The first mirror of an entry that gives a repository a place that is neither its own nor one where nodes look.
fn find_wrong_place(era: Era, repository: &str, entry: &Entry, right: &[String]) -> Option<Astray> {
    let reference = DockerReference::parse(repository).ok()?;
    for (mirror, location) in entry.mirrors.iter().enumerate() {
        match redirect(era, &reference, &entry.source, location) {
            Redirect::To(place) if place != repository && !right.contains(&place) => {
                return Some(Astray { era, mirror, look: Redirect::To(place) });
            }
            Redirect::To(_) | Redirect::None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
