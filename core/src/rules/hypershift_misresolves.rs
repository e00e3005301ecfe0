//! An entry that HyperShift turns into another place than the nodes do.

use super::{
    Check, Finding, Level, Related, Rule, SetWrite,
    astray::{Astray, astray, eras_of, told},
    paste::{entry_yaml, list_yaml},
};
use crate::{
    hypershift::{Era, RELEASE_REPOSITORIES, Redirect, redirect},
    node::{Places, places},
    objects::{
        HostedCluster, MirrorSet, annotation,
        reference::{DockerReference, Image},
        scope::is_nested,
    },
};

pub(super) const RULE: Rule = Rule {
    id: "hypershift-misresolves",
    level: Level::Warn,
    summary: "an entry that HyperShift turns into another place than the nodes do",
    page: include_str!("hypershift_misresolves.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set().filter(|set| set.kind.is_digest()) else { return };
    let asked = asked(write);
    for (index, entry) in set.entries.iter().enumerate() {
        let mut concerned = asked.iter().filter(|asked| asked.may_match(&entry.source));
        let found = concerned.find_map(|asked| Some((asked, judge(write, set, index, asked)?)));
        let Some((asked, mut finding)) = found else { continue };
        finding.related.extend(asked.hosted.map(|hosted| Related::to_hosted(hosted, "spec.release.image")));
        findings.push(finding);
    }
}

/// A repository whose images HyperShift looks up by the rules of the metadata look-up.
struct Asked<'a> {
    name: String,
    /// Where the path begins, behind the host.
    path: usize,
    /// Whose it is; `None` for the repositories of every release.
    hosted: Option<&'a HostedCluster>,
    eras: Vec<Era>,
}

impl<'a> Asked<'a> {
    fn new(name: &str, hosted: Option<&'a HostedCluster>, eras: Vec<Era>) -> Self {
        let path = name.find('/').map_or(name.len(), |at| at + 1);
        Self { name: name.to_owned(), path, hosted, eras }
    }

    /// Whether a source could matter, found out without taking it apart.
    fn may_match(&self, source: &str) -> bool {
        let path = &self.name[self.path..];
        let namespace = path.split_once('/').map_or("", |(namespace, _)| namespace);
        let end = |part: &str| {
            let before = source.strip_suffix(part).filter(|_| !part.is_empty());
            before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        end(path) || end(namespace) || is_nested(&self.name, source)
    }
}

/// What HyperShift looks up: the release, its components, and what HostedClusters name beside them. Catalogs
/// are left out: the annotations that say where they are have rules of their own.
fn asked<'a>(write: &SetWrite<'a>) -> Vec<Asked<'a>> {
    let of_all = Era::of(&write.settings.releases);
    let mut asked: Vec<_> =
        RELEASE_REPOSITORIES.map(|repository| Asked::new(repository, None, of_all.clone())).into();
    for hosted in write.cluster.after.hosted_clusters() {
        let operator = hosted.annotation(annotation::CONTROL_PLANE_OPERATOR);
        for image in [Some(&*hosted.spec.release.image), operator].into_iter().flatten() {
            let Ok(image) = Image::parse(image) else { continue };
            if !asked.iter().any(|known| known.name == image.name()) {
                asked.push(Asked::new(image.name(), Some(hosted), eras_of(hosted, write.settings)));
            }
        }
    }
    asked
}

fn judge(write: &SetWrite<'_>, set: &MirrorSet, index: usize, asked: &Asked<'_>) -> Option<Finding> {
    let entry = &set.entries[index];
    let repository = &*asked.name;
    let nodes = places(write.cluster.after, repository, |found| found.set.kind.is_digest());
    if !is_nested(repository, &entry.source) {
        return taken_by_mistake(set, index, asked, nodes.as_ref());
    }
    let explicit = *entry.source == *repository;
    // Beside a nearer source a wider one is at worst asked in vain: from 4.17 on, where it can match, HyperShift
    // looks whether the image is there. Without one, it is root-level-source that speaks of the release.
    let nodes = nodes.filter(|nodes| nodes.source == &*entry.source)?;
    if !explicit && RELEASE_REPOSITORIES.contains(&repository) {
        return None;
    }
    let astray = astray(&asked.eras, repository, &entry.source, &entry.mirrors);
    let first = astray.first()?.mirror;
    Some(if explicit {
        one_element(set, index, first, &astray)
    } else {
        wider(set, index, &asked.name, &nodes, &astray)
    })
}

/// A repository with a mirror of fewer than two path elements.
fn one_element(set: &MirrorSet, index: usize, at: usize, astray: &[Astray]) -> Finding {
    let entry = &set.entries[index];
    let mirror = &*entry.mirrors[at];
    let path = entry.source.split_once('/').map_or(&*entry.source, |(_, path)| path);
    let last = path.rsplit('/').next().unwrap_or_default();
    let right = format!("{mirror}/{}", if mirror.contains('/') { last } else { path });
    Finding {
        key: format!("{} {mirror}", entry.source),
        ..Finding::new(
            set.field_path(index, &format!("mirrors[{at}]")),
            format!("HyperShift cannot use \"{mirror}\", which has fewer than two path elements"),
            &told(astray),
            format!("copy the images to a place such as {right}"),
        )
    }
}

/// A wider source that alone leads the nodes to images of a HostedCluster.
fn wider(set: &MirrorSet, index: usize, repository: &str, nodes: &Places<'_>, astray: &[Astray]) -> Finding {
    let source = nodes.source;
    let yaml = entry_yaml(repository, &nodes.places);
    Finding {
        key: format!("{source} {repository}"),
        yaml: Some(list_yaml(set.kind.list_field(), std::slice::from_ref(&yaml))),
        ..Finding::new(
            set.field_path(index, "source"),
            format!("\"{source}\" leads nodes, but not HyperShift, to {repository}"),
            &told(astray),
            format!("add {yaml}"),
        )
    }
}

/// A source on another host that HyperShift takes for the repository's, since it compares no hosts.
fn taken_by_mistake(
    set: &MirrorSet,
    index: usize,
    asked: &Asked<'_>,
    nodes: Option<&Places<'_>>,
) -> Option<Finding> {
    let entry = &set.entries[index];
    let reference = DockerReference::parse(&asked.name).ok()?;
    let is_right =
        |place: &String| *place == asked.name || nodes.is_some_and(|nodes| nodes.places.contains(place));
    let wrong = |era: &Era| {
        let looks = entry.mirrors.iter().enumerate();
        let mut places = looks.map(|(at, mirror)| (at, redirect(*era, &reference, &entry.source, mirror)));
        places.find_map(|(mirror, look)| match &look {
            Redirect::To(place) if !is_right(place) => Some(Astray { era: *era, mirror, look }),
            Redirect::To(_) | Redirect::None => None,
        })
    };
    let astray: Vec<_> = asked.eras.iter().filter_map(wrong).collect();
    let first = astray.first()?;
    Some(Finding {
        // From 4.17 on it goes on to the next place where the image is not there.
        at_most: if first.era == Era::Exact { Level::Deny } else { Level::Warn },
        key: format!("{} {}", entry.source, asked.name),
        ..Finding::new(
            set.field_path(index, "source"),
            format!("HyperShift compares no hosts, and takes \"{}\" for {}", entry.source, asked.name),
            &told(&astray),
            "give both the same mirror, or keep this one off clusters that host control planes".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{Object, SetKind::Idms},
        rules::testing::{for_releases, found_in, hosted, set},
    };

    const EXPLICIT: (&str, &[&str]) = (RELEASE_REPOSITORIES[0], &["m.lab/a/ocp-release"]);

    /// What is found in an IDMS as it stands, next to the HostedClusters.
    fn found(entries: &[(&str, &[&str])], releases: &str, hosted: Option<Object>) -> Vec<String> {
        let found = found_in(RULE.id, &set(Idms, "own", entries), hosted, &for_releases(releases));
        found.into_iter().map(|finding| format!("{}: {}", finding.path, finding.effect)).collect()
    }

    #[test]
    fn an_entry_is_judged_by_the_images_that_hypershift_asks_for() {
        type Case<'a> = (&'a str, &'a [&'a str], &'a str, Option<String>, &'a str);
        const RELEASE: &str = RELEASE_REPOSITORIES[0];
        let source = "spec.imageDigestMirrors[0].source: ";
        let mirror = "spec.imageDigestMirrors[0].mirrors[0]: ";
        let later = format!("{mirror}from 4.17 on it asks the original");
        let table: [Case<'_>; 13] = [
            (RELEASE, &["m.lab:8443/a/ocp-release"], "", None, "two path elements"),
            (RELEASE, &["m.lab:8443/release"], "", Some(later.clone()), "one path element"),
            (RELEASE, &["m.lab:8443/release"], "4.16", None, "up to 4.16 one is enough"),
            (RELEASE, &["m.lab:8443/release"], "4.16 4.18", Some(later), "in one of the releases it is not"),
            (
                RELEASE,
                &["m.lab:8443"],
                "",
                Some(format!("{mirror}it asks the original")),
                "a host with a port is read as a name with a tag",
            ),
            (RELEASE, &[RELEASE], "", None, "the repository itself leads nowhere else"),
            ("quay.io/openshift-release-dev", &["m.lab/a/b"], "", None, "root-level-source speaks of it"),
            ("quay.io/other", &["m.lab/x"], "", None, "nothing that HyperShift asks for"),
            ("quay.io/other/ocp-release", &["m.lab/x"], "", None, "the namespace is compared"),
            (
                "ci.lab/openshift-release-dev/ocp-release",
                &["m.lab/ci/release"],
                "4.16",
                Some(format!("{source}up to 4.16 it asks m.lab/ci/release")),
                "hosts are not compared",
            ),
            (
                "ci.lab/openshift-release-dev",
                &["m.lab/ci"],
                "",
                Some(format!("{source}from 4.17 on it asks m.lab/ci/ocp-release")),
                "nor for namespaces, from 4.17 on",
            ),
            (
                "ci.lab/openshift-release-dev/ocp-release",
                &["m.lab/a/ocp-release"],
                "",
                None,
                "the same place",
            ),
            ("localhost/a/openshift-release-dev", &["m.lab/ci"], "", None, "a longer path"),
        ];
        for (from, mirrors, releases, expected, reason) in table {
            let explicit = if from.starts_with("quay.io/openshift") { None } else { Some(EXPLICIT) };
            let entries: Vec<_> = [(from, mirrors)].into_iter().chain(explicit).collect();
            assert_eq!(found(&entries, releases, None), Vec::from_iter(expected), "{reason}");
        }
    }

    #[test]
    fn what_hosted_clusters_name_is_asked_for_too() {
        type Case<'a> = (&'a str, &'a [&'a str], [&'a str; 2], Option<&'a str>, &'a str);
        let custom = "ci.lab:5000/ocp/release:4.18.1";
        let operator = "hypershift.openshift.io/control-plane-operator-image: ci.lab:5000/dev/cpo:1";
        let source = "spec.imageDigestMirrors[0].source: ";
        let table: [Case<'_>; 6] = [
            ("ci.lab:5000", &["m.lab/ci"], ["", ""], None, "nobody asks for it"),
            (
                "ci.lab:5000",
                &["m.lab/ci"],
                [custom, ""],
                Some("from 4.17 on it asks the original"),
                "a root with a port never matches",
            ),
            ("ci.lab:5000/ocp", &["m.lab/ocp"], [custom, ""], None, "from 4.17 on a namespace does"),
            (
                "ci.lab:5000/ocp",
                &["m.lab/x/ocp"],
                [custom, ""],
                Some("from 4.17 on it asks m.lab/ocp/release"),
                "but only the last element of its mirror is kept",
            ),
            ("*.lab:5000", &["m.lab/ci"], ["", operator], None, "a port hides a host from a wildcard"),
            (
                "ci.lab:5000/dev",
                &["m.lab/dev"],
                ["", operator],
                Some("up to 4.16 it asks the original"),
                "the operator's image of an annotation",
            ),
        ];
        for (from, mirrors, [image, annotation], expected, reason) in table {
            let expected = expected.map(|effect| format!("{source}{effect}"));
            let hosted = Some(hosted("h", image, annotation));
            assert_eq!(found(&[(from, mirrors), EXPLICIT], "", hosted), Vec::from_iter(expected), "{reason}");
        }
    }
}
