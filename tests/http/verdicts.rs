//! What is denied, what is warned about, and for each the similar write that is allowed.

use std::fmt::Write as _;

use mirrorguard_core::rules::{IcspAlongsideIdms, Level, Settings};

use super::{Webhook, icsp, idms, itms, set};

const NEVER: &str = ", mirrorSourcePolicy: NeverContactSource";

#[tokio::test]
async fn an_icsp_next_to_an_idms_is_denied_and_alone_it_is_not() {
    let new = icsp("new", "quay.io/a", &["m.lab/a"]);
    let answer = Webhook::with(&idms("there", "quay.io/b", &["m.lab/b"])).validate("", &new).await;
    let [line] = answer.denial().try_into().unwrap();
    assert!(line.starts_with("[icsp-alongside-idms] spec.repositoryDigestMirrors[0].source: "), "{line}");
    assert!(line.contains("ImageDigestMirrorSet/there") && line.contains(" Fix: "), "{line}");
    let answer = Webhook::with("").validate("", &new).await;
    assert!(answer.is_allowed());
    assert_eq!(answer.warned_by(), ["deprecated-icsp", "node-impact"]);
}

#[tokio::test]
async fn a_remedy_in_the_path_changes_nothing() {
    let webhook = Webhook::with(&idms("there", "quay.io/b", &["m.lab/b"]));
    for path in ["/validate", "/validate/if-nobody-answers/kubectl-delete/a.b"] {
        let answer = webhook.review(path, "", &icsp("new", "quay.io/a", &["m.lab/a"])).await;
        assert_eq!(answer.denied_by(), ["icsp-alongside-idms"], "{path}");
    }
}

#[tokio::test]
async fn an_icsp_that_does_not_affect_the_others_is_allowed_in_conflicts_mode() {
    let settings = Settings { icsp_alongside_idms: IcspAlongsideIdms::Conflicts, ..Settings::default() };
    let webhook = Webhook::with_settings(&idms("there", "quay.io/b", &["m.lab/b"]), settings);
    assert!(webhook.validate("", &icsp("new", "quay.io/a", &["m.lab/a"])).await.is_allowed());
    let answer = webhook.validate("", &icsp("new", "quay.io/b/c", &["n.lab/c"])).await;
    assert_eq!(answer.denied_by(), ["icsp-alongside-idms"]);
}

#[tokio::test]
async fn an_icsp_may_lose_entries_next_to_an_idms_but_gain_none() {
    let cluster = idms("there", "quay.io/b", &["m.lab/b"]);
    let one = icsp("old", "quay.io/a", &["m.lab/a"]);
    let two = format!("{one}  - {{source: quay.io/c, mirrors: [m.lab/c]}}\n");
    let webhook = Webhook::with(&format!("{cluster}---\n{two}"));
    assert!(webhook.validate(&two, &one).await.is_allowed());
    assert_eq!(webhook.validate(&one, &two).await.denied_by(), ["icsp-alongside-idms"]);
}

#[tokio::test]
async fn an_idms_that_conflicts_with_an_icsp_is_denied_and_the_migration_step_is_not() {
    let webhook = Webhook::with(&icsp("old", "quay.io/a", &["m.lab/a"]));
    let table = [
        ("quay.io/a", vec!["n.lab/a"], false, "another mirror for the same source"),
        ("quay.io/a/b", vec!["n.lab/b"], false, "a narrower source that hides the ICSP's"),
        ("quay.io/a/b", vec!["m.lab/a/b"], true, "a narrower source that leads to the same place"),
        ("quay.io", vec!["n.lab"], true, "a wider source: the ICSP's own still decides"),
        ("quay.io/z", vec!["n.lab/z"], true, "something else"),
    ];
    for (source, mirrors, allowed, reason) in table {
        let answer = webhook.validate("", &idms("new", source, &mirrors)).await;
        assert_eq!(answer.is_allowed(), allowed, "{reason}");
        if !allowed {
            assert_eq!(answer.denied_by(), ["icsp-alongside-idms"], "{reason}");
        }
    }
    for mirrors in [vec!["m.lab/a"], vec!["m.lab/a", "n.lab/a"]] {
        let answer = webhook.validate("", &idms("new", "quay.io/a", &mirrors)).await;
        assert!(answer.is_allowed());
        let warnings = answer.warnings();
        let next = warnings.iter().find(|line| line.starts_with("[icsp-alongside-idms] metadata.name: "));
        let next = next.unwrap();
        assert!(next.contains("ImageContentSourcePolicy/old"), "{next}");
        assert!(next.contains("delete imagecontentsourcepolicy old"), "{next}");
    }
}

#[tokio::test]
async fn the_whole_migration_changes_no_node() {
    let (old, new) = (icsp("a", "quay.io/a", &["m.lab/a"]), idms("a", "quay.io/a", &["m.lab/a"]));
    let created = Webhook::with(&old).validate("", &new).await;
    assert_eq!(created.0["auditAnnotations"]["impact"], "none");
    let deleted = Webhook::with(&format!("{old}---\n{new}")).validate(&old, "").await;
    assert!(deleted.is_allowed() && deleted.warnings().is_empty());
    assert_eq!(deleted.0["auditAnnotations"]["impact"], "none");
}

#[tokio::test]
async fn an_itms_that_hides_an_icsp_is_denied_and_one_on_its_source_is_not() {
    let webhook = Webhook::with(&icsp("old", "quay.io/a", &["m.lab/a"]));
    assert!(webhook.validate("", &itms("new", "quay.io/a", &["m.lab/a"])).await.is_allowed());
    let answer = webhook.validate("", &itms("new", "quay.io/a/b", &["m.lab/a/b"])).await;
    assert_eq!(answer.denied_by(), ["icsp-alongside-idms"]);
}

#[tokio::test]
async fn two_policies_for_one_source_are_denied_across_kinds() {
    let webhook = Webhook::with(&itms("there", "quay.io/a", &["m.lab/a"]));
    let never = set("ImageDigestMirrorSet", "new", "quay.io/a", &["m.lab/a"], NEVER);
    let answer = webhook.validate("", &never).await;
    let [line] = answer.denial().try_into().unwrap();
    assert!(
        line.starts_with("[conflicting-source-policy] spec.imageDigestMirrors[0].mirrorSourcePolicy: "),
        "{line}"
    );
    assert!(line.contains("ImageTagMirrorSet/there"), "{line}");
    assert!(
        webhook
            .validate("", &never.replace("Never", "Allow").replace("ContactSource", "ContactingSource"))
            .await
            .is_allowed()
    );
}

#[tokio::test]
async fn all_findings_are_reported_at_once() {
    let bad = set("ImageDigestMirrorSet", "new", "quay.io/a", &["quay.io/a", "m.lab/a"], NEVER);
    let both = format!("{bad}  - {{source: \"quay.io/a:latest\", mirrors: [\"https://m.lab\"]}}\n");
    let answer = Webhook::with("").validate("", &both).await;
    let mut rules = answer.denied_by();
    rules.sort();
    assert_eq!(rules, ["invalid-mirror", "invalid-source", "never-contact-source-lists-source"]);
}

/// The chart excludes these requests from Kubernetes 1.28 on; before, the answers are the same.
#[tokio::test]
async fn an_update_that_leaves_the_entries_is_not_checked() {
    let bad = icsp("old", "https://quay.io/a", &["m.lab/a"]);
    for change in [
        "labels: {a: b}",
        "finalizers: [a/b]",
        "annotations: {mirrorguard.io/exempt: 'invalid-source: CHG-1'}",
        "annotations: {mirrorguard.io/exempt: misread}",
    ] {
        let changed = bad.replace("{name: old}", &format!("{{name: old, {change}}}"));
        for (old, new) in [(&bad, &changed), (&changed, &bad)] {
            let answer = Webhook::with(old).validate(old, new).await;
            assert!(answer.is_allowed() && answer.warnings().is_empty(), "{change}");
        }
    }
}

#[tokio::test]
async fn what_was_wrong_before_only_warns_and_what_is_new_is_denied() {
    let bad = icsp("old", "https://quay.io/a", &["m.lab/a"]);
    let webhook = Webhook::with(&bad);
    let longer = format!("{bad}  - {{source: quay.io/b, mirrors: [m.lab/b]}}\n");
    let answer = webhook.validate(&bad, &longer).await;
    assert!(answer.is_allowed());
    assert!(answer.warned_by().contains(&"invalid-source".to_owned()));
    let worse = format!("{bad}  - {{source: \"quay.io/b/\", mirrors: [m.lab/b]}}\n");
    let answer = webhook.validate(&bad, &worse).await;
    assert_eq!(answer.denied_by(), ["invalid-source"]);
    let fixed = icsp("old", "quay.io/a", &["m.lab/a"]);
    assert!(webhook.validate(&bad, &fixed).await.is_allowed());
}

#[tokio::test]
async fn a_deletion_is_never_denied_and_warns_about_the_impact() {
    let there = idms("there", "quay.io/a", &["m.lab/a"]);
    let answer = Webhook::with(&there).validate(&there, "").await;
    assert!(answer.is_allowed());
    assert_eq!(answer.warned_by(), ["node-impact"]);
    assert_eq!(answer.0["auditAnnotations"]["impact"], "drain");
}

#[tokio::test]
async fn a_wildcard_over_a_blocked_host_is_denied_until_the_host_has_its_own_entry() {
    let image = "apiVersion: config.openshift.io/v1\nkind: Image\nmetadata: {name: cluster}\n\
                 spec: {registrySources: {blockedRegistries: [b.example.com]}}\n";
    let wildcard = idms("new", "\"*.example.com\"", &["m.lab/x"]);
    let answer = Webhook::with(image).validate("", &wildcard).await;
    assert_eq!(answer.denied_by(), ["wildcard-over-nested-scope"]);
    let own = format!("{wildcard}  - {{source: b.example.com, mirrors: [m.lab/b]}}\n");
    assert!(Webhook::with(image).validate("", &own).await.is_allowed());
}

#[tokio::test]
async fn a_namespace_over_the_release_warns_until_both_repositories_are_there() {
    let webhook = Webhook::with("");
    let root = idms("new", "quay.io/openshift-release-dev", &["m.lab/ord"]);
    let warnings = webhook.validate("", &root).await.warnings();
    let entry = "{source: quay.io/openshift-release-dev/ocp-release, mirrors: [m.lab/ord/ocp-release]}";
    assert!(
        warnings.iter().any(|line| line.starts_with("[root-level-source] ") && line.ends_with(entry)),
        "{warnings:?}"
    );
    let both = format!(
        "{root}  - {{source: quay.io/openshift-release-dev/ocp-release, mirrors: [m.lab/ord/ocp-release]}}\n  \
         - {{source: quay.io/openshift-release-dev/ocp-v4.0-art-dev, mirrors: [m.lab/ord/ocp-v4.0-art-dev]}}\n"
    );
    assert_eq!(webhook.validate("", &both).await.warned_by(), ["node-impact"]);
}

#[tokio::test]
async fn a_deletion_that_a_hosted_cluster_depends_on_is_warned_about_and_never_denied() {
    let release = idms("release", "quay.io/openshift-release-dev/ocp-release", &["m.lab/ocp/release"]);
    let hosted = "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\n\
                  metadata: {name: h, namespace: clusters}\n\
                  spec: {release: {image: \"quay.io/openshift-release-dev/ocp-release:4.18.3-x86_64\"}}\n";
    let levels = [("mirror-in-use".to_owned(), Level::Deny)].into();
    let settings = Settings { levels, ..Settings::default() };
    let webhook = Webhook::with_settings(&format!("{release}---\n{hosted}"), settings);
    let answer = webhook.validate(&release, "").await;
    assert!(answer.is_allowed());
    assert_eq!(answer.warned_by(), ["mirror-in-use", "node-impact"]);
    assert!(answer.warnings()[0].contains("m.lab/ocp/release"), "{:?}", answer.warnings());
    let moved = release.replace("m.lab", "n.lab");
    assert_eq!(webhook.validate(&release, &moved).await.denied_by(), ["mirror-in-use"]);
    let alone = Webhook::with(&release).validate(&release, "").await;
    assert_eq!(alone.warned_by(), ["node-impact"]);
}

/// An IDMS with so many entries.
fn idms_of_size(name: &str, entries: usize) -> String {
    let mut text = idms(name, "quay.io/a", &["m.lab/a"]);
    for index in 0..entries {
        writeln!(text, "  - {{source: {name}.lab/a/{index}, mirrors: [m.lab/{name}/{index}]}}").unwrap();
    }
    text
}

#[tokio::test]
async fn a_cluster_that_is_too_large_may_be_written_to_and_one_that_would_become_so_may_not() {
    let new = idms_of_size("new", 5);
    let large = Webhook::with(&idms_of_size("large", 9000)).validate("", &new).await;
    assert!(large.is_allowed());
    assert!(large.warned_by().contains(&"oversized-config".to_owned()), "{:?}", large.warned_by());
    let answer = Webhook::with(&new).validate("", &idms_of_size("large", 9000)).await;
    assert_eq!(answer.denied_by(), ["oversized-config"]);
    let small = Webhook::with(&idms_of_size("small", 100)).validate("", &new).await;
    assert!(!small.warned_by().contains(&"oversized-config".to_owned()));
}
