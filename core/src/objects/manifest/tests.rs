mod embedded;
mod install_config;
mod placeholders;

use self::{install_config::INSTALL_CONFIG, placeholders::CATALOG_WITH_PLACEHOLDER};
use super::*;
use crate::objects::{Change, EntryPart, Kind, MirrorSourcePolicy, Object};

const TWO: &str = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: a}
spec:
  imageDigestMirrors:
  - source: quay.io/ü
    mirrors:
    - m.lab/x
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
- apiVersion: operator.openshift.io/v1alpha1
  kind: ImageContentSourcePolicy
  metadata: {name: b}
  spec: {repositoryDigestMirrors: 7}
";

#[test]
fn documents_and_lists_are_read_and_other_kinds_counted() {
    let reading = read("two.yaml", TWO.to_owned());
    assert_eq!((reading.objects.len(), reading.skipped), (2, 1));
    assert_eq!(
        reading.errors[0].to_string(),
        "two.yaml:18:35: ImageContentSourcePolicy: spec.repositoryDigestMirrors: expected a list, found the number 7"
    );
}

#[test]
fn a_field_has_a_line_a_column_and_a_byte_range() {
    let reading = read("two.yaml", TWO.to_owned());
    let located = &reading.objects[0];
    let path = "spec.imageDigestMirrors[0].mirrors[0]";
    assert_eq!(located.position(path), Position { line: 8, column: 7 });
    assert_eq!(&TWO[located.span(path)], "m.lab/x");
}

#[test]
fn a_value_ends_where_its_text_ends() {
    let head = "apiVersion: config.openshift.io/v1\nkind: ImageTagMirrorSet\nspec:\n  imageTagMirrors:";
    let table = [
        (" [{source: q}] # one", "", "[{source: q}]", (4, 33), "a list"),
        (" [{source: q}]", "[0]", "{source: q}", (4, 32), "a map"),
        ("\n  - source: q\n    mirrors: [m]", "[0]", "source: q", (5, 14), "a block"),
        (" [{source: ü日}]", "[0].source", "ü日", (4, 32), "wide characters"),
        (" [{source: \"a\n    b\"}]", "[0].source", "\"a\n    b\"", (5, 7), "two lines"),
    ];
    for (spec, path, expected, (line, column), reason) in table {
        for newline in ["\n", "\r\n"] {
            let text = format!("{head}{spec}\n").replace('\n', newline);
            let reading = read("x.yaml", text.clone());
            let (located, path) = (&reading.objects[0], format!("spec.imageTagMirrors{path}"));
            let expected = expected.replace('\n', newline);
            assert_eq!(text[located.span(&path)], expected, "{reason}, {newline:?}");
            assert_eq!(located.region(&path).1, Position { line, column }, "{reason}, {newline:?}");
        }
    }
}

#[test]
fn a_list_of_an_api_server_is_read_with_or_without_kinds_of_its_items() {
    let list = |api_version: &str, kind: &str, item: &str| {
        format!(
            r#"{{"apiVersion":"{api_version}","kind":"{kind}","metadata":{{"resourceVersion":"1"}},"items":[
            {{{item}"metadata":{{"name":"a"}},"spec":{{"imageTagMirrors":[{{"source":"quay.io","mirrors":["m"]}}]}}}},
            {{"kind":"Pod","apiVersion":"v1"}}]}}"#
        )
    };
    let named = r#""kind":"ImageTagMirrorSet","apiVersion":"config.openshift.io/v1","#;
    let old = r#""kind":"ImageTagMirrorSet","apiVersion":"config.openshift.io/v1alpha1","#;
    // The number of objects, and of those under a wrong name.
    let table = [
        (list("v1", "List", named), (1, 0), "oc get -o json"),
        (list("config.openshift.io/v1", "ImageTagMirrorSetList", ""), (1, 0), "oc get --raw"),
        (list("config.openshift.io/v1", "ImageTagMirrorSetList", named), (1, 0), "a list that says both"),
        (list("v1", "List", old), (0, 1), "a version that is not served"),
        (list("v1", "List", ""), (0, 0), "nothing says what the item is"),
    ];
    for (text, expected, reason) in table {
        let reading = read("x.json", text);
        assert_eq!(reading.errors, [], "{reason}");
        assert_eq!((reading.objects.len(), reading.misnamed.len()), expected, "{reason}");
    }
}

#[test]
fn what_is_no_object_is_passed_over() {
    let table = [
        ("apiVersion: v2\nname: chart\n", "no kind"),
        ("image: {tag: v1}\n", "the values of a chart"),
        ("resources: [a.yaml]\n", "an old kustomization"),
        ("kind: Config\n", "no apiVersion"),
        ("- hosts: all\n  tasks: []\n", "a playbook"),
        ("text\n", "a single value"),
        (CATALOG_WITH_PLACEHOLDER, "a template that is YAML, of a kind that only says more about others"),
    ];
    for (text, reason) in table {
        let reading = read("x.yaml", text.to_owned());
        let counts =
            (reading.objects.len(), reading.errors.len(), reading.skipped, reading.passed_over.len());
        assert_eq!(counts, (0, 0, 1, 1), "{reason}");
    }
}

#[test]
fn values_of_other_types_are_errors_in_every_kind() {
    let catalog = "apiVersion: operators.coreos.com/v1alpha1\nkind: CatalogSource\nmetadata: {name: a}\n";
    let new_catalog = "apiVersion: olm.operatorframework.io/v1\nkind: ClusterCatalog\n";
    let version = "apiVersion: config.openshift.io/v1\nkind: ClusterVersion\n";
    let machines = "apiVersion: operator.openshift.io/v1\nkind: MachineConfiguration\n";
    let policy = "apiVersion: config.openshift.io/v1alpha1\nkind: ClusterImagePolicy\n";
    let hosted = "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\n";
    // The document, and the paths of its errors.
    let table: [(&str, &str, &[&str]); 11] = [
        (catalog, "spec: {image: 5, sourceType: [a]}", &["spec.image", "spec.sourceType"]),
        (catalog, "spec: {image: a, grpcPodConfig: {x: 1}}", &[]),
        (new_catalog, "spec: {source: {image: {ref: {a: b}}}}", &["spec.source.image.ref"]),
        (new_catalog, "spec: {source: x}", &["spec.source"]),
        (version, "status: {desired: x}", &["status.desired"]),
        (version, "status: {desired: {image: a, url: b}, history: [{}]}", &[]),
        (machines, "spec: {nodeDisruptionPolicy: [a]}", &["spec.nodeDisruptionPolicy"]),
        (
            machines,
            "spec: {nodeDisruptionPolicy: {files: [{path: 7}, {actions: [Drain]}]}}",
            &["spec.nodeDisruptionPolicy.files[0].path", "spec.nodeDisruptionPolicy.files[1].actions[0]"],
        ),
        (machines, "spec: {logLevel: Normal, nodeDisruptionPolicy: {units: []}}", &[]),
        (policy, "spec: {scopes: q.io, policy: {}}", &["spec.scopes"]),
        (hosted, "status: {version: {history: [{image: 5}]}}", &["status.version.history[0].image"]),
    ];
    for (head, rest, expected) in table {
        let reading = read("x.yaml", format!("{head}{rest}\n"));
        let errors = reading.errors.iter().map(|error| error.message.split(": ").nth(1).unwrap_or_default());
        assert_eq!(errors.collect::<Vec<_>>(), expected, "{head}{rest}");
        assert_eq!(reading.objects.len(), 1, "the rest is read: {head}{rest}");
    }
}

#[test]
fn a_template_that_is_no_yaml_is_passed_over_in_a_folder() {
    let mistyped = "apiVersion: config.openshift.io/v1\nkind: ImageTagMirrorSet\nspec: 7\n---\n";
    let table = [("a: 1\n---\n", (0, 2), "a template"), (mistyped, (1, 1), "an error before it stays")];
    let unquoted = "apiVersion: config.openshift.io/v1\nkind: ImageTagMirrorSet\nmetadata: {{ .meta }}\n";
    let named = read("x.yaml", unquoted.to_owned());
    assert_eq!((named.errors.len(), named.objects.len()), (1, 0), "a placeholder that is a map to YAML");
    let found = named.without_template();
    assert_eq!((found.errors.len(), found.skipped), (0, 1), "the same in a folder");
    for (before, expected, reason) in table {
        let named = read("x.yaml", format!("{before}{{{{- if .Values.x }}}}\nb: [\n"));
        assert_eq!(named.errors.len(), expected.0 + 1, "{reason}, named");
        let found = named.without_template();
        assert_eq!((found.errors.len(), found.skipped), expected, "{reason}, found in a folder");
    }
}

#[test]
fn a_value_of_another_type_hides_nothing_else() {
    let text = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: a}
spec:
  imageDigestMirrors:
  - [quay.io/a]
  - source: quay.io/b
    mirrors: [m.lab/b, 7]
    mirrorSourcePolicy: Never
  - source: quay.io/c
    mirrors: [m.lab/c]
";
    let reading = read("x.yaml", text.to_owned());
    let lines: Vec<_> = reading.errors.iter().map(|error| (error.at.line, error.at.column)).collect();
    assert_eq!(lines, [(6, 5), (8, 24), (9, 25)]);
    let spans = reading.errors.iter().map(|error| &text[error.excerpt.as_ref().unwrap().1.clone()]);
    assert_eq!(spans.collect::<Vec<_>>(), ["[quay.io/a]", "7", "Never"]);
    let Object::MirrorSet(set) = &reading.objects[0].object else { panic!("a mirror set") };
    let sources: Vec<_> = set.entries.iter().map(|entry| &*entry.source).collect();
    assert_eq!(sources, ["", "quay.io/b", "quay.io/c"]);
    let valid = set.valid_part().unwrap();
    assert_eq!(valid.field_path(0, "source"), "spec.imageDigestMirrors[2].source");
    assert_eq!(valid.entries.len(), 1);
}

#[test]
fn an_unknown_field_is_where_its_name_is() {
    let text = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: a}
spec:
  repositoryDigestMirrors:
  - source: quay.io/a
";
    let located = &read("x.yaml", text.to_owned()).objects[0];
    let path = "spec.repositoryDigestMirrors";
    assert_eq!(located.written.unknown_fields[0].path, path);
    assert_eq!(located.position(path), Position { line: 5, column: 3 });
    assert_eq!(&text[located.span(path)], "repositoryDigestMirrors");
    assert_eq!(located.position(&format!("{path}[0].source")), Position { line: 6, column: 13 });
}

#[test]
fn an_object_under_a_wrong_name_is_kept_apart() {
    let text = idms("a", 0).replace("config.openshift.io/v1", "config.openshift.io/v1alpha1");
    let reading = read("x.yaml", text);
    assert_eq!((reading.objects.len(), reading.misnamed.len(), reading.skipped), (0, 1, 0));
    assert_eq!(reading.misnamed[0].written.api_version, "config.openshift.io/v1alpha1");
}

/// An IDMS on six lines, indented.
fn idms(name: &str, indent: usize) -> String {
    let lines = [
        "apiVersion: config.openshift.io/v1",
        "kind: ImageDigestMirrorSet",
        &format!("metadata: {{name: \"{name}\"}}"),
        "spec:",
        "  imageDigestMirrors:",
        "  - {mirrors: [m.lab/a], source: quay.io/a}",
    ];
    lines.map(|line| format!("{}{line}\n", " ".repeat(indent))).concat()
}

#[test]
fn only_text_of_objects_themselves_is_edited() {
    let set = |path: &str| Change::Set { path: path.to_owned(), value: "b".into() };
    let name = set("metadata.name");
    let config_map = format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  config: |\n{}", idms("a", 4));
    let table = [
        (idms("a", 0), &name, true, "a document"),
        (config_map, &name, false, "inside of a string"),
        (INSTALL_CONFIG.to_owned(), &name, false, "the name of the cluster that is installed"),
        (
            INSTALL_CONFIG.to_owned(),
            &set("imageDigestSources[0].source"),
            true,
            "an entry of an install-config",
        ),
        (
            INSTALL_CONFIG.to_owned(),
            &set("imageContentSources[0].source"),
            false,
            "an entry of its other set",
        ),
    ];
    for (text, change, is_possible, reason) in table {
        let located = &read("x.yaml", text).objects[0];
        assert_eq!(located.edits([change]).is_some(), is_possible, "{reason}");
    }
}

#[test]
fn a_fault_that_an_alias_repeats_is_reported_once() {
    let set = "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nspec: {imageDigestMirrors: ";
    let install = "apiVersion: v1\nbaseDomain: lab\nimageDigestSources: ";
    // The entries, and how many errors and unknown fields they have.
    let table = [
        ("[{mirrors: &m [5]}, {mirrors: *m}]", (1, 0), "a list"),
        ("[{mirrors: [&m 5]}, {mirrors: [*m]}]", (1, 0), "a value"),
        ("[&e {mirrors: 5, mirors: 6}, *e]", (1, 1), "an entry"),
        ("[&e {mirrors: 5, mirors: 6}, {<<: *e, source: q.io}]", (1, 1), "a merge key"),
        ("[{mirrors: 5, mirors: 6}, {mirrors: 5, mirors: 6}]", (2, 2), "written twice"),
    ];
    for (entries, expected, reason) in table {
        let texts = [format!("{set}{entries}}}"), format!("{install}{entries}")];
        for (text, of_unknown) in texts.into_iter().zip([true, false]) {
            let reading = read("x.yaml", text);
            let unknown = reading.objects[0].written.unknown_fields.len();
            let unknown = if of_unknown { unknown } else { expected.1 };
            assert_eq!((reading.errors.len(), unknown), expected, "{reason}: {:?}", reading.errors);
        }
    }
}
