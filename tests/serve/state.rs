//! `--state FOLDER`: decisions use the current files.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::client::Client;
use crate::ground::Ground;
use crate::reviews::{ICSP_ALONGSIDE_IDMS, IDMS_FILE, new_icsp};
use crate::volume::Volume;
use crate::wait::eventually;

/// How soon a change of the files is noticed.
const NOTICED: Duration = Duration::from_secs(15);

fn becomes_denied(client: &mut Client) -> Result<()> {
    eventually(NOTICED, "a denial", || client.validate(&new_icsp())?.denied_for(ICSP_ALONGSIDE_IDMS))
}

fn becomes_allowed(client: &mut Client) -> Result<()> {
    eventually(NOTICED, "an admission", || client.validate(&new_icsp())?.allowed())
}

#[test]
fn a_new_or_removed_mirror_set_changes_the_next_decision() -> Result<()> {
    let ground = Ground::new()?;
    let webhook = ground.start()?;
    let mut client = ground.client(&webhook)?;
    client.validate(&new_icsp())?.allowed()?;
    let file = ground.write("mirrors/idms.yaml", IDMS_FILE)?;
    becomes_denied(&mut client)?;
    fs::remove_file(file)?;
    becomes_allowed(&mut client)
}

#[test]
fn a_broken_file_leaves_the_state_until_it_is_fixed_or_removed() -> Result<()> {
    let ground = Ground::new()?;
    ground.write("mirrors/idms.yaml", IDMS_FILE)?;
    let webhook = ground.start()?;
    let mut client = ground.client(&webhook)?;
    client.validate(&new_icsp())?.denied_for(ICSP_ALONGSIDE_IDMS)?;

    let broken = ground.write("mirrors/idms.yaml", "kind: [\n")?;
    webhook.logged(NOTICED, "mirrors/idms.yaml:2:1: ")?;
    client.validate(&new_icsp())?.denied_for(ICSP_ALONGSIDE_IDMS).context("the file is broken")?;
    ground.write("mirrors/other.yaml", IDMS_FILE)?;
    client.validate(&new_icsp())?.denied_for(ICSP_ALONGSIDE_IDMS).context("another file came")?;

    fs::remove_file(ground.path("mirrors/other.yaml"))?;
    fs::remove_file(broken)?;
    becomes_allowed(&mut client)
}

#[test]
fn a_file_of_a_config_map_volume_is_followed() -> Result<()> {
    let ground = Ground::new()?;
    let mut volume = Volume::new(ground.path("mirrors"))?;
    volume.publish(&[("sets.yaml", "# none yet\n")])?;
    let webhook = ground.start()?;
    let mut client = ground.client(&webhook)?;
    client.validate(&new_icsp())?.allowed()?;
    volume.publish(&[("sets.yaml", IDMS_FILE)])?;
    becomes_denied(&mut client)?;
    volume.publish(&[("sets.yaml", "# none again\n")])?;
    becomes_allowed(&mut client)
}

#[test]
fn a_folder_inside_the_folder_is_read_and_other_files_are_not() -> Result<()> {
    let ground = Ground::new()?;
    ground.write("mirrors/README.md", "kind: [\n")?;
    let webhook = ground.start()?;
    let mut client = ground.client(&webhook)?;
    client.validate(&new_icsp())?.allowed()?;
    fs::create_dir(ground.path("mirrors/deeper"))?;
    ground.write("mirrors/deeper/idms.yml", IDMS_FILE)?;
    becomes_denied(&mut client)
}
