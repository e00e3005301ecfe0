//! Objects inside of others.

use super::*;

/// The same as an item of a list.
fn item(name: &str, indent: usize) -> String {
    format!("{}- {}", " ".repeat(indent), idms(name, indent + 2).trim_start())
}

/// `name at line:column of its last source` of each mirror set.
fn unfolded(text: &str) -> Vec<String> {
    let reading = read("x.yaml", text.to_owned());
    assert_eq!(reading.errors, []);
    let places = reading.objects.iter().map(|located| {
        let Object::MirrorSet(set) = &located.object else { panic!("a mirror set") };
        let path = set.field_path(set.entries.len() - 1, "source");
        assert_eq!(text[located.span(&path)], *set.entries.last().unwrap().source, "{text}");
        let Position { line, column } = located.position(&path);
        format!("{} at {line}:{column}", set.name)
    });
    places.collect()
}

const ACM: &str = "apiVersion: policy.open-cluster-management.io/v1";

#[test]
fn objects_inside_of_other_objects_are_at_their_own_lines() {
    let (one, parameters) = (item("${N}", 0), "parameters:\n- {name: N, value: a}\n");
    let template = "apiVersion: template.openshift.io/v1\nkind: Template\nobjects";
    let table: [(String, &[&str], &str); 7] = [
        (
            format!("apiVersion: v1\nkind: List\nitems:\n{}{}", item("a", 0), item("b", 0)),
            &["a at 9:36", "b at 15:36"],
            "a list",
        ),
        (format!("{template}:\n{one}{parameters}"), &["a at 9:36"], "a template, filled in"),
        (format!("{template}:\n{one}"), &["${N} at 9:36"], "a template without a value"),
        (
            format!(
                "{ACM}\nkind: Policy\nspec:\n  policy-templates:\n  - objectDefinition:\n      {ACM}\n      kind: ConfigurationPolicy\n      spec:\n        object-templates:\n        - complianceType: musthave\n          objectDefinition:\n{}",
                idms("a", 12)
            ),
            &["a at 17:46"],
            "a policy",
        ),
        (
            format!(
                "{ACM}\nkind: ConfigurationPolicy\nspec:\n  object-templates:\n  - complianceType: mustNotHave\n    objectDefinition:\n{}",
                idms("a", 6)
            ),
            &[],
            "a policy that removes it",
        ),
        (
            format!(
                "apiVersion: work.open-cluster-management.io/v1\nkind: ManifestWork\nspec:\n  workload:\n    manifests:\n{}",
                item("a", 4)
            ),
            &["a at 11:40"],
            "a work",
        ),
        (
            format!(
                "apiVersion: hive.openshift.io/v1\nkind: SelectorSyncSet\nspec:\n  resources:\n{}",
                item("a", 2)
            ),
            &["a at 10:38"],
            "a sync set",
        ),
    ];
    for (text, expected, reason) in table {
        assert_eq!(unfolded(&text), expected, "{reason}");
    }
}

#[test]
fn the_text_of_a_policy_is_unfolded_where_it_is_yaml() {
    let item =
        |kind: &str| format!("    - complianceType: {kind}\n      objectDefinition:\n{}", idms("a", 8));
    let table: [(String, &[&str], usize, &str); 4] = [
        (item("musthave"), &["a at 12:42"], 0, "a list"),
        (item("mustnothave"), &[], 0, "a list of what is removed"),
        (format!("    {{{{- range .x }}}}\n{}    {{{{- end }}}}\n", item("musthave")), &[], 1, "a template"),
        (String::new(), &[], 0, "nothing"),
    ];
    for (raw, expected, skipped, reason) in table {
        let text = format!("{ACM}\nkind: ConfigurationPolicy\nspec:\n  object-templates-raw: |\n{raw}");
        assert_eq!(unfolded(&text), expected, "{reason}");
        let reading = read("x.yaml", text);
        assert_eq!((reading.skipped, reading.passed_over.len()), (skipped, skipped), "{reason}");
    }
}

#[test]
fn what_should_be_the_text_of_a_policy_is_not_skipped_without_a_word() {
    let table = [
        ("|\n    - a: 1\n     b: 2\n", Some(6), "no YAML, and no template"),
        ("|\n    - a: 1\n     b: {{ .x }}\n", None, "a template"),
        ("[{complianceType: musthave}]\n", Some(4), "a list, which belongs in another field"),
        ("\n", None, "nothing"),
    ];
    for (raw, expected, reason) in table {
        let text = format!("{ACM}\nkind: ConfigurationPolicy\nspec:\n  object-templates-raw: {raw}");
        let reading = read("x.yaml", text);
        let lines: Vec<_> = reading.errors.iter().map(|error| error.at.line).collect();
        assert_eq!(lines, Vec::from_iter(expected), "{reason}: {:?}", reading.errors);
        assert!(reading.errors.iter().all(|error| !error.is_syntax), "{reason}");
    }
}

#[test]
fn a_text_of_a_config_map_is_at_its_own_lines() {
    let (a, b) = (idms("a", 4), idms("b", 4));
    let table: [(String, &[&str], &str); 5] = [
        (format!("|\n{a}  other: x\n"), &["a at 10:38"], "a block"),
        (format!("| # ours\n{a}"), &["a at 10:38"], "a comment after the mark"),
        (format!("|\n\n{a}"), &["a at 11:38"], "an empty line first"),
        (
            format!("|-\n{a}    ---\n\n{}", b.trim_end()),
            &["a at 10:38", "b at 18:38"],
            "two documents, the last without a line break",
        ),
        ("|\n    ImageDigestMirrorSet [\n".to_owned(), &[], "no YAML"),
    ];
    for (value, expected, reason) in table {
        let text = format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  config: {value}");
        assert_eq!(unfolded(&text), expected, "{reason}");
        assert_eq!(unfolded(&text.replace('\n', "\r\n")), expected, "{reason}, lines as on Windows");
    }
}

#[test]
fn every_kind_is_found_in_a_text_of_a_config_map() {
    let object = |api_version: &str, kind: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\ndata:\n  x: |\n    apiVersion: {api_version}\n    kind: {kind}\n    metadata: {{name: cluster}}\n"
        )
    };
    for kind in Kind::all_of_files() {
        let reading = read("x.yaml", object(&kind.api_version(), kind.name()));
        let kinds: Vec<_> = reading.objects.iter().map(|located| located.object.kind()).collect();
        assert_eq!(kinds, [kind], "{:?}", reading.errors);
    }
    let misspelled = read("x.yaml", object("config.openshift.io/v1", "ImageDigestMirorSet"));
    assert_eq!((misspelled.objects.len(), misspelled.misnamed.len()), (0, 1), "a letter missing");
}

#[test]
fn a_text_in_quotes_is_where_it_begins() {
    let json = r#"{"apiVersion":"config.openshift.io/v1","kind":"ImageTagMirrorSet","metadata":{"name":"a"},"spec":{"imageTagMirrors":[{"source":"q.io"}]}}"#;
    let text = format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  ü: '{json}'\n");
    let reading = read("x.yaml", text.clone());
    let path = "spec.imageTagMirrors[0].source";
    assert_eq!(reading.objects[0].position(path), Position { line: 4, column: 6 });
    assert_eq!(text[reading.objects[0].span(path)], format!("'{json}'"));
}
