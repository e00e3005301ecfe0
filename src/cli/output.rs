//! Where results and talk go.

use std::{
    env, fs,
    io::{self, IsTerminal, Write},
};

use anstream::{AutoStream, ColorChoice};
use anyhow::{Context as _, Result};
use serde::Serialize;

use super::{
    options::{Color, Format, Global},
    progress::Progress,
};
use mirrorguard_core::{config, rules::Settings};

/// The width where there is no terminal: wider than most, since nothing breaks its lines.
const WIDTH: usize = 140;

/// What was asked of the output.
#[derive(Debug)]
pub(super) struct Output {
    format: Format,
    color: ColorChoice,
    quiet: bool,
    /// How much is logged: `-v` counted.
    pub(super) verbose: u8,
    config: Option<std::path::PathBuf>,
}

impl Output {
    pub(super) fn new(global: &Global) -> Self {
        let color = match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self {
            format: global.output,
            color,
            quiet: global.quiet,
            verbose: global.verbose,
            config: global.config.clone(),
        }
    }

    /// The form that the result is wanted in.
    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// Whether the result is wanted as JSON.
    pub(super) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints the result.
    pub(super) fn result(&self, text: &str) -> Result<()> {
        print(text, self.color)
    }

    /// Prints the result as JSON.
    pub(super) fn json(&self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value).context("cannot write JSON")?;
        self.result(&format!("{text}\n"))
    }

    /// Prints one of several results as JSON, on a line of its own.
    pub(super) fn json_line(&self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value).context("cannot write JSON")?;
        self.result(&format!("{text}\n"))
    }

    /// Says something about the result.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            self.insist(text);
        }
    }

    /// Says, however quiet it is to be, what the answer cannot do without.
    pub(super) fn insist(&self, text: &str) {
        // Nobody is left to be told that standard error is gone.
        let _ = AutoStream::new(io::stderr(), self.color).lock().write_all(text.as_bytes());
    }

    /// Says why the answer is no.
    pub(super) fn problem(&self, text: &str) {
        problem(text, self.color);
    }

    /// Says why the question could not be answered.
    pub(super) fn error(&self, why: &anyhow::Error) {
        error(why, self.color);
    }

    /// Says on a terminal what is going on, if it takes long, until that is dropped.
    pub(super) fn progress(&self, what: impl Into<String>) -> Progress {
        if self.quiet { Progress::none() } else { Progress::on_terminal(what.into()) }
    }

    /// How wide a drawing may be: what `COLUMNS` says, or the terminal.
    pub(super) fn width() -> usize {
        let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let terminal = || Self::to_terminal().then(terminal_size::terminal_size).flatten();
        columns
            .filter(|columns| *columns > 0)
            .or_else(|| terminal().map(|(w, _)| w.0.into()))
            .unwrap_or(WIDTH)
    }

    /// Whether the result goes to a terminal.
    pub(super) fn to_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Whether lines may be drawn with box characters: not on a terminal whose `LC_ALL`, `LC_CTYPE` or `LANG`
    /// speaks of no UTF-8.
    pub(super) fn unicode() -> bool {
        !Self::to_terminal() || is_utf8_terminal()
    }

    /// The settings of `--config`, or the default ones.
    pub(super) fn settings(&self) -> Result<Settings> {
        let Some(path) = &self.config else { return Ok(Settings::default()) };
        let text =
            fs::read_to_string(path).with_context(|| format!("--config: cannot read {}", path.display()))?;
        Ok(config::parse(&path.display().to_string(), &text)?)
    }
}

/// The console of the Linux kernel has a font of at most 512 characters.
fn is_utf8_terminal() -> bool {
    let variables = ["LC_ALL", "LC_CTYPE", "LANG"];
    let locale =
        variables.into_iter().find_map(|name| env::var(name).ok()).unwrap_or_default().to_uppercase();
    env::var("TERM").as_deref() != Ok("linux") && (locale.ends_with("UTF-8") || locale.ends_with("UTF8"))
}

/// Prints something to standard output.
pub(super) fn print(text: &str, color: ColorChoice) -> Result<()> {
    let mut out = AutoStream::new(io::stdout(), color).lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")
}

/// Says why the question could not be answered.
pub(super) fn error(error: &anyhow::Error, color: ColorChoice) {
    let text = anstream::adapter::strip_str(&chain(error)).to_string();
    problem(&text, color);
}

fn problem(text: &str, color: ColorChoice) {
    let red = "\u{1b}[1;91m";
    // Nobody is left to be told that standard error is gone.
    let _ = writeln!(AutoStream::new(io::stderr(), color).lock(), "{red}error\u{1b}[0m: {text}");
}

/// An error and its causes. Many libraries write the cause into their own text too; it is said once.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_says_how_wide_drawings_are() {
        use clap::CommandFactory as _;
        let command = super::super::args::Cli::command();
        let help = command.get_after_long_help().map(ToString::to_string).unwrap();
        assert!(help.contains(&format!("else the terminal's width, or {WIDTH}\n")), "{help}");
    }

    #[test]
    fn a_cause_is_said_once() {
        let error = anyhow::anyhow!("refused").context("connect: refused").context("cannot list");
        assert_eq!(chain(&error), "cannot list: connect: refused");
    }
}
