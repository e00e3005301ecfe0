//! The image configuration, the release image and the files of the nodes.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::command::{mirrorguard, mirrorguard_reads};

const FOLDER: &str = "tests/cli/fixtures/image-config";

/// A command line in which `@` is the folder of the fixtures.
fn line(text: &str) -> String {
    text.replace('@', FOLDER)
}

#[test]
fn an_image_configuration_that_does_not_fit_is_found_at_its_field() -> Result<()> {
    let table = [
        ("payload-allowed-twice", "payload-allowed-twice.yaml:16", "the payload is allowed twice"),
        ("blocked-list-lost", "blocked-list-lost.yaml:16", "every blocked registry is lost"),
        ("scope-with-a-scheme", "scope-with-a-scheme.yaml:7", "nodes cannot read the file"),
    ];
    for (fixture, place, reason) in table {
        let found = format!("error[unrenderable-image-config] … {place}");
        mirrorguard(&line(&format!("lint @/{fixture}.yaml")))?.code(1)?.prints(&found).context(reason)?;
    }
    mirrorguard(&line("lint @/another-name.yaml"))?.code(0)?.prints("").context("of another name")?;
    Ok(())
}

#[test]
fn a_release_image_is_reviewed_without_an_image_configuration() -> Result<()> {
    for (image, code, found) in [
        ("ocp-release:4", 1, "error[unrenderable-image-config] … <stdin>:4:"),
        ("quay.io/ocp/release:4", 0, ""),
    ] {
        let version = format!(
            "apiVersion: config.openshift.io/v1\nkind: ClusterVersion\nmetadata: {{name: version}}\n\
             status: {{desired: {{image: '{image}'}}}}\n"
        );
        mirrorguard_reads("lint -", &version)?.code(code)?.prints(found).context(image)?;
    }
    Ok(())
}

#[test]
fn what_nodes_get_is_rendered_as_they_get_it() -> Result<()> {
    let twice = mirrorguard(&line("render @/payload-allowed-twice.yaml"))?.code(1)?.prints("")?;
    twice.says("error[unrenderable-image-config] … only one of AllowedRegistries or BlockedRegistries")?;
    let lost = mirrorguard(&line("render @/blocked-list-lost.yaml"))?.code(0)?;
    ensure!(!lost.stdout.contains("blocked = true"), "a blocked registry is left: {}", lost.stdout);
    lost.says("warning: no registry is blocked")?;
    let scheme = mirrorguard(&line("render @/scope-with-a-scheme.yaml"))?.code(1)?;
    scheme.prints("location = \"https://mirror.lab:8443\"")?.says("URI schemes are not supported")?;
    let widest = "location = \"registry.redhat.io/redhat/redhat-operator-index\"\n  insecure = true … \
                  location = \"wide.lab/redhat.io/redhat/redhat-operator-index\"";
    mirrorguard(&line("render @/insecure-index.yaml"))?.code(0)?.prints(widest)?;
    Ok(())
}

#[test]
fn search_registries_are_a_file_of_their_own() -> Result<()> {
    let search =
        "unqualified-search-registries = [\"mirror.lab:5000\", \"quay.io\"]\nshort-name-mode = \"\"\n";
    let both = mirrorguard(&line("render -o json @/search-registries.yaml"))?.code(0)?.json()?;
    ensure!(both["searchRegistriesConf"].as_str().is_some_and(|text| text.starts_with(search)), "{both}");
    let template = "unqualified-search-registries = [\"registry.access.redhat.com\", \"docker.io\"]";
    let alone = mirrorguard(&line("render @/search-registries.yaml"))?.code(0)?;
    alone.prints(template)?.says("--to search-registries")?;
    mirrorguard(&line("render --to search-registries @/search-registries.yaml"))?.code(0)?.prints(search)?;
    mirrorguard(&line("render --to search-registries @/no-settings.yaml"))?.code(1)?.prints("")?;
    Ok(())
}

#[test]
fn a_short_name_is_searched_where_nodes_search_it() -> Result<()> {
    let table = [
        ("search-registries", json!(["mirror.lab:5000/nginx:1", "quay.io/nginx:1"]), "those of the object"),
        (
            "another-name",
            json!(["registry.access.redhat.com/nginx:1", "docker.io/library/nginx:1"]),
            "an object of another name does not count",
        ),
    ];
    for (fixture, expected, reason) in table {
        let explained = mirrorguard(&line(&format!("explain -o json nginx:1 @/{fixture}.yaml")))?.code(0)?;
        let searched = explained.json()?["searched"].clone();
        let images: Vec<_> =
            searched.as_array().into_iter().flatten().map(|one| one["image"].clone()).collect();
        ensure!(json!(images) == expected, "{reason}: {searched}");
    }
    Ok(())
}

#[test]
fn every_file_of_the_nodes_has_its_impact() -> Result<()> {
    let table = [
        ("no-settings.yaml @/search-registries.yaml", "reboot", "no policy covers the drop-in file"),
        ("no-settings.yaml @/no-disruption.yaml", "reload", "a custom policy does"),
        ("no-settings.yaml @/allowed.yaml", "reload", "policy.json changes"),
        ("no-settings.yaml @/another-name.yaml", "none", "an object of another name does not count"),
    ];
    for (files, impact, reason) in table {
        let change = mirrorguard(&line(&format!("diff -o json @/{files}")))?.code(0)?.json()?;
        ensure!(change["impact"] == impact, "{reason}: {change}");
    }
    mirrorguard(&line("diff --fail-on reboot @/no-settings.yaml @/search-registries.yaml"))?.code(1)?;
    mirrorguard(&line("diff --fail-on reboot @/no-settings.yaml @/allowed.yaml"))?.code(0)?;
    Ok(())
}
