use std::fmt::Write;

use super::*;
use crate::{context::Context, hypershift::Era, objects::manifest};

const DIGEST: &str = "sha256:0123456789012345678901234567890123456789012345678901234567890123";

/// What an explanation says, in short lines.
fn explained(yaml: &str, image: &str) -> Vec<String> {
    let context = context_of(yaml);
    let conf = node::render(context.view()).unwrap();
    let explanation = explain(context.view(), &conf, &Question::parse(image).unwrap()).unwrap();
    let mut lines = Vec::new();
    for pull in &explanation.pulls {
        let decided = pull.decided_by.map(|d| (d.scope, d.mirrors_from));
        lines.push(format!("decided by {decided:?}"));
        for covering in &pull.covering {
            let entry = covering.entry;
            lines.push(format!("{}[{}] {:?}", entry.set.name, entry.index, covering.part));
        }
        for attempt in pull.attempts.iter().flatten() {
            let Attempt { reference, is_source, insecure, blocked_by } = attempt;
            let flags =
                [(*is_source, " source"), (*insecure, " insecure"), (blocked_by.is_some(), " blocked")];
            let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
            lines.push(format!("try {}{flags}", reference.replace(DIGEST, "…")));
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

/// What one look-up makes of an image, in short words.
fn look_up(yaml: &str, image: &str, kind: LookUpKind) -> String {
    let context = context_of(yaml);
    let conf = node::render(context.view()).unwrap();
    let explanation = explain(context.view(), &conf, &Question::parse(image).unwrap()).unwrap();
    let look_up = explanation.look_ups.iter().find(|look_up| look_up.kind == kind).unwrap();
    let line = |candidate: &Candidate| {
        let differs = candidate.differs.map(|differs| format!(" {differs:?}")).unwrap_or_default();
        format!("{}{differs}", candidate.reference)
    };
    let mut words = Vec::new();
    for source in &look_up.sources {
        words.push(source.source.to_owned());
        words.extend(source.candidates.iter().map(line));
        words.extend(source.later_order.iter().map(|order| format!("later {}", order.join(", "))));
    }
    words.extend(look_up.only_nodes_redirect.then(|| "only the nodes redirect".to_owned()));
    words.join("|").replace(DIGEST, "…")
}

fn context_of(yaml: &str) -> Context {
    let objects = manifest::read("x.yaml", yaml.to_owned()).objects;
    objects.into_iter().map(|located| located.object).collect()
}

/// Mirror sets, one a line: kind, name, then `source=mirror,mirror`, where `!` forbids the source.
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
        "a[0] Asked",
        "b[0] Asked",
        "t[0] OtherPulls(TagOnly)",
        "b[1] WithoutMirror",
        "a[1] Hidden",
        "try m.lab/a/app@…",
        "try m.lab/b/app@…",
        "try quay.io/a/app@… source",
    ];
    assert_eq!(explained(&yaml, &format!("quay.io/a/app@{DIGEST}")), expected);
}

#[test]
fn a_policy_of_the_other_kind_blocks_all_the_same() {
    let yaml = sets(&["itms t !quay.io/a=m.lab/t"]);
    let expected = ["decided by Some((\"quay.io/a\", None))", "t[0] OtherPulls(TagOnly)", "blocked by t"];
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
fn a_blocked_scope_without_mirrors_is_given_those_above_it() {
    let yaml = sets(&["idms a quay.io=m.lab/q"]) + &image_config("blockedRegistries", "quay.io/a");
    let expected = [
        "decided by Some((\"quay.io/a\", Some(\"quay.io\")))",
        "a[0] Asked",
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
        "t[0] Asked",
        "try m.lab/hub/library/nginx:latest",
        "try docker.io/library/nginx:latest source",
    ];
    assert_eq!(explained(&yaml, "nginx"), expected);
}

#[test]
fn look_ups_are_held_against_the_nodes() {
    use Era::{Exact, Prefix};
    use LookUpKind::{Metadata, Release};
    let digest = &*format!("quay.io/a/b@{DIGEST}");
    let tag = "quay.io/a/b:v1";
    let (repository, namespace) = ("idms a quay.io/a/b=m.lab/x/b", "idms a quay.io/a=m.lab/x/a");
    let both = "itms t quay.io/a/b=m.lab/x/b;idms a quay.io/a/b=m.lab/x/b";
    let table: [(LookUpKind, &str, &str, &str, &str); 9] = [
        (Release, repository, digest, "quay.io/a/b|m.lab/x/b@…", "text is replaced"),
        (Metadata(Exact), repository, digest, "quay.io/a/b|m.lab/x/b", "the digest is put back"),
        (Metadata(Exact), both, tag, "quay.io/a/b|m.lab/x/b WithoutTag", "the tag is not"),
        (Metadata(Exact), namespace, digest, "only the nodes redirect", "namespaces came later"),
        (Metadata(Prefix), repository, digest, "quay.io/a/b|m.lab/x/b@…", "a full entry is right in both"),
        (Metadata(Prefix), namespace, digest, "quay.io/a|m.lab/a/b@… Elsewhere", "a path element is lost"),
        (
            Metadata(Prefix),
            "idms a other.io/a/b=m.lab/x/b",
            digest,
            "other.io/a/b|m.lab/x/b@… Elsewhere",
            "the host is not compared",
        ),
        (Release, "itms t quay.io/a=m.lab/a", tag, "only the nodes redirect", "ITMS are not read"),
        (
            Release,
            "idms a quay.io/a/b=z.lab/x/b,m.lab/x/b",
            digest,
            "quay.io/a/b|z.lab/x/b@…|m.lab/x/b@…|later m.lab/x/b@…, z.lab/x/b@…",
            "mirrors are sorted later",
        ),
    ];
    for (kind, lines, image, expected, reason) in table {
        let yaml = sets(&lines.split(';').collect::<Vec<_>>());
        assert_eq!(look_up(&yaml, image, kind), expected, "{reason}");
    }
}
