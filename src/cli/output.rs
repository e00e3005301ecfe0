//! Printing results and messages.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use anstream::{AutoStream, ColorChoice};
use anyhow::{Context as _, Result};
use mirrorguard_core::{config, rules::Settings};
use serde::Serialize;

use super::{
    connect::RequestTimeout,
    options::{Color, Format, Global},
    progress::Progress,
};
use crate::cluster::{Budget, Pipes, read_bytes, text_of};

/// The width where the output is no terminal, which would break longer lines, or a terminal of unknown size.
const WIDTH: usize = 140;

/// The options of the output.
#[derive(Debug)]
pub(super) struct Output {
    format: Format,
    color: ColorChoice,
    quiet: bool,
    /// The number of `-v`.
    pub(super) verbose: u8,
    /// The longest time that a request to a cluster may take.
    pub(super) request_timeout: RequestTimeout,
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
            request_timeout: global.request_timeout,
            config: global.config.clone(),
        }
    }

    /// The format of the result.
    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// Whether the result is JSON.
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

    /// Prints a message, unless `--quiet` is given.
    pub(super) fn message(&self, text: &str) {
        if !self.quiet {
            self.important_message(text);
        }
    }

    /// Prints a message with `--quiet` too: one that explains the exit code.
    pub(super) fn important_message(&self, text: &str) {
        // A closed standard error cannot be reported anywhere.
        let _ = AutoStream::new(io::stderr(), self.color).lock().write_all(text.as_bytes());
    }

    /// Prints an error: why the answer is no.
    pub(super) fn error(&self, text: &str) {
        print_error_text(text, self.color);
    }

    /// Shows on a terminal what is going on, if it takes long, until the value is dropped.
    pub(super) fn progress(&self, what: impl Into<String>) -> Progress {
        if self.quiet { Progress::none() } else { Progress::on_terminal(what.into()) }
    }

    /// Shows what is waited for, if it takes long, until the value is dropped: on a line of its own where standard
    /// error is no terminal.
    pub(super) fn waiting(&self, what: String) -> Progress {
        if self.quiet { Progress::none() } else { Progress::waiting(what) }
    }

    /// The width of drawings: `COLUMNS`, or the width of the terminal.
    pub(super) fn width() -> usize {
        let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        if let Some(columns) = columns.filter(|columns| *columns > 0) {
            return columns;
        }
        if !Self::to_terminal() {
            return WIDTH;
        }
        terminal_size::terminal_size().map_or(WIDTH, |(width, _)| width.0.into())
    }

    /// Whether the result goes to a terminal.
    pub(super) fn to_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Whether lines may be drawn with box characters: not on a terminal without UTF-8 in `LC_ALL`, `LC_CTYPE`
    /// or `LANG`.
    pub(super) fn unicode() -> bool {
        !Self::to_terminal() || is_utf8_terminal()
    }

    /// The settings of `--config`, or the default ones.
    pub(super) fn settings(&self) -> Result<Settings> {
        let Some(path) = &self.config else { return Ok(Settings::default()) };
        let bytes = read_bytes(path, Pipes::Allowed, &mut Budget::default()).context("--config")?;
        let text = text_of(path, bytes)?;
        Ok(config::parse(&path.display().to_string(), &text)?)
    }
}

/// Whether the terminal can show box characters. The console of the Linux kernel (`TERM=linux`) cannot, whatever the
/// locale: its font has at most 512 characters.
fn is_utf8_terminal() -> bool {
    let mut values = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| env::var(name).ok());
    // An empty variable counts as not set.
    let locale = values.find(|value| !value.is_empty()).unwrap_or_default().to_uppercase();
    env::var("TERM").as_deref() != Ok("linux") && (locale.ends_with("UTF-8") || locale.ends_with("UTF8"))
}

/// Prints something to standard output.
pub(super) fn print(text: &str, color: ColorChoice) -> Result<()> {
    let mut out = AutoStream::new(io::stdout(), color).lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")
}

/// Prints an error and its causes.
pub(super) fn print_error(error: &anyhow::Error, color: ColorChoice) {
    print_error_text(&chain(error), color);
}

fn print_error_text(text: &str, color: ColorChoice) {
    // Escape sequences, such as those of a file that an error quotes, must not reach the terminal.
    let text = anstream::adapter::strip_str(text);
    let red = "\u{1b}[1;91m";
    // A closed standard error cannot be reported anywhere.
    let _ = writeln!(AutoStream::new(io::stderr(), color).lock(), "{red}error\u{1b}[0m: {text}");
}

/// An error and its causes. Many libraries repeat the cause in their own text; it is shown once.
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
    fn the_help_names_the_width_of_drawings() {
        use clap::CommandFactory as _;
        let command = super::super::args::Cli::command();
        let help = command.get_after_long_help().map(ToString::to_string).unwrap();
        let columns = help.lines().find(|line| line.trim_start().starts_with("COLUMNS ")).unwrap();
        assert!(columns.contains(&WIDTH.to_string()), "{columns}");
    }

    #[test]
    fn a_cause_is_shown_once() {
        let error = anyhow::anyhow!("refused").context("connect: refused").context("cannot list");
        assert_eq!(chain(&error), "cannot list: connect: refused");
    }
}
