//! Writes one after another, each judged in the cluster that the ones before it have left.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{
    Judged, Reviewer, State, Verdict,
    existing::{Existing, Found, applied},
};
use crate::{
    objects::{MirrorSet, Object},
    rules::{Finding, Operation, Related, Settings},
};

/// A cluster that is written to.
#[derive(Debug)]
pub struct Writes<'a> {
    state: State,
    existing: Existing<'a>,
    settings: &'a Settings,
    today: Date,
}

impl<'a> Writes<'a> {
    /// A cluster with these objects; of two with one name the later counts.
    pub fn onto(there: &[Found<'a>], settings: &'a Settings, today: Date) -> Self {
        let state = there.iter().map(|found| found.object.clone()).collect();
        Self { state, existing: there.iter().copied().collect(), settings, today }
    }

    /// Judges a write, and makes it where it is not refused.
    pub fn write(&mut self, new: &'a Object) -> Verdict {
        let found = self.existing.met_by(new);
        let reviewer = self.reviewer(&self.state);
        let (verdict, after) = match new {
            Object::MirrorSet(set) => {
                let old = found.and_then(|found| match found.object {
                    Object::MirrorSet(old) => Some(old),
                    _ => None,
                });
                let operation = if old.is_some() { Operation::Update } else { Operation::Create };
                (reviewer.review_set(operation, old, Some(set)), new.clone())
            }
            Object::HostedCluster(hosted) => {
                let old = found.and_then(|found| match found.object {
                    Object::HostedCluster(old) => Some(&**old),
                    _ => None,
                });
                let after = found.map_or_else(|| (**hosted).clone(), |found| applied(found, hosted));
                (reviewer.review_hosted(old, &after), Object::HostedCluster(Box::new(after)))
            }
            Object::ImageConfig(_) | Object::ClusterVersion(_) => return self.configure(new),
        };
        if verdict.is_allowed() {
            self.state.insert(after);
            // What others have put on a HostedCluster stays known from the one that is there.
            if matches!(new, Object::MirrorSet(_)) {
                self.existing.insert(Found { object: new, live: false });
            }
        }
        verdict
    }

    fn reviewer<'r>(&'r self, state: &'r State) -> Reviewer<'r> {
        Reviewer { state, settings: self.settings, today: self.today }
    }

    /// Judges a setting by what it makes of the mirror sets that are there. No webhook is asked about it: it is
    /// made in any case.
    fn configure(&mut self, new: &Object) -> Verdict {
        let (old, mut changed) = (self.state.context(), self.state.clone());
        changed.insert(new.clone());
        let context = changed.context();
        if (&old.image_config, &old.payload) == (&context.image_config, &context.payload) {
            return Verdict::default();
        }
        let (before, after) = (self.reviewer(&self.state), self.reviewer(&changed));
        let (mut verdict, path) = match new {
            Object::ImageConfig(config) => {
                (after.review_image_config(Some(&old.image_config), config), "spec.registrySources")
            }
            _ => (Verdict::default(), "status.desired.image"),
        };
        for set in context.view().sets() {
            let [was, is] = [before, after].map(|r| r.review_set(Operation::Existing, None, Some(set)));
            let known: BTreeSet<_> = was.judged.iter().map(key).collect();
            let fresh = is.judged.iter().filter(|judged| !known.contains(&key(judged)));
            verdict.judged.extend(fresh.map(|judged| blamed_on(path, set, judged)));
            verdict.exempted.extend(is.exempted.into_iter().filter(|one| !was.exempted.contains(one)));
        }
        self.state = changed;
        verdict
    }
}

fn key(judged: &Judged) -> (&'static str, &str) {
    (judged.rule.id, &judged.finding.key)
}

/// What is wrong with a set, told of the setting that makes it so.
fn blamed_on(path: &str, set: &MirrorSet, judged: &Judged) -> Judged {
    let finding = judged.finding.clone();
    let mut related = vec![Related::to_set(set, finding.path)];
    related.extend(finding.related);
    let finding = Finding {
        path: path.to_owned(),
        what: format!("in {}, {}", set.id(), finding.what),
        key: format!("{} {}", set.id(), finding.key),
        related,
        ..finding
    };
    Judged { finding, ..*judged }
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
        let mut cluster = Writes::onto(&found, &settings, date(2026, 1, 1));
        let ids = |verdict: Verdict| {
            let is_denied = !verdict.is_allowed();
            let denials = verdict.judged.iter().filter(|judged| judged.level == crate::rules::Level::Deny);
            let ids: Vec<_> = denials.map(|judged| judged.rule.id).collect();
            if is_denied { ids.join(" ") } else { "-".to_owned() }
        };
        writes.iter().map(|object| ids(cluster.write(object))).collect()
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
