use super::*;
use mirrorguard_core::{objects::manifest, review::Verdict, rules};

/// The drawing of a finding at the source of the first entry, without title and fix.
fn drawing(text: &str, width: usize) -> String {
    let reading = manifest::read("x.yaml", text.to_owned());
    let located = &reading.objects[0];
    let path = "spec.imageTagMirrors[0].source";
    let finding = rules::Finding {
        effect: "it stops".to_owned(),
        fix: "fix it".into(),
        ..rules::Finding::new(path, "key", "wrong")
    };
    let rule = &rules::RULES[0];
    let verdict =
        Verdict { diagnostics: vec![Diagnostic { rule, level: Level::Deny, finding }], ..Verdict::default() };
    let one = Reviewed { object: located.object.id(), place: Some(located), verdict };
    let text = human(&[one], &Places::default(), width);
    let text = strip_str(&text).to_string();
    let lines: Vec<_> = text.lines().skip(1).filter(|line| !line.contains("help")).collect();
    lines.join("\n").trim_end().to_owned()
}

/// How many of the other sources a finding at the second of four entries draws.
fn drawn(entries: &str) -> usize {
    let reading = manifest::read("x.yaml", set(entries));
    assert_eq!(reading.errors, []);
    let located = &reading.objects[0];
    let path = |at: usize| format!("spec.imageTagMirrors[{at}].source");
    let related = [0, 2, 3].map(|at| rules::Related { object: located.object.id(), path: path(at) });
    let finding =
        rules::Finding { related: Vec::from(related).into(), ..rules::Finding::new(path(1), "key", "wrong") };
    let rule = &rules::RULES[0];
    let diagnostics = vec![Diagnostic { rule, level: Level::Deny, finding }];
    let verdict = Verdict { diagnostics, ..Verdict::default() };
    let one = Reviewed { object: located.object.id(), place: Some(located), verdict };
    let places = [(&located.object, Some(located))].into_iter().collect();
    strip_str(&human(&[one], &places, 80)).to_string().matches("in ImageTagMirrorSet/").count()
}

#[test]
fn a_line_is_labelled_once() {
    let [apart, flow] = ["  - source: q.io\n", "{source: q.io}"];
    let table = [
        (apart.repeat(4), 3, "each on a line of its own"),
        (format!("    [{}]", [flow; 4].join(", ")), 0, "all on the line of the finding"),
        (format!("    [{flow}, {flow},\n    {flow}, {flow}]"), 1, "two on one other line"),
    ];
    for (entries, expected, reason) in table {
        assert_eq!(drawn(&entries), expected, "{reason}");
    }
}

fn set(entry: &str) -> String {
    format!(
        "apiVersion: config.openshift.io/v1\nkind: ImageTagMirrorSet\nspec:\n  imageTagMirrors:\n{entry}\n"
    )
}

#[test]
fn values_are_underlined_whatever_their_line_holds() {
    let plain = " --> x.yaml:5:13\n  |\n5 |   - source: q.io\n  |             ^^^^ it stops\n  |";
    let table = [
        (set("  - source: q.io"), 60, plain, "a line"),
        (set("  - source: q.io").replace('\n', "\r\n"), 60, plain, "a line that ends as on Windows"),
        (
            set("  - source: q.io"),
            20,
            " --> x.yaml:5:13\n  |\n5 |   - source: q.io\n  |             ^^^^\n  |\n  = note: it stops",
            "no room after it",
        ),
        (
            set("  - {mirrors: [日本], source: \"ü\"} # 語"),
            60,
            " --> x.yaml:5:29\n  |\n5 |   - {mirrors: [日本], source: \"ü\"} # 語\n  |                               ^^^ it stops\n  |",
            "characters two columns wide",
        ),
        (
            set("  - source: q.io\t# ours"),
            60,
            " --> x.yaml:5:13\n  |\n5 |   - source: q.io    # ours\n  |             ^^^^ it stops\n  |",
            "tabs",
        ),
    ];
    for (text, width, expected, reason) in table {
        assert_eq!(drawing(&text, width), expected, "{reason}");
    }
}

/// A set with a mirror of this length before its source.
fn set_with_long_line(length: usize) -> String {
    set(&format!("  - {{mirrors: [{}], source: q.io}}", "m".repeat(length)))
}

#[test]
fn a_long_line_is_cut_and_a_very_long_one_is_not_drawn() {
    let cut = drawing(&set_with_long_line(300), 60);
    assert!(cut.lines().all(|line| line.chars().count() <= 60), "{cut}");
    assert!(cut.contains("x.yaml:5:327") && cut.contains("source: q.io"), "{cut}");
    let named = "--> x.yaml:5:400027\n = note: in ImageTagMirrorSet/, spec.imageTagMirrors[0].source\n = note: it stops";
    assert_eq!(drawing(&set_with_long_line(400_000), 60), named);
}
