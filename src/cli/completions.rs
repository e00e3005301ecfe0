//! `mirrorguard completions`, and what kubectl and oc ask for when a plugin's words are completed.

use std::{env, ffi::OsString, fmt::Write};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use clap_complete::{
    Shell,
    engine::{self, CompletionCandidate},
};

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
  2  usage, or the script could not be written

Examples:
  mirrorguard completions bash > ~/.local/share/bash-completion/completions/mirrorguard
  mirrorguard completions zsh > \"${fpath[1]}/_mirrorguard\"
  mirrorguard completions fish > ~/.config/fish/completions/mirrorguard.fish
  source <(mirrorguard completions bash)

As a plugin of kubectl or oc:
  kubectl and oc ask a program named kubectl_complete-mirrorguard. Link it to the same file as the plugin; no script is needed:
    ln -s \"$(command -v mirrorguard)\" ~/.local/bin/kubectl-mirrorguard
    ln -s \"$(command -v mirrorguard)\" ~/.local/bin/kubectl_complete-mirrorguard";

/// Print the completions of a shell
///
/// Commands, options, their values and files are completed, in bash and zsh the ids of rules too. The script is
/// made from the same definition as the help, and belongs to this version: print it anew after an upgrade.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, output: &Output) -> Result<Answer> {
    if output.is_json() {
        bail!("completions are a script, there is no JSON of them: leave out -o json");
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut for_completion(), NAME, &mut script);
    output.result(&String::from_utf8(script).context("the script is not text")?)?;
    Ok(Answer::Yes)
}

/// Whether the program was started by kubectl or oc to complete the words of the plugin.
pub(super) fn is_asked_by_kubectl(program: Option<&OsString>) -> bool {
    let file = program.and_then(|program| std::path::Path::new(program).file_name());
    file.is_some_and(|file| file == "kubectl_complete-mirrorguard" || file == "oc_complete-mirrorguard")
}

/// Answers kubectl: a line for each candidate, then what to do with them. The words are those after the
/// plugin's name; the last one, possibly empty, is to be completed.
///
/// Follows `kubectl pkg/cmd/plugin/plugin_completion.go`; the directives are those of spf13/cobra.
pub(super) fn answer_kubectl(words: &[OsString]) -> Result<String> {
    const NO_SPACE: u8 = 2;
    const NO_FILES: u8 = 4;
    let mut words: Vec<_> = std::iter::once(OsString::from(NAME)).chain(words.iter().cloned()).collect();
    if words.len() == 1 {
        words.push(OsString::new());
    }
    let last = words.len() - 1;
    // As cobra does, options are offered once a dash is there.
    let options = words[last].to_string_lossy().starts_with('-');
    let here = env::current_dir().ok();
    let candidates = engine::complete(&mut for_completion(), words, last, here.as_deref())
        .context("cannot complete this")?;
    let offered = |candidate: &CompletionCandidate| {
        let is_option = candidate.get_value().to_string_lossy().starts_with('-');
        !candidate.is_hide_set() && (options || !is_option)
    };
    let candidates: Vec<_> = candidates.into_iter().filter(offered).collect();
    let mut text = String::new();
    for candidate in &candidates {
        let value = candidate.get_value().to_string_lossy();
        let help = candidate.get_help().map(|help| format!("\t{help}")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{value}{}", help.lines().next().unwrap_or_default());
    }
    let folders = candidates.iter().any(|candidate| candidate.get_value().to_string_lossy().ends_with('/'));
    let directive = match (candidates.is_empty(), folders) {
        (true, _) => 0,
        (false, true) => NO_FILES | NO_SPACE,
        (false, false) => NO_FILES,
    };
    let _ = writeln!(text, ":{directive}");
    Ok(text)
}
