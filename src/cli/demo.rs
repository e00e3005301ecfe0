//! `mirrorguard demo`.

use anyhow::Result;

use super::{Answer, output::Output};

pub(super) fn run(_output: &Output) -> Result<Answer> {
    Ok(Answer::Yes)
}
