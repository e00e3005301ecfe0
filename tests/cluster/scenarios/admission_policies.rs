//! The rules that need no other object as admission policies, without the webhook.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use mirrorguard::clock::today;
use mirrorguard_core::objects::{Object, manifest};
use mirrorguard_core::rules::{Level, RULES, Settings};
use mirrorguard_core::write::{Operation, Write};
use mirrorguard_core::{review::Reviewer, state::State};
use serde_json::{Value, json};

use super::forms::rendered;
use crate::answer::Answer;
use crate::cluster::Cluster;
use crate::objects::{entry, icsp, idms, itms, with_policy};
use crate::wait::eventually;

scenarios![
    admission_policies_judge_as_the_webhook_judges_one_object,
    admission_policies_excuse_what_was_there_before,
    admission_policies_judge_large_objects_and_let_too_large_ones_pass,
];

/// The rules that stand in the policies.
const IN_POLICIES: [&str; 5] = [
    "conflicting-source-policy",
    "deprecated-icsp",
    "invalid-mirror",
    "invalid-source",
    "never-contact-source-lists-source",
];

/// For what the apiserver learns by a watch: new policies, and their end.
const PROPAGATION: Duration = Duration::from_secs(30);
const DENYING: &str = "mirror-sets.deny.mirrorguard.io";
const WARNING: &str = "mirror-sets.warn.mirrorguard.io";

/// Runs a proof on a cluster that has the policies and no webhook.
fn with_policies(cluster: &Cluster, prove: impl FnOnce() -> Result<()>) -> Result<()> {
    let unguarded = cluster.unguarded()?;
    let policies = rendered(&["--to", "vap"])?;
    cluster.plane.kubectl(&["create", "-f", "-"], &policies)?.succeeded()?;
    let refused = icsp("refused", &[entry("https://quay.io/refused/app", "mirror.example.com/refused/app")]);
    let admitted = itms("admitted", &[entry("quay.io/team/app", "mirror.example.com/team/app")]);
    eventually(PROPAGATION, "the policies to be in force", || {
        let denied = cluster.create_dry(&refused)?.refused()?;
        ensure!(denied.stderr.contains(DENYING) && denied.stderr.contains(WARNING), "{}", denied.stderr);
        cluster.create_dry(&admitted)?.succeeded().map(drop)
    })?;
    prove()?;
    cluster.plane.kubectl(&["delete", "-f", "-"], &policies)?.succeeded()?;
    eventually(PROPAGATION, "the policies to be out of force", || {
        cluster.create_dry(&refused)?.succeeded().map(drop)
    })?;
    unguarded.end()
}

/// The ids of the rules that denied, or those that warned.
#[derive(Debug, PartialEq, Eq)]
enum Judged {
    Denied(BTreeSet<String>),
    Admitted(BTreeSet<String>),
}

impl Judged {
    /// What the engine says of one object that is created in an empty cluster.
    fn by_engine(object: &Object) -> Self {
        let (state, settings) = (State::default(), Settings::default());
        let Object::MirrorSet(set) = object else { return Self::Admitted(BTreeSet::new()) };
        let write = Write::MirrorSet(Operation::Create(Arc::clone(set)));
        let verdict = Reviewer::new(&state, &settings, today()).review(&write);
        let at = |level| {
            let found = verdict.diagnostics.iter().filter(|diagnostic| diagnostic.level == level);
            found
                .map(|diagnostic| diagnostic.rule.id)
                .filter(|id| IN_POLICIES.contains(id))
                .map(str::to_owned)
                .collect()
        };
        let denied: BTreeSet<_> = at(Level::Deny);
        if denied.is_empty() { Self::Admitted(at(Level::Warn)) } else { Self::Denied(denied) }
    }

    /// What an answer of the apiserver says. Its denial names one rule only.
    fn by_policies(answer: Answer) -> Self {
        let ids = |text: &str| -> BTreeSet<String> {
            let found = IN_POLICIES.iter().filter(|id| text.contains(&format!(": [{id}] ")));
            found.map(ToString::to_string).collect()
        };
        match answer.succeeded() {
            Ok(printed) => Self::Admitted(ids(&printed.stderr)),
            Err(refused) => {
                let text = refused.to_string();
                let denial = text.split_once("denied request").map(|(_, reason)| reason).unwrap_or_default();
                Self::Denied(ids(denial))
            }
        }
    }

    fn agrees_with(&self, policies: &Self) -> bool {
        match (self, policies) {
            (Self::Denied(all), Self::Denied(first)) => first.len() == 1 && first.is_subset(all),
            _ => self == policies,
        }
    }
}

/// The YAML documents of the examples on the rules' pages.
fn examples() -> Vec<(String, String)> {
    let blocks = RULES.iter().flat_map(|rule| {
        let blocks = rule.page.split("```yaml ").skip(1).filter_map(|rest| rest.split("```").next());
        let blocks = blocks.filter_map(|block| block.split_once('\n'));
        blocks.filter(|(tag, _)| *tag != "config").map(|(tag, text)| (format!("{} {tag}", rule.id), text))
    });
    blocks
        .flat_map(|(name, text)| {
            text.split("---\n").map(move |one| (name.clone(), one.to_owned())).collect::<Vec<_>>()
        })
        .collect()
}

/// Sets whose only fault, if any, is told by their name.
fn by_hand() -> Vec<Value> {
    let (source, mirror) = ("quay.io/team/app", "mirror.example.com/team/app");
    let never = |entry| with_policy(entry, "NeverContactSource");
    let allow = |entry| with_policy(entry, "AllowContactingSource");
    let mut sets = vec![
        idms("two-policies", &[never(entry(source, mirror)), entry(source, mirror)]),
        idms("two-policies-written-out", &[allow(entry(source, mirror)), never(entry(source, mirror))]),
        idms("one-policy", &[never(entry(source, mirror)), never(entry(source, mirror))]),
        idms("one-policy-in-two-ways", &[allow(entry(source, mirror)), entry(source, mirror)]),
        itms("two-sources", &[never(entry(source, mirror)), entry("quay.io/team/web", mirror)]),
        itms("lists-itself", &[never(json!({"source": source, "mirrors": [mirror, source]}))]),
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

fn admission_policies_judge_as_the_webhook_judges_one_object(cluster: &mut Cluster) -> Result<()> {
    with_policies(cluster, || {
        let (mut denied, mut warned) = (BTreeSet::new(), BTreeSet::new());
        let by_hand = by_hand().into_iter().map(|set| ("by hand".to_owned(), set.to_string()));
        for (name, text) in examples().into_iter().chain(by_hand) {
            let reading = manifest::read(&name, text.clone());
            let [object] = &*reading.objects else { continue };
            let Object::MirrorSet(_) = &object.object else { continue };
            let engine = Judged::by_engine(&object.object);
            let answer = cluster.plane.kubectl(&["create", "--dry-run=server", "-f", "-"], &text)?;
            let policies = Judged::by_policies(answer);
            ensure!(engine.agrees_with(&policies), "{name}: {policies:?} instead of {engine:?}:\n{text}");
            match engine {
                Judged::Denied(ids) => denied.extend(ids),
                Judged::Admitted(ids) => warned.extend(ids),
            }
        }
        let seen: BTreeSet<_> = denied.union(&warned).map(String::as_str).collect();
        ensure!(seen == BTreeSet::from(IN_POLICIES), "not every rule was seen: {seen:?}");
        let checked = cluster.mirrorguard(&["check"], "")?.refused()?.stdout;
        let told =
            format!("denial: refused by the admission policy {DENYING}, before the webhook was asked: [");
        ensure!(checked.contains(&told), "check says otherwise:\n{checked}");
        Ok(())
    })
}

fn admission_policies_excuse_what_was_there_before(cluster: &mut Cluster) -> Result<()> {
    let (source, mirror) = ("quay.io/team/app", "mirror.example.com/team/app");
    let bad = |source: &str, mirror: &str| icsp("old", &[entry(source, mirror)]);
    let never = |source: &str| {
        with_policy(json!({"source": source, "mirrors": [mirror, source]}), "NeverContactSource")
    };
    let unguarded = cluster.unguarded()?;
    let (old, torn) =
        (bad("https://quay.io/a", "m/A"), itms("torn", &[never(source), entry(source, mirror)]));
    cluster.create(&old)?.succeeded()?;
    cluster.create(&torn)?.succeeded()?;
    unguarded.end()?;

    with_policies(cluster, || {
        let label = ["label", "imagecontentsourcepolicies/old", "imagetagmirrorsets/torn", "team=platform"];
        let labelled = cluster.plane.kubectl(&label, "")?.succeeded()?;
        ensure!(labelled.stderr.is_empty(), "a label was judged:\n{}", labelled.stderr);

        let table = [
            (bad("https://quay.io/a", "m/a"), Ok("invalid-source"), "one of two faults is mended"),
            (bad("quay.io/a", "m/A"), Ok("invalid-mirror"), "the other one is"),
            (bad("https://quay.io/b", "m/A"), Err("invalid-source"), "another fault of the same kind"),
            (bad("https://quay.io/a", "m/B"), Err("invalid-mirror"), "another fault of the other kind"),
            (
                itms("torn", &[never(source), entry(source, mirror), entry("quay.io/b", mirror)]),
                Ok("conflicting-source-policy"),
                "an entry more",
            ),
            (
                itms("torn", &[never(source), entry(source, mirror), never("quay.io/b")]),
                Err("never-contact-source-lists-source"),
                "another one that lists itself",
            ),
        ];
        for (changed, expected, reason) in table {
            let answer =
                cluster.plane.kubectl(&["replace", "--dry-run=server", "-f", "-"], &changed.to_string())?;
            match expected {
                Ok(warned) => {
                    let warnings = answer.succeeded().context(reason)?.warnings_of(warned).len();
                    ensure!(warnings == 1, "{reason}: {warnings} warnings of {warned}");
                }
                Err(denied) => {
                    let stderr = answer.refused().context(reason)?.stderr;
                    ensure!(stderr.contains(&format!("denied request: [{denied}] ")), "{reason}:\n{stderr}");
                }
            }
        }
        Ok(())
    })
}

fn admission_policies_judge_large_objects_and_let_too_large_ones_pass(cluster: &mut Cluster) -> Result<()> {
    let many = |count: usize, never: fn(usize) -> bool| -> Vec<Value> {
        let names = (0..count).map(|at| (at, format!("quay.io/some-team/some-application-{at}")));
        let entry = |(at, name): (usize, String)| {
            let entry = entry(&name, &name.replace("quay.io", "mirror.example.com:5000"));
            if never(at) { with_policy(entry, "NeverContactSource") } else { entry }
        };
        names.map(entry).collect()
    };
    with_policies(cluster, || {
        let mut entries = many(2000, |_| false);
        cluster.create_dry(&icsp("large", &entries))?.succeeded()?;
        entries.push(entry("quay.io/a:v1", "m/a"));
        let denied = cluster.create_dry(&icsp("large", &entries))?.refused()?;
        let path = "denied request: [invalid-source] spec.repositoryDigestMirrors[2000].source: source \"quay.io/a:v1\"";
        ensure!(denied.stderr.contains(path), "{}", denied.stderr);

        let torn = |mut entries: Vec<Value>| {
            entries.push(entry("quay.io/some-team/some-application-1", "m/a"));
            idms("large", &entries)
        };
        let denied = cluster.create_dry(&torn(many(1000, |at| at % 2 == 1)))?.refused()?;
        let path = "denied request: [conflicting-source-policy] spec.imageDigestMirrors[1000]";
        ensure!(denied.stderr.contains(path), "{}", denied.stderr);
        // Past the budget of an expression, which grows with the product of the two policies' entries.
        cluster.create_dry(&torn(many(4000, |at| at % 2 == 1)))?.succeeded()?;
        Ok(())
    })
}
