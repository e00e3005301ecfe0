//! Reviews of the creation of mirror sets.

use serde_json::{Value, json};

/// The uid of every review.
pub(crate) const UID: &str = "3a1cf5b8-8d0e-4b52-9e39-1f6a7f8c1d27";

/// The rule that denies an ICSP next to any IDMS.
pub(crate) const ICSP_ALONGSIDE_IDMS: &str = "icsp-alongside-idms";

/// An IDMS in a file.
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

/// A review of the creation of an ICSP.
pub(crate) fn new_icsp() -> Value {
    let spec = json!({"repositoryDigestMirrors": [entry("quay.io/new", "mirror.lab.example/new")]});
    creation("operator.openshift.io", "v1alpha1", "ImageContentSourcePolicy", "new", &spec)
}

/// A review of the creation of an IDMS with so many entries of about 200 bytes.
pub(crate) fn new_idms(name: &str, entries: usize) -> Value {
    let entries: Vec<_> = (0..entries).map(long_entry).collect();
    let spec = json!({"imageDigestMirrors": entries});
    creation("config.openshift.io", "v1", "ImageDigestMirrorSet", name, &spec)
}

fn long_entry(index: usize) -> Value {
    let path = format!("a-team-with-a-name-of-some-length/and-a-component-with-another-one/{index:06}");
    entry(&format!("quay.io/{path}"), &format!("mirror.lab.example/{path}"))
}

/// The same with a source that has a scheme, which is invalid.
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
