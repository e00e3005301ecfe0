//! Writes one after another, each reviewed in the cluster that the ones before it have left.

use std::{collections::BTreeSet, sync::Arc};

use jiff::civil::Date;

use super::{
    Diagnostic, Reviewer, Verdict,
    existing::{Existing, Found, applied},
};
use crate::{
    objects::{HostedCluster, ImageConfig, MirrorSet, Object},
    rules::{Finding, Related, Settings},
    state::State,
    write::{Operation, Write},
};

/// A cluster that is written to.
#[derive(Debug)]
pub struct Sequence<'a> {
    state: State,
    existing: Existing<'a>,
    settings: &'a Settings,
    today: Date,
}

impl<'a> Sequence<'a> {
    /// A cluster with these objects; of two with one name the later counts.
    pub fn onto(there: &[Found<'a>], settings: &'a Settings, today: Date) -> Self {
        let state = there.iter().map(|found| found.object.clone()).collect();
        Self { state, existing: there.iter().copied().collect(), settings, today }
    }

    /// Reviews the write of an object, and makes it where it is not refused.
    pub fn apply(&mut self, new: &'a Object) -> Verdict {
        let old = self.existing.met_by(new);
        let write = match new {
            Object::MirrorSet(set) => Write::MirrorSet(set_operation(old, set)),
            Object::HostedCluster(hosted) => Write::HostedCluster(hosted_operation(old, hosted)),
            Object::ImageConfig(config) => return self.configure(new, Some(config)),
            Object::ClusterVersion(_) => return self.configure(new, None),
        };
        let verdict = self.reviewer(&self.state).review(&write);
        if verdict.is_allowed() {
            match &write {
                Write::HostedCluster(operation) => {
                    // What others have put on a HostedCluster stays known from the one that is there.
                    self.state.insert(Object::HostedCluster(Arc::clone(operation.object())));
                }
                Write::MirrorSet(_) | Write::ImageConfig(_) => {
                    self.state.insert(new.clone());
                    self.existing.insert(Found { object: new, live: false });
                }
            }
        }
        verdict
    }

    fn reviewer<'r>(&'r self, state: &'r State) -> Reviewer<'r> {
        Reviewer::new(state, self.settings, self.today)
    }

    /// Reviews a setting by what it makes of the mirror sets that are there. No webhook is asked about it: it is
    /// made in any case.
    fn configure(&mut self, new: &Object, config: Option<&Arc<ImageConfig>>) -> Verdict {
        let (old, mut changed) = (self.state.context(), self.state.clone());
        changed.insert(new.clone());
        let context = changed.context();
        if (&old.image_config, &old.payload) == (&context.image_config, &context.payload) {
            return Verdict::default();
        }
        let (before, after) = (self.reviewer(&self.state), self.reviewer(&changed));
        let (mut verdict, path) = match config {
            Some(config) => {
                let old = Arc::clone(&old.image_config);
                let operation = Operation::Update { old, new: Arc::clone(config) };
                (after.review(&Write::ImageConfig(operation)), "spec.registrySources")
            }
            None => (Verdict::default(), "status.desired.image"),
        };
        for set in context.shared_sets() {
            let write = Write::MirrorSet(Operation::Existing(Arc::clone(set)));
            let (was, is) = (before.review(&write), after.review(&write));
            let known: BTreeSet<_> = was.diagnostics.iter().map(Diagnostic::key).collect();
            let fresh = is.diagnostics.iter().filter(|diagnostic| !known.contains(&diagnostic.key()));
            verdict.diagnostics.extend(fresh.map(|diagnostic| blamed_on(path, set, diagnostic)));
            verdict.exempted.extend(is.exempted.into_iter().filter(|one| !was.exempted.contains(one)));
        }
        self.state = changed;
        verdict
    }
}

fn set_operation(old: Option<Found<'_>>, new: &Arc<MirrorSet>) -> Operation<Arc<MirrorSet>> {
    let new = Arc::clone(new);
    match old.map(|found| found.object) {
        Some(Object::MirrorSet(old)) => Operation::Update { old: Arc::clone(old), new },
        _ => Operation::Create(new),
    }
}

fn hosted_operation(old: Option<Found<'_>>, new: &Arc<HostedCluster>) -> Operation<Arc<HostedCluster>> {
    match old {
        Some(found @ Found { object: Object::HostedCluster(old), .. }) => {
            Operation::Update { old: Arc::clone(old), new: Arc::new(applied(found, new)) }
        }
        _ => Operation::Create(Arc::clone(new)),
    }
}

/// What is wrong with a set, reported of the setting that makes it so.
fn blamed_on(path: &str, set: &MirrorSet, diagnostic: &Diagnostic) -> Diagnostic {
    let finding = diagnostic.finding.clone();
    let mut related = vec![Related::to_set(set, finding.path)];
    related.extend(finding.related);
    let finding = Finding {
        path: path.to_owned(),
        what: format!("in {}, {}", set.id(), finding.what),
        key: format!("{} {}", set.id(), finding.key),
        related,
        ..finding
    };
    Diagnostic { finding, ..*diagnostic }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::objects::manifest;

    fn objects(text: &str) -> Vec<Object> {
        let reading = manifest::read("test", text.to_owned());
        assert!(reading.errors.is_empty(), "{:?}", reading.errors);
        reading.objects.into_iter().map(|located| located.object).collect()
    }

    /// One entry, by kind and name.
    fn set(kind: &str, name: &str, source: &str, policy: &str) -> String {
        let list = if kind == "ImageTagMirrorSet" { "imageTagMirrors" } else { "imageDigestMirrors" };
        format!(
            "---\napiVersion: config.openshift.io/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n\
             spec: {{{list}: [{{source: \"{source}\", mirrors: [m.lab/c], mirrorSourcePolicy: {policy}}}]}}\n"
        )
    }

    fn image(sources: &str) -> String {
        format!(
            "---\napiVersion: config.openshift.io/v1\nkind: Image\nmetadata: {{name: cluster}}\n\
             spec: {{registrySources: {{{sources}}}}}\n"
        )
    }

    /// The rules that deny each write, and `-` for one that is made.
    fn denied(there: &str, writes: &str) -> Vec<String> {
        let (there, writes, settings) = (objects(there), objects(writes), Settings::default());
        let found: Vec<_> = there.iter().map(|object| Found { object, live: true }).collect();
        let mut cluster = Sequence::onto(&found, &settings, date(2026, 1, 1));
        let ids = |verdict: Verdict| {
            let is_denied = !verdict.is_allowed();
            let denials = verdict.diagnostics.iter().filter(|found| found.level == crate::rules::Level::Deny);
            let ids: Vec<_> = denials.map(|found| found.rule.id).collect();
            if is_denied { ids.join(" ") } else { "-".to_owned() }
        };
        writes.iter().map(|object| ids(cluster.apply(object))).collect()
    }

    #[test]
    fn each_write_meets_what_the_ones_before_it_left() {
        let (digests, tags) = ("ImageDigestMirrorSet", "ImageTagMirrorSet");
        let (never, allow) = ("NeverContactSource", "AllowContactingSource");
        let pair = |policy: &str| set(digests, "a", "q.io/c", policy) + &set(tags, "t", "q.io/c", policy);
        let conflict = "conflicting-source-policy";
        let table = [
            (pair(allow), pair(never), vec![conflict, conflict], "each disagrees with the other as it is"),
            (String::new(), pair(never), vec!["-", "-"], "both are new, and agree"),
            (
                String::new(),
                set(digests, "a", "q.io/c", never) + &set(tags, "t", "q.io/c", allow),
                vec!["-", conflict],
                "the second disagrees with the first, which is there by then",
            ),
            (
                String::new(),
                set(digests, "a", "https://q.io/c", never) + &set(tags, "t", "q.io/c", allow),
                vec!["invalid-source", "-"],
                "what was refused is not there",
            ),
        ];
        for (there, writes, expected, reason) in table {
            assert_eq!(denied(&there, &writes), expected, "{reason}");
        }
    }

    #[test]
    fn a_setting_is_judged_by_what_it_makes_of_the_sets_that_are_there() {
        let (idms, allow) = ("ImageDigestMirrorSet", "AllowContactingSource");
        let wildcard = set(idms, "w", "*.redhat.io", allow);
        let nested = image("insecureRegistries: [registry.redhat.io]");
        let stops = "wildcard-over-nested-scope";
        let table = [
            (wildcard.clone(), nested.clone(), vec![stops], "it stops all rendering"),
            (String::new(), nested.clone(), vec!["-"], "no set"),
            (wildcard.clone() + &nested, nested.clone(), vec!["-"], "as it was"),
            (
                wildcard.clone() + &nested,
                image("insecureRegistries: [registry.redhat.io], blockedRegistries: [q.io]"),
                vec!["-"],
                "wrong before",
            ),
            (
                String::new(),
                wildcard + &nested,
                vec!["-", stops],
                "the set is there by then, whoever wrote it",
            ),
            (String::new(), image("blockedRegistries: ['']"), vec!["invalid-registry-scope"], "malformed"),
        ];
        for (there, writes, expected, reason) in table {
            assert_eq!(denied(&there, &writes), expected, "{reason}");
        }
    }
}
