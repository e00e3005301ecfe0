//! `mirrorguard render`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use mirrorguard_core::{
    forms::{self, Form, NoForm, Omission},
    node::{self, FileRefusal, Loss, NodeFiles, SearchRegistriesConf},
    report::Reviewed,
    rules::{Level, Settings},
    state::State,
};
use serde::Serialize;
use serde_json::json;

use super::{
    Answer,
    input::{self, Input, ReadOptions},
    options::PATHS_HELP,
    output::Output,
    report, review,
};

const HELP: &str = "\
Output:
  stdout  registries.conf exactly as on the nodes, or the target; with -o json {\"registriesConf\": \"…\"} or the target as JSON
  stderr  what the target cannot express: \"lost\" for what belongs in it, \"left out\" for what does not; \"warning\" for a mirror without a registry host; or why nothing was printed

Exit codes:
  0  the target was printed
  1  settings were lost, an object was skipped because of a placeholder, nodes cannot read the file that was printed, or nothing was printed: the nodes reject the mirror sets, a limit is exceeded, no mirror set has mirrors for the target, or no value of the annotation is correct
  2  usage, I/O or parse error, or a mirror set with placeholders for another target than a file of the nodes

Examples:
  mirrorguard render mirrors/
  oc get icsp,idms,itms,image.config -o yaml | mirrorguard render -
  mirrorguard render mirrors/ | diff /etc/containers/registries.conf -
  mirrorguard render --to search-registries mirrors/
  mirrorguard render --to idms mirrors/ > idms.yaml
  oc patch hostedcluster -n clusters lab --type merge -p \"$(mirrorguard render --to hostedcluster -o json mirrors/)\"
  mirrorguard render --to vap --config mirrorguard.yaml | oc apply -f -";

/// Print registries.conf of the nodes, or convert mirror sets to another format
///
/// The machine-config operator merges ICSP, IDMS, ITMS and image.config.openshift.io/cluster into one file for all
/// nodes. If it cannot render the file, this command fails too, and names the objects that cause it.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct RenderArgs {
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
    /// What to print
    #[arg(long, value_enum, value_name = "TARGET", default_value_t = Target::RegistriesConf)]
    pub(super) to: Target,
}

/// What `render` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Target {
    /// /etc/containers/registries.conf of the nodes
    RegistriesConf,
    /// The drop-in file of the nodes with containerRuntimeSearchRegistries
    SearchRegistries,
    /// One IDMS with the entries of all ICSPs and IDMSs
    Idms,
    /// One ITMS with the entries of all ITMSs
    Itms,
    /// spec.imageContentSources of a HostedCluster
    #[value(name = "hostedcluster")]
    HostedCluster,
    /// imageDigestSources of install-config.yaml
    InstallConfig,
    /// Catalog overrides annotation of a HostedCluster
    Annotation,
    /// Validating admission policies for rules that need a single object; ignores PATH
    Vap,
}

pub(super) fn run(args: &RenderArgs, output: &Output) -> Result<Answer> {
    let write: fn(&State, &Settings) -> Result<Form, NoForm> = match args.to {
        Target::RegistriesConf => return registries_conf(args, output),
        Target::SearchRegistries => return search_registries(args, output),
        Target::Vap => return policies(args, output),
        Target::Idms => |state, _| forms::digest_mirror_set(state.context().view()),
        Target::Itms => |state, _| forms::tag_mirror_set(state.context().view()),
        Target::HostedCluster => |state, _| forms::hosted_cluster(state.context().view()),
        Target::InstallConfig => |state, _| forms::install_config(state.context().view()),
        Target::Annotation => |state, settings| {
            forms::catalog_annotation(
                state.derivations(),
                settings.catalog_overrides.as_deref(),
                &settings.releases,
            )
        },
    };
    let input = input::read(&args.paths, ReadOptions::default(), output)?
        .complete()?
        .of_one_cluster()?
        .without_losses()?;
    let input = if args.to == Target::Annotation { input.for_derivation()? } else { input };
    let state: State = input.objects().cloned().collect();
    // Nothing is made of mirror sets that the machine-config operator rejects, for which `render` prints why, or of those
    // whose file nodes cannot read.
    let Some(files) = render(&input, &state, output) else { return Ok(Answer::No) };
    if files.refusal.is_some() {
        return Ok(answer(&input, files.refusal.as_ref(), output));
    }
    print(write(&state, &output.settings()?), output)
}

fn registries_conf(args: &RenderArgs, output: &Output) -> Result<Answer> {
    let input = input::read(&args.paths, ReadOptions::default(), output)?.complete()?.of_one_cluster()?;
    let state: State = input.objects().cloned().collect();
    let Some(files) = render(&input, &state, output) else { return Ok(Answer::No) };
    if output.is_json() {
        let search = files.search_registries.map(|search| search.to_string());
        output.json(&FilesJson {
            registries_conf: files.registries_conf.to_string(),
            search_registries_conf: search,
        })?;
    } else {
        output.result(&files.registries_conf.to_string())?;
        if files.search_registries.is_some() {
            output.message(&format!(
                "note: search registries are in a separate file, {}: mirrorguard render --to search-registries\n",
                SearchRegistriesConf::PATH
            ));
        }
    }
    Ok(answer(&input, files.refusal.as_ref(), output))
}

/// The files of the nodes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FilesJson {
    registries_conf: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    search_registries_conf: Option<String>,
}

fn search_registries(args: &RenderArgs, output: &Output) -> Result<Answer> {
    let input = input::read(&args.paths, ReadOptions::default(), output)?.complete()?.of_one_cluster()?;
    let state: State = input.objects().cloned().collect();
    let Some(files) = render(&input, &state, output) else { return Ok(Answer::No) };
    let Some(search) = files.search_registries else {
        output.error("nodes have no such file: containerRuntimeSearchRegistries is not set");
        return Ok(Answer::No);
    };
    if output.is_json() {
        output.json(&json!({ "searchRegistriesConf": search.to_string() }))?;
    } else {
        output.result(&search.to_string())?;
    }
    Ok(answer(&input, files.refusal.as_ref(), output))
}

/// Whether nodes get and can read what was printed; says why, if they do not.
fn answer(input: &Input, refusal: Option<&FileRefusal>, output: &Output) -> Answer {
    if let Some(refusal) = refusal {
        output.error(&format!("nodes cannot read this configuration, and every pull fails: {refusal}"));
        return Answer::No;
    }
    input.answer_for("configuration", output)
}

fn policies(args: &RenderArgs, output: &Output) -> Result<Answer> {
    if !args.paths.is_empty() {
        output.message("note: PATH is ignored: the policies are the same for all mirror sets\n");
    }
    print(forms::admission_policies(&output.settings()?), output)
}

/// Prints the target, and what it cannot express; or why there is none.
fn print(form: Result<Form, NoForm>, output: &Output) -> Result<Answer> {
    let form = match form {
        Ok(form) => form,
        Err(NoForm(reasons)) => {
            for reason in &reasons {
                output.error(reason);
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
            Omission::Lost(what) => output.important_message(&format!("lost: {what}\n")),
            Omission::Aside(what) => output.message(&format!("left out: {what}\n")),
            Omission::Kept(what) => output.message(&format!("warning: {what}\n")),
        }
    }
    Ok(if form.is_lossy() { Answer::No } else { Answer::Yes })
}

/// Renders the files of the nodes, and warns about blocked registries that the machine-config operator drops. If
/// nothing can be rendered, prints why, with the objects that cause it, and returns `None`.
pub(super) fn render<'a>(input: &Input, state: &'a State, output: &Output) -> Option<NodeFiles<'a>> {
    let view = state.context().view();
    let refusal = match node::files(view) {
        Ok(files) => {
            if let Some(loss) = node::Lists::of(view).ok().and_then(|lists| lists.loss) {
                output.message(&format!("warning: {}\n", describe_loss(&loss)));
            }
            return Some(files);
        }
        Err(refusal) => refusal,
    };
    // With the default levels: the configuration may turn off the rule that explains it.
    let mut reviewed = review::review(input, state, &Settings::default());
    reviewed.iter_mut().for_each(keep_what_stops_rendering);
    let places = input.with_places().collect();
    output.important_message(&report::human(&reviewed, &places, Output::width()));
    output.error(&format!("the nodes get no new configuration; the machine-config operator says: {refusal}"));
    None
}

fn describe_loss(loss: &Loss<'_>) -> String {
    match loss {
        Loss::Covering(scopes) => format!(
            "{} in blockedRegistries is not blocked, because it covers the release image, and no mirror has that",
            scopes.join(", ")
        ),
        Loss::Everything(error) => format!(
            "no registry is blocked or allowed: blockedRegistries covers the release image, whose mirrors cannot be \
             found ({error})"
        ),
    }
}

/// Keeps the findings that explain why the nodes get no configuration.
fn keep_what_stops_rendering(reviewed: &mut Reviewed<'_>) {
    let diagnostics = &mut reviewed.verdict.diagnostics;
    diagnostics.retain(|diagnostic| diagnostic.level == Level::Deny && diagnostic.rule.stops_rendering);
}
