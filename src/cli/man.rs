//! `mirrorguard man`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Command, CommandFactory};
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use super::{
    Answer,
    args::Cli,
    definition::{NAME, nearest},
    help::{self, Line},
    output::Output,
};

const HELP: &str = "\
Output:
  stdout  the page, or with --out nothing
  stderr  how many pages were written

Exit codes:
  0  the page was printed, or all were written
  2  usage, an unknown command, or a folder that cannot be written to

Examples:
  mirrorguard man | man -l -
  mirrorguard man lint | man -l -
  mirrorguard man --out ~/.local/share/man/man1";

/// Print the manual page, or write all of them to a folder
///
/// The pages are made from the same definition as --help: mirrorguard(1), and one for each command such as
/// mirrorguard-lint(1).
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct ManArgs {
    /// The command whose page to print; without one, the page of mirrorguard itself
    command: Option<String>,
    /// Write all pages to this folder, which is made if need be
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &ManArgs, output: &Output) -> Result<Answer> {
    if output.is_json() {
        bail!("a manual page has no JSON form: leave out -o json");
    }
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    if let Some(folder) = &args.out {
        let written = write_all(&root, folder)?;
        output.say(&format!("{written} pages written to {}\n", folder.display()));
        return Ok(Answer::Yes);
    }
    let command = match &args.command {
        None => &root,
        Some(name) => root.find_subcommand(name).with_context(|| {
            let hint = nearest(name, &root).map_or(format!("{NAME} --help lists them"), |nearest| {
                format!("did you mean \"{nearest}\"?")
            });
            format!("there is no command \"{name}\", and so no page of it; {hint}")
        })?,
    };
    output.result(&page(command).context("cannot make the page")?)?;
    Ok(Answer::Yes)
}

fn write_all(root: &Command, folder: &Path) -> Result<usize> {
    fs::create_dir_all(folder)
        .with_context(|| format!("--out: cannot make the folder {}", folder.display()))?;
    let commands = std::iter::once(root).chain(root.get_subcommands());
    let mut written = 0;
    for command in commands {
        let path = folder.join(Man::new(command.clone()).get_filename());
        let text = page(command).context("cannot make the page")?;
        fs::write(&path, text).with_context(|| format!("--out: cannot write {}", path.display()))?;
        written += 1;
    }
    Ok(written)
}

/// A page: what the library makes of the definition, then the sections of the long help as they stand.
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

fn sections(roff: &mut Roff, help: &str) {
    let mut open = false;
    for line in help::lines(help) {
        let typed = matches!(line, Line::Code(_));
        if typed != open {
            if typed {
                roff.control("PP", []);
            }
            roff.control(if typed { "nf" } else { "fi" }, []);
            open = typed;
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
    if open {
        roff.control("fi", []);
    }
}
