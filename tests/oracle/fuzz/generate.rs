//! Random clusters. Few names, so that they meet: the same source in several sets, sources below each other, mirrors
//! that are sources of other entries, scopes above and below both.

use mirrorguard_core::objects::{Entry, MirrorSourcePolicy, SetKind};

use super::{
    cluster::{Cluster, Set},
    images::{DIGEST, image, payload},
    random::Random,
};

/// Registries of every form that is valid in a mirror set: with and without dots and ports, addresses, upper case.
pub(crate) const HOSTS: [&str; 19] = [
    "quay.io",
    "registry.redhat.io",
    "docker.io",
    "index.docker.io",
    "localhost",
    "localhost:5000",
    "m3",
    "m3:5000",
    "mirror.lab",
    "mirror.lab:8443",
    "a.mirror.lab",
    "b.a.mirror.lab:8443",
    "mirror.lab.lab:8443",
    "10.0.0.1",
    "10.0.0.1:5000",
    "Quay.IO",
    "REG.lab:443",
    "x-y.example.com",
    "example.com",
];

const ELEMENTS: [&str; 10] =
    ["a", "b", "library", "redhat", "openshift-release-dev", "ocp-release", "quay.io", "a__b", "c-d.e", "0"];

/// Scopes that only an image configuration can have: it has no format.
const ODD_SCOPES: [&str; 9] = [
    "[fd00::1]:5000",
    "[fd00::1]",
    "fd00::1",
    "quay.io/A",
    "quay.io/a@sha256:01",
    "docker.io/library/nginx:1",
    "https://quay.io",
    "http://mirror.lab:8443/a",
    "/",
];

/// Search registries that are more than a host, or none.
const ODD_SEARCH_REGISTRIES: [&str; 6] =
    ["quay.io/a", "https://quay.io", "quay.io/", "[fd00::1]:5000", "a_b.c", "*.lab"];

/// How many images are pulled in each cluster.
const IMAGES: usize = 12;

/// The cluster with this index among those of a seed.
pub(crate) fn generate(seed: u64, index: u64) -> Cluster {
    let random = &mut Random::new(seed, index);
    let pool = pool(random);
    let sets = (0..=random.below(4)).map(|number| set(random, &pool, number)).collect();
    let mut cluster = Cluster {
        sets,
        insecure_registries: scopes(random, &pool),
        blocked_registries: scopes(random, &pool),
        allowed_registries: Vec::new(),
        search_registries: search_registries(random),
        images: Vec::new(),
        payload: String::new(),
        signed: Vec::new(),
    };
    let names = names(&cluster, &pool);
    cluster.payload = payload(random, &names, &digest_sources(&cluster));
    // The API accepts only one of the lists; files can have both.
    if cluster.blocked_registries.is_empty() || random.chance(15) {
        cluster.allowed_registries = scopes(random, &pool);
    }
    for _ in 0..*random.pick(&[0, 0, 0, 1, 1, 2]) {
        let scope = near_payload(random, &cluster.payload);
        let at = random.below(cluster.blocked_registries.len() + 1);
        cluster.blocked_registries.insert(at, scope);
    }
    if !cluster.allowed_registries.is_empty() && random.chance(40) {
        cluster.allowed_registries.push(near_payload(random, &cluster.payload));
    }
    let names: Vec<String> = names.into_iter().chain(image_names(&cluster)).collect();
    cluster.images = (0..IMAGES).map(|_| image(random, &names)).collect();
    cluster
}

/// The sources of the sets that can give a payload a mirror.
fn digest_sources(cluster: &Cluster) -> Vec<String> {
    let sets = cluster.sets.iter().filter(|set| set.kind != SetKind::Itms.name());
    sets.flat_map(|set| &set.entries).map(|entry| entry.source.to_string()).collect()
}

/// The repositories, namespaces and registries that a cluster is about.
fn pool(random: &mut Random) -> Vec<String> {
    let hosts: Vec<&str> = (0..2 + random.below(3)).map(|_| *random.pick(&HOSTS)).collect();
    let length = 4 + random.below(5);
    (0..length)
        .map(|_| {
            let host = *random.pick(&hosts);
            let depth = random.below(4);
            (0..depth).fold(host.to_owned(), |scope, _| below(random, &scope))
        })
        .collect()
}

/// Every name of a cluster: images are made of them.
fn names(cluster: &Cluster, pool: &[String]) -> Vec<String> {
    let mut names = pool.to_vec();
    for entry in cluster.sets.iter().flat_map(|set| &set.entries) {
        names.push(entry.source.to_string());
        names.extend(entry.mirrors.iter().map(ToString::to_string));
    }
    names.extend(cluster.scopes().map(|scope| repository_of(scope).to_owned()));
    names
}

/// The names that images are also made of: the allowed registries and the repository of the payload.
fn image_names(cluster: &Cluster) -> Vec<String> {
    let texts = cluster.allowed_registries.iter().chain([&cluster.payload]);
    texts.map(|text| repository_of(text).to_owned()).collect()
}

/// An image or a scope without its tag and digest.
fn repository_of(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    match name.rsplit_once(':') {
        Some((repository, tag)) if repository.contains('/') && !tag.contains('/') => repository,
        _ => name,
    }
}

/// The repository of the payload, what is above it, a wildcard over it, or a part of it.
fn near_payload(random: &mut Random, payload: &str) -> String {
    let repository = repository_of(payload);
    match random.below(10) {
        0..3 => repository.to_owned(),
        3 | 4 => above(repository),
        5 => above(&above(repository)),
        6 => format!("{repository}{}", random.pick(&[":v1", "@", "/b"])).replace('@', &format!("@{DIGEST}")),
        7 => below(random, repository),
        8 => format!("*.{}", host_of(repository).rsplit('.').next().unwrap_or_default()),
        _ => wildcard(random, repository),
    }
}

/// Search registries: hosts, and rarely what nodes reject.
fn search_registries(random: &mut Random) -> Vec<String> {
    let count = *random.pick(&[0, 0, 0, 1, 2, 3]);
    let registry = |random: &mut Random| match random.below(30) {
        0 => (*random.pick(&ODD_SEARCH_REGISTRIES)).to_owned(),
        _ => (*random.pick(&HOSTS)).to_owned(),
    };
    (0..count).map(|_| registry(random)).collect()
}

fn set(random: &mut Random, pool: &[String], number: usize) -> Set {
    let kind = *random.pick(&SetKind::ALL);
    let entries = (0..random.below(5)).map(|_| entry(random, pool, kind)).collect();
    // The names are not in the order of the sets.
    let name = format!("{}{number}", random.pick(&["a", "b", "c"]));
    Set { kind: kind.name().to_owned(), name, entries }
}

fn entry(random: &mut Random, pool: &[String], kind: SetKind) -> Entry {
    let source = source(random, pool);
    let count = *random.pick(&[0, 1, 1, 1, 2, 2, 3, 4]);
    let mut mirrors: Vec<String> = Vec::new();
    for _ in 0..count {
        let repeated = (!mirrors.is_empty() && random.chance(8)).then(|| random.pick(&mirrors).clone());
        mirrors.push(repeated.unwrap_or_else(|| mirror(random, pool, &source)));
    }
    Entry {
        source: source.into(),
        mirrors: mirrors.into_iter().map(Box::from).collect(),
        mirror_source_policy: policy(random, kind),
    }
}

fn policy(random: &mut Random, kind: SetKind) -> Option<MirrorSourcePolicy> {
    match random.below(10) {
        _ if kind == SetKind::Icsp => None,
        0..6 => None,
        6 | 7 => Some(MirrorSourcePolicy::AllowContactingSource),
        _ => Some(MirrorSourcePolicy::NeverContactSource),
    }
}

fn source(random: &mut Random, pool: &[String]) -> String {
    let known = random.pick(pool).clone();
    match random.below(10) {
        0 => wildcard(random, &known),
        1 | 2 => below(random, &known),
        3 => above(&known),
        _ => known,
    }
}

/// A mirror; never a wildcard, which the format does not allow.
fn mirror(random: &mut Random, pool: &[String], source: &str) -> String {
    let path = source.split_once('/').map(|(_, path)| path);
    let host = *random.pick(&HOSTS);
    match (random.below(10), path) {
        (0, _) if !source.starts_with("*.") => source.to_owned(),
        (1, _) => host.to_owned(),
        (2 | 3, _) => random.pick(pool).clone(),
        (4, _) => {
            let known = random.pick(pool).clone();
            below(random, &known)
        }
        (5 | 6, Some(path)) => format!("{host}/{path}"),
        _ => below(random, host),
    }
}

/// Scopes of an image configuration, of any form.
fn scopes(random: &mut Random, pool: &[String]) -> Vec<String> {
    let mut scopes: Vec<String> = Vec::new();
    for _ in 0..*random.pick(&[0, 0, 0, 1, 1, 2, 3]) {
        let known = random.pick(pool).clone();
        let scope = match random.below(12) {
            0 => wildcard(random, &known),
            1 | 2 => below(random, &known),
            3 => above(&known),
            4 => with_other_port(&known),
            5 => (*random.pick(&HOSTS)).to_owned(),
            6 if random.chance(30) => (*random.pick(&ODD_SCOPES)).to_owned(),
            7 if !scopes.is_empty() => random.pick(&scopes).clone(),
            8 if random.chance(30) => format!("{known}:v1"),
            8 if random.chance(30) => format!("{known}@{DIGEST}"),
            9 if random.chance(30) => format!("{known}/"),
            _ => known,
        };
        scopes.push(scope);
    }
    scopes
}

fn below(random: &mut Random, scope: &str) -> String {
    // Nothing is below a wildcard but hosts.
    format!("{}/{}", scope.trim_start_matches("*."), random.pick(&ELEMENTS))
}

fn above(scope: &str) -> String {
    scope.rsplit_once('/').map_or(scope, |(parent, _)| parent).to_owned()
}

/// A wildcard over the host of a scope, and sometimes over those next to it.
fn wildcard(random: &mut Random, scope: &str) -> String {
    let host = host_of(scope);
    let parent = host.split_once('.').map_or(host, |(_, parent)| parent);
    format!("*.{}", if random.chance(70) { parent } else { host })
}

/// A host without its port.
fn host_of(scope: &str) -> &str {
    scope.split(['/', ':']).next().unwrap_or(scope)
}

fn with_other_port(scope: &str) -> String {
    let (host, path) = scope.split_at(scope.find('/').unwrap_or(scope.len()));
    match host.split_once(':') {
        Some((bare, _)) => format!("{bare}{path}"),
        None => format!("{host}:5000{path}"),
    }
}

#[cfg(test)]
mod tests {
    use mirrorguard_core::objects::grammar::{is_valid_mirror, is_valid_registry_scope, is_valid_source};

    use super::*;

    #[test]
    fn every_value_is_valid_where_it_is() {
        for index in 0..2000 {
            let cluster = generate(7, index);
            for entry in cluster.sets.iter().flat_map(|set| &set.entries) {
                assert!(is_valid_source(&entry.source), "cluster {index}: source {}", entry.source);
                for mirror in &entry.mirrors {
                    assert!(is_valid_mirror(mirror), "cluster {index}: mirror {mirror}");
                }
            }
            for scope in cluster.scopes() {
                assert!(is_valid_registry_scope(scope), "cluster {index}: scope {scope}");
            }
        }
    }

    #[test]
    fn a_seed_makes_the_same_clusters() {
        assert_eq!(generate(7, 3), generate(7, 3));
        assert_ne!(generate(7, 3), generate(7, 4), "another cluster");
        assert_ne!(generate(7, 3), generate(8, 3), "another seed");
    }
}
