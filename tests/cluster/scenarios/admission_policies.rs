//! The rules that need no other object as admission policies, without the webhook.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use mirrorguard::clock::today;
use mirrorguard_core::objects::{Object, manifest};
use mirrorguard_core::rules::{Check, Level, RULES, Settings};
use mirrorguard_core::write::{Operation, Write};
use mirrorguard_core::{review::Reviewer, state::State};
use serde_json::{Value, json};

use super::forms::rendered;
use crate::answer::Answer;
use crate::cluster::Cluster;
use crate::json::{items, text};
use crate::objects::{entry, icsp, idms, invalid_icsp, itms, with_policy};
use crate::wait::eventually;

scenarios![
    admission_policies_find_the_same_as_the_webhook,
    admission_policies_ignore_faults_that_an_object_already_had,
    admission_policies_check_large_objects_and_admit_too_large_ones,
];

/// The rules of the policies.
const IN_POLICIES: [&str; 5] = [
    "conflicting-source-policy",
    "deprecated-icsp",
    "invalid-mirror",
    "invalid-source",
    "never-contact-source-lists-source",
];

/// Until the API server has seen by a watch that policies were created or deleted.
const PROPAGATION: Duration = Duration::from_secs(30);
const DENYING: &str = "mirror-sets.deny.mirrorguard.io";
const WARNING: &str = "mirror-sets.warn.mirrorguard.io";

const SOURCE: &str = "quay.io/team/app";
const MIRROR: &str = "mirror.example.com/team/app";

/// Runs a test on a cluster that has the policies and no webhook.
fn with_policies(cluster: &Cluster, test: impl FnOnce() -> Result<()>) -> Result<()> {
    let unguarded = cluster.unguarded()?;
    let policies = rendered(&["--to", "vap"])?;
    cluster.plane.kubectl(&["create", "-f", "-"], &policies)?.succeeded()?;
    let (invalid, valid) = (invalid_icsp(), itms("valid", &[entry(SOURCE, MIRROR)]));
    eventually(PROPAGATION, "the policies to be in force", || {
        let denied = cluster.create_dry(&invalid)?.failed()?;
        ensure!(denied.stderr.contains(DENYING) && denied.stderr.contains(WARNING), "{}", denied.stderr);
        cluster.create_dry(&valid)?.succeeded().map(drop)
    })?;
    test()?;
    cluster.plane.kubectl(&["delete", "-f", "-"], &policies)?.succeeded()?;
    eventually(PROPAGATION, "the policies to be out of force", || {
        cluster.create_dry(&invalid)?.succeeded().map(drop)
    })?;
    unguarded.end()
}

/// The ids of the rules that denied an object, or that warned about it.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Denied(BTreeSet<String>),
    Admitted(BTreeSet<String>),
}

impl Verdict {
    /// The findings of the webhook's engine for one object that is created in an empty cluster.
    fn by_engine(object: &Object) -> Self {
        let (state, settings) = (State::default(), Settings::default());
        let Object::MirrorSet(set) = object else { return Self::Admitted(BTreeSet::new()) };
        let write = Write::MirrorSet(Operation::Create(Arc::clone(set)));
        let verdict = Reviewer::new(&state, &settings, today()).review(&write);
        let (mut denied, mut warned) = (BTreeSet::new(), BTreeSet::new());
        for diagnostic in verdict.diagnostics.iter().filter(|found| IN_POLICIES.contains(&found.rule.id)) {
            let ids = if diagnostic.level == Level::Deny { &mut denied } else { &mut warned };
            ids.insert(diagnostic.rule.id.to_owned());
        }
        if denied.is_empty() { Self::Admitted(warned) } else { Self::Denied(denied) }
    }

    /// What the API server answers. Its denial names one rule only.
    fn by_policies(answer: &Answer) -> Self {
        if answer.success {
            return Self::Admitted(ids_in(&answer.printed.stderr));
        }
        Self::Denied(ids_in(&answer.printed.error()))
    }

    fn agrees_with(&self, policies: &Self) -> bool {
        match (self, policies) {
            (Self::Denied(all), Self::Denied(first)) => first.len() == 1 && first.is_subset(all),
            _ => self == policies,
        }
    }
}

/// The ids of the policies' rules in a text.
fn ids_in(text: &str) -> BTreeSet<String> {
    let found = IN_POLICIES.iter().filter(|id| text.contains(&format!("[{id}]")));
    found.map(ToString::to_string).collect()
}

/// The YAML documents of the examples on the rules' pages. The API server itself rejects those of rules about files.
fn examples() -> Vec<(String, String)> {
    let mut examples = Vec::new();
    for rule in RULES.iter().filter(|rule| !matches!(rule.check, Check::File(_))) {
        let blocks = rule.page.split("```yaml ").skip(1).filter_map(|rest| rest.split("```").next());
        for (tag, text) in blocks.filter_map(|block| block.split_once('\n')) {
            let documents = text.split("---\n").filter(|_| tag != "config");
            examples.extend(documents.map(|one| (format!("{} {tag}", rule.id), one.to_owned())));
        }
    }
    examples
}

fn never(entry: Value) -> Value {
    with_policy(entry, "NeverContactSource")
}

fn allow(entry: Value) -> Value {
    with_policy(entry, "AllowContactingSource")
}

/// An entry that must not contact its source, but lists it as a mirror.
fn never_but_listed(source: &str) -> Value {
    never(json!({"source": source, "mirrors": [MIRROR, source]}))
}

/// Sets that are named after their only fault, if they have one.
fn sets_by_hand() -> Vec<Value> {
    let (source, mirror) = (SOURCE, MIRROR);
    let mut sets = vec![
        idms("two-policies", &[never(entry(source, mirror)), entry(source, mirror)]),
        idms("two-policies-written-out", &[allow(entry(source, mirror)), never(entry(source, mirror))]),
        idms("one-policy", &[never(entry(source, mirror)), never(entry(source, mirror))]),
        idms("one-policy-in-two-ways", &[allow(entry(source, mirror)), entry(source, mirror)]),
        itms("two-sources", &[never(entry(source, mirror)), entry("quay.io/team/web", mirror)]),
        itms("lists-itself", &[never_but_listed(source)]),
        itms("lists-itself-and-may", &[json!({"source": source, "mirrors": [mirror, source]})]),
        idms("no-mirrors", &[json!({"source": source})]),
        idms("empty", &[]),
    ];
    let values = [
        "quay.io",
        "quay.io:443",
        "*.quay.io",
        "*.quay.io/a",
        "*",
        "quay.io/",
        "quay.io//a",
        "quay.io/a:v1",
        "quay.io/A",
        "Quay.io/a",
        "quay.io/a__b",
        "quay.io/a___b",
        "quay.io/a..b",
        "quay.io/a--b",
        "-quay.io",
        "a'b",
        "a\"b",
        "a\nb",
        "quay.io/%s",
        "",
        " ",
        "ü.io",
    ];
    for (at, value) in values.iter().enumerate() {
        sets.push(icsp(&format!("source-{at}"), &[entry(source, mirror), entry(value, mirror)]));
        sets.push(icsp(&format!("mirror-{at}"), &[json!({"source": source, "mirrors": [mirror, value]})]));
    }
    sets
}

fn admission_policies_find_the_same_as_the_webhook(cluster: &mut Cluster) -> Result<()> {
    with_policies(cluster, || {
        let (mut denied, mut warned) = (BTreeSet::new(), BTreeSet::new());
        let by_hand = sets_by_hand().into_iter().map(|set| ("by hand".to_owned(), set.to_string()));
        for (name, text) in examples().into_iter().chain(by_hand) {
            let reading = manifest::read(&name, text.clone());
            let [object] = &*reading.objects else { continue };
            let Object::MirrorSet(_) = &object.object else { continue };
            let engine = Verdict::by_engine(&object.object);
            let answer = cluster.plane.kubectl(&["create", "--dry-run=server", "-f", "-"], &text)?;
            let policies = Verdict::by_policies(&answer);
            ensure!(engine.agrees_with(&policies), "{name}: {policies:?} instead of {engine:?}:\n{text}");
            match engine {
                Verdict::Denied(ids) => denied.extend(ids),
                Verdict::Admitted(ids) => warned.extend(ids),
            }
        }
        let seen: BTreeSet<_> = denied.union(&warned).map(String::as_str).collect();
        ensure!(seen == BTreeSet::from(IN_POLICIES), "not every rule was seen: {seen:?}");
        let report = cluster.mirrorguard(&["check", "-o", "json"], "")?.failed()?.json()?;
        let denial = items(&report["checks"]).iter().find(|check| check["check"] == "denial");
        let denial = denial.context("no check of a denial")?;
        let names_policy = text(denial, "/message")?.contains(DENYING);
        ensure!(denial["status"] == "unknown" && names_policy, "the policy was not recognized: {denial}");
        Ok(())
    })
}

fn admission_policies_ignore_faults_that_an_object_already_had(cluster: &mut Cluster) -> Result<()> {
    let unguarded = cluster.unguarded()?;
    cluster.create(&old("https://quay.io/a", "m/A"))?.succeeded()?;
    cluster.create(&conflicting(&[]))?.succeeded()?;
    unguarded.end()?;

    with_policies(cluster, || {
        let label =
            ["label", "imagecontentsourcepolicies/old", "imagetagmirrorsets/conflicting", "team=platform"];
        let labelled = cluster.plane.kubectl(&label, "")?.succeeded()?;
        ensure!(labelled.stderr.is_empty(), "the label has findings:\n{}", labelled.stderr);

        let entries = "spec.repositoryDigestMirrors[0]";
        let (source, mirror) = (&*format!("{entries}.source"), &*format!("{entries}.mirrors[0]"));
        let table = [
            (old("https://quay.io/a", "m/a"), Ok("invalid-source"), "one of two faults is fixed"),
            (old("quay.io/a", "m/A"), Ok("invalid-mirror"), "the other one is"),
            (
                old("https://quay.io/b", "m/A"),
                Err(("invalid-source", source)),
                "another fault of the same kind",
            ),
            (
                old("https://quay.io/a", "m/B"),
                Err(("invalid-mirror", mirror)),
                "another one of the other kind",
            ),
            (conflicting(&[entry("quay.io/b", MIRROR)]), Ok("conflicting-source-policy"), "one more entry"),
            (
                conflicting(&[never_but_listed("quay.io/b")]),
                Err(("never-contact-source-lists-source", "spec.imageTagMirrors[2]")),
                "another one that lists its source",
            ),
        ];
        for (changed, expected, reason) in table {
            let answer =
                cluster.plane.kubectl(&["replace", "--dry-run=server", "-f", "-"], &changed.to_string())?;
            match expected {
                Ok(warned) => {
                    let warnings = answer.succeeded().context(reason)?.findings_of(warned).len();
                    ensure!(warnings == 1, "{reason}: {warnings} warnings of {warned}");
                }
                Err((rule, path)) => drop(answer.denied_by_policy(DENYING, rule, path).context(reason)?),
            }
        }
        Ok(())
    })
}

fn admission_policies_check_large_objects_and_admit_too_large_ones(cluster: &mut Cluster) -> Result<()> {
    with_policies(cluster, || {
        let mut entries = entries(2000);
        cluster.create_dry(&icsp("large", &entries))?.succeeded()?;
        entries.push(entry("quay.io/a:v1", "m/a"));
        let path = "spec.repositoryDigestMirrors[2000].source";
        let denied = cluster.create_dry(&icsp("large", &entries))?;
        let denied = denied.denied_by_policy(DENYING, "invalid-source", path)?;
        ensure!(denied.error().contains("quay.io/a:v1"), "the source is not named:\n{}", denied.stderr);

        let path = "spec.imageDigestMirrors[1000]";
        let denied = cluster.create_dry(&large_and_conflicting(1000))?;
        denied.denied_by_policy(DENYING, "conflicting-source-policy", path)?;
        // Past the budget of an expression, which grows with the product of the two policies' entries.
        cluster.create_dry(&large_and_conflicting(4000))?.succeeded()?;
        Ok(())
    })
}

fn entries(count: usize) -> Vec<Value> {
    let names = (0..count).map(|number| format!("quay.io/some-team/some-application-{number}"));
    names.map(|name| entry(&name, &name.replace("quay.io", "mirror.example.com:5000"))).collect()
}

/// Half of the entries have the other policy, and the last one contradicts one of them.
fn large_and_conflicting(count: usize) -> Value {
    let entries = entries(count).into_iter().enumerate();
    let mut entries: Vec<Value> =
        entries.map(|(at, entry)| if at % 2 == 1 { never(entry) } else { entry }).collect();
    entries.push(entry("quay.io/some-team/some-application-1", "m/a"));
    idms("large", &entries)
}

/// The ICSP that was there before the policies.
fn old(source: &str, mirror: &str) -> Value {
    icsp("old", &[entry(source, mirror)])
}

/// The ITMS that was there before the policies, with further entries.
fn conflicting(further: &[Value]) -> Value {
    itms("conflicting", &[&[never_but_listed(SOURCE), entry(SOURCE, MIRROR)], further].concat())
}
