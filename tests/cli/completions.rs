//! Completions, by the shell and by kubectl.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::command::{Run, command, mirrorguard};
use crate::help::commands;

/// The program under another name.
fn link(name: &str) -> Result<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let link = folder.path().join(name);
    symlink(env!("CARGO_BIN_EXE_mirrorguard"), &link)?;
    Ok((folder, link))
}

/// What bash completes the last of these words to.
fn bash(words: &[&str]) -> Result<Vec<String>> {
    let script = mirrorguard("completions bash")?.code(0)?.stdout;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("mirrorguard.bash");
    std::fs::write(&file, script)?;
    let (last, before) = words.split_last().context("nothing to complete")?;
    let ask = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
               _mirrorguard mirrorguard \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; \
               printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut bash = command("bash");
    bash.args(["--norc", "-c", ask, "bash"]).arg(&file).arg("mirrorguard").args(before).arg(last);
    let run = Run::of(&mut bash)?.code(0)?;
    Ok(run.stdout.lines().map(str::to_owned).collect())
}

#[test]
fn bash_completes_commands_options_and_values() -> Result<()> {
    let table: [(&[&str], &[&str], &str); 5] = [
        (&["li"], &["lint"], "a command"),
        (&["lint", "--ag"], &["--against"], "an option"),
        (&["lint", "--fail-on", ""], &["deny", "warn"], "the values of an option"),
        (&["rules", "root"], &["root-level-source"], "a rule"),
        (&["completions", "po"], &["powershell"], "a shell"),
    ];
    for (words, expected, reason) in table {
        let found = bash(words)?;
        ensure!(found == expected, "{words:?} ({reason}): {found:?}");
    }
    let all = bash(&[""])?;
    for name in commands()? {
        ensure!(all.contains(&name), "{name} is not completed: {all:?}");
    }
    Ok(())
}

#[test]
fn each_shell_gets_a_script() -> Result<()> {
    let table = [
        ("bash", "complete -F _mirrorguard"),
        ("zsh", "#compdef mirrorguard"),
        ("fish", "complete -c mirrorguard"),
        ("elvish", "set edit:completion:arg-completer[mirrorguard]"),
        ("powershell", "Register-ArgumentCompleter"),
    ];
    for (shell, part) in table {
        let script = mirrorguard(&format!("completions {shell}"))?.code(0)?.says("")?.stdout;
        ensure!(script.contains(part) && script.contains("against"), "{shell}:\n{script}");
    }
    Ok(())
}

#[test]
fn kubectl_is_answered_in_its_own_protocol() -> Result<()> {
    let (_folder, link) = link("kubectl_complete-mirrorguard")?;
    let table: [(&[&str], &[&str], u8, &str); 6] = [
        (&["li"], &["lint"], 4, "a command"),
        (&["lint", "--fail-on", "d"], &["deny"], 4, "a value"),
        (&["rules", "node"], &["node-impact", "node-pool-rollout"], 4, "rules"),
        (&["lint", "examples/pol"], &["examples/policy-conflict/"], 6, "a folder, which goes on"),
        (&["lint", "README"], &["README.md"], 4, "a file"),
        (&["lint", "no/such/fi"], &[], 0, "nothing: kubectl may look for files itself"),
    ];
    for (words, expected, directive, reason) in table {
        let run = Run::of(command(&link).args(words))?.code(0)?;
        let mut lines: Vec<_> = run.stdout.lines().collect();
        ensure!(lines.pop() == Some(&*format!(":{directive}")), "{words:?} ({reason}): {}", run.stdout);
        let values: Vec<_> = lines.iter().filter_map(|line| line.split('\t').next()).collect();
        ensure!(values == expected, "{words:?} ({reason}): {}", run.stdout);
    }
    let described = Run::of(command(&link).arg("li"))?.code(0)?.stdout;
    ensure!(described.starts_with("lint\t"), "a candidate without its description: {described}");
    let all = Run::of(command(&link).arg(""))?.code(0)?;
    ensure!(!all.stdout.contains("--"), "options before a dash is typed: {}", all.stdout);
    let none = Run::of(&mut command(&link))?.code(0)?;
    ensure!(none.stdout == all.stdout, "no word is an empty word: {}", none.stdout);
    Ok(())
}

#[test]
fn the_help_of_a_plugin_shows_how_it_is_called() -> Result<()> {
    let (_folder, link) = link("kubectl-mirrorguard")?;
    let table: [(&[&str], i32, &str, &str); 4] = [
        (&["--help"], 0, "Usage: kubectl mirrorguard [OPTIONS] <COMMAND>", ""),
        (
            &["lint", "--help"],
            0,
            "Usage: kubectl mirrorguard lint … \n  kubectl mirrorguard lint mirrors/",
            "",
        ),
        (&["lint", "--help"], 0, "| kubectl mirrorguard lint -o json -", ""),
        (&["lnit"], 2, "", "'lint' … Usage: kubectl mirrorguard"),
    ];
    for (words, code, stdout, stderr) in table {
        let run = Run::of(command(&link).args(words))?.code(code)?;
        run.prints(stdout)?.says(stderr).with_context(|| format!("{words:?}"))?;
    }
    Ok(())
}
