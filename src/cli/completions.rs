//! `mirrorguard completions`, and completion for kubectl and oc plugins.

use std::{env, ffi::OsString, fmt::Write};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use clap_complete::{Shell, engine};

use super::{
    Answer,
    definition::{NAME, for_completion},
    output::Output,
};

const HELP: &str = "\
Output:
  stdout  the script

Exit codes:
  0  the script was printed
  2  usage or I/O error

Examples:
  mirrorguard completions bash > ~/.local/share/bash-completion/completions/mirrorguard
  mirrorguard completions zsh > \"${fpath[1]}/_mirrorguard\"
  mirrorguard completions fish > ~/.config/fish/completions/mirrorguard.fish
  source <(mirrorguard completions bash)

kubectl plugin:
  kubectl and oc complete plugin commands with a program named kubectl_complete-mirrorguard. Create a link to mirrorguard; no script is needed:
    ln -s \"$(command -v mirrorguard)\" ~/.local/bin/kubectl-mirrorguard
    ln -s \"$(command -v mirrorguard)\" ~/.local/bin/kubectl_complete-mirrorguard";

/// Print a shell completion script
///
/// Completes commands, options, values and files, and rule IDs in bash and zsh. Print the script again after an
/// upgrade of mirrorguard.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct CompletionsArgs {
    /// Shell to print the script for
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, output: &Output) -> Result<Answer> {
    if output.is_json() {
        bail!("completions does not support -o json");
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut for_completion(), NAME, &mut script);
    output.result(&String::from_utf8(script).context("the script is not UTF-8")?)?;
    Ok(Answer::Yes)
}

/// Whether kubectl or oc started the program to complete a plugin command.
pub(super) fn is_called_by_kubectl(program: Option<&OsString>) -> bool {
    let file = program.and_then(|program| std::path::Path::new(program).file_name());
    file.is_some_and(|file| file == "kubectl_complete-mirrorguard" || file == "oc_complete-mirrorguard")
}

/// The completion for kubectl: a line for each candidate, then a directive. The words are those after the name of
/// the plugin; the last one, which may be empty, is completed.
///
/// Follows `kubectl pkg/cmd/plugin/plugin_completion.go`; the directives are those of spf13/cobra.
pub(super) fn complete_for_kubectl(words: &[OsString]) -> Result<String> {
    const NO_SPACE: u8 = 2;
    const NO_FILES: u8 = 4;
    let mut words: Vec<_> = std::iter::once(OsString::from(NAME)).chain(words.iter().cloned()).collect();
    if words.len() == 1 {
        words.push(OsString::new());
    }
    let last = words.len() - 1;
    // As in cobra, options are candidates after a dash only.
    let wants_options = words[last].to_string_lossy().starts_with('-');
    let here = env::current_dir().ok();
    let candidates = engine::complete(&mut for_completion(), words, last, here.as_deref())
        .context("cannot complete the command")?;
    let mut text = String::new();
    let mut directive = 0;
    for candidate in candidates {
        let value = candidate.get_value().to_string_lossy();
        if candidate.is_hide_set() || value.starts_with('-') && !wants_options {
            continue;
        }
        let help = candidate.get_help().map(|help| format!("\t{help}")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{value}{}", help.lines().next().unwrap_or_default());
        // Without any candidate, the shell completes files.
        directive |= NO_FILES;
        if value.ends_with('/') {
            directive |= NO_SPACE;
        }
    }
    let _ = writeln!(text, ":{directive}");
    Ok(text)
}
