use super::{documents, set};
use crate::{
    context::Context,
    convert::{Document, Migration, Plan, Proof, Stage, Written, migrate},
    objects::ImageConfig,
};

const ICSP: &str = "{source: quay.io/b, mirrors: [m.lab/b2, m.lab/b1]}, {source: quay.io/a}";

/// Migrates sets that stand in one file each: `0.yaml`, `1.yaml`, …
fn migrated(sets: &[String]) -> Migration {
    let names: Vec<_> = (0..sets.len()).map(|at| format!("{at}.yaml")).collect();
    let files: Vec<_> = names.iter().zip(sets).map(|(name, text)| (&**name, &**text)).collect();
    migrate(&documents(&files), &Context::default())
}

fn names(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|document| &*document.set.name).collect()
}

#[test]
fn each_icsp_becomes_an_idms_of_its_name_with_the_same_order() {
    let migration = migrated(&[set("icsp", "b", ICSP), set("icsp", "a", ""), set("itms", "t", "")]);
    assert_eq!(names(&migration.idms), ["a", "b"]);
    assert_eq!(migration.icsps, ["a", "b"]);
    let [.., idms] = &documents(&[("x", &set("idms", "b", ICSP))])[..] else { panic!("one set") };
    assert_eq!(migration.idms[1].to_json(), idms.to_json());
    assert_eq!(migration.proof, Some(Proof::Same));
}

#[test]
fn a_migration_half_way_goes_on_where_it_stopped() {
    let icsp = || set("icsp", "a", ICSP);
    let table = [
        (ICSP.to_owned(), "the same"),
        (
            "{source: quay.io/a}, {source: quay.io/b, mirrors: [m.lab/b2, m.lab/b1]}".to_owned(),
            "in other order",
        ),
        (ICSP.replace("a}", "a, mirrorSourcePolicy: AllowContactingSource}"), "with the default policy"),
    ];
    for (entries, reason) in table {
        let migration = migrated(&[icsp(), set("idms", "a", &entries)]);
        assert_eq!(migration.idms, [], "{reason}");
        assert_eq!(migration.there, ["ImageDigestMirrorSet/a in 1.yaml:3"], "{reason}");
        assert_eq!(migration.icsps, ["a"], "{reason}");
    }
    let migration = migrated(&[icsp(), set("idms", "a", ICSP), set("icsp", "b", "")]);
    assert_eq!((names(&migration.idms), migration.icsps), (vec!["b"], vec!["a".to_owned(), "b".to_owned()]));
}

/// The sets, the only problem with them, its places, and why it is one.
type Refused<'a> = (Vec<String>, &'a str, Vec<&'a str>, &'a str);

fn refused(table: Vec<Refused<'_>>) {
    for (sets, what, places, reason) in table {
        let migration = migrated(&sets);
        let [problem] = &migration.problems[..] else { panic!("{reason}: {:?}", migration.problems) };
        let found: Vec<_> = problem.places.iter().map(|place| &**place).collect();
        assert_eq!((&*problem.what, found), (what, places), "{reason}");
        assert!(migration.idms.is_empty() && migration.icsps.is_empty() && !migration.is_right(), "{reason}");
    }
}

#[test]
fn a_name_that_stands_for_two_things_is_refused_with_both_places() {
    let other = "{source: quay.io/b, mirrors: [m.lab/other]}";
    refused(vec![
        (
            vec![set("icsp", "a", ICSP), set("icsp", "a", other)],
            "ImageContentSourcePolicy/a stands here twice with different entries",
            vec!["ImageContentSourcePolicy/a in 0.yaml:3", "ImageContentSourcePolicy/a in 1.yaml:3"],
            "two ICSPs of one name",
        ),
        (
            vec![
                set("icsp", "a", ICSP),
                set("icsp", "a", ICSP).replace("{name: a}", "{name: a, labels: {b: c}}"),
            ],
            "ImageContentSourcePolicy/a stands here twice with different labels or annotations",
            vec!["ImageContentSourcePolicy/a in 0.yaml:3", "ImageContentSourcePolicy/a in 1.yaml:3"],
            "which labels the IDMS gets would be a guess",
        ),
        (
            vec![set("icsp", "a", ICSP), set("idms", "a", other)],
            "ImageDigestMirrorSet/a is there already with other entries: \"quay.io/a\" is only in the ICSP",
            vec!["ImageContentSourcePolicy/a in 0.yaml:3", "ImageDigestMirrorSet/a in 1.yaml:3"],
            "an IDMS of the name that the new one needs",
        ),
    ]);
}

#[test]
fn what_no_idms_can_carry_is_refused_with_its_place() {
    refused(vec![
        (
            vec![
                set("icsp", "a", "{source: quay.io/a, mirrors: [m.lab/a]}"),
                set(
                    "idms",
                    "b",
                    "{source: quay.io/a, mirrors: [m.lab/a], mirrorSourcePolicy: NeverContactSource}",
                ),
            ],
            "source \"quay.io/a\" is NeverContactSource in ImageDigestMirrorSet/b, while an ICSP always means \
             AllowContactingSource: no node gets a new configuration",
            vec!["ImageContentSourcePolicy/a in 0.yaml:4", "ImageDigestMirrorSet/b in 1.yaml:4"],
            "an ICSP has no policy",
        ),
        (
            vec![set("icsp", "a", "{source: \"https://quay.io/a\", mirrors: [m.lab/a]}")],
            "source \"https://quay.io/a\" has a scheme: an ICSP can carry that, an ImageDigestMirrorSet cannot, and no \
             node gets a new configuration from either",
            vec!["ImageContentSourcePolicy/a in 0.yaml:4"],
            "refused by the schema of an IDMS",
        ),
        (
            vec![set("icsp", "a", "{source: quay.io/a, mirrors: [\"*.lab\"]}")],
            "mirror \"*.lab\" is a wildcard, which only a source may be: an ICSP can carry that, an \
             ImageDigestMirrorSet cannot, and no node gets a new configuration from either",
            vec!["ImageContentSourcePolicy/a in 0.yaml:4"],
            "a mirror likewise",
        ),
        (
            vec![set("icsp", "../a", ICSP)],
            "\"../a\" is no name that the apiserver accepts for an ImageContentSourcePolicy",
            vec!["ImageContentSourcePolicy/../a in 0.yaml:3"],
            "a name becomes part of a path",
        ),
    ]);
}

#[test]
fn what_says_the_same_twice_is_no_clash() {
    let migration = migrated(&[set("icsp", "a", ICSP), set("icsp", "a", ICSP)]);
    assert_eq!((names(&migration.idms), migration.problems), (vec!["a"], vec![]));
}

#[test]
fn a_source_that_is_never_contacted_elsewhere_is_no_problem() {
    let never = "{source: quay.io/other, mirrors: [m.lab/a], mirrorSourcePolicy: NeverContactSource}";
    assert!(migrated(&[set("icsp", "a", ICSP), set("idms", "b", never)]).is_right());
}

#[test]
fn a_mirror_listed_twice_stands_once_in_the_order_of_the_nodes() {
    let table = [
        ("[m.lab/a, m.lab/a]", vec!["m.lab/a"], "repeated"),
        (
            "[m.lab/b, m.lab/a, m.lab/b]",
            vec!["m.lab/a", "m.lab/b"],
            "a cycle, which the nodes break at the first name",
        ),
    ];
    for (mirrors, expected, reason) in table {
        let migration = migrated(&[set("icsp", "a", &format!("{{source: quay.io/a, mirrors: {mirrors}}}"))]);
        let mirrors: Vec<_> =
            migration.idms[0].set.entries[0].mirrors.iter().map(|mirror| &**mirror).collect();
        assert_eq!(mirrors, expected, "{reason}");
        assert_eq!(migration.proof, Some(Proof::Same), "{reason}");
        assert!(
            migration.notes[0].contains("listed twice in ImageContentSourcePolicy/a in 0.yaml:4"),
            "{reason}"
        );
    }
}

#[test]
fn lists_in_contradicting_order_stay_what_they_are_and_are_told() {
    let one = "{source: quay.io/a, mirrors: [m.lab/1, m.lab/2]}";
    let other = "{source: quay.io/a, mirrors: [m.lab/2, m.lab/1]}";
    let migration = migrated(&[set("icsp", "a", one), set("icsp", "b", other)]);
    assert_eq!(migration.proof, Some(Proof::Same));
    assert!(migration.notes[0].contains("an order nobody chose"), "{:?}", migration.notes);
    assert_eq!(migrated(&[set("icsp", "a", one), set("icsp", "b", one)]).notes, Vec::<String>::new());
}

#[test]
fn another_order_on_the_nodes_is_told_and_nothing_is_migrated() {
    // A mirror that is listed twice comes after those of other sets; an IDMS can list it only once.
    let repeated = "{source: quay.io/a, mirrors: [m.lab/a, m.lab/a]}";
    let other = "{source: quay.io/a, mirrors: [m.lab/b]}";
    let migration = migrated(&[set("icsp", "a", repeated), set("idms", "b", other)]);
    let Some(Proof::Differs(differences)) = &migration.proof else { panic!("{:?}", migration.proof) };
    let found: Vec<_> = differences.iter().map(|d| (d.stage, &*d.registry, &*d.what, &*d.impact)).collect();
    assert_eq!(found, [(Stage::After, "quay.io/a", "order or flags of the mirrors change", "reload")]);
    assert_eq!(
        differences[0].places,
        ["ImageContentSourcePolicy/a in 0.yaml:4", "ImageDigestMirrorSet/b in 1.yaml:4"]
    );
    assert!(migration.idms.is_empty() && !migration.is_right());
}

#[test]
fn without_a_configuration_before_there_is_nothing_to_prove() {
    let mut context = Context::default();
    context.image_config =
        ImageConfig { blocked_registries: vec!["a*b".to_owned()], ..ImageConfig::default() }.into();
    let migration = migrate(&documents(&[("a.yaml", &set("icsp", "a", ICSP))]), &context);
    let refusal = "invalid entry for blocked registries \"a*b\"".to_owned();
    assert_eq!(migration.proof, Some(Proof::NotRendered(Stage::Before, refusal)));
    assert!(migration.idms.is_empty() && !migration.is_right());
}

#[test]
fn the_plan_applies_before_it_deletes() {
    let steps = |sets: &[String], written| {
        let Plan(steps) = Plan::of(&migrated(sets), &written);
        steps.into_iter().map(|step| format!("{}: {}", step.step, step.command)).collect::<Vec<_>>()
    };
    let wait = "wait: oc wait machineconfigpools --all --for=condition=Updated --timeout=10m";
    let files = || Written::Files(vec!["out/a.yaml".to_owned(), "out/b.yaml".to_owned()]);
    let printed = || Written::Printed("mirrorguard migrate x".to_owned());
    let delete = "delete: oc delete imagecontentsourcepolicies a";
    let long = (0..3000)
        .map(|n| format!("{{source: quay.io/a{n}, mirrors: [m.lab/a]}}"))
        .collect::<Vec<_>>()
        .join(",");
    let table = [
        (
            vec![set("icsp", "a", ICSP)],
            files(),
            vec!["apply: oc apply -f out/a.yaml -f out/b.yaml", wait, delete],
            "files",
        ),
        (
            vec![set("icsp", "a", ICSP)],
            printed(),
            vec!["apply: mirrorguard migrate x | oc apply -f -", wait, delete],
            "a pipe",
        ),
        (
            vec![set("icsp", "a", &long)],
            printed(),
            vec!["apply: mirrorguard migrate x | oc apply --server-side -f -", wait, delete],
            "too long for the annotation of a client-side apply",
        ),
        (vec![set("icsp", "a", ICSP), set("idms", "a", ICSP)], files(), vec![wait, delete], "half way"),
        (vec![set("idms", "a", ICSP)], files(), vec![], "nothing to migrate"),
    ];
    for (sets, written, expected, reason) in table {
        assert_eq!(steps(&sets, written), expected, "{reason}");
    }
}
