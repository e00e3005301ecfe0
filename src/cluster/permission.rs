//! What a request to an API server requires, and why one was refused.

use std::fmt;

use kube::Error;
use mirrorguard_core::objects::Kind;

use super::cause;

/// A verb on a resource, as a role has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// `get` or `list`.
    pub verb: &'static str,
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The resource name, in the plural.
    pub resource: &'static str,
}

impl fmt::Display for Permission {
    /// `list hostedclusters.hypershift.openshift.io`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, group, resource } = self;
        let dot = if group.is_empty() { "" } else { "." };
        write!(f, "{verb} {resource}{dot}{group}")
    }
}

impl Permission {
    /// To list every object of a kind.
    pub fn to_list(kind: Kind) -> Self {
        Self { verb: "list", group: kind.group(), resource: kind.plural() }
    }

    /// Why a request that requires this failed, and the missing rule if it was refused.
    pub fn describe(self, error: &Error) -> String {
        match error {
            Error::Api(status) if status.code == 403 => self.describe_refusal(&status.message),
            other => cause(other),
        }
    }

    /// The same for a refusal with this message.
    pub fn describe_refusal(self, message: &str) -> String {
        let rule = self.rule();
        match user_in(message) {
            Some(user) => format!(
                "forbidden: user \"{user}\" may not {self}; bind the user to a ClusterRole with the rule {rule}"
            ),
            None => {
                format!(
                    "forbidden: this user may not {self}; bind the user to a ClusterRole with the rule {rule}"
                )
            }
        }
    }

    /// The rule of a role that allows it, in YAML.
    fn rule(self) -> String {
        let Self { verb, group, resource } = self;
        format!("{{apiGroups: [\"{group}\"], resources: [\"{resource}\"], verbs: [\"{verb}\"]}}")
    }
}

/// The user whom a refusal names.
///
/// Follows `kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go`
/// `forbiddenMessage`.
fn user_in(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("User \"")?;
    let (user, _) = rest.split_once("\" cannot ")?;
    Some(user).filter(|user| !user.is_empty())
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn refusal(code: u16, message: &str) -> Error {
        Error::Api(Box::new(Status::failure(message, "").with_code(code)))
    }

    #[test]
    fn a_refusal_names_the_user_and_the_missing_rule() {
        let list = Permission::to_list(Kind::HostedCluster);
        let get = Permission { verb: "get", group: "", resource: "secrets" };
        let said = "x is forbidden: User \"system:serviceaccount:ci:audit\" cannot list resource \"x\"";
        let rule =
            "{apiGroups: [\"hypershift.openshift.io\"], resources: [\"hostedclusters\"], verbs: [\"list\"]}";
        let core = "{apiGroups: [\"\"], resources: [\"secrets\"], verbs: [\"get\"]}";
        // The parts of the description.
        let table: [(_, _, &[&str], &str); 4] = [
            (
                list,
                refusal(403, said),
                &[
                    "\"system:serviceaccount:ci:audit\" may not list hostedclusters.hypershift.openshift.io",
                    rule,
                ],
                "a user",
            ),
            (list, refusal(403, "denied by a webhook"), &["this user", rule], "no user"),
            (get, refusal(403, said), &["may not get secrets;", core], "the core group"),
            (get, refusal(500, said), &["(500)"], "another error"),
        ];
        for (permission, error, parts, reason) in table {
            let described = permission.describe(&error);
            for part in parts {
                assert!(described.contains(part), "{reason}: {described}");
            }
            let is_refusal = described.contains("apiGroups");
            assert_eq!(is_refusal, parts.len() > 1, "{reason}: {described}");
        }
    }
}
