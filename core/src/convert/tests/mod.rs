//! The results of whole files.

mod merge;
mod migrate;
mod texts;

use super::{Document, Problem};
use crate::objects::manifest;

/// The mirror sets of files, each given by its name and text.
fn documents(files: &[(&str, &str)]) -> Vec<Document> {
    let mut documents = Vec::new();
    for (name, text) in files {
        let reading = manifest::read(name, (*text).to_owned());
        assert!(reading.errors.is_empty(), "{name}: {:?}", reading.errors);
        documents.extend(reading.objects.iter().filter_map(Document::of_file));
    }
    documents
}

/// The mirror sets of one file each: `0.yaml`, `1.yaml`, …
fn numbered(sets: &[String]) -> Vec<Document> {
    let names: Vec<_> = (0..sets.len()).map(|at| format!("{at}.yaml")).collect();
    let files: Vec<_> = names.iter().zip(sets).map(|(name, text)| (&**name, &**text)).collect();
    documents(&files)
}

/// One set, by its kind in short, its name and its entries in YAML. The places in the tests are its lines: the name is
/// on line 3, and all entries are on line 4.
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

/// The same set with labels, annotations or other metadata in YAML, on the same lines.
fn with_metadata(set: &str, metadata: &str) -> String {
    set.replace("{name:", &format!("{{{metadata}, name:"))
}

/// Sets in one file each that have exactly one problem, and its places.
struct ProblemCase {
    sets: Vec<String>,
    places: &'static [&'static str],
    reason: &'static str,
}

impl ProblemCase {
    fn assert_places(&self, problems: &[Problem]) {
        let [problem] = problems else { panic!("{}: {problems:?}", self.reason) };
        assert_eq!(problem.places, self.places, "{}", self.reason);
    }
}
