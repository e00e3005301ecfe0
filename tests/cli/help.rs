//! The help of every command.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::command::{ROOT, Run, command, mirrorguard};
use crate::snapshot::matches_snapshot;

/// The commands that the binary has, from its own help, but for `help` itself.
pub(crate) fn commands() -> Result<BTreeSet<String>> {
    let help = mirrorguard("--help")?.code(0)?.stdout;
    let list = help.split("Commands:\n").nth(1).context("the help lists no commands")?;
    let names = list.lines().take_while(|line| !line.is_empty());
    let names = names.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let names = names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    Ok(names.filter(|name| name != "help").collect())
}

#[test]
fn each_help_is_as_people_see_it() -> Result<()> {
    let mut expected = BTreeSet::from(["mirrorguard.txt".to_owned()]);
    matches_snapshot(&mirrorguard("--help")?.code(0)?.says("")?.stdout, "help/mirrorguard.txt")?;
    for name in commands()? {
        let file = format!("{name}.txt");
        let help = mirrorguard(&format!("{name} --help"))?.code(0)?.says("")?.stdout;
        matches_snapshot(&help, &format!("help/{file}"))?;
        ensure!(mirrorguard(&format!("help {name}"))?.code(0)?.stdout == help, "help {name} is another");
        expected.insert(file);
    }
    let files = fs::read_dir(Path::new(ROOT).join("tests/cli/help"))?;
    let files: BTreeSet<_> =
        files.map(|file| Ok(file?.file_name().to_string_lossy().into_owned())).collect::<Result<_>>()?;
    ensure!(files == expected, "files without a command: {:?}", files.difference(&expected));
    Ok(())
}

#[test]
fn each_help_has_its_sections_and_a_short_form() -> Result<()> {
    for name in commands()? {
        let long = mirrorguard(&format!("{name} --help"))?.code(0)?.stdout;
        let short = mirrorguard(&format!("{name} -h"))?.code(0)?.stdout;
        for heading in ["\nOutput:\n  ", "\nExit codes:\n  0  ", "\n  2  ", "\nExamples:\n  "] {
            ensure!(long.contains(heading), "{name} --help has no {heading:?}:\n{long}");
        }
        ensure!(!short.contains("Examples:") && short.lines().count() < 40, "{name} -h is long:\n{short}");
        ensure!(long.lines().all(|line| line.len() <= 110), "{name} --help is wide:\n{long}");
    }
    Ok(())
}

#[test]
fn the_options_in_examples_exist() -> Result<()> {
    for name in commands()? {
        let help = mirrorguard(&format!("{name} --help"))?.code(0)?.stdout;
        let (options, examples) = help.split_once("\nExamples:\n").context(name.clone())?;
        let own = examples.lines().filter_map(|line| line.split("mirrorguard ").nth(1));
        for line in own {
            let words = line.split([' ', '|', '>', ')']).take_while(|word| !word.is_empty());
            for word in words.filter(|word| word.starts_with('-') && word.len() > 1) {
                ensure!(options.contains(word), "{name} has no option {word}: {line}");
            }
        }
        let first = examples.lines().next().unwrap_or_default();
        ensure!(first.contains(&format!("mirrorguard {name}")), "another command's example: {first}");
    }
    Ok(())
}

#[test]
fn help_is_as_wide_as_the_terminal() -> Result<()> {
    for name in commands()? {
        let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
        let help = Run::of(command.args([&*name, "--help"]).env("COLUMNS", "60"))?.code(0)?.stdout;
        let prose = help.split("\nExamples:\n").next().unwrap_or_default();
        // What is typed is not folded.
        let prose = prose.lines().filter(|line| !line.starts_with("  ln -s") && !line.starts_with("Usage: "));
        for line in prose {
            ensure!(line.chars().count() <= 60, "{name} --help, 60 columns: {line}");
        }
    }
    Ok(())
}
