//! One IDMS, or one ITMS, that says what all sets of its kind of pull say.

use serde::Serialize;

use super::{
    Form,
    sources::{Source, misplaced, sources},
};
use crate::{context::View, objects::SetKind};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MirrorSet<'a> {
    api_version: String,
    kind: &'static str,
    metadata: Metadata,
    spec: Spec<'a>,
}

#[derive(Serialize)]
struct Metadata {
    name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Spec<'a> {
    ImageDigestMirrors(Vec<Entry<'a>>),
    ImageTagMirrors(Vec<Entry<'a>>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    source: &'a str,
    mirrors: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    mirror_source_policy: Option<&'static str>,
}

impl<'a> Entry<'a> {
    fn list(sources: &'a [Source<'a>]) -> Vec<Self> {
        let entry = |source: &'a Source<'a>| Self {
            source: source.name,
            mirrors: &source.mirrors,
            mirror_source_policy: source.is_never_contacted().then(|| source.policy.name()),
        };
        sources.iter().map(entry).collect()
    }
}

/// The IDMS that stands for every ICSP and IDMS.
pub fn digest_mirror_set(view: View<'_>) -> Form {
    let (sources, omissions) = sources(view, SetKind::is_digest);
    let spec = Spec::ImageDigestMirrors(Entry::list(&sources));
    let mut form = Form::of(&set(SetKind::Idms, "digest-mirrors", spec));
    let why = "they serve pulls by tag; --to itms writes them";
    form.omissions = omissions;
    form.omissions.extend(misplaced(view, |kind| !kind.is_digest(), why));
    form
}

/// The ITMS that stands for every ITMS.
pub fn tag_mirror_set(view: View<'_>) -> Form {
    let (sources, omissions) = sources(view, |kind| !kind.is_digest());
    let spec = Spec::ImageTagMirrors(Entry::list(&sources));
    let mut form = Form::of(&set(SetKind::Itms, "tag-mirrors", spec));
    let why = "they serve pulls by digest; --to idms writes them";
    form.omissions = omissions;
    form.omissions.extend(misplaced(view, SetKind::is_digest, why));
    form
}

fn set<'a>(kind: SetKind, name: &'static str, spec: Spec<'a>) -> MirrorSet<'a> {
    let (group, version, _) = kind.api();
    MirrorSet {
        api_version: format!("{group}/{version}"),
        kind: kind.name(),
        metadata: Metadata { name },
        spec,
    }
}
