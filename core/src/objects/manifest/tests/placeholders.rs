//! Values that a template fills in.

use super::*;

pub(super) const CATALOG_WITH_PLACEHOLDER: &str = "\
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
    assert_read(table);
}

#[test]
fn a_field_whose_name_is_a_placeholder_is_not_unknown() {
    let idms = "config.openshift.io/v1\nkind: ImageDigestMirrorSet";
    let list = "spec.imageDigestMirrors";
    assert_read([
        (
            format!("{idms}\nspec: {{'${{LIST}}': [{{source: '${{S}}'}}]}}"),
            vec!["spec.${LIST}".to_owned()],
            0,
            "the name of a field, and all below it",
        ),
        (
            format!("{idms}\nspec: {{imageDigestMirrors: [{{source: q.io, '{{{{ .Values.key }}}}': [m]}}]}}"),
            vec![format!("{list}[0][{{{{ .Values.key }}}}]")],
            0,
            "the name of a field of an entry",
        ),
        (
            "config.openshift.io/v1\nkind: ClusterVersion\nspec: {channel: '${C}'}\nstatus: {desired: {image: q.io/x}}"
                .to_owned(),
            vec![],
            0,
            "a channel, which is not read",
        ),
    ]);
}

/// Reads each text below `apiVersion`, and compares its placeholders and the number of errors.
fn assert_read<const N: usize>(table: [(String, Vec<String>, usize, &str); N]) {
    for (text, expected, errors, reason) in table {
        let mut reading = read("x.yaml", format!("apiVersion: {text}\n"));
        assert_eq!((reading.objects.len(), reading.skipped), (1, 0), "{reason}");
        assert_eq!(reading.errors.len(), errors, "{reason}: {:?}", reading.errors);
        let written = reading.objects.remove(0).written;
        assert_eq!((written.placeholders, written.unknown_fields), (expected, vec![]), "{reason}");
    }
}

#[test]
fn an_object_is_skipped_if_nothing_can_be_said_without_its_placeholder() {
    let cluster_version = |value: &str| {
        format!("config.openshift.io/v1\nkind: ClusterVersion\nstatus: {{desired: {{image: '{value}'}}}}")
    };
    let catalog = |name: &str, image: &str| {
        format!(
            "operators.coreos.com/v1alpha1\nkind: CatalogSource\nspec: {{sourceType: grpc, displayName: '{name}', image: '{image}'}}"
        )
    };
    let policy = |scope: &str, key: &str| {
        format!(
            "config.openshift.io/v1\nkind: ClusterImagePolicy\nspec: {{scopes: ['{scope}'], policy: {{rootOfTrust: \
             {{policyType: PublicKey, publicKey: {{keyData: '{key}'}}}}}}}}"
        )
    };
    let table = [
        (cluster_version("${I}"), 0, "the release image"),
        (cluster_version("q.io/x"), 1, "no placeholder"),
        (catalog("${N}", "q.io/i:v1"), 1, "a name for people"),
        (catalog("a", "${I}"), 0, "the image"),
        (policy("q.io/a", "${K}"), 1, "a key"),
        (policy("${S}", "a2V5"), 0, "the scope"),
    ];
    for (text, count, reason) in table {
        let reading = read("x.yaml", format!("apiVersion: {text}\n"));
        assert_eq!(
            (reading.objects.len(), reading.errors.len()),
            (count, 0),
            "{reason}: {:?}",
            reading.errors
        );
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
    let lists = "blockedRegistries: ['${B}', 7], allowedRegistries: [q.io, '${A}']";
    let text =
        format!("apiVersion: config.openshift.io/v1\nkind: Image\nspec: {{registrySources: {{{lists}}}}}");
    let Object::ImageConfig(config) = read("x.yaml", text).objects.remove(0).object else {
        panic!("an Image")
    };
    assert_eq!(config.blocked_registries, ["placeholder.invalid"; 2], "scopes of no image");
    assert!(config.allowed_registries.is_empty(), "what is allowed is not known");
}
