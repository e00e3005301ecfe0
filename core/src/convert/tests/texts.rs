//! The texts of problems, notes and plans, each in one snapshot.

use std::fmt::Write;

use super::{merge::contradictions, migrate, numbered, set, with_metadata};
use crate::{
    context::Context,
    convert::{self, Plan, Problem, Written},
    text_snapshot,
};

fn write_problems(texts: &mut String, problems: &[Problem]) {
    for Problem { what, places: _, fix } in problems {
        let _ = writeln!(texts, "{what}\n  fix: {fix}");
    }
}

fn write_notes(texts: &mut String, notes: &[String]) {
    for note in notes {
        let _ = writeln!(texts, "note: {note}");
    }
}

#[test]
fn each_problem_note_and_step_has_its_text() {
    let mut texts = String::new();
    for case in contradictions() {
        write_problems(&mut texts, &convert::merge(&numbered(&case.sets)).problems);
    }
    for case in migrate::ambiguous_names().into_iter().chain(migrate::rejected_entries()) {
        write_problems(&mut texts, &convert::migrate(&numbered(&case.sets), &Context::default()).problems);
    }
    let metadata = "ownerReferences: [{apiVersion: v1}], finalizers: [lab.example/hold]";
    let contradicting = [
        with_metadata(
            &set("icsp", "a", "{source: quay.io/a, mirrors: [m.lab/1, m.lab/2, m.lab/1]}"),
            metadata,
        ),
        set("icsp", "b", "{source: quay.io/a, mirrors: [m.lab/2, m.lab/1]}"),
    ];
    let documents = numbered(&contradicting);
    write_notes(&mut texts, &convert::merge(&documents).notes);
    write_notes(&mut texts, &convert::migrate(&documents, &Context::default()).notes);
    let entry = "{source: quay.io/a, mirrors: [m.lab/1]}";
    for repeats in [2, 3] {
        let repeated = numbered(&[set("icsp", "a", &vec![entry; repeats].join(", "))]);
        write_notes(&mut texts, &convert::migrate(&repeated, &Context::default()).notes);
    }
    let unqualified = "{source: quay.io/b, mirrors: [m3/x]}, {source: quay.io/c, mirrors: [m3/y]}";
    write_notes(&mut texts, &convert::merge(&numbered(&[set("idms", "a", unqualified)])).notes);
    // Together they have no plan, because a mirror that is listed twice changes registries.conf; `b` alone has one.
    let planned = convert::migrate(&numbered(&contradicting[1..]), &Context::default());
    let Plan(steps) = Plan::of(&planned, &Written::Files(vec!["out/a.yaml".to_owned()]));
    for step in steps {
        let _ = writeln!(texts, "{}: {}\n  {}", step.step, step.what, step.command);
    }
    text_snapshot::assert("convert/texts.txt", &texts);
}
