//! Where the pods stand, and what they are given.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::chart::{objects, one, refusal};

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// The pods' template with such values.
fn pod(values: &[&str]) -> Result<Value> {
    Ok(one(&objects(values, &[])?, "Deployment")?["spec"]["template"].clone())
}

/// The terms of the preferred anti-affinity.
fn apart(pod: &Value) -> Result<&Vec<Value>> {
    let terms =
        &pod["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"];
    terms.as_array().with_context(|| format!("no anti-affinity: {}", pod["spec"]))
}

/// A node that lacks one label of the constraints with `ScheduleAnyway` counts for none of them
/// (`pkg/scheduler/framework/plugins/podtopologyspread/scoring.go`, `requireAllTopologies`), and with
/// `DoNotSchedule` it takes no pod.
#[test]
fn nodes_without_a_zone_are_spread_over() -> Result<()> {
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
        let [own] = &apart(&pod)?[..] else { anyhow::bail!("{reason}: {pod}") };
        let term = &own["podAffinityTerm"];
        ensure!(term["topologyKey"] == HOSTNAME, "{reason}: {own}");
        let labels = term["labelSelector"]["matchLabels"].as_object().context("it selects nothing")?;
        ensure!(labels.iter().all(|(name, value)| pod["metadata"]["labels"][name] == *value), "{own}");
    }
    Ok(())
}

#[test]
fn an_affinity_of_ones_own_is_kept_beside_the_charts() -> Result<()> {
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
    let keys: Vec<_> = apart(&pod)?.iter().map(|term| &term["podAffinityTerm"]["topologyKey"]).collect();
    ensure!(keys == ["rack", HOSTNAME], "{affinity}");
    Ok(())
}

/// A key that is there twice is no YAML, and the last one would have hidden the pods from their Service.
#[test]
fn labels_and_annotations_of_the_chart_stay_as_they_are() -> Result<()> {
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
        ensure!(other["lab.example/team"] == "mirrors", "what is not the chart's is added: {other}");
    }
    Ok(())
}

/// The apiserver warns of a name that is there twice, and server-side apply refuses it.
#[test]
fn a_variable_of_ones_own_is_there_in_place_of_the_charts() -> Result<()> {
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
fn the_log_is_as_the_values_say() -> Result<()> {
    let told = |values: &[&str]| -> Result<(Value, String)> {
        let container = pod(values)?["spec"]["containers"][0].clone();
        let words = container["args"].as_array().context("no arguments")?;
        let flag = words.iter().position(|word| word == "--log-format").context("no form")?;
        Ok((container["env"].clone(), words[flag + 1].as_str().unwrap_or_default().to_owned()))
    };
    ensure!(told(&[])? == (Value::Null, "json".to_owned()), "{:?}", told(&[])?);
    let chosen = told(&["logging.level=debug", "logging.format=text"])?;
    let level = json!([{"name": "RUST_LOG", "value": "debug"}]);
    ensure!(chosen == (level, "text".to_owned()), "{chosen:?}");
    let both = told(&["logging.level=debug", "tracing.endpoint=http://collector.lab.example:4318"])?.0;
    let names: Vec<_> = both.as_array().into_iter().flatten().map(|one| &one["name"]).collect();
    ensure!(names[..2] == ["RUST_LOG", "OTEL_EXPORTER_OTLP_ENDPOINT"], "{both}");
    Ok(())
}

/// What is no level is the name of a module to the filter, and nothing would be logged any more.
#[test]
fn what_is_no_level_is_refused() -> Result<()> {
    for (wrong, right, reason) in [
        ("inof", "info", "mistyped"),
        (r"info\,mirrorguard", r"info\,mirrorguard=debug", "a module without a level"),
        ("INFO", "info", "in capitals"),
        ("mirrorguard=loud", "mirrorguard::server=debug", "no level of a module"),
    ] {
        let said = refusal(&[&format!("logging.level={wrong}")], &[])?;
        ensure!(said.contains("logging"), "{wrong}, {reason}: {said}");
        pod(&[&format!("logging.level={right}")]).with_context(|| format!("{right}: {reason}"))?;
    }
    Ok(())
}
