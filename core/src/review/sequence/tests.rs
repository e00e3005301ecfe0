//! Tests of consecutive writes.

use jiff::civil::date;

use super::*;
use crate::objects::manifest;

const DIGESTS: &str = "ImageDigestMirrorSet";
const TAGS: &str = "ImageTagMirrorSet";

fn objects(text: &str) -> Vec<Object> {
    let reading = manifest::read("test", text.to_owned());
    assert!(reading.errors.is_empty(), "{:?}", reading.errors);
    reading.objects.into_iter().map(|located| located.object).collect()
}

/// One entry, by kind and name.
fn set(kind: &str, name: &str, source: &str, policy: &str) -> String {
    let list = if kind == TAGS { "imageTagMirrors" } else { "imageDigestMirrors" };
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

/// The rules that reject each of some writes to a cluster, and `-` for a write that is applied.
fn denied(there: &str, writes: &str) -> Vec<String> {
    let (there, writes, settings) = (objects(there), objects(writes), Settings::default());
    let found: Vec<_> = there.iter().map(|object| Found { object, live: true }).collect();
    let mut cluster = Sequence::onto(&found, &settings, date(2026, 1, 1));
    writes.iter().map(|object| rejected_by(&cluster.apply(object))).collect()
}

fn rejected_by(verdict: &Verdict) -> String {
    if verdict.is_allowed() {
        return "-".to_owned();
    }
    let denials = verdict.diagnostics.iter().filter(|found| found.level == Level::Deny);
    denials.map(|found| found.rule.id).collect::<Vec<_>>().join(" ")
}

/// An IDMS and an ITMS for one source.
fn pair(policy: &str) -> String {
    set(DIGESTS, "a", "q.io/c", policy) + &set(TAGS, "t", "q.io/c", policy)
}

#[test]
fn each_write_is_reviewed_after_the_ones_before_it() {
    let (never, allow) = ("NeverContactSource", "AllowContactingSource");
    let conflict = "conflicting-source-policy";
    let table = [
        (
            pair(allow),
            pair(never),
            vec![conflict, conflict],
            "neither is applied, so each disagrees with the other as it was",
        ),
        (String::new(), pair(never), vec!["-", "-"], "both are new, and agree"),
        (
            String::new(),
            set(DIGESTS, "a", "q.io/c", never) + &set(TAGS, "t", "q.io/c", allow),
            vec!["-", conflict],
            "the second disagrees with the first, which exists by then",
        ),
        (
            String::new(),
            set(DIGESTS, "a", "https://q.io/c", never) + &set(TAGS, "t", "q.io/c", allow),
            vec!["invalid-source", "-"],
            "a write that is rejected is not applied",
        ),
    ];
    for (there, writes, expected, reason) in table {
        assert_eq!(denied(&there, &writes), expected, "{reason}");
    }
}

/// A HostedCluster of a namespace (empty for none), with annotations and mirrors of its data plane.
fn hosted(namespace: &str, annotations: &str, sources: &str) -> String {
    format!(
        "---\napiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\n\
         metadata: {{name: h, {namespace} annotations: {{{annotations}}}}}\n\
         spec: {{release: {{image: 'quay.io/r:4.18.1'}}, imageContentSources: [{sources}]}}\n"
    )
}

#[test]
fn each_write_of_a_hosted_cluster_is_compared_with_the_one_before() {
    const NAMESPACE: &str = "namespace: clusters,";
    let (none, some) = ("", "{source: q.io/a, mirrors: [m.lab/a]}");
    let invalid = "{source: q.io/a, mirrors: ['https://m.lab/a']}";
    let of = |sources| hosted(NAMESPACE, "", sources);
    let unnamed = |sources| hosted("", "", sources);
    // The writes, and whether each rolls out the NodePools or is rejected.
    let table = [
        (of(none), of(some) + &of(some), vec!["node-pool-rollout", ""], "the second changes nothing"),
        (
            of(none),
            of(some) + &of(none),
            vec!["node-pool-rollout", "node-pool-rollout"],
            "the second changes it back",
        ),
        (String::new(), of(none) + &of(some), vec!["", "node-pool-rollout"], "the first creates it"),
        (
            of(none),
            unnamed(some) + &of(some),
            vec!["node-pool-rollout", ""],
            "the only one of its name, without a namespace",
        ),
        (
            of(none),
            of(invalid) + &of(none),
            vec!["invalid-image-content-source", ""],
            "a write that is rejected is not applied",
        ),
    ];
    for (there, writes, expected, reason) in table {
        let (there, writes, settings) = (objects(&there), objects(&writes), Settings::default());
        let found: Vec<_> = there.iter().map(|object| Found { object, live: true }).collect();
        let mut cluster = Sequence::onto(&found, &settings, date(2026, 1, 1));
        let verdicts = writes.iter().map(|object| cluster.apply(object));
        assert_eq!(verdicts.map(|verdict| first_rule(&verdict)).collect::<Vec<_>>(), expected, "{reason}");
    }
}

/// The first of two rules that found something: the one that rejects the write, or the one about its impact.
fn first_rule(verdict: &Verdict) -> &'static str {
    let rules = ["invalid-image-content-source", "node-pool-rollout"];
    rules.into_iter().find(|rule| verdict.rule_ids().contains(rule)).unwrap_or_default()
}

#[test]
fn a_setting_is_reviewed_by_its_effect_on_the_existing_sets() {
    let wildcard = set(DIGESTS, "w", "*.redhat.io", "AllowContactingSource");
    let nested = image("insecureRegistries: [registry.redhat.io]");
    let stops = "wildcard-over-nested-scope";
    let table = [
        (wildcard.clone(), nested.clone(), vec![stops], "it stops all rendering"),
        (String::new(), nested.clone(), vec!["-"], "no set"),
        (wildcard.clone() + &nested, nested.clone(), vec!["-"], "nothing changes"),
        (
            wildcard.clone() + &nested,
            image("insecureRegistries: [registry.redhat.io], blockedRegistries: [q.io]"),
            vec!["-"],
            "the same was wrong before",
        ),
        (String::new(), wildcard + &nested, vec!["-", stops], "the set exists by then"),
        (String::new(), image("blockedRegistries: ['']"), vec!["invalid-registry-scope"], "malformed"),
    ];
    for (there, writes, expected, reason) in table {
        assert_eq!(denied(&there, &writes), expected, "{reason}");
    }
}

/// The rules that warn of each of these writes when all of them are applied, and `+` and the rules that reject it.
fn left(there: &str, writes: &str) -> Vec<String> {
    let (there, writes, settings) = (objects(there), objects(writes), Settings::default());
    let found: Vec<_> = there.iter().map(|object| Found { object, live: true }).collect();
    let verdicts = Sequence::onto(&found, &settings, date(2026, 1, 1)).review_all(&writes);
    verdicts.iter().map(in_words).collect()
}

fn in_words(verdict: &Verdict) -> String {
    let diagnostics = verdict.diagnostics.iter().filter(|found| found.rule.id != node_impact::RULE.id);
    let ids = diagnostics.map(|found| match found.level {
        Level::Deny => format!("+{}", found.rule.id),
        _ => found.rule.id.to_owned(),
    });
    ids.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_warning_that_a_later_write_resolves_is_left_out() {
    let (never, allow) = ("NeverContactSource", "AllowContactingSource");
    let half = "half-blocked-source";
    let digests = || set(DIGESTS, "a", "q.io/c", never);
    let other_tags = set(TAGS, "t", "q.io/d", never);
    let open = set(DIGESTS, "a", "q.io/c", allow);
    let blocks = image("blockedRegistries: [m.lab]");
    let conflict = "+conflicting-source-policy";
    let table = [
        (String::new(), digests(), vec![half], "nothing resolves it"),
        (String::new(), pair(never), vec!["", ""], "its partner comes later"),
        (set(TAGS, "t", "q.io/c", never), digests(), vec![""], "its partner exists"),
        (String::new(), digests() + &other_tags, vec![half, half], "another source comes later"),
        (
            String::new(),
            digests() + &set(TAGS, "t", "q.io/c", allow),
            vec![half, conflict],
            "its partner is rejected",
        ),
        (
            open.clone(),
            blocks.clone() + &open.replace("m.lab", "n.lab"),
            vec!["", ""],
            "a blocked mirror is replaced",
        ),
        (
            open.clone(),
            blocks + &other_tags.replace("m.lab", "n.lab"),
            vec!["blocked-mirror", half],
            "it stays",
        ),
        (pair(allow), pair(never), vec![conflict, conflict], "rejected for what is wrong at its turn"),
    ];
    for (there, writes, expected, reason) in table {
        assert_eq!(left(&there, &writes), expected, "{reason}");
    }
}

#[test]
fn a_fix_is_for_the_cluster_in_which_all_is_applied() {
    let tags = set(TAGS, "a-tags", "q.io/d", "NeverContactSource");
    let writes = objects(&(set(DIGESTS, "a", "q.io/c", "NeverContactSource") + &tags));
    let settings = Settings::default();
    let verdicts = Sequence::onto(&[], &settings, date(2026, 1, 1)).review_all(&writes);
    let fixes = verdicts[0].diagnostics.iter().flat_map(|found| &found.finding.fix.objects);
    assert_eq!(
        fixes.map(|set| &*set.name).collect::<Vec<_>>(),
        ["a-tags-1"],
        "a later object has the first name"
    );
}

#[test]
fn a_warning_that_existing_sets_have_once_is_left_out_when_a_later_write_resolves_it() {
    let of = |name: &str, source: &str| set(DIGESTS, name, source, "AllowContactingSource");
    let new = of("b", "quay.io");
    let [release, components] =
        ["ocp-release", "ocp-v4.0-art-dev"].map(|name| format!("quay.io/openshift-release-dev/{name}"));
    let resolved = format!("{new}{}{}", of("c", &release), of("d", &components));
    for (writes, expected) in [(&new, true), (&resolved, false)] {
        let left = left(&of("a", "quay.io"), writes);
        assert_eq!(left[0].split(' ').any(|id| id == "root-level-source"), expected, "{left:?}");
    }
}

#[test]
fn what_the_release_image_makes_wrong_is_reported_where_it_is_written() {
    let repository = "quay.io/openshift-release-dev/ocp-release";
    let there = objects(&set(DIGESTS, "a", repository, "AllowContactingSource"));
    let version = format!(
        "---\napiVersion: config.openshift.io/v1\nkind: ClusterVersion\nmetadata: {{name: version}}\n\
         status: {{desired: {{image: \"{repository}@sha256:{}\"}}}}\n",
        "1".repeat(64)
    );
    let blocks = image(&format!("blockedRegistries: [{repository}]"));
    let rule = "unrenderable-image-config";
    // The paths of the errors of each object.
    let of_config = vec!["spec.registrySources.blockedRegistries"];
    let table = [
        (format!("{blocks}{version}"), vec![of_config.clone(), vec![]], "the release comes last"),
        (format!("{version}{blocks}"), vec![vec![], of_config], "the release comes first"),
        (format!("{}{version}", image("")), vec![vec![], vec![]], "nothing is blocked"),
    ];
    for (writes, expected, reason) in table {
        let (writes, settings) = (objects(&writes), Settings::default());
        let found: Vec<_> = there.iter().map(|object| Found { object, live: true }).collect();
        let verdicts = Sequence::onto(&found, &settings, date(2026, 1, 1)).review_all(&writes);
        let paths = |verdict: &Verdict| -> Vec<String> {
            let errors = verdict.diagnostics.iter().filter(|found| found.rule.id == rule);
            errors.map(|found| found.finding.path.clone()).collect()
        };
        assert_eq!(verdicts.iter().map(paths).collect::<Vec<_>>(), expected, "{reason}");
    }
}
