//! The JSON of an explanation.

use std::borrow::Cow;

use mirrorguard_core::{
    context::EntryRef,
    explanation::{
        Attempt, Blocker, Candidate, Covering, Divergence, ExplainedLookup, Explanation, LookupKind,
        MatchingSource, NodePull, Part, Question,
    },
    node::PolicyRefusal,
    report::Places,
};
use serde::Serialize;

use super::{
    super::{hosted_control_planes::HostedControlPlane, input::NotChecked},
    place::{path_of, place_of},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExplanationJson<'a> {
    image: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    assumed_tag: Option<&'static str>,
    node: NodeJson<'a>,
    /// For an image without a registry: a pull for each search registry, the first of which is `node`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    searched: Vec<SearchedJson<'a>>,
    hypershift: HypershiftJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hosted_control_planes: Option<&'a [HostedControlPlane]>,
    /// The objects without which the pull was explained.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_checked: Vec<NotChecked>,
}

impl ExplanationJson<'_> {
    /// The same, made without these objects.
    pub(super) fn without(self, not_checked: Vec<NotChecked>) -> Self {
        Self { not_checked, ..self }
    }
}

#[derive(Serialize)]
struct SearchedJson<'a> {
    image: &'a str,
    node: NodeJson<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeJson<'a> {
    source: Option<&'a str>,
    objects: Vec<String>,
    tries: Vec<&'a str>,
    blocked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    attempts: Vec<AttemptJson<'a>>,
    entries: Vec<EntryJson<'a>>,
    hidden: Vec<EntryJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mirrors_from: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blocked_by: Vec<BlockerJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttemptJson<'a> {
    reference: &'a str,
    is_source: bool,
    insecure: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_by: Option<&'a str>,
}

#[derive(Serialize)]
struct EntryJson<'a> {
    object: ObjectJson<'a>,
    path: String,
    source: &'a str,
    /// `asked`, `tag-only`, `digest-only`, `without-mirror` or `hidden`.
    part: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

#[derive(Serialize)]
struct ObjectJson<'a> {
    kind: &'static str,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum BlockerJson<'a> {
    Entry { object: ObjectJson<'a>, path: String },
    ImageConfig { scope: &'a str },
}

#[derive(Serialize)]
struct HypershiftJson<'a> {
    release: ReleaseLookupJson<'a>,
    exact: LookupJson<'a>,
    prefix: LookupJson<'a>,
}

/// The lookup of release images. Its candidates are those of every release; its sources are those from 4.17 on.
#[derive(Serialize)]
struct ReleaseLookupJson<'a> {
    #[serde(flatten)]
    lookup: LookupJson<'a>,
    releases: Vec<LookupOfReleasesJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LookupOfReleasesJson<'a> {
    /// `up to 4.17` or `from 4.17 on`: a z-stream of 4.17 changed the lookup.
    releases: String,
    candidates: &'a [String],
    /// Whether the image itself is tried last.
    tries_image: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LookupJson<'a> {
    candidates: Cow<'a, [String]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [String],
    /// The sources on which the control plane operator crashes.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    crashes_on: &'a [String],
    sources: Vec<SourceJson<'a>>,
    only_nodes_redirect: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceJson<'a> {
    source: &'a str,
    objects: Vec<String>,
    candidates: Vec<CandidateJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    later_order: Option<&'a [String]>,
}

#[derive(Serialize)]
struct CandidateJson<'a> {
    reference: &'a str,
    /// `elsewhere` or `without-tag`; left out if the nodes try the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    differs: Option<&'static str>,
}

/// The JSON of an explanation.
pub(super) fn explanation<'a>(
    question: &'a Question,
    explanation: &'a Explanation<'a>,
    places: &Places<'a>,
    hosted_control_planes: Option<&'a [HostedControlPlane]>,
) -> ExplanationJson<'a> {
    let [earlier, later, exact, prefix] = &explanation.lookups;
    // There is always one: the image as it is, or in the first search registry.
    let first = &explanation.pulls[0];
    // All pulls, or none if the image has a registry.
    let searched = explanation.pulls.iter().filter(|_| question.is_short);
    ExplanationJson {
        image: first.image.as_str(),
        assumed_tag: question.assumed_tag,
        node: node(first, places),
        searched: searched
            .map(|pull| SearchedJson { image: pull.image.as_str(), node: node(pull, places) })
            .collect(),
        hypershift: HypershiftJson {
            release: release_lookup(earlier, later),
            exact: lookup(exact),
            prefix: lookup(prefix),
        },
        hosted_control_planes,
        not_checked: Vec::new(),
    }
}

fn node<'a>(pull: &'a NodePull<'a>, places: &Places<'a>) -> NodeJson<'a> {
    let attempts = pull.attempts.as_deref().unwrap_or_default();
    let source = pull.decided_by.map(|decision| decision.scope);
    let deciding = pull.covering.iter().filter(|c| source == Some(&*c.entry.entry().source));
    let mut objects: Vec<_> = deciding.map(|covering| covering.entry.set.id().to_string()).collect();
    objects.sort();
    objects.dedup();
    let (hidden, covering): (Vec<_>, Vec<_>) =
        pull.covering.iter().partition(|covering| covering.part == Part::Hidden);
    NodeJson {
        source,
        objects,
        tries: attempts.iter().map(|attempt| &*attempt.reference).collect(),
        blocked: !pull.blockers.is_empty(),
        error: pull.attempts.as_ref().err().map(ToString::to_string),
        attempts: attempts.iter().map(attempt).collect(),
        entries: covering.into_iter().map(|covering| entry(covering, places)).collect(),
        hidden: hidden.into_iter().map(|covering| entry(covering, places)).collect(),
        mirrors_from: pull.decided_by.and_then(|decision| decision.mirrors_from),
        blocked_by: pull.blockers.iter().map(blocker).collect(),
        refused: pull.refusal.map(|refusal| match refusal {
            PolicyRefusal::Blocked(scope) => format!("blockedRegistries has {scope}"),
            PolicyRefusal::OnlyPayload(scope) => {
                format!("blockedRegistries has only {scope}, the payload's repository, which leaves nothing else allowed")
            }
            PolicyRefusal::NotAllowed => "allowedRegistries has nothing that covers it".to_owned(),
        }),
    }
}

fn attempt<'a>(attempt: &'a Attempt<'a>) -> AttemptJson<'a> {
    let Attempt { reference, is_source, insecure, blocked_by } = attempt;
    AttemptJson { reference, is_source: *is_source, insecure: *insecure, blocked_by: *blocked_by }
}

fn entry<'a>(covering: &Covering<'a>, places: &Places<'a>) -> EntryJson<'a> {
    let place = place_of(places, covering.entry);
    let part = match covering.part {
        Part::Tried => "asked",
        Part::OtherPulls(pull) => pull.pull_from_mirror(),
        Part::WithoutMirror => "without-mirror",
        Part::Hidden => "hidden",
    };
    EntryJson {
        object: object(covering.entry),
        path: path_of(covering.entry),
        source: &covering.entry.entry().source,
        part,
        file: place.map(|(file, _)| file),
        line: place.map(|(_, line)| line),
    }
}

fn object(entry: EntryRef<'_>) -> ObjectJson<'_> {
    ObjectJson { kind: entry.set.kind.name(), name: &entry.set.name }
}

fn blocker<'a>(blocker: &Blocker<'a>) -> BlockerJson<'a> {
    match blocker {
        Blocker::Entry(entry) => BlockerJson::Entry { object: object(*entry), path: path_of(*entry) },
        Blocker::ImageConfig(scope) => BlockerJson::ImageConfig { scope },
    }
}

/// The release lookups of earlier and of later releases as one, with what each of them tries.
fn release_lookup<'a>(
    earlier: &'a ExplainedLookup<'a>,
    later: &'a ExplainedLookup<'a>,
) -> ReleaseLookupJson<'a> {
    let mut candidates = later.candidates.clone();
    for candidate in &earlier.candidates {
        if !candidates.contains(candidate) {
            candidates.push(candidate.clone());
        }
    }
    let releases = [earlier, later].into_iter().filter_map(lookup_of_releases).collect();
    ReleaseLookupJson { lookup: LookupJson { candidates: candidates.into(), ..lookup(later) }, releases }
}

fn lookup_of_releases<'a>(lookup: &'a ExplainedLookup<'a>) -> Option<LookupOfReleasesJson<'a>> {
    let LookupKind::Release(era) = lookup.kind else { return None };
    let tries_image = lookup.kind.ends_with_image() || lookup.candidates.is_empty();
    Some(LookupOfReleasesJson {
        releases: era.span().to_string(),
        candidates: &lookup.candidates,
        tries_image,
    })
}

fn lookup<'a>(lookup: &'a ExplainedLookup<'a>) -> LookupJson<'a> {
    LookupJson {
        candidates: lookup.candidates.as_slice().into(),
        errors: &lookup.errors,
        crashes_on: &lookup.crashes_on,
        sources: lookup.sources.iter().map(source).collect(),
        only_nodes_redirect: lookup.only_nodes_redirect,
    }
}

fn source<'a>(reading: &'a MatchingSource<'a>) -> SourceJson<'a> {
    let mut objects: Vec<_> = reading.entries.iter().map(|entry| entry.set.id().to_string()).collect();
    // The entries are in the order of their sets, so those of one set are next to each other.
    objects.dedup();
    SourceJson {
        source: reading.source,
        objects,
        candidates: reading.candidates.iter().map(candidate).collect(),
        later_order: reading.later_order.as_deref(),
    }
}

fn candidate(candidate: &Candidate) -> CandidateJson<'_> {
    let differs = candidate.differs.map(|difference| match difference {
        Divergence::Elsewhere => "elsewhere",
        Divergence::WithoutTag => "without-tag",
    });
    CandidateJson { reference: &candidate.reference, differs }
}
