//! `mirrorguard migrate`.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::Result;
use clap::Args;
use mirrorguard_core::convert::{self, Migration, NodeDifference, Plan, Problem, Proof, Stage, Written};
use serde::Serialize;
use serde_json::Value;

use super::{
    Answer,
    documents::{self, OutArgs},
    options::PATHS_HELP,
    output::Output,
    words::plural,
};

const HELP: &str = "\
Output:
  stdout  the IDMSs as YAML, or JSON with the plan; with --out the files and the plan
  stderr  the plan, fields that are not copied, and errors

Exit codes:
  0  the IDMSs were written, and no node changes; contradicting orders of mirrors stay as they are, with a note
  1  nothing was written: two objects of one name differ, an IDMS cannot have an entry, or registries.conf would change
  2  usage, I/O or parse error, a mirror set with placeholders, or an existing file in --out with different content

Examples:
  mirrorguard migrate icsp.yaml
  mirrorguard migrate --out idms/ mirrors/
  oc get icsp,idms,itms,image.config -o yaml | mirrorguard migrate -";

/// Convert ICSPs to IDMSs without changing any node
///
/// Prints an equivalent IDMS for each ICSP, and the steps of the migration. It first verifies that registries.conf is
/// the same with the ICSPs, with both kinds, and with the IDMSs only, together with all other objects in the files or
/// the cluster. Nothing is applied.
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
    /// Places of the IDMSs that exist already with the same entries.
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
    // It has no IDMSs unless the migration is right, so nothing wrong is written or printed.
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
        "nothing was written\n".to_owned()
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
    documents::print_notes(&migration.notes, output);
    documents::print_problems(&migration.problems, output);
    if let Some(objection) = objection(migration.proof.as_ref()) {
        output.error(objection.trim_end());
    }
    if args.to.out.is_some() && migration.is_right() && !output.is_json() {
        output.result(&format!("{}{summary}", documents::lines("", &documents::displayed(&files))))?;
    } else {
        output.message(&summary);
    }
    Ok(if migration.is_right() { Answer::Yes } else { Answer::No })
}

/// The command line of this run, without what was piped into it.
fn this_command(paths: &[PathBuf]) -> String {
    let piped = if paths.iter().any(|path| path.as_os_str() == "-") { "… | " } else { "" };
    let words = documents::quoted(paths).into_iter().map(|path| format!(" {path}"));
    format!("{piped}mirrorguard migrate{}", words.collect::<String>())
}

fn name_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Before => "with the current objects",
        Stage::During => "with both kinds",
        Stage::After => "with the IDMSs only",
    }
}

/// Why the migration would change the nodes, if it would.
fn objection(proof: Option<&Proof>) -> Option<String> {
    match proof? {
        Proof::Same => None,
        Proof::NotRendered(stage, refusal) => Some(format!(
            "the nodes get no new configuration {}, so there is nothing to compare: {refusal}\n  \
             fix: run mirrorguard lint to find the object",
            name_of(*stage)
        )),
        Proof::Differs(differences) => {
            let mut text = "registries.conf would change\n".to_owned();
            for NodeDifference { stage, registry, what, impact, places } in differences {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "  {}: {registry}: {what} ({impact})", name_of(*stage));
                text += &documents::lines("    ", places);
            }
            Some(text)
        }
    }
}

/// The result of the comparison, and the remaining steps.
fn summary(migration: &Migration, Plan(steps): &Plan, sets: usize) -> String {
    if migration.icsps.is_empty() {
        return format!(
            "nothing to migrate: no ImageContentSourcePolicy found ({} read)\n",
            plural(sets, "mirror set")
        );
    }
    let mut text = documents::lines("already exists with the same entries: ", &migration.there);
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "registries.conf is the same with the ICSPs, with both kinds, and with the IDMSs only ({} read)",
        plural(sets, "mirror set")
    );
    for (at, step) in steps.iter().enumerate() {
        let _ = writeln!(text, "{}. {}: {}\n     {}", at + 1, step.step, step.what, step.command);
    }
    text
}
