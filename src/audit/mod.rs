//! What is wrong in a cluster beyond its mirror sets: annotations that have gone stale, what hosted
//! control planes were really started with, credentials and CAs for the mirrors.
//!
//! Each check is a file with its page and reads a [`Survey`], or the image configuration alone, which `lint`
//! judges too; what the survey holds is read elsewhere.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod foreign_catalog_overrides;
mod ignored_icsp;
mod inventory;
mod mirrors;
mod missing_mirror_ca;
mod missing_pull_secret_entry;
mod stale_catalog_overrides;
mod stale_registry_overrides;

pub use inventory::{CaBundle, Inventory, PullSecret, Setting, Workload};

use jiff::civil::Date;

use crate::{
    hypershift::Releases,
    objects::{HostedCluster, annotation},
    review::{Exempt, Judged, State, Verdict, exempt},
    rules::{Finding, HostedWrite, Level, RULES, Rule, Settings},
};

/// A check: the rule that people know it by, and what is asked.
#[derive(Debug, Clone, Copy)]
pub struct AuditCheck {
    /// Id, level, summary and page.
    pub rule: Rule,
    check: fn(&Survey<'_>, &mut Vec<Found>),
}

/// Every check, by id.
pub const CHECKS: &[AuditCheck] = &[
    foreign_catalog_overrides::CHECK,
    ignored_icsp::CHECK,
    missing_mirror_ca::CHECK,
    missing_pull_secret_entry::CHECK,
    stale_catalog_overrides::CHECK,
    stale_registry_overrides::CHECK,
];

/// Every rule that audit asks: those of objects, then its own checks.
pub fn every_rule() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().chain(CHECKS.iter().map(|check| &check.rule))
}

/// The rule or check with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    every_rule().find(|rule| rule.id == id)
}

/// The kinds of the objects that checks blame, and whether those have a namespace.
pub const KINDS: &[(&str, bool)] =
    &[("ConfigMap", true), ("Deployment", true), ("HostedCluster", true), ("Image", false), ("Secret", true)];

/// A cluster as it is.
#[derive(Debug, Clone, Copy)]
pub struct Survey<'a> {
    /// Its mirror sets and settings.
    pub state: &'a State,
    /// What else is there.
    pub inventory: &'a Inventory,
    /// The configuration.
    pub settings: &'a Settings,
    /// The day, in UTC, by which exemptions end.
    pub today: Date,
}

impl<'a> Survey<'a> {
    /// The hosted clusters, as rules see them; those that are being deleted are left out.
    fn hosted(self) -> impl Iterator<Item = HostedWrite<'a>> {
        let Self { state, inventory, settings, .. } = self;
        let there = inventory.hosted_clusters.iter();
        let there = there.filter(|hosted| hosted.metadata.deletion_timestamp.is_none());
        there.map(move |new| HostedWrite {
            old: None,
            new,
            cluster: state.context().view(),
            derivations: state.derivations(),
            settings,
        })
    }
}

/// An object of any kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectId {
    /// Kind.
    pub kind: &'static str,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectId {
    fn new(kind: &'static str, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// `Kind/name`, or `Kind/namespace/name`.
    fn id(&self) -> String {
        let Self { kind, namespace, name } = self;
        let slash = if namespace.is_empty() { "" } else { "/" };
        format!("{kind}/{namespace}{slash}{name}")
    }

    fn of_hosted(hosted: &HostedCluster) -> Self {
        Self::new("HostedCluster", &hosted.metadata.namespace, &hosted.metadata.name)
    }
}

/// A finding, and the object it is about.
#[derive(Debug, Clone)]
pub struct Found {
    /// The object.
    pub object: ObjectId,
    /// What was found.
    pub finding: Finding,
}

/// A finding with its level, or the exemption that takes it away.
#[derive(Debug, Clone)]
pub struct Audited {
    /// The object it is about.
    pub object: ObjectId,
    /// What was found, and the check that found it.
    pub verdict: Verdict,
}

/// Makes every check that the configuration does not turn off.
pub fn audit(survey: &Survey<'_>) -> Vec<Audited> {
    let mut audited = Vec::new();
    for AuditCheck { rule, check } in CHECKS {
        let level = survey.settings.level(rule);
        if level == Level::Off {
            continue;
        }
        let mut found = Vec::new();
        check(survey, &mut found);
        audited.extend(found.into_iter().map(|Found { object, finding }| {
            let judged = Judged { rule, level: level.min(finding.at_most), finding };
            let mut verdict = Verdict { judged: vec![judged], ..Verdict::default() };
            let about = Exempt::new(object.id(), annotation_of(&object, survey.inventory));
            exempt(&mut verdict, &about, &survey.settings.exemptions, survey.today);
            Audited { object, verdict }
        }));
    }
    audited
}

/// What an object asks to be exempt from, as far as that is known: only HostedClusters are read whole.
fn annotation_of<'a>(object: &ObjectId, inventory: &'a Inventory) -> &'a str {
    let hosted = inventory.hosted_clusters.iter().find(|hosted| ObjectId::of_hosted(hosted) == *object);
    hosted.and_then(|hosted| hosted.annotation(annotation::EXEMPT)).unwrap_or_default()
}

/// The release as findings name it.
fn of_releases(releases: &Releases) -> String {
    if releases.is_every() { String::new() } else { format!(" for {releases}") }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
