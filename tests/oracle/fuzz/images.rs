//! Random images to pull.

use super::random::Random;

const DIGEST: &str = "sha256:0123456789012345678901234567890123456789012345678901234567890123";

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
