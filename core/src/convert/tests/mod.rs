//! What becomes of whole files.

mod merge;
mod migrate;

use super::Document;
use crate::objects::manifest;

/// The mirror sets of files, each given by its name and text.
fn documents(files: &[(&str, &str)]) -> Vec<Document> {
    let read = |(name, text): &(&str, &str)| {
        let reading = manifest::read(name, (*text).to_owned());
        assert!(reading.errors.is_empty(), "{name}: {:?}", reading.errors);
        reading.objects
    };
    files.iter().flat_map(read).map(|located| Document::of_file(&located).unwrap()).collect()
}

/// One set on one line: its kind in short, its name and its entries in YAML.
fn set(kind: &str, name: &str, entries: &str) -> String {
    let (api_version, kind, field) = match kind {
        "icsp" => ("operator.openshift.io/v1alpha1", "ImageContentSourcePolicy", "repositoryDigestMirrors"),
        "idms" => ("config.openshift.io/v1", "ImageDigestMirrorSet", "imageDigestMirrors"),
        "itms" => ("config.openshift.io/v1", "ImageTagMirrorSet", "imageTagMirrors"),
        other => panic!("no kind is called {other}"),
    };
    format!(
        "apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{field}: [{entries}]}}\n"
    )
}
