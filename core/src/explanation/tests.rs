use std::fmt::Write;

use LookupKind::{Metadata, Release};
use ReleaseLookupEra::{Chained, Separate};

use super::*;
use crate::{
    context::Context,
    hypershift::{Era, ReleaseLookupEra},
    objects::manifest,
};

const DIGEST: &str = "sha256:0123456789012345678901234567890123456789012345678901234567890123";

/// The pulls of an explanation, in short lines.
fn explained(yaml: &str, image: &str) -> Vec<String> {
    let context = context_of(yaml);
    let conf = node::render(context.view()).unwrap();
    let explanation = explain(context.view(), &conf, &Question::parse(image).unwrap()).unwrap();
    let mut lines = Vec::new();
    for pull in &explanation.pulls {
        let decided_by = pull.decided_by.map(|d| (d.scope, d.mirrors_from));
        lines.push(format!("decided by {decided_by:?}"));
        for covering in &pull.covering {
            let entry = covering.entry;
            lines.push(format!("{}[{}] {:?}", entry.set.name, entry.index, covering.part));
        }
        for attempt in pull.attempts.iter().flatten() {
            lines.push(format!("try {}{}", attempt.reference.replace(DIGEST, "…"), flags(attempt)));
        }
        for blocker in &pull.blockers {
            lines.push(match blocker {
                Blocker::Entry(entry) => format!("blocked by {}", entry.set.name),
                Blocker::ImageConfig(scope) => format!("blocked by {scope}"),
            });
        }
    }
    lines
}

fn flags(attempt: &Attempt<'_>) -> String {
    let mut flags = String::new();
    if attempt.is_source {
        flags += " source";
    }
    if attempt.insecure {
        flags += " insecure";
    }
    if attempt.blocked_by.is_some() {
        flags += " blocked";
    }
    flags
}

/// One lookup of an image, in short words: each source that matches, the image at each of its mirrors with how that
/// differs from what nodes try, and the later order of the mirrors where it is another one.
fn looked_up(yaml: &str, image: &str, kind: LookupKind) -> Vec<String> {
    let context = context_of(yaml);
    let conf = node::render(context.view()).unwrap();
    let explanation = explain(context.view(), &conf, &Question::parse(image).unwrap()).unwrap();
    let lookup = explanation.lookups.iter().find(|lookup| lookup.kind == kind).unwrap();
    let mut words = Vec::new();
    for source in &lookup.sources {
        words.push(source.source.to_owned());
        for Candidate { reference, differs } in &source.candidates {
            let differs = differs.map(|differs| format!(" {differs:?}")).unwrap_or_default();
            words.push(format!("{}{differs}", reference.replace(DIGEST, "…")));
        }
        if let Some(order) = &source.later_order {
            words.push(format!("later {}", order.join(", ").replace(DIGEST, "…")));
        }
    }
    if lookup.only_nodes_redirect {
        words.push("only the nodes redirect".to_owned());
    }
    words
}

fn context_of(yaml: &str) -> Context {
    let objects = manifest::read("x.yaml", yaml.to_owned()).objects;
    objects.into_iter().map(|located| located.object).collect()
}

/// Mirror sets, one a line: kind, name, then `source=mirror,mirror`; `!` means `NeverContactSource`.
fn sets(lines: &[&str]) -> String {
    let mut yaml = String::new();
    for line in lines {
        let mut words = line.split(' ');
        let (kind, list) = match words.next() {
            Some("itms") => ("ImageTagMirrorSet", "imageTagMirrors"),
            _ => ("ImageDigestMirrorSet", "imageDigestMirrors"),
        };
        let name = words.next().unwrap();
        let _ = write!(
            yaml,
            "---\napiVersion: config.openshift.io/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n  {list}:\n"
        );
        for entry in words {
            let (source, mirrors) = entry.split_once('=').unwrap();
            let (policy, source) = source
                .strip_prefix('!')
                .map_or(("", source), |source| (", mirrorSourcePolicy: NeverContactSource", source));
            let _ = writeln!(yaml, "  - {{source: \"{source}\", mirrors: [{mirrors}]{policy}}}");
        }
    }
    yaml
}

fn image_config(list: &str, scopes: &str) -> String {
    format!(
        "---\napiVersion: config.openshift.io/v1\nkind: Image\nmetadata: {{name: cluster}}\n\
         spec: {{registrySources: {{{list}: [{scopes}]}}}}\n"
    )
}

#[test]
fn each_entry_that_covers_the_image_has_its_part() {
    let yaml = sets(&[
        "idms a quay.io/a=m.lab/a quay.io=m.lab/q",
        "idms b quay.io/a=m.lab/b quay.io/a/app=quay.io/a/app",
        "itms t quay.io/a=m.lab/t",
        "idms z quay.io/other=m.lab/o",
    ]);
    let expected = [
        "decided by Some((\"quay.io/a\", None))",
        "a[0] Tried",
        "b[0] Tried",
        "t[0] OtherPulls(Tag)",
        "b[1] WithoutMirror",
        "a[1] Hidden",
        "try m.lab/a/app@…",
        "try m.lab/b/app@…",
        "try quay.io/a/app@… source",
    ];
    assert_eq!(explained(&yaml, &format!("quay.io/a/app@{DIGEST}")), expected);
}

#[test]
fn a_policy_of_the_other_kind_blocks_the_source_too() {
    let yaml = sets(&["itms t !quay.io/a=m.lab/t"]);
    let expected = ["decided by Some((\"quay.io/a\", None))", "t[0] OtherPulls(Tag)", "blocked by t"];
    assert_eq!(explained(&yaml, &format!("quay.io/a/app@{DIGEST}")), expected, "nothing is tried");
}

#[test]
fn the_image_configuration_marks_what_is_insecure_and_blocked() {
    let yaml = sets(&["idms a quay.io/a=m.lab/a"]);
    let image = format!("quay.io/a/b@{DIGEST}");
    let table = [
        ("insecureRegistries", "m.lab", "try m.lab/a/b@… insecure|try quay.io/a/b@… source", "the mirror"),
        (
            "insecureRegistries",
            "quay.io",
            "try m.lab/a/b@…|try quay.io/a/b@… source insecure",
            "the source alone",
        ),
        ("blockedRegistries", "m.lab", "try m.lab/a/b@… blocked|try quay.io/a/b@… source", "the mirror"),
        ("blockedRegistries", "quay.io", "try m.lab/a/b@…|blocked by quay.io", "the source"),
    ];
    for (list, scopes, expected, reason) in table {
        let lines = explained(&format!("{yaml}{}", image_config(list, scopes)), &image);
        let found: Vec<_> =
            lines.into_iter().filter(|l| l.starts_with("try") || l.starts_with("blocked")).collect();
        assert_eq!(found.join("|"), expected, "{list} {scopes}: {reason}");
    }
}

#[test]
fn a_blocked_scope_without_mirrors_inherits_those_above_it() {
    let yaml = sets(&["idms a quay.io=m.lab/q"]) + &image_config("blockedRegistries", "quay.io/a");
    let expected = [
        "decided by Some((\"quay.io/a\", Some(\"quay.io\")))",
        "a[0] Tried",
        "try m.lab/q/a/b@…",
        "blocked by quay.io/a",
    ];
    assert_eq!(explained(&yaml, &format!("quay.io/a/b@{DIGEST}")), expected);
}

#[test]
fn an_image_without_registry_is_looked_for_in_each_search_registry() {
    let yaml = sets(&["itms t docker.io=m.lab/hub"]);
    let expected = [
        "decided by None",
        "try registry.access.redhat.com/nginx:latest source",
        "decided by Some((\"docker.io\", None))",
        "t[0] Tried",
        "try m.lab/hub/library/nginx:latest",
        "try docker.io/library/nginx:latest source",
    ];
    assert_eq!(explained(&yaml, "nginx"), expected);
}

struct Case {
    kind: LookupKind,
    sets: &'static [&'static str],
    /// The tag or digest of `quay.io/a/b`.
    version: &'static str,
    /// The words of [`looked_up`]: each source, then where its mirrors lead.
    expected: &'static [&'static str],
    reason: &'static str,
}

fn assert_lookups(table: impl IntoIterator<Item = Case>) {
    for Case { kind, sets: lines, version, expected, reason } in table {
        let image = format!("quay.io/a/b{}", version.replace('…', DIGEST));
        assert_eq!(looked_up(&sets(lines), &image, kind), expected, "{reason}");
    }
}

#[test]
fn the_release_look_up_replaces_text() {
    assert_lookups([
        Case {
            kind: Release(Separate),
            sets: &["idms a quay.io/a/b=m.lab/x/b"],
            version: "@…",
            expected: &["quay.io/a/b", "m.lab/x/b@…"],
            reason: "the nodes do the same",
        },
        Case {
            kind: Release(Separate),
            sets: &["itms t quay.io/a=m.lab/a"],
            version: ":v1",
            expected: &["only the nodes redirect"],
            reason: "ITMS are not read",
        },
        Case {
            kind: Release(Separate),
            sets: &["idms a quay.io/a/b=z.lab/x/b,m.lab/x/b"],
            version: "@…",
            expected: &["quay.io/a/b", "z.lab/x/b@…", "m.lab/x/b@…", "later m.lab/x/b@…, z.lab/x/b@…"],
            reason: "mirrors are sorted later",
        },
        Case {
            kind: Release(Chained),
            sets: &["idms a quay.io/a/b=z.lab/x/b,m.lab/x/b"],
            version: "@…",
            expected: &["quay.io/a/b", "z.lab/x/b@…"],
            reason: "up to 4.16, the second mirror is never tried",
        },
    ]);
}

#[test]
fn the_metadata_look_up_compares_names_up_to_4_16() {
    let kind = Metadata(Era::Exact);
    assert_lookups([
        Case {
            kind,
            sets: &["idms a quay.io/a/b=m.lab/x/b"],
            version: "@…",
            expected: &["quay.io/a/b", "m.lab/x/b"],
            reason: "the digest is put back",
        },
        Case {
            kind,
            sets: &["itms t quay.io/a/b=m.lab/x/b", "idms a quay.io/a/b=m.lab/x/b"],
            version: ":v1",
            expected: &["quay.io/a/b", "m.lab/x/b WithoutTag"],
            reason: "the tag is not",
        },
        Case {
            kind,
            sets: &["idms a quay.io/a=m.lab/x/a"],
            version: "@…",
            expected: &["only the nodes redirect"],
            reason: "a namespace never matches",
        },
    ]);
}

#[test]
fn the_metadata_look_up_replaces_prefixes_from_4_17_on() {
    let kind = Metadata(Era::Prefix);
    assert_lookups([
        Case {
            kind,
            sets: &["idms a quay.io/a/b=m.lab/x/b"],
            version: "@…",
            expected: &["quay.io/a/b", "m.lab/x/b@…"],
            reason: "an entry for the repository is right",
        },
        Case {
            kind,
            sets: &["idms a quay.io/a=m.lab/x/a"],
            version: "@…",
            expected: &["quay.io/a", "m.lab/a/b@… Elsewhere"],
            reason: "a path element is lost",
        },
        Case {
            kind,
            sets: &["idms a other.io/a/b=m.lab/x/b"],
            version: "@…",
            expected: &["other.io/a/b", "m.lab/x/b@… Elsewhere"],
            reason: "the host is not compared",
        },
    ]);
}
