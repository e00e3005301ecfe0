//! `mirrorguard render`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{
    Answer,
    input::{self, Input},
    lint,
    options::PATHS_HELP,
    output::Output,
    report,
};
use mirrorguard_core::{
    forms::{self, Form, NoForm, Omission},
    node::{self, RegistriesConf},
    report::Reviewed,
    rules::{Level, Settings},
    state::State,
};

const HELP: &str = "\
Output:
  stdout  the file, byte for byte, or the form; with -o json {\"registriesConf\": \"…\"} or the form as JSON
  stderr  what a form cannot say: \"lost\" belongs there, and fails; \"left out\" has no place there, and does not. \
Where there is nothing to print, why

Exit codes:
  0  the file or form was printed
  1  something was lost, or there is no form: the nodes refuse the mirror sets, a limit is exceeded, no value of the \
annotation is right
  2  usage, or a file or cluster that cannot be read

Examples:
  mirrorguard render mirrors/
  oc get icsp,idms,itms,image.config -o yaml | mirrorguard render -
  mirrorguard render mirrors/ | diff /etc/containers/registries.conf -
  mirrorguard render --to idms mirrors/ > idms.yaml
  oc patch hostedcluster -n clusters lab --type merge -p \"$(mirrorguard render --to hostedcluster -o json mirrors/)\"
  mirrorguard render --to vap --config mirrorguard.yaml | oc apply -f -";

/// Print registries.conf as the nodes will get it, or the mirror sets in another form
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
    /// One IDMS for all ICSPs and IDMSs
    Idms,
    /// One ITMS for all ITMSs
    Itms,
    /// spec.imageContentSources of a HostedCluster
    #[value(name = "hostedcluster")]
    HostedCluster,
    /// imageDigestSources of the installer's install-config.yaml
    InstallConfig,
    /// The catalog overrides annotation of a HostedCluster
    Annotation,
    /// Validating admission policies with the rules that need no other object; reads --config, no PATH
    Vap,
}

pub(super) fn run(args: &RenderArgs, output: &Output) -> Result<Answer> {
    let write: fn(&State, &Settings) -> Result<Form, NoForm> = match args.to {
        Target::RegistriesConf => return registries_conf(args, output),
        Target::Vap => return policies(args, output),
        Target::Idms => |state, _| Ok(forms::digest_mirror_set(state.context().view())),
        Target::Itms => |state, _| Ok(forms::tag_mirror_set(state.context().view())),
        Target::HostedCluster => |state, _| forms::hosted_cluster(state.context().view()),
        Target::InstallConfig => |state, _| Ok(forms::install_config(state.context().view())),
        Target::Annotation => {
            |state, settings| forms::catalog_annotation(state.derivations(), &settings.releases)
        }
    };
    let input = input::read(&args.paths, output)?.complete()?;
    let state: State = input.objects().cloned().collect();
    if rendered(&input, &state, output).is_none() {
        return Ok(Answer::No);
    }
    print(write(&state, &output.settings()?), output)
}

fn registries_conf(args: &RenderArgs, output: &Output) -> Result<Answer> {
    let input = input::read(&args.paths, output)?.complete()?;
    let state: State = input.objects().cloned().collect();
    let Some(conf) = rendered(&input, &state, output) else { return Ok(Answer::No) };
    if output.is_json() {
        output.json(&json!({ "registriesConf": conf.to_string() }))?;
    } else {
        output.result(&conf.to_string())?;
    }
    Ok(Answer::Yes)
}

fn policies(args: &RenderArgs, output: &Output) -> Result<Answer> {
    if !args.paths.is_empty() {
        output.say("the policies are the same for all mirror sets: no PATH is read\n");
    }
    print(forms::admission_policies(&output.settings()?), output)
}

fn print(form: Result<Form, NoForm>, output: &Output) -> Result<Answer> {
    let form = match form {
        Ok(form) => form,
        Err(NoForm(reasons)) => {
            for reason in &reasons {
                output.problem(reason);
            }
            return Ok(Answer::No);
        }
    };
    if output.is_json() {
        output.json(&form.json())?;
    } else {
        output.result(&form.yaml())?;
    }
    for omission in &form.omissions {
        match omission {
            Omission::Lost(what) => output.insist(&format!("lost: {what}\n")),
            Omission::Aside(what) => output.say(&format!("left out: {what}\n")),
        }
    }
    Ok(if form.is_lossy() { Answer::No } else { Answer::Yes })
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
    let mut reviewed = lint::review(input, state, &Settings::default());
    reviewed.iter_mut().for_each(keep_what_stops_rendering);
    let places = input.located.iter().collect();
    output.insist(&report::human(&reviewed, &places, Output::width()));
    output.problem(&format!("the nodes get no new configuration: {refusal}"));
    None
}

/// Leaves the findings that explain why the nodes get no configuration.
fn keep_what_stops_rendering(reviewed: &mut Reviewed<'_>) {
    let diagnostics = &mut reviewed.verdict.diagnostics;
    diagnostics.retain(|diagnostic| diagnostic.level == Level::Deny && diagnostic.rule.stops_rendering);
}
