use std::fmt::Write;

use super::*;
use crate::{
    hypershift::Release,
    rules::Level::{self, Deny, Off, Warn},
    text_snapshot,
};

fn level_of(settings: &Settings, id: &str) -> Level {
    settings.level(rules::rule(id).unwrap())
}

#[test]
fn levels_and_modes_are_read() {
    let text = "rules:\n  deprecated-icsp: off\n  node-impact: false\n  root-level-source: deny\nicspAlongsideIdms: conflicts\nwhenUnverified: warn\n";
    let settings = parse("c.yaml", text).unwrap();
    let table = [
        ("deprecated-icsp", Off, "off"),
        ("node-impact", Off, "as YAML 1.1 readers read off"),
        ("root-level-source", Deny, "deny"),
        ("invalid-source", Deny, "the default"),
    ];
    for (id, expected, reason) in table {
        assert_eq!(level_of(&settings, id), expected, "{id}: {reason}");
    }
    assert_eq!(settings.icsp_alongside_idms, IcspAlongsideIdms::Conflicts);
    assert_eq!(settings.when_unverified, WhenUnverified::Warn);
}

#[test]
fn an_empty_file_means_the_defaults() {
    let settings = parse("c.yaml", "# defaults\n").unwrap();
    assert_eq!(parse("c.yaml", "{}\n").as_ref(), Ok(&settings));
    assert!(settings.levels.is_empty() && settings.exemptions.is_empty() && settings.releases.is_every());
    assert_eq!(settings.protected_sources, MANAGED_SOURCES);
}

#[test]
fn rules_override_a_profile() {
    let text = "profile: hosted-control-planes\nrules: {root-level-source: warn}\nhypershift: {releases: ['4.16', '4.20.3']}\n";
    let settings = parse("c.yaml", text).unwrap();
    assert_eq!(settings.levels.get("root-level-source"), Some(&Warn));
    assert_eq!(settings.levels.get("hypershift-misresolves"), Some(&Deny));
    assert_eq!(settings.levels.get("invalid-source"), None);
    let releases = [16, 20].into_iter().map(|minor| Release { major: 4, minor });
    assert_eq!(settings.releases, releases.collect());
}

#[test]
fn configured_catalog_overrides_are_right_in_the_configured_releases() {
    let value = "registry.redhat.io=m.lab/redhat.io";
    let text = format!("hypershift: {{releases: ['4.16']}}\ncatalogOverrides: {{value: {value}}}\n");
    assert_eq!(parse("c.yaml", &text).unwrap().catalog_overrides.as_deref(), Some(value));
    assert!(parse("c.yaml", &text.replace("4.16", "4.17")).is_err(), "a later release reads it otherwise");
}

#[test]
fn profiles_name_only_rules_that_exist() {
    for profile in ["default", "air-gap", "hosted-control-planes", "managed-openshift"] {
        let settings = parse("c.yaml", &format!("profile: {profile}\n")).unwrap();
        for id in settings.levels.keys() {
            assert!(rules::rule(id).is_some(), "{profile} names {id}");
        }
    }
}

/// A configuration with an error: its line and column, the path that the message begins with, and the value or key
/// that it proposes.
struct ErrorCase {
    text: &'static str,
    at: (usize, usize),
    path: &'static str,
    proposes: &'static str,
}

const ERRORS: [ErrorCase; 24] = [
    ErrorCase { text: "rule: {}\n", at: (1, 7), path: "rule", proposes: "rules" },
    ErrorCase { text: "nothingLikeIt: {}\n", at: (1, 16), path: "nothingLikeIt", proposes: "profile" },
    ErrorCase { text: "profile: airgap\n", at: (1, 10), path: "profile", proposes: "air-gap" },
    ErrorCase { text: "7\n", at: (1, 1), path: "", proposes: "" },
    ErrorCase { text: "exemptions: {}\n", at: (1, 13), path: "exemptions", proposes: "" },
    ErrorCase { text: "registriesConfRoom: -1\n", at: (1, 21), path: "registriesConfRoom", proposes: "" },
    ErrorCase {
        text: "rules:\n  root-levle-source: warn\n",
        at: (2, 22),
        path: "rules.root-levle-source",
        proposes: "root-level-source",
    },
    ErrorCase {
        text: "rules:\n  node-impact: loud\n",
        at: (2, 16),
        path: "rules.node-impact",
        proposes: "deny, warn or off",
    },
    ErrorCase {
        text: "exemptions:\n- {rules: [node-impact], annotated: true, until: 2026-12-31}\n",
        at: (2, 3),
        path: "exemptions[0]",
        proposes: "reason",
    },
    ErrorCase {
        text: "exemptions:\n- {rules: [], reason: x, annotated: true, until: 2026-12-31}\n",
        at: (2, 3),
        path: "exemptions[0]",
        proposes: "rules",
    },
    ErrorCase {
        text: "exemptions:\n- rules: [node-impact]\n  annotated: true\n  reason: ''\n  until: 2026-12-31\n",
        at: (2, 3),
        path: "exemptions[0]",
        proposes: "reason",
    },
    ErrorCase {
        text: "exemptions:\n- {rules: [node-impact], reason: x, until: 2026-12-31}\n",
        at: (2, 3),
        path: "exemptions[0]",
        proposes: "objects",
    },
    ErrorCase {
        text: "exemptions:\n- {rules: [node-impact], reason: x, until: tomorrow, annotated: true}\n",
        at: (2, 44),
        path: "exemptions[0].until",
        proposes: "2026-12-31",
    },
    ErrorCase {
        text: "exemptions:\n- rules: [node-impact]\n  objects: [ImageTagMirrorSet/a*, IDMS/a]\n  reason: x\n  until: 2026-12-31\n",
        at: (3, 35),
        path: "exemptions[0].objects[1]",
        proposes: "ImageDigestMirrorSet/a",
    },
    ErrorCase {
        text: "exemptions:\n- {rules: [node-impact], reason: x, until: 2026-12-31, objects: [HostedCluster/a]}\n",
        at: (2, 66),
        path: "exemptions[0].objects[0]",
        proposes: "HostedCluster/namespace/name",
    },
    ErrorCase {
        text: "hypershift:\n  releases: [4.20]\n",
        at: (2, 13),
        path: "hypershift.releases",
        proposes: "4.20",
    },
    ErrorCase {
        text: "hypershift: {releases: [new]}\n",
        at: (1, 24),
        path: "hypershift.releases",
        proposes: "4.20",
    },
    ErrorCase {
        text: "catalogOverrides:\n  value: registry.redhat.io=m.lab/redhat.io\n",
        at: (2, 10),
        path: "catalogOverrides.value",
        proposes: "\"registry.redhat.io/redhat=m.lab/redhat.io/redhat\"",
    },
    ErrorCase {
        text: "catalogOverrides: {value: ''}\n",
        at: (1, 27),
        path: "catalogOverrides.value",
        proposes: "registry.redhat.io/redhat=HOST/NAMESPACE",
    },
    ErrorCase {
        text: "hypershift: {releases: ['4.20']}\ncatalogOverrides: {value: quay.io=m.lab}\n",
        at: (2, 27),
        path: "catalogOverrides.value",
        proposes: "registry.redhat.io/redhat=HOST/NAMESPACE",
    },
    ErrorCase {
        text: "allowedMirrorRegistries:\n- m.lab.example:8443\n- https://n.lab.example/\n",
        at: (3, 3),
        path: "allowedMirrorRegistries[1]",
        proposes: "\"n.lab.example\"",
    },
    ErrorCase {
        text: "protectedSources: [quay.io/**, docker.io/*]\n",
        at: (1, 32),
        path: "protectedSources[1]",
        proposes: "",
    },
    ErrorCase {
        text: "protectedSources: ['*.quay.io/**']\n",
        at: (1, 20),
        path: "protectedSources[0]",
        proposes: "\"*.quay.io\"",
    },
    ErrorCase {
        text: "protectedSources: [https://quay.io/**]\n",
        at: (1, 20),
        path: "protectedSources[0]",
        proposes: "\"quay.io/**\"",
    },
];

#[test]
fn errors_have_their_place_and_what_to_write() {
    for ErrorCase { text, at, path, proposes } in ERRORS {
        let error = parse("c.yaml", text).unwrap_err();
        assert_eq!((error.at.line, error.at.column), at, "{error}");
        let message = error.message.strip_prefix(path).expect(&error.message);
        assert!(path.is_empty() || message.starts_with(": "), "{error}");
        assert!(message.contains(proposes), "{error}");
    }
    // An error in the YAML itself has a place, but no path.
    let error = parse("c.yaml", "a: [\n").unwrap_err();
    assert_eq!((error.at.line, error.at.column), (2, 1), "{error}");
}

#[test]
fn each_error_has_its_text() {
    let mut texts = String::new();
    for ErrorCase { text, .. } in ERRORS {
        let _ = writeln!(texts, "{}", parse("c.yaml", text).unwrap_err());
    }
    let _ = writeln!(texts, "{}", unknown_rule("nothing-like-it"));
    // Messages of the parser that none of the cases gets, and at last one that is not the parser's.
    for message in [
        "expected value",
        "invalid type: sequence, expected enum Profile",
        "invalid type: integer `7`, expected string or map",
        "invalid type: string \"no\", expected a boolean",
        "invalid type: null, expected a string",
        "duplicate field `rules`",
        "a message of our own",
    ] {
        let _ = writeln!(texts, "{message} -> {}", in_plain_words(message));
    }
    text_snapshot::assert("config/texts.txt", &texts);
}
