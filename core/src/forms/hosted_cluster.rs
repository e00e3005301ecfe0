//! `spec.imageContentSources` of a HostedCluster: the mirrors of its nodes.
//!
//! HyperShift copies the list into one IDMS of the hosted cluster, wildcards and all
//! (`support/globalconfig/imagecontentsource.go`). Its schema bounds the list in three ways
//! (`api/hypershift/v1beta1/hostedcluster_types.go`).

use serde::Serialize;

use super::{
    Form, NoForm, Omission,
    sources::{Source, misplaced, sources},
    without_sources,
};
use crate::{
    context::View,
    objects::{Entry, Pull},
};

/// The schema's limit of sources, of mirrors of a source, and of characters of each.
const LIMIT: usize = 255;

#[derive(Serialize)]
struct Patch {
    spec: Spec,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    image_content_sources: Vec<Entry>,
}

/// The part of a HostedCluster to paste or patch with, or why there is none: what exceeds its
/// schema's limits, or that there are no mirrors for digest pulls.
pub fn hosted_cluster(view: View<'_>) -> Result<Form, NoForm> {
    let (sources, mut omissions) = sources(view, Pull::Digest);
    let exceeded = exceeded_limits(&sources);
    if !exceeded.is_empty() {
        return Err(NoForm(exceeded));
    }
    for source in sources.iter().filter(|source| source.is_never_contacted()) {
        omissions.push(Omission::Lost(format!(
            "NeverContactSource of {} is not supported by a HostedCluster: its nodes may contact the source",
            source.describe()
        )));
    }
    omissions.extend(sources.iter().flat_map(|source| source.without_registry(&source.mirrors)));
    let why = "the nodes of a hosted cluster get mirrors for digest pulls only";
    omissions.extend(misplaced(view, Pull::Digest, why));
    if sources.is_empty() {
        return Err(without_sources(Pull::Digest, omissions));
    }
    // The schema has no policy.
    let entries = sources.iter().map(|source| Entry { mirror_source_policy: None, ..source.to_entry() });
    let spec = Spec { image_content_sources: entries.collect() };
    let comments =
        vec!["Every change to this list rolls out every NodePool of the hosted cluster.".to_owned()];
    Ok(Form { comments, omissions, ..Form::of(&Patch { spec }) })
}

/// A sentence for everything that the schema does not allow: too many sources or mirrors, or a value that is too long.
fn exceeded_limits(sources: &[Source<'_>]) -> Vec<String> {
    let mut exceeded = Vec::new();
    if let Some(first) = sources.get(LIMIT) {
        exceeded.push(format!(
            "spec.imageContentSources takes at most {LIMIT} sources, and there are {}; the first one over the limit is \
             {}",
            sources.len(),
            first.describe()
        ));
    }
    for source in sources {
        let described = source.describe();
        if source.mirrors.len() > LIMIT {
            let count = source.mirrors.len();
            exceeded.push(format!("{described} has {count} mirrors: a HostedCluster takes at most {LIMIT}"));
        }
        if let Some(length) = excessive_length(source.name) {
            exceeded.push(format!(
                "{described} is {length} characters long: a HostedCluster takes at most {LIMIT}"
            ));
        }
        for mirror in &source.mirrors {
            if let Some(length) = excessive_length(mirror) {
                exceeded.push(format!(
                    "mirror \"{mirror}\" of {described} is {length} characters long: a HostedCluster takes at most \
                     {LIMIT}"
                ));
            }
        }
    }
    exceeded
}

/// The number of characters, where there are too many.
fn excessive_length(text: &str) -> Option<usize> {
    Some(text.chars().count()).filter(|length| *length > LIMIT)
}
