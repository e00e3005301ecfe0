//! `mirrorguard render`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{
    Answer,
    args::PATHS_HELP,
    input::{self, Input},
    lint,
    output::Output,
    report,
};
use crate::{
    node::{self, RegistriesConf},
    review::State,
    rules::{Level, Settings},
};

const HELP: &str = "\
Output:
  stdout  the file, byte for byte, or {\"registriesConf\": \"…\"}
  stderr  where the nodes would get nothing, the findings that say why

Exit codes:
  0  the file was printed
  1  the nodes would get no configuration from these objects
  2  usage, or a file or cluster that cannot be read

Examples:
  mirrorguard render mirrors/
  oc get icsp,idms,itms,image.config -o yaml | mirrorguard render -
  mirrorguard render mirrors/ | diff /etc/containers/registries.conf -";

/// Print registries.conf as the nodes will get it
///
/// The machine-config operator merges ICSP, IDMS, ITMS and the image configuration
/// (image.config.openshift.io/cluster) into one file for all nodes. Where it would refuse to, so does this, and
/// names the object, which the operator does not.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct RenderArgs {
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_enum, default_value_t = Target::RegistriesConf)]
    pub(super) to: Target,
}

/// What `render` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Target {
    /// The nodes' /etc/containers/registries.conf
    RegistriesConf,
}

pub(super) fn run(args: &RenderArgs, output: &Output) -> Result<Answer> {
    let input = input::read(&args.paths, output)?.complete()?;
    let state: State = input.objects().cloned().collect();
    let Target::RegistriesConf = args.to;
    let Some(conf) = rendered(&input, &state, output) else { return Ok(Answer::No) };
    if output.is_json() {
        output.json(&json!({ "registriesConf": conf.to_string() }))?;
    } else {
        output.result(&conf.to_string())?;
    }
    Ok(Answer::Yes)
}

/// The file the nodes would get; where they would get none, says why and which object did it.
pub(super) fn rendered<'a>(input: &Input, state: &'a State, output: &Output) -> Option<RegistriesConf<'a>> {
    let view = state.context().view();
    let refusal = match node::validate(view)
        .map_err(|e| e.to_string())
        .and_then(|()| node::render(view).map_err(|e| e.to_string()))
    {
        Ok(conf) => return Some(conf),
        Err(refusal) => refusal,
    };
    let mut judgements = lint::judge(input, state, &Settings::default());
    for judgement in &mut judgements {
        // An ICSP next to IDMS is refused by us, not by the nodes.
        let stops_rendering = |rule: &str| rule != "icsp-alongside-idms";
        judgement
            .verdict
            .judged
            .retain(|judged| judged.level == Level::Deny && stops_rendering(judged.rule.id));
    }
    output.say(&report::human(&judgements, Output::width()));
    output.say(&format!("the nodes get no new configuration: {refusal}\n"));
    None
}
