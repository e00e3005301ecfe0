//! `mirrorguard overrides --check`: how each release reads a value, and whether it leads to where the mirror sets do.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::command::{Run, command, mirrorguard};

const SETS: &str = "tests/cli/fixtures/redhat.yaml";
const RIGHT: &str = "registry.redhat.io/redhat=m.lab/redhat";

/// Runs `overrides --check` with a value, which may contain spaces, and more words.
fn check(value: &str, more: &str) -> Result<Run> {
    let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
    Run::of(command.args(["overrides", "-o", "json", "--check", value]).args(more.split_whitespace()))
}

/// The rules of the findings in JSON.
fn rules_of(json: &Value) -> Vec<&str> {
    let findings = json["findings"].as_array().into_iter().flatten();
    findings.filter_map(|finding| finding["rule"].as_str()).collect()
}

#[test]
fn a_value_is_compared_with_the_mirror_sets() -> Result<()> {
    let foreign = &["foreign-catalog-overrides"][..];
    let typo = "registry.redhat.io/redhat=typo.lab/redhat";
    let table = [
        (RIGHT, SETS, 0, &[][..], "where the mirror sets lead"),
        (typo, SETS, 1, foreign, "elsewhere"),
        (typo, "", 0, &[], "without mirror sets, every location may be meant"),
        ("registry.redhat.io=m.lab", SETS, 0, &[], "another spelling"),
        ("", SETS, 1, foreign, "no overrides, where some can be derived"),
        ("=", "", 0, &[], "no overrides, and nothing to compare with"),
        ("-x=m.lab", "", 1, &["misread-catalog-overrides"], "a hyphen"),
        (&format!("{RIGHT}, {RIGHT}"), "--release 4.18", 0, &["misread-catalog-overrides"], "a space"),
    ];
    for (value, more, code, rules, reason) in table {
        let run = check(value, more).and_then(|run| run.code(code)).context(reason)?;
        let json = run.json()?;
        ensure!(rules_of(&json) == rules, "{reason}: {json}");
    }
    let json = check(typo, SETS)?.json()?;
    let message = json["findings"][0]["message"].as_str().unwrap_or_default();
    for place in ["typo.lab/redhat/certified-operator-index", "m.lab/redhat/certified-operator-index"] {
        ensure!(message.contains(place), "{message}");
    }
    Ok(())
}

#[test]
fn a_value_is_read_as_the_release_reads_it() -> Result<()> {
    let tagged = "registry.redhat.io/redhat/redhat-operator-index:v4.16=m.lab/x/redhat-operator-index:v4.16";
    let [ours, moved] = ["m.lab/x", "xm.lab/redhat"].map(|place| format!("{place}/redhat-operator-index"));
    let before_all = format!("{RIGHT},=x");
    let without_place = format!("{RIGHT},registry.redhat.io=");
    let one = json!(["m.lab/redhat/redhat-operator-index"]);
    let table = [
        (tagged, "4.16", "replace", json!([ours]), 0, "the tag is part of the text"),
        (&before_all, "4.16", "replace", json!([moved]), 1, "the empty text is in every image"),
        (&before_all, "4.18", "list", one.clone(), 0, "an empty side is dropped"),
        (&without_place, "4.17", "list", Value::Null, 1, "it is not up to 4.17"),
        (&without_place, "4.18", "list", one, 0, "but then"),
    ];
    for (value, release, era, expected, code, reason) in table {
        let run = check(value, &format!("--release {release}"))?.code(code).context(reason)?;
        let json = run.json()?;
        ensure!(json[era]["redhat-operators"] == expected, "{reason}: {json}");
    }
    Ok(())
}

#[test]
fn a_fault_is_named_once_with_its_reason_and_releases() -> Result<()> {
    let before_all = format!("{RIGHT},=x");
    let without_place = format!("{RIGHT},registry.redhat.io=");
    let same = format!("{RIGHT},quay.io=m");
    let table: [(&str, &str, &[&str], &str); 8] = [
        ("-foo", "", &["all releases ignore … no part of it is SOURCE=MIRROR"], "no ="),
        ("quay.io=m", "", &["all releases ignore … no catalog image contains"], "no catalog is there"),
        (&same, "", &["all releases ignore the source \"quay.io\""], "next to one that counts"),
        (
            &before_all,
            "",
            &[
                "the part \"=x\" has no source, so releases up to 4.16 look",
                "releases from 4.17 on ignore the part … \"=x\"",
            ],
            "an empty side is kept, then dropped",
        ),
        (
            &before_all,
            "--release 4.17",
            &["releases of 4.17 ignore the part … which has no source"],
            "dropped",
        ),
        (
            &before_all,
            "--release 4.18",
            &["releases from 4.18 on ignore the part … which has no source"],
            "as well",
        ),
        (
            &without_place,
            "--release 4.17",
            &["the part \"registry.redhat.io=\" has no mirror, so releases of 4.17 choose at random"],
            "no mirror",
        ),
        (
            &without_place,
            "--release 4.18",
            &["releases from 4.18 on ignore the part … which has no mirror"],
            "dropped",
        ),
    ];
    for (value, more, expected, reason) in table {
        let json = check(value, more)?.json()?;
        let findings = json["findings"].as_array().context("no findings")?;
        ensure!(findings.len() == expected.len(), "{reason}: {json}");
        for (finding, expected) in findings.iter().zip(expected) {
            let message = finding["message"].as_str().unwrap_or_default();
            let is_there = expected.split(" … ").all(|part| message.contains(part));
            ensure!(is_there, "{reason}: {message}");
        }
    }
    Ok(())
}

#[test]
fn a_typing_error_has_its_place_and_correction() -> Result<()> {
    let table = [
        ("registry.redhat.io/redhat=m.lab/redhat, registry.redhat.io/redhat=n.lab/redhat", "character 40"),
        ("registry.redhat.io/redhat:m.lab/redhat", "character 26"),
        ("\"registry.redhat.io/redhat=m.lab/redhat\"", "character 1"),
        ("Registry.redhat.io/redhat=m.lab/redhat", "character 1"),
        ("registry.redhat.com/redhat=m.lab/redhat", "character 1"),
    ];
    for (value, place) in table {
        let json = check(value, "--release 4.18")?.json()?;
        let (message, help) = (&json["findings"][0]["message"], &json["findings"][0]["help"]);
        ensure!(message.as_str().is_some_and(|text| text.contains(place)), "{value}: {json}");
        ensure!(help.as_str().is_some_and(|text| text.contains(RIGHT)), "{value}: {json}");
    }
    Ok(())
}

#[test]
fn only_releases_that_are_modelled_are_checked() -> Result<()> {
    mirrorguard(&format!("overrides --release 3.11 {SETS}"))?.code(2)?.says("not a release")?;
    mirrorguard(&format!("overrides --release 4.14 {SETS}"))?.code(0)?;
    mirrorguard("overrides --check=")?.code(0)?.says("no overrides")?;
    Ok(())
}
