//! Where HyperShift asks for an image, where that is not where the nodes go.

use super::{SetWrite, Settings, subject::releases_of};
use crate::{
    hypershift::{Era, Redirect, redirect},
    node::rewrite,
    objects::{HostedCluster, reference::DockerReference},
};

/// One era in which one mirror does not serve HyperShift as it serves the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Astray {
    pub(super) era: Era,
    /// Index of the mirror.
    pub(super) mirror: usize,
    /// Where HyperShift asks.
    pub(super) look: Redirect,
}

/// For each era, the first of a source's mirrors that HyperShift turns into another place than the nodes do.
pub(super) fn astray<M: AsRef<str>>(
    eras: &[Era],
    repository: &str,
    source: &str,
    mirrors: &[M],
) -> Vec<Astray> {
    let Ok(reference) = DockerReference::parse(repository) else { return Vec::new() };
    let first = |era: &Era| {
        mirrors.iter().enumerate().filter(|(_, mirror)| mirror.as_ref() != source).find_map(|(at, mirror)| {
            let look = redirect(*era, &reference, source, mirror.as_ref());
            let of_nodes = rewrite(repository, source, mirror.as_ref());
            (look != Redirect::To(of_nodes)).then_some(Astray { era: *era, mirror: at, look })
        })
    };
    eras.iter().filter_map(first).collect()
}

/// Where each era asks, in a few words: the first era is the one up to 4.16.
pub(super) fn told(astray: &[Astray]) -> String {
    let place = |look: &Redirect| match look {
        Redirect::None => "the original".to_owned(),
        Redirect::To(place) => place.clone(),
    };
    match astray {
        [first, second] if first.look == second.look => format!("it asks {}", place(&first.look)),
        [first, second] => {
            format!("up to 4.16 it asks {}, later {}", place(&first.look), place(&second.look))
        }
        [one] if one.era == Era::Exact => format!("up to 4.16 it asks {}", place(&one.look)),
        [one, ..] => format!("from 4.17 on it asks {}", place(&one.look)),
        [] => String::new(),
    }
}

/// The eras that a HostedCluster may be in: its own release's, where its image's tag tells.
pub(super) fn eras_of(hosted: &HostedCluster, settings: &Settings) -> Vec<Era> {
    Era::of(&releases_of(hosted, settings))
}

/// The HostedClusters of the cluster that are in one of the eras.
pub(super) fn hosted_in<'a>(write: &SetWrite<'a>, eras: &[Era]) -> Vec<&'a HostedCluster> {
    let is_in =
        |hosted: &&HostedCluster| eras_of(hosted, write.settings).iter().any(|era| eras.contains(era));
    write.cluster.after.hosted_clusters().filter(is_in).collect()
}
