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
