use super::*;

type Pairs<'a> = &'a [(&'a str, &'a [&'a str])];

#[test]
fn each_mirror_of_a_release_is_really_tried_in_the_later_era_only() {
    use ReleaseLookupEra::{Chained, Separate};
    let image = "quay.io/ocp/release:1";
    let table: [(Pairs<'_>, &[&str], &[&str], &str); 5] = [
        (&[("quay.io/ocp", &["m/a"])], &["m/a/release:1"], &["m/a/release:1"], "one mirror"),
        (
            &[("quay.io/ocp", &["m/a", "m/b"])],
            &["m/a/release:1"],
            &["m/a/release:1", "m/b/release:1"],
            "the source is gone when the second mirror's turn comes",
        ),
        (
            &[("quay.io", &["m/quay.io", "n"])],
            &["m/quay.io/ocp/release:1", "m/n/ocp/release:1"],
            &["m/quay.io/ocp/release:1", "n/ocp/release:1"],
            "a mirror that contains the source",
        ),
        (
            &[("quay.io", &["m"]), ("m/ocp", &["n"])],
            &["m/ocp/release:1", "n/release:1"],
            &["m/ocp/release:1"],
            "the next source is looked for in the result",
        ),
        (&[("example.com", &["m"])], &[], &[], "another source"),
    ];
    for (pairs, chained, separate, reason) in table {
        let overrides = pairs.iter().map(|(source, mirrors)| (*source, mirrors.to_vec())).collect();
        assert_eq!(release_lookup(Chained, &overrides, image), chained, "{reason}");
        assert_eq!(release_lookup(Separate, &overrides, image), separate, "{reason}");
    }
}

#[test]
fn sources_that_feed_each_other_are_followed_to_an_end() {
    let names: Vec<_> = (0..40).map(|at| format!("m{at}")).collect();
    let mirrors: Vec<_> = (0..40).map(|at| format!("m{} m{at} m{}", (at + 1) % 40, (at + 7) % 40)).collect();
    let overrides = names.iter().zip(&mirrors).map(|(name, mirror)| (&**name, vec![&**mirror])).collect();
    let found = release_lookup(ReleaseLookupEra::Chained, &overrides, "m0");
    assert_eq!(found.len(), MAX_TEXTS);
}

/// The work of following sources that have these mirrors, in an image in which all of them occur.
fn work_of(count: usize, mirrors: fn(&str) -> Vec<String>) -> usize {
    let names: Vec<_> = (0..count).map(|at| format!("{at:02}")).collect();
    let mirrors: Vec<_> = names.iter().map(|name| mirrors(name)).collect();
    let mut overrides = Overrides::new();
    for (name, mirrors) in names.iter().zip(&mirrors) {
        overrides.insert(name, mirrors.iter().map(String::as_str).collect());
    }
    let mut work = Work::of(MAX_WORK);
    replace_in_turn(&mut work, &overrides, &names.join("/"));
    work.spent()
}

#[test]
fn the_work_of_following_sources_is_bounded() {
    let itself = |name: &str| vec![name.to_owned()];
    assert!(work_of(40, itself) < 40 * 1000, "sources that are their own mirrors lead nowhere");
    let back = |name: &str| vec![format!("x{name}"), name.to_owned()];
    let back = work_of(40, back);
    assert!(back < 2 * MAX_WORK, "texts that return: {back}");
    let long = |name: &str| vec![name.repeat(3000)];
    let long = work_of(40, long);
    assert!(long < 2 * MAX_WORK, "texts that grow: {long}");
}
