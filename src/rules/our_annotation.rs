//! Annotations that look like ours and mean nothing.

use super::finding::{Finding, list_names};
use crate::objects::{HostedCluster, annotation};

const EFFECT: &str = "it has no effect";

/// The annotations `mirrorguard.io/…` of a HostedCluster that do not exist, or have a value without meaning.
pub(crate) fn meaningless(hosted: &HostedCluster) -> impl Iterator<Item = Finding> {
    let ours = |(name, _): &(&String, &String)| name.starts_with(annotation::OUR_PREFIX);
    hosted.metadata.annotations.iter().filter(ours).filter_map(|(name, value)| judge(name, value))
}

fn judge(name: &str, value: &str) -> Option<Finding> {
    let (what, fix) = if !annotation::OURS.contains(&name) {
        (format!("there is no annotation {name}"), advice(name))
    } else if name == annotation::OPT_OUT && value != "disabled" {
        let what = format!("the value \"{value}\" of {name} means nothing");
        (what, "write \"disabled\", or remove it".to_owned())
    } else {
        return None;
    };
    Some(Finding::new(format!("metadata.annotations[{name}]"), what, EFFECT, fix))
}

/// What was probably meant.
fn advice(name: &str) -> String {
    // All share their beginning, which alone would make them alike.
    let own = |name: &'_ str| name.trim_start_matches(annotation::OUR_PREFIX).to_owned();
    let likeness = |known: &&&str| strsim::jaro_winkler(&own(known), &own(name));
    let close = annotation::OURS.iter().map(|known| (likeness(&known), known));
    let best = close.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness > 0.8);
    best.map_or_else(
        || {
            let known: Vec<_> = annotation::OURS.iter().map(|known| (*known).to_owned()).collect();
            format!("remove it; these exist: {}", list_names(&known, 0))
        },
        |(_, known)| format!("did you mean {known}?"),
    )
}
