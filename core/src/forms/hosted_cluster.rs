//! `spec.imageContentSources` of a HostedCluster: the mirrors of its nodes.
//!
//! HyperShift copies the list into one IDMS of the hosted cluster, wildcards and all
//! (`support/globalconfig/imagecontentsource.go`). Its schema bounds the list in three ways
//! (`api/hypershift/v1beta1/hostedcluster_types.go`).

use serde::Serialize;

use super::{
    Form, NoForm, Omission,
    sources::{Source, misplaced, sources},
};
use crate::{context::View, objects::SetKind};

/// Entries, mirrors of an entry, and characters of a source or mirror: each at most this many.
const LIMIT: usize = 255;

#[derive(Serialize)]
struct Patch<'a> {
    spec: Spec<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    image_content_sources: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    source: &'a str,
    mirrors: &'a [&'a str],
}

/// The part of a HostedCluster to paste or patch with, or what is over its schema's limits.
pub fn hosted_cluster(view: View<'_>) -> Result<Form, NoForm> {
    let (sources, mut omissions) = sources(view, SetKind::is_digest);
    let over = over_the_limits(&sources);
    if !over.is_empty() {
        return Err(NoForm(over));
    }
    for source in sources.iter().filter(|source| source.is_never_contacted()) {
        omissions.push(Omission::Lost(format!(
            "{} is NeverContactSource, which a HostedCluster cannot say: its nodes may contact the source",
            source.named()
        )));
    }
    let why = "the nodes of a hosted cluster get mirrors for pulls by digest only";
    omissions.extend(misplaced(view, |kind| !kind.is_digest(), why));
    let entries = sources.iter().map(|Source { name: source, mirrors, .. }| Entry { source, mirrors });
    let spec = Spec { image_content_sources: entries.collect() };
    let comments = vec!["Every change of this list rolls every NodePool of the hosted cluster.".to_owned()];
    Ok(Form { comments, omissions, ..Form::of(&Patch { spec }) })
}

fn over_the_limits(sources: &[Source<'_>]) -> Vec<String> {
    let mut over = Vec::new();
    if let Some(first) = sources.get(LIMIT) {
        let count = sources.len();
        over.push(format!(
            "{count} sources are more than the {LIMIT} that spec.imageContentSources takes; the first too many is {}",
            first.named()
        ));
    }
    for source in sources {
        let named = source.named();
        if source.mirrors.len() > LIMIT {
            let count = source.mirrors.len();
            over.push(format!("{named} has {count} mirrors; a HostedCluster takes {LIMIT} a source"));
        }
        let long = |text: &str| text.chars().count() > LIMIT;
        if long(source.name) {
            let length = source.name.chars().count();
            over.push(format!("{named} is {length} characters long; a HostedCluster takes {LIMIT}"));
        }
        for mirror in source.mirrors.iter().filter(|mirror| long(mirror)) {
            let length = mirror.chars().count();
            over.push(format!(
                "the mirror \"{mirror}\" of {named} is {length} characters long; a HostedCluster takes {LIMIT}"
            ));
        }
    }
    over
}
