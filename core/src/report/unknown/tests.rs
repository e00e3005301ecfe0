use super::*;
use crate::{
    objects::manifest::{Reading, read},
    review::{Reviewer, Verdict},
    rules::{RULES, Settings},
    state::State,
    write::Write,
};

/// The objects of a text in short: `KIND [entries]`, each on a line.
fn objects(text: &str) -> Reading {
    let documents = text.lines().enumerate().map(|(at, line)| {
        let (kind, entries) = line.trim().split_once(' ').unwrap();
        let (api, list) = match kind {
            "ICSP" => {
                ("operator.openshift.io/v1alpha1\nkind: ImageContentSourcePolicy", "repositoryDigestMirrors")
            }
            "IDMS" => ("config.openshift.io/v1\nkind: ImageDigestMirrorSet", "imageDigestMirrors"),
            "ITMS" => ("config.openshift.io/v1\nkind: ImageTagMirrorSet", "imageTagMirrors"),
            _ => ("config.openshift.io/v1\nkind: Image", "registrySources"),
        };
        let name = if kind == "IMAGE" { "cluster".to_owned() } else { format!("o{at}") };
        format!("apiVersion: {api}\nmetadata: {{name: {name}}}\nspec: {{{list}: {entries}}}\n---\n")
    });
    read("x.yaml", documents.collect())
}

/// Reviews all objects of a text; `lint` does the same.
fn review(reading: &Reading) -> Vec<Reviewed<'_>> {
    let located = || reading.objects.iter();
    let state: State = located().map(|located| located.object.valid_part()).collect();
    let unknown = UnknownValues::of(located());
    let settings = Settings { open_sources: unknown.open_sources().clone(), ..Settings::default() };
    let rules = Reviewer::new(&state, &settings, jiff::civil::date(2026, 1, 1));
    let objects = located().map(|located| (&located.object, Some(located)));
    let mut reviewed = crate::report::review_each(objects, |object| {
        Write::existing(object).map_or_else(Verdict::default, |write| rules.review(&write))
    });
    unknown.withhold(&mut reviewed);
    reviewed
}

/// Whether a rule finds something in a text.
fn finds(id: &str, text: &str) -> bool {
    let reading = objects(text);
    assert_eq!(reading.errors, [], "{text}");
    review(&reading).iter().any(|one| one.verdict.diagnostics.iter().any(|found| found.rule.id == id))
}

#[test]
fn what_may_depend_on_a_placeholder_is_not_found() {
    let index = "IDMS [{source: registry.redhat.io/redhat/redhat-operator-index, mirrors: [m.lab/i]}]";
    let root = "IDMS [{source: quay.io, mirrors: [m.lab]}";
    let explicit = "{source: quay.io/openshift-release-dev/ocp-release, mirrors: ['${M}']}";
    // The rule, the objects, the same objects with a value that is known, or a placeholder that matters to nothing.
    let table = [
        (
            "tag-pull-not-mirrored",
            format!("{index}\nITMS [{{source: '${{S}}', mirrors: [m.lab]}}]"),
            format!("{index}\nITMS [{{source: docker.io, mirrors: [m.lab]}}]"),
        ),
        (
            "tag-pull-not-mirrored",
            format!("{index}\nITMS [{{source: registry.redhat.io, mirrors: ['${{M}}']}}]"),
            format!("{index}\nITMS [{{source: docker.io, mirrors: ['${{M}}']}}]"),
        ),
        (
            "root-level-source",
            format!("{root}, {explicit}]"),
            format!("{root}, {{source: docker.io/x, mirrors: ['${{M}}']}}]"),
        ),
        (
            "ineffective-entry",
            "IDMS [{source: quay.io/a, mirrors: ['${M}']}]".to_owned(),
            "IDMS [{source: quay.io/a, mirrors: []}, {source: quay.io/b, mirrors: ['${M}']}]".to_owned(),
        ),
        (
            "half-blocked-source",
            "IDMS [{source: q.io/a, mirrors: [m.lab/a], mirrorSourcePolicy: NeverContactSource}]\n\
             ITMS [{source: q.io/a, mirrors: ['${M}']}]"
                .to_owned(),
            "IDMS [{source: q.io/a, mirrors: [m.lab/a], mirrorSourcePolicy: NeverContactSource}]\n\
             ITMS [{source: q.io/b, mirrors: ['${M}']}]"
                .to_owned(),
        ),
        (
            "icsp-alongside-idms",
            "IDMS [{source: q.io/a, mirrors: [m.lab/a]}]\n\
             ICSP [{source: q.io/a, mirrors: [m.lab/a]}, {source: '${S}', mirrors: [m.lab/b]}]"
                .to_owned(),
            "IDMS [{source: q.io/a, mirrors: [m.lab/a]}]\nICSP [{source: q.io/a, mirrors: [m.lab/a]}]"
                .to_owned(),
        ),
        (
            "blocked-mirror",
            "IDMS [{source: q.io/a, mirrors: [m.lab/a]}]\nIMAGE {allowedRegistries: [q.io, '${A}']}"
                .to_owned(),
            "IDMS [{source: q.io/a, mirrors: [m.lab/a]}]\nIMAGE {allowedRegistries: [q.io]}".to_owned(),
        ),
        (
            "invalid-registry-scope",
            "IMAGE {blockedRegistries: ['${A}']}".to_owned(),
            "IMAGE {blockedRegistries: ['*.*', '${A}']}".to_owned(),
        ),
    ];
    for (id, open, known) in table {
        assert!(!finds(id, &open), "{id}: {open}");
        assert!(finds(id, &known), "{id}: {known}");
    }
}

#[test]
fn of_an_entry_with_open_mirrors_the_rest_is_known() {
    // The rule, an entry of which what it is about is open, and one of which it is not.
    let table = [
        (
            "conflicting-source-policy",
            "IDMS [{source: q.io/a, mirrors: [m.lab/a], mirrorSourcePolicy: '${P}'}]\n\
             ITMS [{source: q.io/a, mirrors: [n.lab/a]}]"
                .to_owned(),
            "IDMS [{source: q.io/a, mirrors: ['${M}'], mirrorSourcePolicy: NeverContactSource}]\n\
             ITMS [{source: q.io/a, mirrors: [n.lab/a]}]"
                .to_owned(),
        ),
        (
            "ineffective-entry",
            "IDMS [{source: quay.io/a, mirrors: '${M}'}]".to_owned(),
            "IDMS [{source: quay.io/a, mirrors: []}]".to_owned(),
        ),
        (
            "conflicting-source-policy",
            "IDMS [{source: q.io/a, mirrors: [m.lab/a], '${K}': NeverContactSource}]\n\
             ITMS [{source: q.io/a, mirrors: [n.lab/a], mirrorSourcePolicy: NeverContactSource}]"
                .to_owned(),
            "IDMS [{source: q.io/a, mirrors: [m.lab/a]}]\n\
             ITMS [{source: q.io/a, mirrors: [n.lab/a], mirrorSourcePolicy: NeverContactSource}]"
                .to_owned(),
        ),
    ];
    for (id, open, known) in table {
        assert!(!finds(id, &open), "{id}: {open}");
        assert!(finds(id, &known), "{id}: {known}");
    }
}

/// The sources that findings of a rule are about: each key begins with one, but for those of shadowed-source.
fn faults(id: &str, text: &str) -> Vec<String> {
    let reading = objects(text);
    let reviewed = review(&reading);
    let found = reviewed.iter().flat_map(|one| &one.verdict.diagnostics).filter(|found| found.rule.id == id);
    found.flat_map(|found| found.finding.faults().map(str::to_owned)).collect()
}

#[test]
fn of_a_group_only_the_open_sources_are_left_out() {
    let never = |name: &str| {
        format!("{{source: q.io/{name}, mirrors: [m.lab/{name}], mirrorSourcePolicy: NeverContactSource}}")
    };
    let index = |name: &str| {
        format!("{{source: registry.redhat.io/redhat/{name}-operator-index, mirrors: [m.lab/{name}]}}")
    };
    let narrow = |name: &str| format!("{{source: q.io/{name}, mirrors: [n.lab/{name}]}}");
    let half = |open: &str| {
        format!("IDMS [{}, {}]\nITMS [{{source: q.io/{open}, mirrors: ['${{M}}']}}]", never("a"), never("b"))
    };
    let tags = |open: &str| {
        let source = format!("registry.redhat.io/redhat/{open}-operator-index");
        format!(
            "IDMS [{}, {}]\nITMS [{{source: {source}, mirrors: ['${{M}}']}}]",
            index("certified"),
            index("community")
        )
    };
    let shadowed = |open: &str| {
        format!(
            "IDMS [{{source: q.io, mirrors: [m.lab]}}, {}, {}]\nIDMS [{{source: q.io/{open}/x, mirrors: ['${{M}}']}}]",
            narrow("a"),
            narrow("b")
        )
    };
    let both = |one: &str, other: &str| vec![one.to_owned(), other.to_owned()];
    let one = |one: &str| vec![one.to_owned()];
    let [certified, community] =
        ["certified", "community"].map(|name| format!("registry.redhat.io/redhat/{name}-operator-index"));
    let table = [
        ("half-blocked-source", half("c"), both("q.io/a", "q.io/b")),
        ("half-blocked-source", half("a"), one("q.io/b")),
        ("half-blocked-source", half("b"), one("q.io/a")),
        ("tag-pull-not-mirrored", tags("other"), both(&certified, &community)),
        ("tag-pull-not-mirrored", tags("certified"), one(&community)),
        ("tag-pull-not-mirrored", tags("community"), one(&certified)),
        ("shadowed-source", shadowed("c"), both("digest q.io/a m.lab/a", "digest q.io/b m.lab/b")),
        ("shadowed-source", shadowed("a"), one("digest q.io/b m.lab/b")),
        ("shadowed-source", shadowed("b"), one("digest q.io/a m.lab/a")),
    ];
    for (id, text, expected) in table {
        assert_eq!(faults(id, &text), expected, "{id}: {text}");
    }
}

#[test]
fn an_open_setting_leaves_out_only_what_reads_settings() {
    let image = "IMAGE {blockedRegistries: ['${B}']}";
    let never = "{source: q.io/a, mirrors: [m.lab/a], mirrorSourcePolicy: NeverContactSource}";
    let table = [
        ("half-blocked-source", format!("IDMS [{never}]"), true),
        (
            "shadowed-source",
            "IDMS [{source: q.io, mirrors: [m.lab]}, {source: q.io/a, mirrors: [n.lab/a]}]".to_owned(),
            true,
        ),
        ("root-level-source", "IDMS [{source: quay.io, mirrors: [m.lab]}]".to_owned(), true),
        (
            "ineffective-entry",
            "IDMS [{source: q.io/a, mirrorSourcePolicy: NeverContactSource}]".to_owned(),
            false,
        ),
    ];
    for (id, text, expected) in table {
        assert!(finds(id, &text), "{id}: {text}");
        assert_eq!(finds(id, &format!("{text}\n{image}")), expected, "{id}: {text}");
    }
}

#[test]
fn no_finding_depends_on_a_name() {
    let icsp = "ICSP [{source: q.io/a, mirrors: [m.lab/a]}]\nIDMS [{source: q.io/a, mirrors: [n.lab/a]}]";
    let reading = objects(icsp);
    let named = reading.objects[0].source.text.replace("name: o0", "name: '${NAME}'");
    let reading = read("x.yaml", named);
    assert_eq!(reading.objects[0].written.placeholders, ["metadata.name"]);
    let found = |one: &Reviewed<'_>| {
        one.verdict.diagnostics.iter().any(|found| found.rule.id == "icsp-alongside-idms")
    };
    assert!(review(&reading).iter().any(found));
}

#[test]
fn the_other_values_of_an_object_are_reviewed() {
    let table = [
        ("invalid-mirror", "IDMS [{source: quay.io/a, mirrors: ['${M}', 'https://m.lab/a']}]"),
        ("invalid-source", "IDMS [{source: 'quay.io/a:v1', mirrors: ['${M}']}]"),
        (
            "unqualified-mirror",
            "ITMS [{source: '${S}', mirrors: [m.lab]}, {source: quay.io/a, mirrors: [m/a]}]",
        ),
        (
            "conflicting-source-policy",
            "IDMS [{source: q.io/a, mirrors: [m.lab, '${M}'], mirrorSourcePolicy: NeverContactSource}]\n\
             ITMS [{source: q.io/a, mirrors: [n.lab], mirrorSourcePolicy: AllowContactingSource}]",
        ),
        (
            "conflicting-source-policy",
            "IDMS [{source: q.io/a, mirrors: ['${M}'], mirrorSourcePolicy: NeverContactSource}]\n\
             ITMS [{source: q.io/a, mirrors: '${M}'}]",
        ),
    ];
    for (id, text) in table {
        assert!(finds(id, text), "{id}: {text}");
    }
}

#[test]
fn no_fix_is_made_of_a_part_of_an_object() {
    let reading =
        objects("IDMS [{source: q.io/a, mirrors: [m.lab/a, '${M}']}, {source: q.io/b, mirrors: [m.lab/b]}]");
    let (place, list) = (&reading.objects[0], "spec.imageDigestMirrors");
    let Object::MirrorSet(set) = &place.object else { panic!("a mirror set") };
    let remove = |path: &str| {
        let change = Change::Remove { path: format!("{list}{path}") };
        Fix { changes: vec![(set.id(), change)], ..Fix::from("remove it") }
    };
    let create = Fix { objects: vec![set.as_ref().clone()], ..Fix::from("create it") };
    let table = [
        (remove("[0]"), false, "the entry of the placeholder"),
        (remove("[0].mirrors"), false, "its list"),
        (remove("[0].mirrors[0]"), true, "another mirror"),
        (remove("[1]"), true, "another entry"),
        (create, false, "an object of the known part"),
    ];
    for (fix, expected, reason) in table {
        let finding = Finding { fix, ..Finding::new(format!("{list}[1].source"), "key", "what") };
        let diagnostic = Diagnostic { rule: &RULES[0], level: crate::rules::Level::Warn, finding };
        let verdict = Verdict { diagnostics: vec![diagnostic], ..Verdict::default() };
        let mut reviewed = [Reviewed { object: set.id(), place: Some(place), verdict }];
        UnknownValues::of(&reading.objects).withhold(&mut reviewed);
        assert_eq!(reviewed[0].verdict.diagnostics[0].finding.fix.is_applicable(), expected, "{reason}");
    }
}
