//! Compares what is found without rendering whole files with the whole files, in clusters made at random from a seed.

use super::{change_of_settings, change_of_write, deciding, file_refusal, route_pull};
use crate::{
    context::Context,
    node::{Impact, Lists, Loss, Rendering},
    objects::{
        ClusterVersion, Entry, ImageConfig, MirrorSet, MirrorSourcePolicy, Object, Pull, SetKind,
        reference::Image,
    },
    random::Random,
};

/// Scopes above, below and next to each other: with and without a port, wildcards that are as long as a host (`*.lab`,
/// `m.lab`), and one whose domain occurs twice in a host (`*.x`).
const SCOPES: [&str; 19] = [
    "quay.io",
    "quay.io/p",
    "quay.io/p/r",
    "quay.io/other",
    "*.io",
    "*.quay.io",
    "m.lab",
    "m.lab/x",
    "m.lab:5000",
    "m.lab:5000/x",
    "m.lab:5000/x/y",
    "*.lab",
    "n.m.lab/x",
    "*.m.lab",
    "n.m.lab:5000/x",
    "a.x.x",
    "*.x",
    "*.x.x",
    "a.x.x/y",
];

const MIRRORS: [&str; 7] =
    ["a.lab:8443/p", "a.lab/p/r", "b.lab/p", "quay.io/other/r", "m.lab/x", "m.lab:5000/x", "nohost/p"];

/// What is pulled: repositories at and below the scopes.
const REPOSITORIES: [&str; 8] = [
    "quay.io/p/r",
    "m.lab/x/y",
    "m.lab/z",
    "m.lab:5000/x/y",
    "m.lab:5000/z",
    "n.m.lab:5000/x",
    "a.x.x/y",
    "b.x/y",
];

/// A scope; with `slashes`, sometimes one with slashes at its end, which only releases up to 4.15 accept as a
/// source.
fn scope(random: &mut Random, slashes: bool) -> String {
    let scope = random.one_of(&SCOPES);
    // No release accepts a wildcard with slashes, in any list.
    let is_slashed = slashes && random.below(3) == 0 && !scope.starts_with('*');
    format!("{scope}{}", if is_slashed { ["/", "//"][random.below(2)] } else { "" })
}

fn set(random: &mut Random, name: &str, slashes: bool) -> MirrorSet {
    let entries = (0..=random.below(3)).map(|_| Entry {
        source: scope(random, slashes).into(),
        mirrors: (0..=random.below(2)).map(|_| Box::from(random.one_of(&MIRRORS))).collect(),
        mirror_source_policy: (random.below(12) == 0).then_some(MirrorSourcePolicy::NeverContactSource),
    });
    let entries = entries.collect();
    MirrorSet::new(SetKind::ALL[random.below(3)], name, entries)
}

fn cluster(random: &mut Random) -> Context {
    let mut context = Context::default();
    let is_old = random.below(4) == 0;
    for at in 0..=random.below(3) {
        context.insert(Object::from(set(random, &format!("s{at}"), is_old)));
    }
    let blocked = (0..random.below(3)).map(|_| scope(random, true)).collect();
    let insecure = (0..random.below(2)).map(|_| scope(random, true)).collect();
    context.insert(Object::from(ImageConfig {
        blocked_registries: blocked,
        insecure_registries: insecure,
        ..ImageConfig::default()
    }));
    let knows_payload = random.below(4) > 0;
    let payload = format!("quay.io/p/r@sha256:{}", "0".repeat(64));
    context.insert(Object::ClusterVersion(ClusterVersion {
        desired_image: if knows_payload { payload } else { String::new() },
        desired_version: if is_old { "4.15.1" } else { "4.18.1" }.to_owned(),
        ..ClusterVersion::default()
    }));
    context
}

#[test]
fn a_write_costs_what_comparing_the_whole_files_says() {
    let mut random = Random(1);
    let (mut rendered, mut list_changes, mut losses) = (0, 0, 0);
    for number in 0..2000 {
        let before = cluster(&mut random);
        let name = format!("s{}", random.below(4));
        let new = set(&mut random, &name, false);
        let mut after = before.clone();
        after.insert(Object::from(new.clone()));
        let (old_view, new_view) = (before.view(), after.view());
        let old = before.set(new.kind, &name);
        let found = change_of_write(old_view, new_view, old, Some(&new));
        assert_eq!(found, change_of_settings(old_view, new_view), "cluster {number}: {before:#?} {new:#?}");
        let back = change_of_write(new_view, old_view, Some(&new), old);
        assert_eq!(
            back,
            change_of_settings(new_view, old_view),
            "cluster {number}, back: {before:#?} {new:#?}"
        );
        rendered += usize::from(found.is_ok());
        let [was, is] = [old_view, new_view].map(|view| Lists::of(view).unwrap_or_default());
        list_changes += usize::from(found.is_ok() && was.blocked != is.blocked);
        losses += usize::from(found.is_ok() && matches!(is.loss, Some(Loss::Everything(_))));
    }
    assert!(rendered > 1000 && list_changes > 10 && losses > 20, "{rendered}, {list_changes}, {losses}");
}

/// A source that makes the temporary file fail, with which the operator finds the mirrors of the payload: then nodes get
/// no blocked registry at all, not even those that have nothing to do with the source.
#[test]
fn a_set_that_opens_the_blocked_registries_drains_nodes() {
    let config = ImageConfig { blocked_registries: vec!["quay.io".to_owned()], ..ImageConfig::default() };
    let payload = format!("quay.io/p/r@sha256:{}", "0".repeat(64));
    let before: Context = [
        Object::from(config),
        Object::ClusterVersion(ClusterVersion { desired_image: payload, ..ClusterVersion::default() }),
        Object::from(one_entry(SetKind::Itms, "tags", "quay.io")),
        Object::from(one_entry(SetKind::Idms, "payload", "quay.io/p/r")),
    ]
    .into_iter()
    .collect();
    let table = [
        ("*.io", Impact::Drain, "the mirrors of the payload cannot be found out"),
        ("*.com", Impact::Reload, "another wildcard"),
    ];
    for (source, expected, reason) in table {
        let new = one_entry(SetKind::Idms, "new", source);
        let mut after = before.clone();
        after.insert(Object::from(new.clone()));
        let change = change_of_write(before.view(), after.view(), None, Some(&new)).unwrap();
        assert_eq!(change.impact, expected, "{source}: {reason}");
        assert_eq!(Ok(change), change_of_settings(before.view(), after.view()), "{source}: {reason}");
    }
}

fn one_entry(kind: SetKind, name: &str, source: &str) -> MirrorSet {
    let entry = Entry {
        source: source.into(),
        mirrors: std::iter::once("m.lab/p".into()).collect(),
        mirror_source_policy: None,
    };
    MirrorSet::new(kind, name, vec![entry])
}

#[test]
fn what_decides_a_repository_is_what_decides_its_pulls() {
    let mut random = Random(2);
    let (mut with_mirrors, mut without) = (0, 0);
    for number in 0..800 {
        let context = cluster(&mut random);
        let view = context.view();
        let rendering = Rendering::new(view);
        let Ok(conf) = rendering.file() else { continue };
        if file_refusal(view, &rendering).is_some() {
            continue;
        }
        for repository in REPOSITORIES {
            let found = deciding(view, &rendering, repository).unwrap();
            for (pull, suffix) in
                [(Pull::Tag, ":v1".to_owned()), (Pull::Digest, format!("@sha256:{}", "0".repeat(64)))]
            {
                let image = Image::parse(&format!("{repository}{suffix}")).unwrap();
                let route = route_pull(&conf, &image);
                let scope = route.registry.map(|registry| registry.scope);
                let case = format!("cluster {number}: {image:?} in {context:#?}");
                assert_eq!(found.as_ref().map(|found| &*found.scope), scope, "{case}");
                let Ok(tries) = &route.tries else { continue };
                let at_mirrors: Vec<_> = tries[..route.mirrors.len()]
                    .iter()
                    .map(|place| place.strip_suffix(&suffix).unwrap())
                    .collect();
                let places = found.as_ref().map(|found| found.places_for(pull)).unwrap_or_default();
                assert_eq!(places, at_mirrors, "{case}");
                with_mirrors += usize::from(!at_mirrors.is_empty());
                without += usize::from(at_mirrors.is_empty());
            }
        }
    }
    assert!(with_mirrors > 1000 && without > 1000, "{with_mirrors}, {without}");
}
