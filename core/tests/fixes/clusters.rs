//! Random clusters in YAML, the same for the same seed.

use std::{collections::BTreeSet, fmt::Write as _};

use mirrorguard_core::rules::{Level, Settings};

/// Every rule is on that needs no other configuration.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.levels.insert("contacting-source".to_owned(), Level::Warn);
    settings
}

const SOURCES: [&str; 20] = [
    "quay.io",
    "quay.io/openshift-release-dev",
    "quay.io/openshift-release-dev/ocp-release",
    "quay.io/openshift-release-dev/ocp-v4.0-art-dev",
    "registry.redhat.io",
    "registry.redhat.io/redhat",
    "registry.redhat.io/redhat/redhat-operator-index",
    "registry.redhat.io/redhat/community-operator-index",
    "registry.redhat.io/ubi9",
    "*.redhat.io",
    "*.io",
    "docker.io",
    "docker.io/library",
    "r.lab:5000",
    "r.lab:5000/a",
    "r.lab:5000/a/b",
    "a.example/x",
    "a.example/x/y",
    "a.example/x/y/z",
    "m.lab/o",
];

/// Valid for an API server, and of no use to nodes.
const SOURCES_WITHOUT_REGISTRY: [&str; 4] =
    ["redhat/ubi9", "registry", "openshift-release-dev/ocp-release", "m3/x"];

/// Mirrors with which every pull of their source fails.
const MIRRORS_WITHOUT_REGISTRY: [&str; 3] = ["m3", "m3/x", "mirror/openshift-release-dev/ocp-release"];

/// The number of mirrors at the end of [`MIRRORS`] that are invalid.
const INVALID_MIRRORS: usize = 2;

const MIRRORS: [&str; 16] = [
    "m.lab",
    "m.lab/o",
    "m.lab/o/p",
    "m.lab:8443/quay.io",
    "m.lab:8443/openshift-release-dev/ocp-release",
    "m.lab/redhat",
    "m.lab/redhat/redhat-operator-index",
    "n.lab/redhat",
    "n.lab",
    "n.lab/a",
    "n.lab/b",
    "quay.io",
    "r.lab:5000/a",
    "a.example/x",
    "https://m.lab/s",
    "m.lab/t/",
];

/// A generator of numbers: `xorshift64*`.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap_or_default() % limit
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// One to five mirror sets, and sometimes an image configuration and HostedClusters.
pub(crate) fn random(seed: u64) -> String {
    // At zero, the generator would stay there.
    let mut numbers = Numbers((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut text = String::new();
    // Most clusters have no invalid values and few conflicts of policies, so that they render: `is_strict` gives every
    // entry NeverContactSource that can have it.
    let is_valid = !numbers.one_in(6);
    let values = Values { is_valid, is_strict: numbers.one_in(3), is_named: !numbers.one_in(4) };
    for at in 0..=numbers.below(5) {
        set(&mut numbers, &mut text, at, values);
    }
    if numbers.one_in(4) {
        image_config(&mut numbers, &mut text);
    }
    if numbers.one_in(3) {
        hosted_cluster(&mut numbers, &mut text);
    }
    text
}

/// What the values of a cluster are like.
#[derive(Clone, Copy)]
struct Values {
    /// Whether an API server accepts all of them.
    is_valid: bool,
    /// Whether all entries are `NeverContactSource`.
    is_strict: bool,
    /// Whether sources and mirrors name their registries.
    is_named: bool,
}

/// Adds a mirror set of any kind. `at` makes its name.
fn set(numbers: &mut Numbers, text: &mut String, at: usize, values: Values) {
    let old = ("operator.openshift.io/v1alpha1", "ImageContentSourcePolicy", "repositoryDigestMirrors");
    let digests = ("config.openshift.io/v1", "ImageDigestMirrorSet", "imageDigestMirrors");
    let tags = ("config.openshift.io/v1", "ImageTagMirrorSet", "imageTagMirrors");
    let (mut api, mut kind, mut list) = [old, digests, digests, digests, tags, tags][numbers.below(6)];
    let can_be_strict = kind != old.1;
    // A name that is slightly wrong, so that the set or its list is not read.
    if numbers.one_in(20) {
        match numbers.below(3) {
            0 => api = "config.openshift.io/v1beta1",
            1 => kind = "ImageDigestMirrorset",
            _ => list = ["imageDigestMirror", "imageTagMirrors", "repositoryDigestMirrors"][numbers.below(3)],
        }
    }
    let _ =
        write!(text, "---\napiVersion: {api}\nkind: {kind}\nmetadata:\n  name: s{at}\nspec:\n  {list}:\n");
    for _ in 0..=numbers.below(4) {
        let source = source(numbers, values);
        let _ = writeln!(text, "  - source: \"{source}\"");
        let mut mirrors: Vec<_> = (0..numbers.below(4)).map(|_| mirror(numbers, source, values)).collect();
        if values.is_valid {
            let mut seen = BTreeSet::new();
            mirrors.retain(|mirror| seen.insert(mirror.clone()));
        }
        if !mirrors.is_empty() && numbers.one_in(2) {
            let _ = writeln!(text, "    mirrors: [\"{}\"]", mirrors.join("\", \""));
        } else if !mirrors.is_empty() {
            let _ = writeln!(text, "    mirrors:\n    - {}", mirrors.join("\n    - "));
        }
        if can_be_strict && (values.is_strict || numbers.one_in(12)) {
            let field = if numbers.one_in(20) { "mirrorsSourcePolicy" } else { "mirrorSourcePolicy" };
            let _ = writeln!(text, "    {field}: NeverContactSource");
        }
    }
}

fn source(numbers: &mut Numbers, values: Values) -> &'static str {
    if !values.is_named && numbers.one_in(8) {
        return SOURCES_WITHOUT_REGISTRY[numbers.below(SOURCES_WITHOUT_REGISTRY.len())];
    }
    SOURCES[numbers.below(SOURCES.len())]
}

/// A mirror, sometimes the source itself.
fn mirror(numbers: &mut Numbers, source: &str, values: Values) -> String {
    if !values.is_named && numbers.one_in(4) {
        return numbers.pick(&MIRRORS_WITHOUT_REGISTRY).to_owned();
    }
    if numbers.one_in(8) && !source.starts_with('*') {
        return source.to_owned();
    }
    let end = if values.is_valid { MIRRORS.len() - INVALID_MIRRORS } else { MIRRORS.len() };
    numbers.pick(&MIRRORS[..end]).to_owned()
}

fn image_config(numbers: &mut Numbers, text: &mut String) {
    let list = ["blockedRegistries", "insecureRegistries"][numbers.below(2)];
    let scopes = [numbers.pick(&SOURCES), numbers.pick(&SOURCES)];
    let _ = write!(
        text,
        "---\napiVersion: config.openshift.io/v1\nkind: Image\nmetadata:\n  name: cluster\n\
         spec:\n  registrySources:\n    {list}: [\"{}\"]\n",
        scopes.join("\", \"")
    );
}

fn hosted_cluster(numbers: &mut Numbers, text: &mut String) {
    let release = ["4.14.1", "4.16.3", "4.18.5", "4.22.1"][numbers.below(4)];
    let overrides = [
        "registry.redhat.io=m.lab/redhat.io",
        "registry.redhat.io/redhat=m.lab/redhat",
        "registry.redhat.io/redhat =m.lab/redhat",
    ];
    let _ = write!(
        text,
        "---\napiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\nmetadata:\n  name: h\n  \
         namespace: clusters\n  annotations:\n    example.com/a: b\n"
    );
    if numbers.one_in(2) {
        let name = "hypershift.openshift.io/olm-catalogs-is-registry-overrides";
        let _ = writeln!(text, "    {name}: \"{}\"", numbers.pick(&overrides));
    }
    let _ = write!(
        text,
        "spec:\n  release:\n    image: quay.io/openshift-release-dev/ocp-release:{release}-x86_64\n"
    );
    image_content_sources(numbers, text);
}

fn image_content_sources(numbers: &mut Numbers, text: &mut String) {
    if !numbers.one_in(2) {
        return;
    }
    text.push_str("  imageContentSources:\n");
    let values = Values { is_valid: true, is_strict: false, is_named: !numbers.one_in(2) };
    for _ in 0..=numbers.below(4) {
        let source = source(numbers, values);
        let mirrors: Vec<_> = (0..numbers.below(3)).map(|_| mirror(numbers, source, values)).collect();
        let mirrors =
            if mirrors.is_empty() { String::new() } else { format!("\"{}\"", mirrors.join("\", \"")) };
        let _ = writeln!(text, "  - source: \"{source}\"\n    mirrors: [{mirrors}]");
    }
}
