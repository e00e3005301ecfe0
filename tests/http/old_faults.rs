//! What was wrong before an update is only warned about, even if its entry has moved in the list.

use mirrorguard_core::config;

use super::{Webhook, idms, itms, set};

#[tokio::test]
async fn a_mistake_that_an_update_leaves_unchanged_is_not_denied() {
    let wide = idms("there", "quay.io/team", &["m.lab/team", "n.lab/team"]);
    let tags = itms("there", "quay.io/team", &["m.lab/team"]);
    let never = ", mirrorSourcePolicy: NeverContactSource";
    let table = [
        ("contacting-source", "", idms("a", "quay.io/app", &["m.lab/app"])),
        ("ineffective-entry", "", set("ImageDigestMirrorSet", "a", "quay.io/app", &[], never)),
        ("mirror-order-conflict", &wide, idms("a", "quay.io/team", &["n.lab/team", "m.lab/team"])),
        ("protected-source", "", idms("a", "quay.io/app", &["m.lab/app"])),
        ("shadowed-source", &wide, idms("a", "quay.io/team/app", &["m.lab/team/app"])),
        ("shadowed-source", &tags, idms("a", "quay.io/team/app", &["m.lab/team/app"])),
        ("split-source", &wide, idms("a", "quay.io/team", &["o.lab/team"])),
        ("tag-pull-not-mirrored", "", idms("a", "registry.redhat.io/redhat", &["m.lab/redhat"])),
        ("untrusted-mirror", "", idms("a", "quay.io/app", &["evil.lab/app"])),
    ];
    for (rule, there, old) in table {
        let text = format!("rules: {{{rule}: deny}}\nallowedMirrorRegistries: [m.lab, n.lab, o.lab]\n");
        let settings = config::parse("config.yaml", &text).unwrap();
        let webhook = Webhook::with_settings(there, settings.clone());
        assert_eq!(webhook.validate("", &old).await.denied_by(), [rule]);
        let first =
            "  - {source: docker.io/new, mirrors: [m.lab/new], mirrorSourcePolicy: NeverContactSource}\n  - ";
        let moved = old.replacen("  - ", first, 1);
        let webhook = Webhook::with_settings(&format!("{there}---\n{old}"), settings);
        let answer = webhook.validate(&old, &moved).await;
        assert!(answer.is_allowed(), "{rule}: {}", answer.0);
        assert!(answer.warned_by().contains(&rule.to_owned()), "{rule}");
    }
}
