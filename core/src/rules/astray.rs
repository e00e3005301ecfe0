//! Where HyperShift looks for an image, if that is not where the nodes look for it.

use super::{SetWrite, Settings, subject::releases_of};
use crate::{
    hypershift::{Era, Redirect, Releases, redirect},
    node::rewrite,
    objects::{HostedCluster, reference::DockerReference},
};

/// One era in which one mirror does not serve HyperShift as it serves the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Astray {
    pub(super) era: Era,
    /// Index of the mirror in the list of mirrors that [`astray`] was given.
    pub(super) mirror: usize,
    /// Where HyperShift looks for the image.
    pub(super) look: Redirect,
}

/// For each era, the first of a source's mirrors that HyperShift resolves to another place than the nodes do. The
/// source has to cover the repository. A mirror that is the source itself redirects nothing, and is left out.
pub(super) fn astray<M: AsRef<str>>(
    eras: &[Era],
    repository: &str,
    source: &str,
    mirrors: &[M],
) -> Vec<Astray> {
    let Ok(reference) = DockerReference::parse(repository) else { return Vec::new() };
    let mut found = Vec::new();
    for &era in eras {
        for (at, mirror) in mirrors.iter().map(AsRef::as_ref).enumerate() {
            let look = redirect(era, &reference, source, mirror);
            if mirror != source && look != Redirect::To(rewrite(repository, source, mirror)) {
                found.push(Astray { era, mirror: at, look });
                break;
            }
        }
    }
    found
}

/// Where each era looks, as a clause. There are two eras, and `astray` has each at most once, in order.
pub(super) fn describe_lookups(astray: &[Astray]) -> String {
    match astray {
        // The same in both eras is the same in every release, so none is named.
        [first, second] if first.look == second.look => format!("HyperShift {}", describe(&first.look)),
        [first, second] => format!(
            "{}, HyperShift {}, and {} it {}",
            first.era.span(),
            describe(&first.look),
            second.era.span(),
            describe(&second.look)
        ),
        [only, ..] => format!("{}, HyperShift {}", only.era.span(), describe(&only.look)),
        [] => String::new(),
    }
}

fn describe(look: &Redirect) -> String {
    match look {
        Redirect::None => "does not use the mirror".to_owned(),
        Redirect::To(place) => format!("looks for the image in {place}"),
    }
}

/// The eras in use: those of the configured releases, to which hosted clusters add their own. If no release is
/// configured, all are.
pub(super) fn eras_in_use(write: &SetWrite<'_>) -> Vec<Era> {
    let hosted = write.cluster.after.hosted_clusters();
    let added = hosted.flat_map(|hosted| eras_of(hosted, write.settings));
    in_order(&Era::of(&write.settings.releases).into_iter().chain(added).collect::<Vec<_>>())
}

/// The eras in their order, each once.
pub(super) fn in_order(eras: &[Era]) -> Vec<Era> {
    let mut all = Era::of(&Releases::default());
    all.retain(|era| eras.contains(era));
    all
}

/// The eras that a HostedCluster may be in.
pub(super) fn eras_of(hosted: &HostedCluster, settings: &Settings) -> Vec<Era> {
    Era::of(&releases_of(hosted, settings))
}

/// The HostedClusters of the cluster that are in one of the eras.
pub(super) fn hosted_in<'a>(write: &SetWrite<'a>, eras: &[Era]) -> Vec<&'a HostedCluster> {
    let hosted = write.cluster.after.hosted_clusters();
    hosted.filter(|hosted| eras_of(hosted, write.settings).iter().any(|era| eras.contains(era))).collect()
}

#[cfg(test)]
mod tests {
    use Era::{Exact, Prefix};

    use super::*;

    fn at(era: Era, place: &str) -> Astray {
        let look = if place.is_empty() { Redirect::None } else { Redirect::To(place.to_owned()) };
        Astray { era, mirror: 0, look }
    }

    /// The sentences are written down here. The tests of the rules take them from `describe_lookups`.
    #[test]
    fn lookups_are_described_by_release() {
        let table = [
            (vec![at(Exact, "")], "up to 4.16, HyperShift does not use the mirror"),
            (vec![at(Prefix, "m/a")], "from 4.17 on, HyperShift looks for the image in m/a"),
            (vec![at(Exact, ""), at(Prefix, "")], "HyperShift does not use the mirror"),
            (
                vec![at(Exact, ""), at(Prefix, "m/a")],
                "up to 4.16, HyperShift does not use the mirror, and from 4.17 on it looks for the image in m/a",
            ),
            (Vec::new(), ""),
        ];
        for (astray, expected) in table {
            assert_eq!(describe_lookups(&astray), expected);
        }
    }
}
