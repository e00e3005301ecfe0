//! A run of `lint` or `audit` in its output formats, each in a file of its own.

mod alike;
mod human;
mod junit;
mod sarif;

use mirrorguard_core::{
    report::{Places, Reviewed, exempted, findings, lapsed},
    review::Exempted,
    rules::Level,
};

use super::input::Unread;
pub(super) use human::{errors, human};
pub(super) use junit::junit;
pub(super) use sarif::sarif;

/// A whole run.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) reviewed: &'a [Reviewed<'a>],
    pub(super) places: &'a Places<'a>,
    /// Errors in files.
    pub(super) unread: &'a [Unread],
    /// The lowest level that fails the run.
    pub(super) fails_from: Level,
}

impl Run<'_> {
    /// The exit code of the process.
    pub(super) fn exit_code(&self) -> u8 {
        if !self.unread.is_empty() {
            return 2;
        }
        findings(self.reviewed).any(|(_, diagnostic)| diagnostic.level >= self.fails_from).into()
    }
}

/// Errors that are exempt, and findings that no longer are, a line each.
pub(super) fn exemptions(reviewed: &[Reviewed<'_>]) -> String {
    let errors = exempted(reviewed).filter(|(_, exempted)| exempted.level == Level::Deny);
    let exempted = errors.map(|(reviewed, exempted)| exemption(reviewed, exempted));
    exempted.chain(lapsed(reviewed).map(|(reviewed, lapsed)| lapsed_exemption(reviewed, lapsed))).collect()
}

fn lapsed_exemption(reviewed: &Reviewed<'_>, Exempted { rule, reason, until, .. }: &Exempted) -> String {
    format!("exempt until {until}, which has passed: [{rule}] {}: {reason}\n", reviewed.object)
}

fn exemption(reviewed: &Reviewed<'_>, Exempted { rule, reason, until, .. }: &Exempted) -> String {
    format!("exempt until {until}: [{rule}] {}: {reason}\n", reviewed.object)
}

/// What people read for the level of a finding.
fn level_name(level: Level) -> &'static str {
    if level == Level::Deny { "error" } else { "warning" }
}
