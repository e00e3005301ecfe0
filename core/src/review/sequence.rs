//! Consecutive writes, each reviewed in the cluster that the earlier ones result in.

mod settle;

use std::sync::Arc;

use jiff::civil::Date;

use super::{
    Diagnostic, Reviewer, Verdict,
    existing::{ExistingHosted, Found},
    reviewer::RELEASE_IMAGE,
    verdict::Known,
};
use crate::{
    context::Context,
    node::change_of_settings,
    objects::{ImageConfig, MirrorSet, Object},
    rules::{Finding, Level, NodesWrite, Related, Settings, node_impact},
    state::State,
    write::{Operation, Write},
};

/// A cluster, and the writes that were applied to it.
#[derive(Debug)]
pub struct Sequence<'a> {
    /// After the writes so far.
    state: State,
    /// The HostedClusters after the writes so far.
    existing: ExistingHosted,
    settings: &'a Settings,
    today: Date,
}

impl<'a> Sequence<'a> {
    /// A cluster with these objects; of two with the same name, the later one counts.
    pub fn onto(there: &[Found<'a>], settings: &'a Settings, today: Date) -> Self {
        let state = there.iter().map(|found| found.object.known_part()).collect();
        Self { state, existing: there.iter().copied().collect(), settings, today }
    }

    /// Reviews writes that are all applied, one after another. A write is rejected for what is wrong at its turn; a
    /// warning that later writes resolve is left out, since the cluster never stays in that state.
    pub fn review_all(mut self, new: impl IntoIterator<Item = &'a Object>) -> Vec<Verdict> {
        let mut new: Vec<_> = new.into_iter().enumerate().collect();
        // Nobody applies the release of a cluster: it is a fact that every write depends on, and what it makes wrong is
        // wrong in what is written.
        new.sort_by_key(|(_, object)| !matches!(object, Object::ClusterVersion(_)));
        let mut steps: Vec<_> = new.into_iter().map(|(at, object)| (at, self.step(object))).collect();
        steps.sort_by_key(|(at, _)| *at);
        steps.into_iter().map(|(_, step)| self.settle(step)).collect()
    }

    /// Reviews the write of an object, and applies it unless it is rejected.
    pub fn apply(&mut self, new: &'a Object) -> Verdict {
        let write = self.write_of(new);
        self.apply_as(new, write.as_ref())
    }

    /// The same, with what [`Sequence::write_of`] returns.
    fn apply_as(&mut self, new: &Object, write: Option<&Write>) -> Verdict {
        let Some(write) = write else { return self.apply_setting(new) };
        let verdict = self.reviewer(&self.state).review(write);
        if verdict.is_allowed() {
            self.state.insert(match (write, new) {
                // As it is applied: with the annotations that other clients set.
                (Write::HostedCluster(operation), Object::HostedCluster(written)) => {
                    let result = operation.object();
                    self.existing.record(written, Arc::clone(result));
                    Object::HostedCluster(Arc::clone(result))
                }
                _ => new.known_part(),
            });
        }
        verdict
    }

    /// The write of an object; `None` for a setting or a catalog.
    fn write_of(&self, new: &Object) -> Option<Write> {
        match new {
            Object::MirrorSet(set) => Some(Write::MirrorSet(self.set_operation(set))),
            Object::HostedCluster(hosted) => Some(Write::HostedCluster(self.existing.operation(hosted))),
            Object::ImageConfig(_)
            | Object::ClusterVersion(_)
            | Object::SignaturePolicy(_)
            | Object::MachineConfiguration(_)
            | Object::Catalog(_) => None,
        }
    }

    fn apply_setting(&mut self, new: &Object) -> Verdict {
        match new {
            Object::ImageConfig(config) => self.configure(new, Some(config)),
            Object::Catalog(_) => {
                self.state.insert(new.clone());
                Verdict::default()
            }
            _ => self.configure(new, None),
        }
    }

    /// What applying a mirror set does: it replaces the one of its kind and name, or creates one.
    fn set_operation(&self, new: &Arc<MirrorSet>) -> Operation<Arc<MirrorSet>> {
        let new = Arc::clone(new);
        match self.state.context().shared_set(new.kind, &new.name) {
            Some(old) => Operation::Update { old: Arc::clone(old), new },
            None => Operation::Create(new),
        }
    }

    fn reviewer<'r>(&'r self, state: &'r State) -> Reviewer<'r> {
        Reviewer::new(state, self.settings, self.today)
    }

    /// Reviews a setting by its effect on the existing mirror sets and on the nodes. No webhook reviews it: it is
    /// applied in any case. `config` is the image configuration, if that is the setting.
    fn configure(&mut self, new: &Object, config: Option<&Arc<ImageConfig>>) -> Verdict {
        let (old, mut changed) = (self.state.context(), self.state.clone());
        changed.insert(new.clone());
        // Like an update of a set that changes no entry: what was wrong before is not reported. An object of another
        // name than the one that operators read changes nothing, either.
        if !settings_differ(old, changed.context()) {
            self.state = changed;
            return Verdict::default();
        }
        let path = setting_path(new);
        let mut verdict = self.review_setting(&changed, path, config);
        let (before, after) = (self.reviewer(&self.state), self.reviewer(&changed));
        for set in changed.context().shared_sets() {
            let write = Write::MirrorSet(Operation::Existing(Arc::clone(set)));
            let (was, is) = (before.review(&write), after.review(&write));
            // What the set already has without the change is not reported.
            let known = Known::of(&was.diagnostics);
            let caused = is.diagnostics.iter().filter(|diagnostic| !known.contains(diagnostic));
            verdict.diagnostics.extend(caused.map(|diagnostic| caused_by(path, set, diagnostic)));
            verdict
                .exempted
                .extend(is.exempted.into_iter().filter(|exempted| !was.exempted.contains(exempted)));
        }
        self.state = changed;
        verdict
    }

    /// Reviews a setting by itself, and by what it costs the nodes.
    fn review_setting(
        &self,
        changed: &State,
        path: &'static str,
        config: Option<&Arc<ImageConfig>>,
    ) -> Verdict {
        let after = self.reviewer(changed);
        let [old, new] = [&self.state, changed].map(|state| state.context().view());
        let mut verdict = if let Some(config) = config {
            let old = Arc::clone(&self.state.context().image_config);
            after.review(&Write::ImageConfig(Operation::Update { old, new: Arc::clone(config) }))
        } else {
            Verdict::of(
                after.evaluate_settings(&NodesWrite { before: Some(old), ..NodesWrite::existing(new, path) }),
            )
        };
        let change = change_of_settings(old, new);
        verdict.impact = change.as_ref().ok().map(|change| change.impact);
        // The rule itself reviews only writes of mirror sets.
        let rule = &node_impact::RULE;
        let is_on = self.settings.level(rule) != Level::Off;
        if let Some(finding) = node_impact::finding(change.as_ref()).filter(|_| is_on) {
            verdict.diagnostics.push(after.diagnostic(rule, Finding { path: path.to_owned(), ..finding }));
        }
        verdict
    }
}

/// Whether two clusters with the same mirror sets may differ on their nodes.
fn settings_differ(old: &Context, new: &Context) -> bool {
    old.image_config != new.image_config
        || old.payload != new.payload
        || old.format != new.format
        || old.file_disruptions != new.file_disruptions
        || !old.signed_scopes().eq(new.signed_scopes())
}

/// Where a finding about a setting is reported. Mirror sets, HostedClusters and catalogs are no settings and never get
/// here.
fn setting_path(object: &Object) -> &'static str {
    match object {
        Object::ClusterVersion(_) => RELEASE_IMAGE,
        Object::SignaturePolicy(_) => "spec.scopes",
        Object::MachineConfiguration(_) => "spec.nodeDisruptionPolicy",
        Object::ImageConfig(_) | Object::MirrorSet(_) | Object::HostedCluster(_) | Object::Catalog(_) => {
            "spec.registrySources"
        }
    }
}

/// A finding in a mirror set, reported for the setting that causes it. Its faults get the set, because the findings of
/// all sets are now findings of one object.
fn caused_by(path: &str, set: &MirrorSet, diagnostic: &Diagnostic) -> Diagnostic {
    let finding = &diagnostic.finding;
    let related = finding.related.clone().after(Related::to_set(set, finding.path.clone()));
    let keys = finding.faults().map(|key| format!("{} {key}", set.id()));
    let named = Finding::of_faults(path, keys, format!("in {}, {}", set.id(), finding.what));
    let Finding { path, what, key, .. } = named;
    let finding = Finding { path, what, related, key, ..finding.clone() };
    Diagnostic { finding, ..*diagnostic }
}

#[cfg(test)]
mod tests;
