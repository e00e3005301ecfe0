//! `mirrorguard man`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Command};
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use super::{
    Answer,
    definition::{self, NAME, nearest},
    help::{self, Line},
    output::Output,
    words::plural,
};

const HELP: &str = "\
Output:
  stdout  the page; nothing with --out
  stderr  the number of pages that were written

Exit codes:
  0  the page was printed, or all pages were written
  2  usage or I/O error, or an unknown command

Examples:
  mirrorguard man | man -l -
  mirrorguard man lint | man -l -
  mirrorguard man --out ~/.local/share/man/man1";

/// Print a manual page, or write all of them to a folder
///
/// The pages are mirrorguard(1) and one for each command, such as mirrorguard-lint(1), with the content of --help.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct ManArgs {
    /// Command to print the page of. Defaults to the page of mirrorguard
    command: Option<String>,
    /// Write all pages to this folder, which is created if it does not exist
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &ManArgs, output: &Output) -> Result<Answer> {
    if output.is_json() {
        bail!("man does not support -o json");
    }
    let mut root = definition::command().disable_help_subcommand(true);
    root.build();
    if let Some(folder) = &args.out {
        let written = write_all(&root, folder)?;
        output.message(&format!("wrote {} to {}\n", plural(written, "page"), folder.display()));
        return Ok(Answer::Yes);
    }
    let command = match &args.command {
        None => &root,
        Some(name) => root.find_subcommand(name).with_context(|| {
            let hint = nearest(name, &root)
                .map_or(format!("see {NAME} --help"), |nearest| format!("did you mean \"{nearest}\"?"));
            format!("unknown command \"{name}\"; {hint}")
        })?,
    };
    output.result(&page(command).context("cannot format the page")?)?;
    Ok(Answer::Yes)
}

fn write_all(root: &Command, folder: &Path) -> Result<usize> {
    fs::create_dir_all(folder)
        .with_context(|| format!("--out: cannot create folder {}", folder.display()))?;
    let commands = std::iter::once(root).chain(root.get_subcommands());
    let mut written = 0;
    for command in commands {
        let path = folder.join(Man::new(command.clone()).get_filename());
        let text = page(command).context("cannot format the page")?;
        fs::write(&path, text).with_context(|| format!("--out: cannot write {}", path.display()))?;
        written += 1;
    }
    Ok(written)
}

/// A page: the sections that the library generates, then the sections of the long help.
fn page(command: &Command) -> io::Result<String> {
    let man = Man::new(command.clone()).manual("mirrorguard manual");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    let mut roff = Roff::new();
    if let Some(help) = command.get_after_long_help() {
        sections(&mut roff, &help.to_string());
    }
    if command.get_name() != NAME {
        roff.control("SH", ["SEE ALSO"]).text([roman(format!("{NAME}(1)"))]);
    }
    roff.to_writer(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Adds the sections of a help text in roff.
fn sections(roff: &mut Roff, help: &str) {
    // Whether lines are printed as they are: from `nf` to `fi`.
    let mut is_nofill = false;
    for line in help::lines(help) {
        let is_code = matches!(line, Line::Code(_));
        if is_code != is_nofill {
            if is_code {
                roff.control("PP", []);
            }
            roff.control(if is_code { "nf" } else { "fi" }, []);
            is_nofill = is_code;
        }
        match line {
            Line::Heading(heading) => {
                let heading = heading.trim_end_matches(':').to_uppercase();
                roff.control("SH", [heading.as_str()]);
            }
            Line::Code(code) => {
                roff.text([roman(code)]);
            }
            Line::Item(key, text) => {
                roff.control("TP", []).text([bold(key)]).text([roman(text)]);
            }
            Line::Prose(text) => {
                roff.control("PP", []).text([roman(text)]);
            }
            Line::Blank => {}
        }
    }
    if is_nofill {
        roff.control("fi", []);
    }
}
