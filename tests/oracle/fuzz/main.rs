//! Holds our model against upstream code over random clusters.
//!
//! ```text
//! oracle [--seed N] [--clusters N] [--with node,hypershift,machine-config-operator] [--record FOLDER]
//! ```
//!
//! Exit code 0: no disagreement. 1: a disagreement, printed in its smallest form. 2: the comparison failed. 3: the upstream
//! programs cannot be built here, for example without a network.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod arguments;
mod cluster;
mod compare;
mod generate;
mod images;
mod ours;
mod program;
mod question;
mod random;
mod record;
mod shrink;

use std::{env, error::Error, process::ExitCode};

use arguments::Arguments;
use cluster::Cluster;
use compare::{Disagreement, compare};
use generate::generate;
use mirrorguard_core::objects::to_yaml;
use program::{BuildError, Oracle};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("oracle: {error}");
            let is_unavailable =
                matches!(error.downcast_ref::<BuildError>(), Some(BuildError::Unavailable(_)));
            ExitCode::from(if is_unavailable { 3 } else { 2 })
        }
    }
}

/// Whether both sides agree about every cluster.
fn run() -> Result<bool, Box<dyn Error>> {
    let arguments = Arguments::parse(env::args().skip(1))?;
    let mut agree = true;
    for program in &arguments.programs {
        println!("oracle: building tests/oracle/{}", program.name);
        let mut oracle = Oracle::start(program, &program.build()?)?;
        let (seed, clusters) = (arguments.seed, arguments.clusters);
        println!("oracle: {clusters} clusters of seed {seed} against {}", program.name);
        if let Some(folder) = &arguments.record {
            record::write(&mut oracle, seed, clusters, folder)?;
        }
        agree &= agrees(&mut oracle, seed, clusters)?;
    }
    Ok(agree)
}

/// Whether both sides agree about these clusters. The first disagreement is printed, and ends the comparison.
fn agrees(oracle: &mut Oracle<'_>, seed: u64, clusters: u64) -> Result<bool, Box<dyn Error>> {
    for index in 0..clusters {
        let cluster = generate(seed, index);
        if let Some(found) = compare(oracle, &cluster)? {
            println!("oracle: seed {seed}, cluster {index}: disagreement, which is made smaller");
            let smallest = shrink::shrink(&cluster, &mut |smaller| Ok(compare(oracle, smaller)?.is_some()))?;
            if let Some(disagreement) = compare(oracle, &smallest)? {
                print(&smallest, &disagreement)?;
            } else {
                println!("oracle: asked again, upstream agrees: its answer is random");
                print(&cluster, &found)?;
            }
            return Ok(false);
        }
    }
    println!("oracle: {clusters} clusters, no disagreement");
    Ok(true)
}

fn print(cluster: &Cluster, disagreement: &Disagreement) -> Result<(), Box<dyn Error>> {
    println!("{}", cluster.to_yaml());
    println!("images: {}", serde_json::to_string(&cluster.images)?);
    println!("--- upstream\n{}--- ours\n{}", to_yaml(&disagreement.upstream), to_yaml(&disagreement.ours));
    Ok(())
}
