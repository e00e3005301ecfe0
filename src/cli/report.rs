//! A run of `lint` or `audit` in its output formats: one file a format.

mod human;
mod junit;
mod sarif;

pub(super) use human::human;
pub(super) use junit::junit;
pub(super) use sarif::sarif;

use mirrorguard_core::{
    report::{Places, Reviewed, exempted, findings},
    review::Exempted,
    rules::Level,
};

use super::input::Unread;

/// A whole run, as the formats for other programs report it.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) reviewed: &'a [Reviewed<'a>],
    pub(super) places: &'a Places<'a>,
    /// What could not be read.
    pub(super) unread: &'a [Unread],
    /// The lowest level that fails.
    pub(super) fails_from: Level,
}

impl Run<'_> {
    /// The exit code of the process.
    pub(super) fn exit_code(&self) -> u8 {
        let fails = || findings(self.reviewed).any(|(_, diagnostic)| diagnostic.level >= self.fails_from);
        if self.unread.is_empty() { fails().into() } else { 2 }
    }
}

/// What would be an error if it were not exempt, a line each.
pub(super) fn exemptions(reviewed: &[Reviewed<'_>]) -> String {
    let errors = exempted(reviewed).filter(|(_, exempted)| exempted.level == Level::Deny);
    errors.map(|(reviewed, exempted)| exemption(reviewed, exempted)).collect()
}

fn exemption(reviewed: &Reviewed<'_>, Exempted { rule, reason, until, .. }: &Exempted) -> String {
    format!("exempt until {until}: [{rule}] {}: {reason}\n", reviewed.object)
}
