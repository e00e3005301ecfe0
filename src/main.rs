//! `mirrorguard`, the admission webhook and the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    mirrorguard::cli::run()
}
