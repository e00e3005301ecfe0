//! Reviews a write: runs the rules, and decides the level of their findings.

use std::{borrow::Cow, slice, sync::Arc};

use jiff::civil::Date;

use super::{
    Diagnostic, Verdict,
    exempt::{Requester, exempt},
    guest::Guest,
    overlays::{around, index_sets},
    verdict::Known,
};
use crate::{
    hypershift::{Placement, find_deviation},
    node::{Change, Impact, Orders, Standstill},
    objects::{HostedCluster, ImageConfig, MirrorSet, annotation},
    rules::{
        AsWritten, Check, FileObject, Finding, HostedWrite, Level, NodesWrite, RULES, Rule, SetWrite,
        Settings, Views, WhenUnverified, foreign_catalog_overrides, misread_catalog_overrides,
    },
    state::State,
    write::{Operation, Write},
};

/// The field of a ClusterVersion with the release image.
pub(super) const RELEASE_IMAGE: &str = "status.desired.image";

/// Reviews writes against what is known of a cluster.
#[derive(Debug, Clone, Copy)]
pub struct Reviewer<'a> {
    /// The cluster.
    pub state: &'a State,
    /// The configuration.
    pub settings: &'a Settings,
    /// The day, in UTC, by which exemptions end.
    pub today: Date,
    /// Why the mirror sets of `state` could not be compared with the API server's; `None` if they were compared, or
    /// need not be.
    pub unverified: Option<&'a str>,
}

impl<'a> Reviewer<'a> {
    /// A reviewer whose state needs no comparison.
    pub fn new(state: &'a State, settings: &'a Settings, today: Date) -> Self {
        Self { state, settings, today, unverified: None }
    }

    /// Reviews a write.
    ///
    /// An update of a mirror set or HostedCluster that changes nothing that rules read is not reviewed. What was
    /// already wrong before an update is only a warning. Findings in a deletion are always warnings.
    pub fn review(&self, write: &Write) -> Verdict {
        match write {
            Write::MirrorSet(operation) => self.review_set(operation.as_deref(), false),
            Write::HostedCluster(operation) => self.review_hosted(operation.as_deref()),
            Write::ImageConfig(operation) => self.review_image_config(operation.as_deref()),
        }
    }

    /// Reviews an existing object to compare with what was found in a write of it: with the findings that a review of
    /// all existing objects has only once, for another one.
    pub(super) fn review_for_comparison(&self, existing: &Write) -> Verdict {
        match existing {
            Write::MirrorSet(operation) => self.review_set(operation.as_deref(), true),
            other => self.review(other),
        }
    }

    fn review_set(&self, operation: Operation<&MirrorSet>, is_for_comparison: bool) -> Verdict {
        if let Operation::Update { old, new } = operation
            && old.entries == new.entries
        {
            return Verdict::default();
        }
        // Rules about more than single values see only the valid part; the others also see what was written.
        let written = operation;
        let valid = operation.map(|set| set.valid_part().map_or(Cow::Borrowed(set), Cow::Owned));
        let operation = valid.borrowed();
        let set = *operation.object();
        let context = self.state.context();
        let overlays = index_sets(context, operation);
        let [before, after] = around(context, operation, &overlays);
        let cluster = Views { before, after, others: context.view_with(set.kind, &set.name, None) };
        // Hardly any set has an invalid value. Without one, the set as written is its valid part, and needs no other index.
        let is_valid =
            [valid.before(), valid.after()].iter().flatten().all(|set| matches!(set, Cow::Borrowed(_)));
        let written_overlays = (!is_valid).then(|| index_sets(context, written));
        let [before, after] = around(context, written, written_overlays.as_ref().unwrap_or(&overlays));
        let written = AsWritten { operation: written, before, after };
        let write = SetWrite::new(operation, written, cluster, self.settings)
            .with_orders(self.orders_for(operation))
            .for_comparison(is_for_comparison);
        let mut verdict = Verdict::of(self.evaluate_set(&write));
        // Only a denial can be lowered, so any other update is reviewed once.
        if let (Operation::Update { old, .. }, Some(old_written)) = (operation, written.operation.before())
            && !verdict.is_allowed()
        {
            // The old object as if it existed: nothing is written, and the cluster is the one before.
            let as_it_was = Views { after: cluster.before, ..cluster };
            let old_written =
                AsWritten { operation: Operation::Existing(*old_written), after: written.before, ..written };
            let was = SetWrite::new(Operation::Existing(old), old_written, as_it_was, self.settings);
            lower_known(&mut verdict, &self.evaluate_set(&was.for_comparison(true)));
        }
        if let Operation::Delete(_) = operation {
            verdict.diagnostics.iter_mut().for_each(|diagnostic| diagnostic.level = Level::Warn);
        }
        // After the levels are lowered: an exemption records, and warns of, the denial that it prevents.
        exempt(&mut verdict, &set.into(), &self.settings.exemptions, self.today);
        // A deletion gets no such remark: at Deny, it would deny the deletion.
        if let (Some(why), Some(_)) = (self.unverified, operation.after()) {
            verdict.remarks.push(unverified_remark(self.settings.when_unverified, why));
        }
        if verdict.is_allowed() {
            verdict.impact = write.change().and_then(impact_of);
        } else {
            verdict.diagnostics.retain(Diagnostic::applies_to_a_rejected_write);
        }
        verdict
    }

    /// The orders of mirrors in the state, each found once for all sets: for a set that is reviewed as it is there.
    /// `None` for a write, after which a source may have another order.
    fn orders_for(&self, operation: Operation<&MirrorSet>) -> Option<&'a Orders> {
        let Operation::Existing(set) = operation else { return None };
        let there = self.state.set(set.kind, &set.name)?;
        (there.entries == set.entries).then(|| self.state.orders())
    }

    /// Reviews an object as it is written in a file, by the rules about files.
    pub fn review_file(&self, object: &FileObject<'_>, annotation: &str) -> Verdict {
        let mut verdict = Verdict::of(self.evaluate(RULES, |check, findings| {
            if let Check::File(check) = check {
                check(object, findings);
            }
        }));
        let requester = Requester { id: object.written.id.clone(), annotation };
        exempt(&mut verdict, &requester, &self.settings.exemptions, self.today);
        verdict
    }

    /// A deletion is not reviewed: it removes only the hosted cluster itself.
    fn review_hosted(&self, operation: Operation<&HostedCluster>) -> Verdict {
        let Some(new) = operation.after().copied() else { return Verdict::default() };
        let old = operation.before().copied();
        if old == Some(new) {
            return Verdict::default();
        }
        let mut verdict = Verdict::of(self.evaluate_hosted(RULES, &self.hosted_write(old, new)));
        if let (Some(old), false) = (old, verdict.is_allowed()) {
            lower_known(&mut verdict, &self.evaluate_hosted(RULES, &self.hosted_write(None, old)));
        }
        exempt(&mut verdict, &new.into(), &self.settings.exemptions, self.today);
        verdict
    }

    /// A deletion is not reviewed: only the defaults are left.
    fn review_image_config(&self, operation: Operation<&ImageConfig>) -> Verdict {
        let Some(new) = operation.after().copied() else { return Verdict::default() };
        let mut verdict = Verdict::of(self.evaluate_image_config(new));
        if let (Some(old), false) = (operation.before(), verdict.is_allowed()) {
            lower_known(&mut verdict, &self.evaluate_image_config(old));
        }
        exempt(&mut verdict, &Requester::of_image_config(), &self.settings.exemptions, self.today);
        verdict
    }

    /// Reviews what the nodes get, for the release image of a ClusterVersion: for files without the image configuration
    /// that this is reported for otherwise.
    pub fn review_release_image(&self) -> Verdict {
        let after = self.state.context().view();
        Verdict::of(self.evaluate_settings(&NodesWrite::existing(after, RELEASE_IMAGE)))
    }

    /// Reviews a value of the catalog overrides annotation for the releases of the configuration: whether HyperShift
    /// reads it as written, and if that has no errors, whether it leads to where the mirror sets place the catalogs.
    pub fn check_overrides(&self, value: &str) -> Verdict {
        let mut hosted = HostedCluster::default();
        hosted.metadata.annotations.insert(annotation::CATALOG_OVERRIDES.to_owned(), value.to_owned());
        let rule = slice::from_ref(&misread_catalog_overrides::RULE);
        // This HostedCluster has no release, so that it is reviewed for those of the configuration.
        let write = self.hosted_write(None, &hosted);
        let mut diagnostics = self.evaluate_hosted(rule, &write);
        if diagnostics.iter().all(|diagnostic| diagnostic.level < Level::Deny) {
            diagnostics.extend(self.find_deviating_overrides(value, &write));
        }
        Verdict::of(diagnostics)
    }

    /// The finding for a value that leads elsewhere than the mirror sets. Its rule is one of audits, which
    /// `evaluate_hosted` does not run, so whether it is on is asked here.
    fn find_deviating_overrides(&self, value: &str, write: &HostedWrite<'_>) -> Option<Diagnostic> {
        let rule = &foreign_catalog_overrides::RULE;
        if self.settings.level(rule) == Level::Off {
            return None;
        }
        let derivation = write.derivation();
        let deviation = find_deviation(value, &write.releases(), Placement::Management, &derivation)?;
        let finding = foreign_catalog_overrides::leads_elsewhere(write.new, value, &deviation, &derivation);
        // In an audit, the mirror sets may be what is wrong. Here, the value is what is checked.
        Some(self.diagnostic(rule, Finding { by_default: Some(Level::Deny), ..finding }))
    }

    /// A write of a HostedCluster as the rules review it.
    pub(super) fn hosted_write<'h>(
        &self,
        old: Option<&'h HostedCluster>,
        new: &'h HostedCluster,
    ) -> HostedWrite<'h>
    where
        'a: 'h,
    {
        HostedWrite { old, new, state: self.state, settings: self.settings }
    }

    fn evaluate_set(&self, write: &SetWrite<'_>) -> Vec<Diagnostic> {
        let is_write = !matches!(write.operation, Operation::Existing(_));
        let Views { before, after, .. } = write.cluster;
        let nodes = NodesWrite { before: Some(before), after, set: write.new_set(), path: "spec" };
        self.evaluate(RULES, |check, findings| match check {
            Check::MirrorSet(check) | Check::Entries(check) => check(write, findings),
            // For an existing set, these findings are reported once, for the image configuration. The review of an old
            // set does without them, too: these checks compare with `before`, and report only what is new.
            Check::Nodes(check) if is_write => check(&nodes, findings),
            _ => {}
        })
    }

    /// What the rules find in a change of settings other than the image configuration, which
    /// `evaluate_image_config` reviews. All of it is reported at the path of the write: the rules name fields of an image
    /// configuration, which this object does not have.
    pub(super) fn evaluate_settings(&self, write: &NodesWrite<'_>) -> Vec<Diagnostic> {
        let mut found = self.evaluate(RULES, |check, findings| {
            if let Check::Nodes(check) = check {
                check(write, findings);
            }
        });
        for diagnostic in &mut found {
            write.path.clone_into(&mut diagnostic.finding.path);
        }
        found
    }

    /// What some of the rules find in a HostedCluster.
    pub(super) fn evaluate_hosted(&self, rules: &'static [Rule], write: &HostedWrite<'_>) -> Vec<Diagnostic> {
        let guest = Guest::new(write.new);
        let overlay = guest.overlay();
        let entries = guest.write(&overlay, self.settings);
        self.evaluate(rules, |check, findings| match check {
            Check::HostedCluster(check) => check(write, findings),
            Check::Entries(check) => {
                let mut found = Vec::new();
                check(&entries, &mut found);
                findings.extend(found.into_iter().map(|finding| guest.in_hosted(finding)));
            }
            _ => {}
        })
    }

    /// Everything that the rules find in the cluster with this image configuration in place of its own. What is not
    /// new is lowered by the caller, not left out, so that there is no `before`.
    fn evaluate_image_config(&self, config: &ImageConfig) -> Vec<Diagnostic> {
        let mut context = self.state.context().clone();
        context.image_config = Arc::new(config.clone());
        let nodes = NodesWrite::existing(context.view(), "spec.registrySources");
        self.evaluate(RULES, |check, findings| match check {
            Check::ImageConfig(check) => check(config, findings),
            Check::Nodes(check) => check(&nodes, findings),
            _ => {}
        })
    }

    /// The findings of all rules that the configuration does not turn off, each with its level.
    fn evaluate(&self, rules: &'static [Rule], run: impl Fn(Check, &mut Vec<Finding>)) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for rule in rules.iter().filter(|rule| self.settings.level(rule) != Level::Off) {
            let mut findings = Vec::new();
            run(rule.check, &mut findings);
            diagnostics.extend(findings.into_iter().map(|finding| self.diagnostic(rule, finding)));
        }
        diagnostics
    }

    /// A finding with its level: the configured one of its rule, or else its own default, or else that of the rule.
    pub(super) fn diagnostic(&self, rule: &'static Rule, finding: Finding) -> Diagnostic {
        let is_configured = self.settings.levels.contains_key(rule.id);
        let level = finding.by_default.filter(|_| !is_configured).unwrap_or(self.settings.level(rule));
        Diagnostic { rule, level: level.min(finding.at_most), finding }
    }
}

/// The impact of a write of a set. Where rendering fails after it, there is none: nodes keep what they have. It is not
/// known where rendering begins again: what nodes have now was rendered from an earlier state.
fn impact_of(change: &Result<Change<'_>, Standstill>) -> Option<Impact> {
    match change {
        Ok(change) => Some(change.impact),
        Err(Standstill::Lasts) => Some(Impact::None),
        Err(Standstill::Ends) => None,
    }
}

/// Makes warnings of what was already wrong in the old state.
fn lower_known(verdict: &mut Verdict, old: &[Diagnostic]) {
    let known = Known::of(old);
    for diagnostic in &mut verdict.diagnostics {
        if known.contains(diagnostic) {
            diagnostic.level = diagnostic.level.min(Level::Warn);
        }
    }
}

fn unverified_remark(setting: WhenUnverified, why: &str) -> (Level, String) {
    match setting {
        WhenUnverified::Deny => (
            Level::Deny,
            format!(
                "[unverified] cannot list the mirror sets: {why}. \
                 Fix: try again, or set whenUnverified: warn in the configuration"
            ),
        ),
        WhenUnverified::Warn => (
            Level::Warn,
            format!(
                "[unverified] reviewed against cached mirror sets, because the API server did not answer: {why}"
            ),
        ),
    }
}
