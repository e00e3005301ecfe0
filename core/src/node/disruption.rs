//! What nodes do when one of their files changes.

use super::Impact;
use crate::{
    context::View,
    objects::{DisruptionAction, FileDisruption},
    registries_conf::SearchRegistriesConf,
};

/// A file of the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeFile {
    /// registries.conf.
    RegistriesConf,
    /// policy.json.
    Policy,
    /// The drop-in file with the search registries.
    SearchRegistries,
}

impl NodeFile {
    /// Where nodes have it.
    pub fn path(self) -> &'static str {
        match self {
            Self::RegistriesConf => "/etc/containers/registries.conf",
            Self::Policy => "/etc/containers/policy.json",
            Self::SearchRegistries => SearchRegistriesConf::PATH,
        }
    }

    /// Whether the machine-config operator has a default policy for exactly this file. It is nearer than a custom one
    /// for a folder, which then does not apply.
    fn has_own_default(self) -> bool {
        self != Self::SearchRegistries
    }
}

/// The custom node disruption policy for files (`MachineConfiguration/cluster`); empty where there is none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disruptions<'a>(&'a [FileDisruption]);

impl<'a> Disruptions<'a> {
    /// The policy of a cluster.
    pub fn of(view: View<'a>) -> Self {
        Self(view.file_disruptions())
    }

    /// Whether nothing is customized.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The impact of a change of a file: that of the custom actions where there are some, else the default one.
    ///
    /// Follows `machine-config-operator pkg/controller/common/helpers.go` `FindClosestFilePolicyPathMatch`,
    /// `pkg/apihelpers/apihelpers.go` `MergeClusterPolicies` and `pkg/daemon/drain.go`
    /// `isDrainRequiredForNodeDisruptionActions`.
    pub fn impact(self, file: NodeFile, by_default: Impact) -> Impact {
        match self.actions(file) {
            // A policy without any action has nothing done.
            Some(actions) => actions.iter().map(Impact::from).max().unwrap_or(Impact::None),
            None => by_default,
        }
    }

    /// The actions of the custom policy that applies to a file: the one for the file itself, or for the nearest folder.
    fn actions(self, file: NodeFile) -> Option<&'a [DisruptionAction]> {
        let covers = |disruption: &&FileDisruption| {
            disruption.path == file.path()
                || (!file.has_own_default() && is_below(file.path(), &disruption.path))
        };
        let found = self.0.iter().filter(covers).max_by_key(|disruption| disruption.path.len());
        found.map(|disruption| &*disruption.actions)
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

impl From<&DisruptionAction> for Impact {
    fn from(action: &DisruptionAction) -> Self {
        match action {
            DisruptionAction::None => Self::None,
            DisruptionAction::Service => Self::Reload,
            DisruptionAction::Drain => Self::Drain,
            DisruptionAction::Reboot => Self::Reboot,
        }
    }
}

#[cfg(test)]
mod tests {
    use DisruptionAction::{Drain, None as Nothing, Reboot, Service};

    use super::*;

    const FOLDER: &str = "/etc/containers";
    const CONF: &str = "/etc/containers/registries.conf";

    #[test]
    fn a_custom_policy_takes_the_place_of_the_default() {
        // The custom policy, the file, its impact by default and by the policy, the reason.
        type Case<'a> = (&'a [(&'a str, &'a [DisruptionAction])], NodeFile, Impact, Impact, &'a str);
        let (conf, search) = (NodeFile::RegistriesConf, NodeFile::SearchRegistries);
        let table: [Case<'_>; 9] = [
            (&[], conf, Impact::Drain, Impact::Drain, "there is none"),
            (&[(CONF, &[Nothing])], conf, Impact::Drain, Impact::None, "nothing is done"),
            (
                &[(CONF, &[Service])],
                conf,
                Impact::Drain,
                Impact::Reload,
                "a service is reloaded or restarted",
            ),
            (&[(CONF, &[Service, Drain])], conf, Impact::Reload, Impact::Drain, "a drain whatever changes"),
            (&[(CONF, &[Reboot])], conf, Impact::Reload, Impact::Reboot, "a reboot"),
            (
                &[(FOLDER, &[Nothing])],
                conf,
                Impact::Drain,
                Impact::Drain,
                "the default for the file is nearer",
            ),
            (
                &[(FOLDER, &[Nothing])],
                search,
                Impact::Reboot,
                Impact::None,
                "the drop-in file has no default",
            ),
            (
                &[("/etc/containers/registries.conf.d", &[Service]), ("/etc", &[Nothing])],
                search,
                Impact::Reboot,
                Impact::Reload,
                "the nearest folder",
            ),
            (&[(CONF, &[Nothing])], search, Impact::Reboot, Impact::Reboot, "another file"),
        ];
        for (policy, file, by_default, expected, reason) in table {
            let policy: Vec<_> = policy
                .iter()
                .map(|(path, actions)| FileDisruption { path: (*path).to_owned(), actions: actions.to_vec() })
                .collect();
            assert_eq!(Disruptions(&policy).impact(file, by_default), expected, "{reason}");
        }
    }
}
