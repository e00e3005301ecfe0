//! Findings for people, with those that several HostedClusters have alike in one.

use std::collections::{HashMap, hash_map::Entry};

use super::level_name;
use mirrorguard_core::{
    objects::{Kind, ObjectId},
    report::{Reviewed, findings},
    review::Diagnostic,
};

/// The number of other HostedClusters that are named.
const NAMED: usize = 5;

/// A finding that is drawn.
pub(super) struct Shown<'a> {
    pub(super) one: &'a Reviewed<'a>,
    pub(super) diagnostic: &'a Diagnostic,
    /// The other HostedClusters that have the same finding.
    others: Vec<&'a ObjectId>,
}

impl Shown<'_> {
    /// The other HostedClusters with the finding, in words; `None` if there are none.
    pub(super) fn describe_others(&self) -> Option<String> {
        let count = self.others.len();
        let named: Vec<_> = self.others.iter().take(NAMED).map(|other| other.namespaced_name()).collect();
        let plural = if count == 1 { "" } else { "s" };
        let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
        (count > 0)
            .then(|| format!("also in {count} other HostedCluster{plural}: {}{more}", named.join(", ")))
    }
}

/// Every finding, in the order of the objects. The HostedClusters of a site are often made from one template and share
/// its faults: a finding that several of them have in the same words is shown with the first of them.
pub(super) fn shown<'a>(reviewed: &'a [Reviewed<'a>]) -> Vec<Shown<'a>> {
    let mut shown: Vec<Shown<'a>> = Vec::new();
    let mut first = HashMap::new();
    for (one, diagnostic) in findings(reviewed) {
        if one.object.kind == Kind::HostedCluster.name() {
            match first.entry(words(diagnostic)) {
                Entry::Vacant(slot) => {
                    slot.insert(shown.len());
                }
                Entry::Occupied(slot) => {
                    shown[*slot.get()].others.push(&one.object);
                    continue;
                }
            }
        }
        shown.push(Shown { one, diagnostic, others: Vec::new() });
    }
    shown
}

/// What is equal where two findings are the same to people. The fix may have another object in each.
fn words(diagnostic: &Diagnostic) -> [&str; 6] {
    let finding = &diagnostic.finding;
    let level = level_name(diagnostic.level);
    [diagnostic.rule.id, level, &finding.path, &finding.what, &finding.effect, &finding.fix.title]
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirrorguard_core::{
        review::Verdict,
        rules::{self, Level},
    };

    fn reviewed(kind: &'static str, name: &str, path: &str, what: &str) -> Reviewed<'static> {
        let finding = rules::Finding::new(path, what, what);
        let diagnostics = vec![Diagnostic { rule: &rules::RULES[0], level: Level::Warn, finding }];
        let object = ObjectId::new(kind, "clusters", name);
        Reviewed { object, place: None, verdict: Verdict { diagnostics, ..Verdict::default() } }
    }

    #[test]
    fn hosted_clusters_share_a_finding_in_the_same_words() {
        let table = [
            (("HostedCluster", "spec", "wrong"), &["b"][..], "the same"),
            (("HostedCluster", "metadata", "wrong"), &[], "in another field"),
            (("HostedCluster", "spec", "b is wrong"), &[], "in other words"),
            (("ImageDigestMirrorSet", "spec", "wrong"), &[], "not of a HostedCluster"),
        ];
        for ((kind, path, what), others, reason) in table {
            let first = if kind == "HostedCluster" { kind } else { "ImageDigestMirrorSet" };
            let all = [reviewed(first, "a", "spec", "wrong"), reviewed(kind, "b", path, what)];
            let shown = shown(&all);
            let names: Vec<_> = shown[0].others.iter().map(|other| &*other.name).collect();
            assert_eq!((&*names, shown.len()), (others, 2 - others.len()), "{reason}");
        }
    }

    #[test]
    fn a_few_of_many_are_named() {
        let names: Vec<_> = (0..8).map(|number| format!("h{number}")).collect();
        let all: Vec<_> = names.iter().map(|name| reviewed("HostedCluster", name, "spec", "wrong")).collect();
        let [one] = &*shown(&all) else { panic!("not one finding") };
        let words = one.describe_others().unwrap();
        assert!(words.contains("clusters/h5 and 2 more") && !words.contains("h6"), "{words}");
    }
}
