//! Where the pods are scheduled, and their containers.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::chart::{objects, one, rejection};

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// The template of the pods with these values.
fn pod(values: &[&str]) -> Result<Value> {
    Ok(one(&objects(values, &[])?, "Deployment")?["spec"]["template"].clone())
}

/// The terms of the preferred anti-affinity.
fn anti_affinity(pod: &Value) -> Result<&Vec<Value>> {
    let terms =
        &pod["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"];
    terms.as_array().with_context(|| format!("no anti-affinity: {}", pod["spec"]))
}

/// A node that lacks one label of the constraints with `ScheduleAnyway` counts for none of them
/// (`pkg/scheduler/framework/plugins/podtopologyspread/scoring.go`, `requireAllTopologies`), and with
/// `DoNotSchedule` it takes no pod.
#[test]
fn pods_are_spread_over_nodes_without_a_zone_too() -> Result<()> {
    let table = [
        ("ScheduleAnyway", vec![(ZONE, "ScheduleAnyway")], "the anti-affinity alone keeps pods apart"),
        (
            "DoNotSchedule",
            vec![(ZONE, "ScheduleAnyway"), (HOSTNAME, "DoNotSchedule")],
            "every node has a name, not every node a zone",
        ),
    ];
    for (value, expected, reason) in table {
        let pod = pod(&[&format!("topologySpread.whenUnsatisfiable={value}")])?;
        let constraints = pod["spec"]["topologySpreadConstraints"].as_array().context("no constraints")?;
        let found: Vec<_> = constraints
            .iter()
            .map(|one| Some((one["topologyKey"].as_str()?, one["whenUnsatisfiable"].as_str()?)))
            .collect();
        ensure!(found == expected.into_iter().map(Some).collect::<Vec<_>>(), "{reason}: {found:?}");
        let [own] = &anti_affinity(&pod)?[..] else { anyhow::bail!("{reason}: {pod}") };
        let term = &own["podAffinityTerm"];
        ensure!(term["topologyKey"] == HOSTNAME, "{reason}: {own}");
        let labels = term["labelSelector"]["matchLabels"].as_object().context("it selects nothing")?;
        ensure!(labels.iter().all(|(name, value)| pod["metadata"]["labels"][name] == *value), "{own}");
    }
    Ok(())
}

#[test]
fn an_affinity_in_the_values_is_merged_with_that_of_the_chart() -> Result<()> {
    let preferred = "affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]";
    let pod = pod(&[
        "affinity.nodeAffinity.a=b",
        "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey=rack",
        &format!("{preferred}.weight=7"),
        &format!("{preferred}.podAffinityTerm.topologyKey=rack"),
    ])?;
    let affinity = &pod["spec"]["affinity"];
    ensure!(affinity["nodeAffinity"] == json!({"a": "b"}), "{affinity}");
    let required = &affinity["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    ensure!(*required == json!([{"topologyKey": "rack"}]), "{affinity}");
    let keys: Vec<_> =
        anti_affinity(&pod)?.iter().map(|term| &term["podAffinityTerm"]["topologyKey"]).collect();
    ensure!(keys == ["rack", HOSTNAME], "{affinity}");
    Ok(())
}

/// A duplicate key is invalid YAML, and the last value would hide the pods from their Service.
#[test]
fn labels_and_annotations_in_the_values_do_not_override_those_of_the_chart() -> Result<()> {
    let usual = pod(&[])?;
    let other = pod(&[
        r"podLabels.app\.kubernetes\.io/name=other",
        r"podLabels.lab\.example/team=mirrors",
        "podAnnotations.checksum/config=other",
        r"podAnnotations.lab\.example/team=mirrors",
    ])?;
    for (map, own) in [("labels", "app.kubernetes.io/name"), ("annotations", "checksum/config")] {
        let (usual, other) = (&usual["metadata"][map], &other["metadata"][map]);
        ensure!(usual[own].is_string() && other[own] == usual[own], "{own}: {usual}, {other}");
        ensure!(other["lab.example/team"] == "mirrors", "others are added: {other}");
    }
    Ok(())
}

/// The API server warns about a duplicate name, and server-side apply rejects it.
#[test]
fn a_variable_in_the_values_overrides_that_of_the_chart() -> Result<()> {
    let endpoint = "tracing.endpoint=http://collector.lab.example:4318";
    for (name, others) in
        [("OTEL_RESOURCE_ATTRIBUTES", 6), ("OTEL_TRACES_SAMPLER", 6), ("OTEL_EXPORTER_OTLP_HEADERS", 7)]
    {
        let own = [format!("tracing.env[0].name={name}"), "tracing.env[0].value=own".to_owned()];
        let pod = pod(&[endpoint, &own[0], &own[1]])?;
        let variables = pod["spec"]["containers"][0]["env"].as_array().context("no variables")?;
        let (given, kept): (Vec<_>, Vec<_>) = variables.iter().partition(|one| one["name"] == name);
        ensure!(given == [&json!({"name": name, "value": "own"})], "{name}: {variables:?}");
        ensure!(kept.len() == others, "{name}: {variables:?}");
    }
    Ok(())
}

#[test]
fn the_values_set_level_and_format_of_the_log() -> Result<()> {
    let default = variables_and_log_format(&[])?;
    ensure!(default == (Value::Null, "json".to_owned()), "{default:?}");
    let chosen = variables_and_log_format(&["logging.level=debug", "logging.format=text"])?;
    let level = json!([{"name": "RUST_LOG", "value": "debug"}]);
    ensure!(chosen == (level, "text".to_owned()), "{chosen:?}");
    let both = ["logging.level=debug", "tracing.endpoint=http://collector.lab.example:4318"];
    let (both, _) = variables_and_log_format(&both)?;
    let names: Vec<_> = both.as_array().into_iter().flatten().map(|one| &one["name"]).collect();
    ensure!(names[..2] == ["RUST_LOG", "OTEL_EXPORTER_OTLP_ENDPOINT"], "{both}");
    Ok(())
}

/// The container's `env`, and the value of `--log-format`.
fn variables_and_log_format(values: &[&str]) -> Result<(Value, String)> {
    let container = pod(values)?["spec"]["containers"][0].clone();
    let words = container["args"].as_array().context("no arguments")?;
    let flag = words.iter().position(|word| word == "--log-format").context("no --log-format")?;
    Ok((container["env"].clone(), words[flag + 1].as_str().unwrap_or_default().to_owned()))
}

/// The filter would read an unknown level as the name of a module, and nothing would be logged any more.
#[test]
fn an_invalid_log_level_is_rejected() -> Result<()> {
    for (wrong, right, reason) in [
        ("inof", "info", "misspelt"),
        (r"info\,mirrorguard", r"info\,mirrorguard=debug", "a module without a level"),
        ("INFO", "info", "in capitals"),
        ("mirrorguard=loud", "mirrorguard::server=debug", "not a level"),
    ] {
        let error = rejection(&[&format!("logging.level={wrong}")], &[])?;
        ensure!(error.contains("logging"), "{wrong}, {reason}: {error}");
        pod(&[&format!("logging.level={right}")]).with_context(|| format!("{right}: {reason}"))?;
    }
    Ok(())
}
