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

const CATALOG_WITH_PLACEHOLDER: &str = "\
apiVersion: operators.coreos.com/v1alpha1
kind: CatalogSource
metadata: {name: a}
spec: {sourceType: grpc, image: \"{{ mirror }}/index:v1\"}
";

#[test]
fn an_object_is_read_without_its_placeholders() {
    let (v1, hosted) = ("config.openshift.io/v1", "hypershift.openshift.io/v1beta1\nkind: HostedCluster");
    let idms = format!("{v1}\nkind: ImageDigestMirrorSet");
    let image = format!("{v1}\nkind: Image");
    let list = "spec.imageDigestMirrors";
    // What is below `apiVersion`, the placeholders, and the errors.
    let table: [(String, Vec<String>, usize, &str); 9] = [
        (
            format!("{idms}\nspec: {{imageDigestMirrors: [{{source: q.io, mirrors: [m.lab, '${{M}}']}}]}}"),
            vec![format!("{list}[0].mirrors[1]")],
            0,
            "a mirror",
        ),
        (
            format!("{idms}\nspec: {{imageDigestMirrors: [{{source: q.io, mirrors: '{{{{hub m hub}}}}'}}]}}"),
            vec![format!("{list}[0].mirrors")],
            0,
            "a list is a text",
        ),
        (
            format!("{idms}\nspec: {{imageDigestMirrors: [{{source: 7, mirrors: ['${{M}}']}}]}}"),
            vec![format!("{list}[0].mirrors[0]")],
            1,
            "another type hides nothing, and is not hidden",
        ),
        (format!("{idms}\nspec: '${{S}}'"), vec!["spec".to_owned()], 0, "everything"),
        (
            format!("{idms}\nmetadata: {{name: '${{N}}', annotations: {{a: '${{A}}'}}}}"),
            vec!["metadata.name".to_owned()],
            0,
            "a name, and an annotation that no rule reads",
        ),
        (
            format!("{image}\nspec: {{registrySources: {{blockedRegistries: ['${{B}}', 7]}}}}"),
            vec!["spec.registrySources.blockedRegistries[0]".to_owned()],
            1,
            "a blocked registry",
        ),
        (
            format!("{hosted}\nspec: {{platform: {{type: '${{T}}'}}, release: {{image: '${{R}}'}}}}"),
            vec!["spec.release.image".to_owned()],
            0,
            "only what is read of a HostedCluster",
        ),
        (format!("{hosted}\nspec: {{infrastructureAvailabilityPolicy: '${{N}}'}}"), vec![], 0, "not read"),
        (format!("{idms}\nspec: {{imageDigestMirrors: [{{source: q.io}}]}}"), vec![], 0, "no placeholder"),
    ];
    for (text, expected, errors, reason) in table {
        let mut reading = read("x.yaml", format!("apiVersion: {text}\n"));
        assert_eq!((reading.objects.len(), reading.skipped), (1, 0), "{reason}");
        assert_eq!(reading.errors.len(), errors, "{reason}: {:?}", reading.errors);
        assert_eq!(reading.objects.remove(0).written.placeholders, expected, "{reason}");
    }
}

#[test]
fn a_placeholder_is_no_value() {
    let entries = "[{source: q.io, mirrors: [m.lab, '${M}']}, {source: '${S}', mirrors: [m.lab]}]";
    let texts = [
        format!(
            "apiVersion: config.openshift.io/v1\nkind: ImageTagMirrorSet\nspec: {{imageTagMirrors: {entries}}}"
        ),
        format!("apiVersion: v1\nbaseDomain: lab\nimageDigestSources: {entries}"),
    ];
    for text in texts {
        let object = read("x.yaml", text.clone()).objects.remove(0).object;
        let Object::MirrorSet(set) = object.valid_part() else { panic!("a mirror set: {text}") };
        let left: Vec<_> = set.entries.iter().map(|entry| (&*entry.source, entry.mirrors.len())).collect();
        assert_eq!(left, [("q.io", 1)], "{text}");
    }
    let lists = "blockedRegistries: ['${B}'], allowedRegistries: [q.io, '${A}']";
    let text =
        format!("apiVersion: config.openshift.io/v1\nkind: Image\nspec: {{registrySources: {{{lists}}}}}");
    let Object::ImageConfig(config) = read("x.yaml", text).objects.remove(0).object else {
        panic!("an Image")
    };
    assert_eq!(config.blocked_registries, ["placeholder.invalid"], "a scope of no image");
    assert!(config.allowed_registries.is_empty(), "what is allowed is not known");
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
fn an_install_config_has_one_list() {
    let entries = "[{source: q.io, mirrors: [m.lab]}]";
    let table = [
        (format!("imageDigestSources: {entries}\nimageContentSources: {entries}"), true, "both"),
        (format!("imageDigestSources: {entries}\nimageContentSources: []"), false, "one is empty"),
        (format!("imageDigestSources: {entries}\nimageContentSources:"), false, "one is nothing"),
        (format!("imageContentSources: {entries}"), false, "one"),
    ];
    for (lists, expected, reason) in table {
        let reading = read("x.yaml", format!("apiVersion: v1\nbaseDomain: lab\n{lists}\n"));
        let lines: Vec<_> = reading.errors.iter().map(|error| error.at.line).collect();
        assert_eq!(lines, Vec::from_iter(expected.then_some(4)), "{reason}: at the name of the list");
        assert!(reading.objects.iter().all(|one| one.written.has_both_lists == expected), "{reason}");
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

const INSTALL_CONFIG: &str = "\
apiVersion: v1
baseDomain: lab.example
metadata: {name: lab}
imageDigestSources:
- mirrors: [m.lab/a]
  source: quay.io/a
  sourcePolicy: NeverContactSource
imageContentSources:
- mirrors: [m.lab/b]
  source: quay.io/b
";

#[test]
fn an_install_config_has_the_sets_that_the_installer_makes() {
    let reading = read("x.yaml", INSTALL_CONFIG.to_owned());
    let names = reading.objects.iter().map(|located| located.object.name());
    assert_eq!(names.collect::<Vec<_>>(), ["image-digest-mirror", "image-policy"]);
    let table = [
        (0, "imageDigestSources[0].source", 6, "the first list"),
        (0, "imageDigestSources[0].sourcePolicy", 7, "a field of an entry"),
        (0, "imageDigestSources", 4, "the list"),
        (0, "metadata.name", 4, "the name of the set, not that of the cluster"),
        (0, "spec", 4, "what the set has, and the file has not"),
        (1, "imageContentSources[0].source", 10, "the second list"),
    ];
    for (object, path, line, reason) in table {
        assert_eq!(reading.objects[object].position(path).line, line, "{reason}");
    }
    let Object::MirrorSet(set) = &reading.objects[0].object else { panic!("a mirror set") };
    assert_eq!(set.entries[0].policy(), MirrorSourcePolicy::NeverContactSource);
    let without = read("x.yaml", "apiVersion: v1\nbaseDomain: lab.example\n".to_owned());
    assert_eq!((without.objects.len(), without.skipped), (0, 1), "an install-config without mirrors");
}

#[test]
fn an_install_config_is_read_by_what_its_lists_were_meant_to_be() {
    let head = "apiVersion: v1\nbaseDomain: lab.example\n";
    let entries = "[{Source: q.io/a, mirrors: [m.lab/a]}, {source: 7}, null]";
    let table = [
        (format!("imageDigestSources: {entries}"), (1, 0, 2), "values of another type are errors"),
        (format!("ImageContentSources: {entries}"), (1, 0, 2), "the installer ignores the case"),
        (format!("imageDigestSource: {entries}"), (0, 1, 0), "misspelt"),
        ("additionalTrustBundle: x".to_owned(), (0, 0, 0), "no mirrors"),
    ];
    for (fields, expected, reason) in table {
        let Reading { objects, misnamed, errors, .. } = read("x.yaml", format!("{head}{fields}\n"));
        assert_eq!((objects.len(), misnamed.len(), errors.len()), expected, "{reason}: {errors:?}");
    }
    let reading = read("x.yaml", format!("{head}imageDigestSources: {entries}\n"));
    let Object::MirrorSet(set) = &reading.objects[0].object else { panic!("a mirror set") };
    assert_eq!(&*set.entries[0].source, "q.io/a");
    assert!(!set.is_readable(1, EntryPart::Source), "an unreadable source is not an empty one");
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
