//! Findings that the configuration exempts an object from.

use mirrorguard_core::config;

use super::{Webhook, icsp, idms};

const LATER: &str = "9999-12-31";
const PAST: &str = "2020-12-31";

/// A webhook with an IDMS in its cluster, so that an ICSP is denied but for an exemption.
fn webhook(who: &str, until: &str) -> Webhook {
    let text = format!(
        "exemptions:\n- rules: [icsp-alongside-idms]\n  {who}\n  reason: its tool moves in spring\n  until: {until}\n"
    );
    let settings = config::parse("config.yaml", &text).unwrap();
    Webhook::with_settings(&idms("there", "quay.io/b", &["m.lab/b"]), settings)
}

fn requesting(annotation: &str) -> String {
    let metadata = format!("{{name: new, annotations: {{mirrorguard.io/exempt: '{annotation}'}}}}");
    icsp("new", "quay.io/a", &["m.lab/a"]).replace("{name: new}", &metadata)
}

fn exempted(webhook: &Webhook) -> bool {
    let counted = "mirrorguard_exempted_findings_total{rule=\"icsp-alongside-idms\"} 1\n";
    webhook.0.metrics.text().contains(counted)
}

#[tokio::test]
async fn an_object_is_exempt_by_its_name_until_the_day() {
    let new = icsp("legacy-0", "quay.io/a", &["m.lab/a"]);
    let table = [
        ("objects: [ImageContentSourcePolicy/legacy-*]", LATER, true, "the name"),
        ("objects: [ImageContentSourcePolicy/other]", LATER, false, "another name"),
        ("objects: [ImageContentSourcePolicy/legacy-*]", PAST, false, "the day has passed"),
    ];
    for (who, until, is_exempt, reason) in table {
        let webhook = webhook(who, until);
        let answer = webhook.validate("", &new).await;
        assert_eq!(exempted(&webhook), is_exempt, "{reason}");
        if !is_exempt {
            assert_eq!(answer.denied_by(), ["icsp-alongside-idms"], "{reason}");
            continue;
        }
        assert!(answer.is_allowed(), "{reason}");
        assert_eq!(answer.warned_by(), ["deprecated-icsp", "node-impact", "icsp-alongside-idms"]);
        let audit = &answer.0["auditAnnotations"];
        assert_eq!(audit["exempt"], "icsp-alongside-idms: its tool moves in spring (until 9999-12-31)");
        assert_eq!(audit["rules"], "deprecated-icsp,node-impact");
    }
}

#[tokio::test]
async fn an_object_is_exempt_by_its_annotation_where_the_configuration_allows_it() {
    let objects = "objects: [ImageContentSourcePolicy/other]";
    let table = [
        ("annotated: true", LATER, "icsp-alongside-idms: CHG-1", true, "requested and granted"),
        ("annotated: true", PAST, "icsp-alongside-idms: CHG-1", false, "the day has passed"),
        (objects, LATER, "icsp-alongside-idms: CHG-1", false, "requested, but not granted"),
        ("annotated: true", LATER, "icsp-alongside-idms:", false, "without a reason"),
        ("annotated: true", LATER, "deprecated-icsp: CHG-1", false, "another rule"),
    ];
    for (who, until, annotation, is_exempt, reason) in table {
        let webhook = webhook(who, until);
        let answer = webhook.validate("", &requesting(annotation)).await;
        assert_eq!((answer.is_allowed(), exempted(&webhook)), (is_exempt, is_exempt), "{reason}");
        let audit = &answer.0["auditAnnotations"]["exempt"];
        if is_exempt {
            assert_eq!(audit, "icsp-alongside-idms: CHG-1 (until 9999-12-31)", "the object's own reason");
            continue;
        }
        assert!(audit.is_null(), "{reason}");
        assert_eq!(answer.denied_by(), ["icsp-alongside-idms"], "{reason}");
        let is_answered = answer.warnings().iter().any(|line| line.starts_with("[icsp-alongside-idms]"));
        assert_eq!(is_answered, annotation == "icsp-alongside-idms: CHG-1", "{reason}");
    }
}

#[tokio::test]
async fn other_rules_stay_in_force_for_an_exempt_object() {
    let webhook = webhook("objects: [ImageContentSourcePolicy/legacy-*]", LATER);
    let new = icsp("legacy-0", "https://quay.io/a", &["m.lab/a"]);
    assert_eq!(webhook.validate("", &new).await.denied_by(), ["invalid-source"]);
}
