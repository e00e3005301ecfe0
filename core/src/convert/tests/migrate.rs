use super::{ProblemCase, documents, numbered, set, with_metadata};
use crate::{
    context::Context,
    convert::{Document, Migration, Plan, Proof, Stage, Written, merge, migrate},
    objects::ImageConfig,
};

/// Entries that an ICSP and an IDMS can have.
const ENTRIES: &str = "{source: quay.io/b, mirrors: [m.lab/b2, m.lab/b1]}, {source: quay.io/a}";

/// Migrates sets of one file each: `0.yaml`, `1.yaml`, …
fn migrated(sets: &[String]) -> Migration {
    migrate(&numbered(sets), &Context::default())
}

fn names(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|document| &*document.set.name).collect()
}

#[test]
fn each_icsp_is_migrated_to_an_idms_of_its_name_in_the_same_order() {
    let migration = migrated(&[set("icsp", "b", ENTRIES), set("icsp", "a", ""), set("itms", "t", "")]);
    assert_eq!(names(&migration.idms), ["a", "b"]);
    assert_eq!(migration.icsps, ["a", "b"]);
    let [.., idms] = &documents(&[("x", &set("idms", "b", ENTRIES))])[..] else { panic!("one set") };
    assert_eq!(migration.idms[1].to_json(), idms.to_json());
    assert_eq!(migration.proof, Some(Proof::Same));
}

#[test]
fn a_migration_that_was_begun_is_continued() {
    let icsp = set("icsp", "a", ENTRIES);
    // The entries of an IDMS with the name of the ICSP.
    let table = [
        (ENTRIES.to_owned(), "the same"),
        (
            "{source: quay.io/a}, {source: quay.io/b, mirrors: [m.lab/b2, m.lab/b1]}".to_owned(),
            "in another order",
        ),
        (ENTRIES.replace("a}", "a, mirrorSourcePolicy: AllowContactingSource}"), "with the default policy"),
    ];
    for (entries, reason) in table {
        let migration = migrated(&[icsp.clone(), set("idms", "a", &entries)]);
        assert_eq!(migration.idms, [], "{reason}");
        assert_eq!(migration.there, ["ImageDigestMirrorSet/a in 1.yaml:3"], "{reason}");
        assert_eq!(migration.icsps, ["a"], "{reason}");
    }
    let migration = migrated(&[icsp, set("idms", "a", ENTRIES), set("icsp", "b", "")]);
    assert_eq!((names(&migration.idms), migration.icsps), (vec!["b"], vec!["a".to_owned(), "b".to_owned()]));
}

/// Sets of which one name means two things.
pub(super) fn ambiguous_names() -> Vec<ProblemCase> {
    let other = "{source: quay.io/b, mirrors: [m.lab/other]}";
    let icsp = set("icsp", "a", ENTRIES);
    vec![
        ProblemCase {
            sets: vec![icsp.clone(), set("icsp", "a", other)],
            places: &["ImageContentSourcePolicy/a in 0.yaml:3", "ImageContentSourcePolicy/a in 1.yaml:3"],
            reason: "two ICSPs of one name",
        },
        ProblemCase {
            sets: vec![icsp.clone(), with_metadata(&icsp, "labels: {b: c}")],
            places: &["ImageContentSourcePolicy/a in 0.yaml:3", "ImageContentSourcePolicy/a in 1.yaml:3"],
            reason: "the labels of the IDMS would be a guess",
        },
        ProblemCase {
            sets: vec![icsp.clone(), set("idms", "a", other)],
            places: &["ImageContentSourcePolicy/a in 0.yaml:3", "ImageDigestMirrorSet/a in 1.yaml:3"],
            reason: "another IDMS has the name, without a source of the ICSP",
        },
        ProblemCase {
            sets: vec![icsp.clone(), set("idms", "a", &format!("{ENTRIES}, {{source: quay.io/c}}"))],
            places: &["ImageContentSourcePolicy/a in 0.yaml:3", "ImageDigestMirrorSet/a in 1.yaml:3"],
            reason: "another IDMS has the name, with one source more",
        },
        ProblemCase {
            sets: vec![icsp, set("idms", "a", &ENTRIES.replace("b2", "b3"))],
            places: &["ImageContentSourcePolicy/a in 0.yaml:3", "ImageDigestMirrorSet/a in 1.yaml:3"],
            reason: "another IDMS has the name, with another mirror",
        },
    ]
}

/// Sets with an ICSP that no IDMS can replace.
pub(super) fn rejected_entries() -> Vec<ProblemCase> {
    let never = "{source: quay.io/a, mirrors: [m.lab/a], mirrorSourcePolicy: NeverContactSource}";
    vec![
        ProblemCase {
            sets: vec![set("icsp", "a", "{source: quay.io/a, mirrors: [m.lab/a]}"), set("idms", "b", never)],
            places: &["ImageContentSourcePolicy/a in 0.yaml:4", "ImageDigestMirrorSet/b in 1.yaml:4"],
            reason: "an ICSP has no policy",
        },
        ProblemCase {
            sets: vec![set("icsp", "a", "{source: \"https://quay.io/a\", mirrors: [m.lab/a]}")],
            places: &["ImageContentSourcePolicy/a in 0.yaml:4"],
            reason: "a source that the schema of an IDMS rejects",
        },
        ProblemCase {
            sets: vec![set("icsp", "a", "{source: quay.io/a, mirrors: [\"*.lab\"]}")],
            places: &["ImageContentSourcePolicy/a in 0.yaml:4"],
            reason: "a mirror that the schema of an IDMS rejects",
        },
        ProblemCase {
            sets: vec![set("icsp", "../a", ENTRIES)],
            places: &["ImageContentSourcePolicy/../a in 0.yaml:3"],
            reason: "a name that would be part of a path",
        },
    ]
}

#[test]
fn problems_have_every_place_and_nothing_is_migrated() {
    for case in ambiguous_names().into_iter().chain(rejected_entries()) {
        let migration = migrated(&case.sets);
        case.assert_places(&migration.problems);
        let is_empty = migration.idms.is_empty() && migration.icsps.is_empty();
        assert!(is_empty && !migration.is_right(), "{}", case.reason);
    }
}

#[test]
fn the_same_icsp_twice_is_no_problem() {
    let migration = migrated(&[set("icsp", "a", ENTRIES), set("icsp", "a", ENTRIES)]);
    assert_eq!((names(&migration.idms), migration.problems), (vec!["a"], vec![]));
}

#[test]
fn a_source_that_is_never_contacted_elsewhere_is_no_problem() {
    let never = "{source: quay.io/other, mirrors: [m.lab/a], mirrorSourcePolicy: NeverContactSource}";
    assert!(migrated(&[set("icsp", "a", ENTRIES), set("idms", "b", never)]).is_right());
}

#[test]
fn a_mirror_listed_twice_stands_once_in_the_order_of_the_nodes() {
    let table = [
        ("[m.lab/a, m.lab/a]", vec!["m.lab/a"], "repeated"),
        ("[quay.io/a, quay.io/a]", vec!["quay.io/a"], "the source, in an entry that nodes ignore"),
        ("[quay.io/a, m.lab/a, quay.io/a]", vec!["m.lab/a"], "the source comes last anyway"),
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
        let note = migration.notes.first().expect(reason);
        assert!(note.contains("ImageContentSourcePolicy/a in 0.yaml:4"), "{reason}: {note}");
    }
}

#[test]
fn an_entry_that_is_repeated_is_written_once() {
    let (x, y) = ("{source: q.io/x, mirrors: [m.lab/x]}", "{source: q.io/y, mirrors: [m.lab/x]}");
    let twice = "{source: q.io/x, mirrors: [m.lab/x, m.lab/x]}";
    let other = "{source: q.io/x, mirrors: [n.lab/x]}";
    let table: [(&[&str], &[&str], usize, &str); 5] = [
        (&[x, y], &["q.io/x", "q.io/y"], 0, "every source once"),
        (&[x, x, y], &["q.io/x", "q.io/y"], 1, "an exact repeat"),
        (&[x, y, x, x], &["q.io/x", "q.io/y"], 1, "repeats are one note"),
        (&[x, twice], &["q.io/x"], 1, "the same once a mirror is listed once"),
        (&[x, other], &["q.io/x", "q.io/x"], 0, "another mirror"),
    ];
    for (entries, expected, notes, reason) in table {
        let migration = migrated(&[set("icsp", "a", &entries.join(", "))]);
        let sources: Vec<_> = migration.idms[0].set.entries.iter().map(|entry| &*entry.source).collect();
        assert_eq!(sources, expected, "{reason}");
        assert_eq!((migration.notes.len(), migration.proof), (notes, Some(Proof::Same)), "{reason}");
    }
    let begun = migrated(&[set("icsp", "a", &[x, x].join(", ")), set("idms", "a", x)]);
    assert!(begun.idms.is_empty() && begun.is_right(), "the IDMS has it already: {begun:?}");
}

#[test]
fn lists_in_contradicting_orders_are_kept_with_a_note() {
    let one = "{source: quay.io/a, mirrors: [m.lab/1, m.lab/2]}";
    let other = "{source: quay.io/a, mirrors: [m.lab/2, m.lab/1]}";
    let migration = migrated(&[set("icsp", "a", one), set("icsp", "b", other)]);
    assert_eq!(migration.proof, Some(Proof::Same));
    let [note] = &migration.notes[..] else { panic!("{:?}", migration.notes) };
    assert!(note.contains("quay.io/a") && note.contains("1.yaml:4"), "{note}");
    assert_eq!(migrated(&[set("icsp", "a", one), set("icsp", "b", one)]).notes, Vec::<String>::new());
}

#[test]
fn nothing_is_migrated_where_the_nodes_would_use_another_order() {
    // A mirror that is listed twice comes after those of other sets; an IDMS can list it only once.
    let repeated = "{source: quay.io/a, mirrors: [m.lab/a, m.lab/a]}";
    let other = "{source: quay.io/a, mirrors: [m.lab/b]}";
    let migration = migrated(&[set("icsp", "a", repeated), set("idms", "b", other)]);
    let Some(Proof::Differs(differences)) = &migration.proof else { panic!("{:?}", migration.proof) };
    let [difference] = &differences[..] else { panic!("{differences:?}") };
    assert_eq!(
        (difference.stage, &*difference.registry, &*difference.impact),
        (Stage::After, "quay.io/a", "reload")
    );
    assert_eq!(
        difference.places,
        ["ImageContentSourcePolicy/a in 0.yaml:4", "ImageDigestMirrorSet/b in 1.yaml:4"]
    );
    assert!(migration.idms.is_empty() && !migration.is_right());
}

#[test]
fn without_a_configuration_before_there_is_nothing_to_prove() {
    let mut context = Context::default();
    context.image_config =
        ImageConfig { blocked_registries: vec!["a*b".to_owned()], ..ImageConfig::default() }.into();
    let migration = migrate(&documents(&[("a.yaml", &set("icsp", "a", ENTRIES))]), &context);
    let refusal = "invalid entry for blocked registries \"a*b\"".to_owned();
    assert_eq!(migration.proof, Some(Proof::NotRendered(Stage::Before, refusal)));
    assert!(migration.idms.is_empty() && !migration.is_right());
}

/// Sets, where the IDMSs made of them were written, and the commands of the plan.
struct PlanCase {
    sets: Vec<String>,
    written: Written,
    commands: Vec<&'static str>,
    reason: &'static str,
}

#[test]
fn the_plan_applies_before_it_deletes() {
    const WAIT: &str = "oc wait machineconfigpools --all --for=condition=Updated --timeout=10m";
    const DELETE: &str = "oc delete imagecontentsourcepolicies a";
    let files = Written::Files(vec!["out/a.yaml".to_owned(), "out/b.yaml".to_owned()]);
    let printed = Written::Printed("mirrorguard migrate x".to_owned());
    let icsp = set("icsp", "a", ENTRIES);
    let entries: Vec<_> =
        (0..3000).map(|n| format!("{{source: quay.io/a{n}, mirrors: [m.lab/a]}}")).collect();
    let table = [
        PlanCase {
            sets: vec![icsp.clone()],
            written: files.clone(),
            commands: vec!["oc apply -f out/a.yaml -f out/b.yaml", WAIT, DELETE],
            reason: "files",
        },
        PlanCase {
            sets: vec![icsp.clone()],
            written: printed.clone(),
            commands: vec!["mirrorguard migrate x | oc apply -f -", WAIT, DELETE],
            reason: "a pipe",
        },
        PlanCase {
            sets: vec![set("icsp", "a", &entries.join(","))],
            written: printed,
            commands: vec!["mirrorguard migrate x | oc apply --server-side -f -", WAIT, DELETE],
            reason: "too long for the annotation of a client-side apply",
        },
        PlanCase {
            sets: vec![icsp, set("idms", "a", ENTRIES)],
            written: files.clone(),
            commands: vec![WAIT, DELETE],
            reason: "the IDMS exists already",
        },
        PlanCase {
            sets: vec![set("idms", "a", ENTRIES)],
            written: files,
            commands: vec![],
            reason: "nothing to migrate",
        },
    ];
    for PlanCase { sets, written, commands, reason } in table {
        let Plan(steps) = Plan::of(&migrated(&sets), &written);
        let found: Vec<_> = steps.iter().map(|step| &*step.command).collect();
        assert_eq!(found, commands, "{reason}");
        let names: Vec<_> = steps.iter().map(|step| step.step).collect();
        assert!(["apply", "wait", "delete"].ends_with(&names), "{reason}: {names:?}");
    }
}

#[test]
fn a_mirror_without_a_registry_host_is_copied_and_named() {
    let table = [
        ("m3/x", true, "a path alone"),
        ("m3.lab/x", false, "a dot"),
        ("m3:443/x", false, "a port"),
        ("localhost/x", false, "the one name without either"),
    ];
    for (mirror, expected, reason) in table {
        let one = set("icsp", "a", &format!("{{source: quay.io/a, mirrors: [m.lab/a, {mirror}]}}"));
        let sets = numbered(&[one]);
        let migration = migrate(&sets, &Context::default());
        let merging = merge(&sets);
        for (notes, document) in
            [(&migration.notes, &migration.idms[0]), (&merging.notes, &merging.documents[0])]
        {
            let named: Vec<_> = notes.iter().map(|note| note.contains(&format!("\"{mirror}\""))).collect();
            assert_eq!(named, Vec::from_iter(expected.then_some(true)), "{reason}: {notes:?}");
            assert_eq!(&*document.set.entries[0].mirrors[1], mirror, "{reason}");
        }
    }
}
