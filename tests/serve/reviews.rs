//! What is asked: the creation of one mirror set or another.

use serde_json::{Value, json};

/// Names each question in its answer.
pub(crate) const UID: &str = "3a1cf5b8-8d0e-4b52-9e39-1f6a7f8c1d27";

/// Denies an ICSP next to an IDMS, whatever the two say.
pub(crate) const ICSP_ALONGSIDE_IDMS: &str = "icsp-alongside-idms";

/// An IDMS as it stands in a file.
pub(crate) const IDMS_FILE: &str = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata:
  name: there
spec:
  imageDigestMirrors:
    - source: quay.io/there
      mirrors:
        - mirror.lab.example/there
";

/// A review of an ICSP that is created.
pub(crate) fn new_icsp() -> Value {
    let spec = json!({"repositoryDigestMirrors": [entry("quay.io/new", "mirror.lab.example/new")]});
    creation("operator.openshift.io", "v1alpha1", "ImageContentSourcePolicy", "new", &spec)
}

/// A review of an IDMS with so many entries, about 200 bytes each, that is created.
pub(crate) fn new_idms(name: &str, entries: usize) -> Value {
    let path =
        |index| format!("a-team-with-a-name-of-some-length/and-a-component-with-another-one/{index:06}");
    let entry =
        |index| entry(&format!("quay.io/{}", path(index)), &format!("mirror.lab.example/{}", path(index)));
    let entries: Vec<_> = (0..entries).map(entry).collect();
    creation(
        "config.openshift.io",
        "v1",
        "ImageDigestMirrorSet",
        name,
        &json!({"imageDigestMirrors": entries}),
    )
}

/// The same with a source that has a scheme, which the nodes' configuration cannot express.
pub(crate) fn new_idms_with_scheme(name: &str, entries: usize) -> Value {
    let mut review = new_idms(name, entries);
    review["request"]["object"]["spec"]["imageDigestMirrors"][0]["source"] = json!("https://quay.io/new");
    review
}

fn entry(source: &str, mirror: &str) -> Value {
    json!({"source": source, "mirrors": [mirror]})
}

fn creation(group: &str, version: &str, kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": UID,
            "kind": {"group": group, "version": version, "kind": kind},
            "resource": {"group": group, "version": version, "resource": format!("{}s", kind.to_lowercase())},
            "name": name,
            "operation": "CREATE",
            "userInfo": {"username": "kubeadmin", "groups": ["system:authenticated"]},
            "object": {
                "apiVersion": format!("{group}/{version}"),
                "kind": kind,
                "metadata": {"name": name},
                "spec": spec,
            },
            "oldObject": null,
            "dryRun": false,
        },
    })
}
