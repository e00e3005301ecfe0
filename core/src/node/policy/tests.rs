//! What policy.json rejects, case by case.

use super::*;
use crate::{
    context::Context,
    objects::{Entry, ImageConfig, MirrorSet, Object, SetKind},
};

#[derive(Default)]
struct Case {
    /// The image without its tag, and the scope; only in clusters with a payload.
    name: &'static str,
    blocked: &'static [&'static str],
    allowed: &'static [&'static str],
    expected: Option<PolicyRefusal<'static>>,
    reason: &'static str,
}

fn image_config(case: &Case) -> ImageConfig {
    ImageConfig {
        blocked_registries: case.blocked.iter().map(ToString::to_string).collect(),
        allowed_registries: case.allowed.iter().map(ToString::to_string).collect(),
        ..ImageConfig::default()
    }
}

#[test]
fn the_original_image_name_is_evaluated() {
    let image = Image::parse("quay.io/a/b:v1").unwrap();
    let table = [
        Case { reason: "nothing is configured", ..Case::default() },
        Case {
            blocked: &["quay.io"],
            expected: Some(PolicyRefusal::Blocked("quay.io")),
            reason: "the whole registry",
            ..Case::default()
        },
        Case {
            blocked: &["quay.io/a/b"],
            expected: Some(PolicyRefusal::Blocked("quay.io/a/b")),
            reason: "the repository",
            ..Case::default()
        },
        Case { blocked: &["quay.io/a/c"], reason: "another repository", ..Case::default() },
        Case {
            allowed: &["*.lab.example"],
            expected: Some(PolicyRefusal::NotAllowed),
            reason: "only others are allowed",
            ..Case::default()
        },
        Case {
            allowed: &["*.lab.example", "quay.io/a"],
            reason: "its namespace is allowed",
            ..Case::default()
        },
        Case {
            blocked: &["docker.io"],
            allowed: &["docker.io"],
            reason: "the allowed registries are no limit where others are blocked",
            ..Case::default()
        },
    ];
    for case in table {
        let context = Context::from_iter([Object::from(image_config(&case))]);
        assert_eq!(Policy::new(context.view()).refuses(&image), case.expected, "{}", case.reason);
    }
}

#[test]
fn a_scope_can_be_one_image() {
    let digested = format!("quay.io/p/r@sha256:{}", "1".repeat(64));
    let both = format!("quay.io/p/r:v1@sha256:{}", "1".repeat(64));
    let tagged = "quay.io/p/r:v1".to_owned();
    // The image, the scope, whether it is blocked, and why.
    let table = [
        (&tagged, &tagged, true, "more specific than the repository of the payload, which is accepted"),
        (&tagged, &digested, false, "another image of the repository"),
        (&digested, &digested, true, "by its digest"),
        (&both, &digested, true, "nodes remove the tag of an image that has both"),
        (&both, &tagged, false, "nodes remove the tag, so that a scope with it matches nothing"),
        (&both, &both, false, "no image has both on nodes"),
    ];
    for (image, scope, expected, reason) in table {
        let blocked_registries = vec!["quay.io".to_owned(), scope.clone()];
        let context = mirrored_payload(ImageConfig { blocked_registries, ..ImageConfig::default() });
        let image = Image::parse(image).unwrap();
        let refusal = expected.then_some(PolicyRefusal::Blocked(scope));
        assert_eq!(Policy::new(context.view()).refuses(&image), refusal, "{}: {reason}", image.as_str());
    }
}

#[test]
fn the_payload_is_an_exception_to_blocked_registries_only() {
    let not_allowed = Some(PolicyRefusal::NotAllowed);
    assert_payload_cases([
        Case { name: "quay.io/p/r", blocked: &["quay.io"], reason: "the payload", ..Case::default() },
        Case {
            name: "quay.io/p/r/below",
            blocked: &["quay.io"],
            reason: "a repository below the payload's: the most specific scope decides",
            ..Case::default()
        },
        Case {
            name: "quay.io/p/r/own",
            blocked: &["quay.io", "quay.io/p/r/own"],
            expected: Some(PolicyRefusal::Blocked("quay.io/p/r/own")),
            reason: "blocked by its own name",
            ..Case::default()
        },
        Case {
            name: "quay.io/p/s",
            blocked: &["quay.io"],
            expected: Some(PolicyRefusal::Blocked("quay.io")),
            reason: "a repository next to the payload's",
            ..Case::default()
        },
        Case {
            name: "quay.io/p/r",
            allowed: &["m.lab"],
            expected: not_allowed,
            reason: "the payload must be allowed like everything else",
            ..Case::default()
        },
        Case {
            name: "quay.io/p/r",
            allowed: &["quay.io/p"],
            reason: "the payload's namespace is allowed",
            ..Case::default()
        },
    ]);
}

#[test]
fn a_blocked_payload_is_allowed_by_its_own_name() {
    assert_payload_cases([
        Case {
            name: "quay.io/p/r",
            blocked: &["quay.io/p/r"],
            allowed: &["m.lab"],
            reason: "blocked with a mirror, it is allowed",
            ..Case::default()
        },
        Case {
            name: "quay.io/p/s",
            blocked: &["quay.io/p/r"],
            allowed: &["m.lab"],
            expected: Some(PolicyRefusal::NotAllowed),
            reason: "the payload was all that was blocked, so that the allowed registries are a limit",
        },
        Case {
            name: "quay.io/p/s",
            blocked: &["quay.io/p/r"],
            expected: Some(PolicyRefusal::OnlyPayload("quay.io/p/r")),
            reason: "only the payload is allowed",
            ..Case::default()
        },
        Case {
            name: "quay.io/p/s",
            blocked: &["quay.io/p/r", "docker.io"],
            reason: "others are blocked too, so that the rest is accepted",
            ..Case::default()
        },
    ]);
}

/// A cluster whose payload, `quay.io/p/r`, has a mirror.
fn mirrored_payload(config: ImageConfig) -> Context {
    let entry = Entry {
        source: "quay.io/p/r".into(),
        mirrors: ["m.lab/p/r".into()].into_iter().collect(),
        mirror_source_policy: None,
    };
    let mirrored = Object::from(MirrorSet::new(SetKind::Idms, "a", vec![entry]));
    let mut context = Context::from_iter([Object::from(config), mirrored]);
    context.payload = Some(format!("quay.io/p/r@sha256:{}", "0".repeat(64)));
    context
}

/// Compares images and scopes in [`mirrored_payload`].
fn assert_payload_cases(table: impl IntoIterator<Item = Case>) {
    for case in table {
        let context = mirrored_payload(image_config(&case));
        let policy = Policy::new(context.view());
        let Case { name, expected, reason, .. } = case;
        let image = Image::parse(&format!("{name}:v1")).unwrap();
        assert_eq!(policy.refuses(&image), expected, "{reason}");
        assert_eq!(policy.refuses_scope(name), expected, "as a scope: {reason}");
    }
}
