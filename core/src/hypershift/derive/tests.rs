//! Which value is derived, and where none is.

use SetKind::{Icsp, Idms, Itms};

use super::*;
use crate::{
    context::Context,
    hypershift::Release,
    objects::{Entry, ImageConfig, MirrorSet, Object, SetKind},
};

type Entries<'a> = &'a [(&'a str, &'a [&'a str])];
type Sets<'a> = &'a [(SetKind, Entries<'a>)];

fn derived(sets: Sets<'_>, releases: &Releases) -> Result<String, Obstacle> {
    derive(context(sets).view(), releases).value
}

/// The sets, named `s0` and so on.
fn context(sets: Sets<'_>) -> Context {
    let mut context = Context::default();
    for (at, (kind, entries)) in sets.iter().enumerate() {
        let entries = entries.iter().map(|(source, mirrors)| entry(source, mirrors)).collect();
        context.insert(Object::from(MirrorSet::new(*kind, &format!("s{at}"), entries)));
    }
    context
}

fn insecure(scopes: &[&str]) -> Object {
    let insecure_registries = scopes.iter().map(ToString::to_string).collect();
    Object::from(ImageConfig { insecure_registries, ..ImageConfig::default() })
}

fn entry(source: &str, mirrors: &[&str]) -> Entry {
    Entry {
        source: source.into(),
        mirrors: mirrors.iter().map(|m| Box::from(*m)).collect(),
        mirror_source_policy: None,
    }
}

const NAMESPACE: &str = DEFAULT_NAMESPACE;
const INDEXES: [&str; 4] = [
    "registry.redhat.io/redhat/certified-operator-index",
    "registry.redhat.io/redhat/community-operator-index",
    "registry.redhat.io/redhat/redhat-marketplace-index",
    "registry.redhat.io/redhat/redhat-operator-index",
];

#[test]
fn a_value_is_right_in_every_release() {
    let table: [(Sets<'_>, &str, &str); 6] = [
        (
            &[(Itms, &[("registry.redhat.io/redhat", &["m.lab/redhat"])])],
            "registry.redhat.io/redhat=m.lab/redhat",
            "a namespace",
        ),
        (
            &[(Idms, &[("registry.redhat.io", &["m.lab/redhat.io"])])],
            "registry.redhat.io/redhat=m.lab/redhat.io/redhat",
            "a registry: the namespace is appended to its mirror",
        ),
        (
            &[(Idms, &[("*.redhat.io", &["m.lab/x"])])],
            "registry.redhat.io/redhat=m.lab/x/redhat",
            "a wildcard: likewise",
        ),
        (
            &[
                (Idms, &[("registry.redhat.io/redhat", &["digest.lab/x"])]),
                (Itms, &[("registry.redhat.io/redhat", &["tag.lab/x"])]),
            ],
            "registry.redhat.io/redhat=tag.lab/x",
            "mirrors for pulls by tag come first",
        ),
        (
            &[
                (Idms, &[("registry.redhat.io/redhat", &["digest.lab/x"])]),
                (Itms, &[("registry.redhat.io", &["tag.lab"])]),
            ],
            "registry.redhat.io/redhat=digest.lab/x",
            "a tag set that a more specific source hides decides nothing",
        ),
        (
            &[(Itms, &[("registry.redhat.io/redhat", &["a.lab/r", "b.lab/r"])])],
            "registry.redhat.io/redhat=a.lab/r,registry.redhat.io/redhat=b.lab/r",
            "mirrors keep their order",
        ),
    ];
    for (sets, expected, reason) in table {
        assert_eq!(derived(sets, &Releases::default()), Ok(expected.to_owned()), "{reason}");
    }
}

/// Obstacles are compared by their keys, which name the images and mirrors.
#[test]
fn there_is_no_value_where_none_is_right() {
    let table: [(Sets<'_>, &str, &str); 8] = [
        (
            &[(Itms, &[(NAMESPACE, &["a.lab/registry.redhat.io/redhat", "b.lab/r"])])],
            "misread registry.redhat.io/redhat/certified-operator-index up to 4.16",
            "the second mirror would be put into the first",
        ),
        (&[], "none mirrored", "no mirror set"),
        (
            &[(Itms, &[(INDEXES[3], &["m.lab/redhat/redhat-operator-index"])])],
            "not mirrored registry.redhat.io/redhat/certified-operator-index \
             registry.redhat.io/redhat/community-operator-index registry.redhat.io/redhat/redhat-marketplace-index",
            "only one catalog",
        ),
        (
            &[(Itms, &[(NAMESPACE, &["m.lab/redhat"]), (INDEXES[3], &["m.lab/mine/our-index"])])],
            "renamed registry.redhat.io/redhat/redhat-operator-index m.lab/mine/our-index",
            "a renamed index",
        ),
        (
            &[(Icsp, &[("registry.redhat.io", &["m3/x"])])],
            "unqualified m3/x",
            "a mirror without a registry host",
        ),
        (
            &[(Idms, &[(NAMESPACE, &["m.lab/redhat", "m3/x"])])],
            "unqualified m3/x",
            "nodes fail at the second mirror, and cannot make a reference of it even before the first",
        ),
        (
            &[(Idms, &[(NAMESPACE, &["index.docker.io/r"])])],
            "no reference index.docker.io/r",
            "nodes rewrite this registry",
        ),
        (
            &[
                (Itms, &[("registry.redhat.io", &["mirror.lab/tags"])]),
                (Idms, &[(INDEXES[1], &["mirror.lab/redhat/community-operator-index"])]),
            ],
            "disagreeing registry.redhat.io/redhat/certified-operator-index \
             registry.redhat.io/redhat/community-operator-index",
            "the digest set decides one catalog",
        ),
    ];
    for (sets, expected, reason) in table {
        let found = derived(sets, &Releases::default()).map_err(|obstacle| obstacle.key());
        assert_eq!(found, Err(expected.to_owned()), "{reason}");
    }
}

#[test]
fn an_obstacle_names_the_fields_that_decide() {
    let mut context = context(&[
        (Itms, &[("registry.redhat.io", &["mirror.lab/tags"]), ("registry.redhat.io", &["mirror.lab/tags"])]),
        (Idms, &[(INDEXES[3], &["mirror.lab/redhat/redhat-operator-index"])]),
    ]);
    let by_sets = [
        "ImageTagMirrorSet/s0 spec.imageTagMirrors[0].source",
        "ImageTagMirrorSet/s0 spec.imageTagMirrors[1].source",
        "ImageDigestMirrorSet/s1 spec.imageDigestMirrors[0].source",
    ];
    assert_eq!(deciding_fields(&context), by_sets);
    context.insert(insecure(&["quay.io", INDEXES[0]]));
    context.remove_set(Idms, "s1");
    context.insert(Object::from(MirrorSet::new(
        Itms,
        "narrow",
        vec![entry(NAMESPACE, &["narrow.lab/redhat"])],
    )));
    let by_list = [
        "Image/cluster spec.registrySources.insecureRegistries[1]",
        "ImageTagMirrorSet/s0 spec.imageTagMirrors[0].source",
        "ImageTagMirrorSet/s0 spec.imageTagMirrors[1].source",
        "ImageTagMirrorSet/narrow spec.imageTagMirrors[0].source",
    ];
    assert_eq!(deciding_fields(&context), by_list);
}

fn deciding_fields(context: &Context) -> Vec<String> {
    let obstacle = derive(context.view(), &Releases::default()).value.unwrap_err();
    let fields = obstacle.deciders().into_iter().flat_map(|deciders| &deciders.fields);
    fields.map(|(object, path)| format!("{object} {path}")).collect()
}

#[test]
fn a_listed_scope_inherits_from_its_widest_parent() {
    let sets: Sets<'_> =
        &[(Idms, &[("registry.redhat.io", &["wide.lab/redhat.io"]), (NAMESPACE, &["narrow.lab/redhat"])])];
    let tag = format!("{}:v4.18", INDEXES[3]);
    let disagreeing = format!("disagreeing {} {}", INDEXES[0], INDEXES[3]);
    let narrow = "registry.redhat.io/redhat=narrow.lab/redhat";
    let table: [(&[&str], Result<&str, &str>, &str); 5] = [
        (&["quay.io"], Ok(narrow), "the index images are not listed"),
        (&[INDEXES[3]], Err(&disagreeing), "one of them is"),
        (&INDEXES, Ok("registry.redhat.io/redhat=wide.lab/redhat.io/redhat"), "all of them are"),
        (&[&tag], Ok(narrow), "one tag of one of them is, which matches no pull"),
        (&["*.*"], Err("not rendered"), "a scope that the operator rejects"),
    ];
    for (listed, expected, reason) in table {
        let mut context = context(sets);
        context.insert(insecure(listed));
        let found = derive(context.view(), &Releases::default()).value.map_err(|obstacle| obstacle.key());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{reason}");
    }
}

#[test]
fn sets_that_hypershift_manages_are_not_used() {
    let managed = |name: &str, source: &str, mirror: &str| {
        let mut set = MirrorSet::new(Idms, name, vec![entry(source, &[mirror])]);
        set.is_managed = true;
        Object::from(set)
    };
    let mut context = Context::from_iter([managed("cluster", NAMESPACE, "outer.lab/redhat")]);
    assert_eq!(derive(context.view(), &Releases::default()).value, Err(Obstacle::NoneMirrored));
    context.insert(Object::from(MirrorSet::new(
        Itms,
        "own",
        vec![entry("registry.redhat.io", &["own.lab"])],
    )));
    let own = Ok("registry.redhat.io/redhat=own.lab/redhat".to_owned());
    assert_eq!(derive(context.view(), &Releases::default()).value, own);
    context.insert(managed("cluster", "quay.io/a", "outer.lab/"));
    let not_rendered = derive(context.view(), &Releases::default()).value.map_err(|obstacle| obstacle.key());
    assert_eq!(not_rendered, Err("not rendered".to_owned()), "the nodes read it all the same");
}

#[test]
fn what_the_nodes_cannot_read_gives_no_value() {
    let table = [
        ("m.lab/redhat/", "a trailing slash"),
        ("m.lab/Redhat", "an upper-case path"),
        ("https://m.lab/redhat", "a URL"),
        ("m.lab/redhat:v1", "a tag"),
        ("", "an empty mirror"),
        ("m.lab/a,b", "a comma"),
        ("m.lab/a=b", "an equals sign"),
    ];
    for (mirror, reason) in table {
        for kind in [Icsp, Idms, Itms] {
            let entries: Entries<'_> = &[(NAMESPACE, &["m.lab/redhat", mirror])];
            let found = derived(&[(kind, entries)], &Releases::default());
            let expected = Obstacle::NotRendered(format!("invalid format for mirror \"{mirror}\""));
            assert_eq!(found, Err(expected), "{kind:?} {mirror}: {reason}");
        }
    }
    let elsewhere: Sets<'_> = &[(Idms, &[("quay.io/a", &["m.lab/redhat/"])])];
    assert_eq!(
        derived(elsewhere, &Releases::default()),
        Err(Obstacle::NoneMirrored),
        "no catalog is concerned"
    );
}

#[test]
fn the_marketplace_is_needed_until_4_21() {
    let sets: Sets<'_> = &[(
        Itms,
        &[
            (INDEXES[0], &["m.lab/r/certified-operator-index"]),
            (INDEXES[1], &["m.lab/r/community-operator-index"]),
            (INDEXES[3], &["m.lab/r/redhat-operator-index"]),
        ],
    )];
    let without = Releases::from(Span::THREE_CATALOGS.first());
    assert_eq!(derived(sets, &without), Ok("registry.redhat.io/redhat=m.lab/r".to_owned()));
    let with = Releases::from(Release { major: 4, minor: 21 });
    assert_eq!(derived(sets, &with), Err(Obstacle::NotMirrored(vec![INDEXES[2].to_owned()])));
}
