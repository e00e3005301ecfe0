//! `mirrorguard migrate`.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::{
    Answer,
    documents::{self, OutArgs},
    options::PATHS_HELP,
    output::Output,
};
use mirrorguard_core::convert::{self, Migration, NodeDifference, Plan, Problem, Proof, Stage, Written};

const HELP: &str = "\
Output:
  stdout  the IDMSs, YAML or a JSON object with the plan; with --out the plan
  stderr  the plan, what is not taken along, and why nothing is written where nothing is

Exit codes:
  0  the IDMSs were written, and no node changes
  1  something could mean two things, or registries.conf would not stay the same; nothing is written
  2  usage, a file or cluster that cannot be read, or a file in --out that is there with other content

Examples:
  mirrorguard migrate icsp.yaml
  mirrorguard migrate --out idms/ mirrors/
  oc get icsp,idms,itms,image.config -o yaml | mirrorguard migrate -";

/// Turn ICSPs into the IDMSs that mean the same, with a proof and a plan
///
/// Reads ICSPs together with whatever else is in the cluster or the files, and prints the equal IDMSs, only where
/// registries.conf stays the same with the ICSPs, with both, and with the IDMSs alone. The order in which to carry
/// it out is told beside; nothing is applied.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct MigrateArgs {
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) to: OutArgs,
}

#[derive(Serialize)]
struct MigrateJson<'a> {
    objects: Vec<Value>,
    files: Vec<String>,
    there: &'a [String],
    proof: Option<ProofJson<'a>>,
    plan: &'a Plan,
    problems: &'a [Problem],
    notes: &'a [String],
}

#[derive(Serialize)]
struct ProofJson<'a> {
    same: bool,
    differences: &'a [NodeDifference],
    refusal: Option<&'a str>,
}

impl<'a> From<&'a Proof> for ProofJson<'a> {
    fn from(proof: &'a Proof) -> Self {
        match proof {
            Proof::Same => Self { same: true, differences: &[], refusal: None },
            Proof::Differs(differences) => Self { same: false, differences, refusal: None },
            Proof::NotRendered(_, refusal) => Self { same: false, differences: &[], refusal: Some(refusal) },
        }
    }
}

pub(super) fn run(args: &MigrateArgs, output: &Output) -> Result<Answer> {
    let given = documents::read(&args.paths, output)?;
    let migration = convert::migrate(&given.documents, &given.context);
    let files = args.to.write(&migration.idms)?;
    let written = match &args.to.out {
        Some(_) => Written::Files(documents::quoted(&files)),
        None => Written::Printed(this_command(&args.paths)),
    };
    let plan = Plan::of(&migration, &written);
    let summary = if migration.is_right() {
        summary(&migration, &plan, given.documents.len())
    } else {
        "nothing is written\n".to_owned()
    };
    if output.is_json() {
        output.json(&MigrateJson {
            objects: documents::json(&migration.idms),
            files: documents::displayed(&files),
            there: &migration.there,
            proof: migration.proof.as_ref().map(ProofJson::from),
            plan: &plan,
            problems: &migration.problems,
            notes: &migration.notes,
        })?;
    } else if args.to.out.is_none() {
        output.result(&documents::yaml(&migration.idms))?;
    }
    documents::say_notes(&migration.notes, output);
    documents::say_problems(&migration.problems, output);
    if let Some(objection) = objection(migration.proof.as_ref()) {
        output.problem(objection.trim_end());
    }
    if args.to.out.is_some() && migration.is_right() && !output.is_json() {
        output.result(&format!("{}{summary}", documents::lines("", &documents::displayed(&files))))?;
    } else {
        output.say(&summary);
    }
    Ok(if migration.is_right() { Answer::Yes } else { Answer::No })
}

/// How this command was typed; what was piped into it is not known.
fn this_command(paths: &[PathBuf]) -> String {
    let piped = if paths.iter().any(|path| path.as_os_str() == "-") { "… | " } else { "" };
    let words = documents::quoted(paths).into_iter().map(|path| format!(" {path}"));
    format!("{piped}mirrorguard migrate{}", words.collect::<String>())
}

/// What speaks against it, where the nodes' file would not stay the same.
fn objection(proof: Option<&Proof>) -> Option<String> {
    let with = |stage: Stage| match stage {
        Stage::Before => "as things are",
        Stage::During => "with both kinds",
        Stage::After => "with the IDMSs alone",
    };
    match proof? {
        Proof::Same => None,
        Proof::NotRendered(stage, refusal) => Some(format!(
            "the nodes get no new configuration {}, so that there is nothing to compare: {refusal}\n  \
             fix: mirrorguard lint names the object",
            with(*stage)
        )),
        Proof::Differs(differences) => {
            let mut text = "registries.conf would not stay the same\n".to_owned();
            for NodeDifference { stage, registry, what, impact, places } in differences {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "  {}: {registry}: {what} ({impact})", with(*stage));
                text += &documents::lines("    ", places);
            }
            Some(text)
        }
    }
}

/// The proof and the steps that are left.
fn summary(migration: &Migration, Plan(steps): &Plan, sets: usize) -> String {
    if migration.icsps.is_empty() {
        return format!("nothing to migrate: no ImageContentSourcePolicy among {sets} mirror sets\n");
    }
    let mut text = documents::lines("there already with the same entries: ", &migration.there);
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "registries.conf stays the same with the ICSPs, with both kinds, and with the IDMSs alone ({sets} mirror sets given)"
    );
    for (at, step) in steps.iter().enumerate() {
        let _ = writeln!(text, "{}. {}: {}\n     {}", at + 1, step.step, step.what, step.command);
    }
    text
}
