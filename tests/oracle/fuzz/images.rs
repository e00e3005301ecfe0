//! Random images to pull.

use super::random::Random;

/// A digest of an image.
pub(crate) const DIGEST: &str = "sha256:0123456789012345678901234567890123456789012345678901234567890123";

/// Images that are not made of the names of a cluster: short, at Docker Hub, and some that cannot be read.
const OTHERS: [&str; 20] = [
    "nginx",
    "nginx:1.27",
    "library/nginx:1",
    "team/app:v1",
    "docker.io/nginx",
    "docker.io/library/nginx:1",
    "index.docker.io/nginx:1",
    "index.docker.io/library/nginx:1",
    "localhost/x:1",
    "m3/x:1",
    "M3/x:1",
    "a_b.c/x:1",
    "[fd00::1]:5000/a/b:1",
    "fd00::1/a/b:1",
    "10.0.0.1:5000/a:1",
    "https://quay.io/a/b:1",
    "quay.io/A/b:1",
    "quay.io/a/b:",
    "quay.io/a/b@sha256:01",
    "0123456789012345678901234567890123456789012345678901234567890123",
];

/// A payload that no other name of a cluster covers.
pub(crate) fn plain_payload() -> String {
    format!("release.test/p@{DIGEST}")
}

/// A release image: like most by digest, and often below a source that may give it a mirror.
pub(crate) fn payload(random: &mut Random, names: &[String], sources: &[String]) -> String {
    let sources = if sources.is_empty() { names } else { sources };
    match random.below(20) {
        0..4 => plain_payload(),
        4..7 => format!("quay.io/openshift-release-dev/ocp-release@{DIGEST}"),
        7 if random.chance(50) => (*random.pick(&OTHERS)).to_owned(),
        7 => format!("{}:v1", repository(random, names)),
        8 => format!("{}:v1@{DIGEST}", repository(random, names)),
        9..13 => format!("{}@{DIGEST}", repository(random, names)),
        13..16 => format!("{}@{DIGEST}", with_path(random.pick::<String>(sources))),
        _ => format!("{}@{DIGEST}", repository(random, sources)),
    }
}

/// A repository that is the name itself, if that is one.
fn with_path(name: &str) -> String {
    let name = name.trim_start_matches("*.");
    if name.contains('/') { name.to_owned() } else { format!("{name}/b") }
}

/// An image below one of the names, or any other.
pub(crate) fn image(random: &mut Random, names: &[String]) -> String {
    if random.chance(15) {
        return (*random.pick(&OTHERS)).to_owned();
    }
    let repository = repository(random, names);
    match random.below(8) {
        0 => repository,
        1 => format!("{repository}:v1@{DIGEST}"),
        2..5 => format!("{repository}@{DIGEST}"),
        _ => format!("{repository}:v1"),
    }
}

/// A repository at or below a name; of a wildcard one of the hosts.
fn repository(random: &mut Random, names: &[String]) -> String {
    let name = random.pick(names);
    let mut repository = match name.strip_prefix('*') {
        Some(domain) => format!("{}{domain}", random.pick(&["h", "h.i", "Ha"])),
        None => name.clone(),
    };
    if name.starts_with('*') && random.chance(30) {
        repository.push_str(":5000");
    }
    let has_path = repository.contains('/');
    if !has_path || random.chance(50) {
        repository.push_str("/b");
    }
    if random.chance(30) {
        repository.push_str(random.pick::<&str>(&["/c", "-c", "/quay.io/a", "x/c"]));
    }
    repository
}
