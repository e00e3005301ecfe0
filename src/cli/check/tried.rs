//! What became of a write, by the apiserver's answer.

use kube::Error;

use crate::cluster::cause;

/// How the names of mirrorguard's webhooks, and of its admission policies, end.
const DOMAIN: &str = ".mirrorguard.io";

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tried {
    Admitted,
    /// By a webhook, which gave a reason.
    Denied {
        webhook: String,
        why: String,
    },
    /// A webhook that counts could not be asked.
    Unreached {
        webhook: String,
        why: String,
    },
    /// By an admission policy; those are asked before validating webhooks.
    DeniedByPolicy {
        policy: String,
        why: String,
    },
    /// The cluster does not know the kind.
    NotServed,
    /// The account may not write it.
    Forbidden(String),
    /// It came to no webhook for another reason.
    Failed(String),
}

impl Tried {
    pub(super) fn is_denied_by_us(&self) -> bool {
        matches!(self, Self::Denied { webhook, .. } if is_ours(webhook))
    }
}

/// Whether a webhook or an admission policy of this name is mirrorguard's.
pub(super) fn is_ours(name: &str) -> bool {
    name.ends_with(DOMAIN)
}

/// What an apiserver's answer to a write means.
///
/// The words are those of `apiserver/pkg/admission/plugin`: `webhook/errors/statuserror.go`,
/// `policy/validating/dispatcher.go`, and `policy/generic` for policies that mutate.
pub(super) fn tried(written: Result<(), Error>) -> Tried {
    let status = match written {
        Ok(()) => return Tried::Admitted,
        Err(Error::Api(status)) => status,
        Err(error) => return Tried::Failed(cause(&error)),
    };
    let quoted = |before: &str| {
        let (_, rest) = status.message.split_once(before)?;
        rest.split_once('"').map(|(name, rest)| (name.to_owned(), rest))
    };
    if let Some((webhook, rest)) = quoted("admission webhook \"")
        && let Some((_, why)) = rest.split_once("denied the request")
    {
        return Tried::Denied { webhook, why: why.trim_start_matches([':', ' ']).to_owned() };
    }
    if let Some((webhook, rest)) = quoted("failed calling webhook \"") {
        return Tried::Unreached { webhook, why: rest.trim_start_matches([':', ' ']).to_owned() };
    }
    if let Some((policy, why)) = policy_of(&status.message) {
        return Tried::DeniedByPolicy { policy: policy.to_owned(), why: why.to_owned() };
    }
    let answer = format!("{} ({})", status.message, status.code);
    match status.code {
        404 => Tried::NotServed,
        403 => Tried::Forbidden(answer),
        _ => Tried::Failed(answer),
    }
}

/// The policy that denied, and why: `ValidatingAdmissionPolicy '…'`, of those that mutate `policy '…'` or `policy "…"`.
fn policy_of(message: &str) -> Option<(&str, &str)> {
    let (before, why) = message.split_once("denied request:")?;
    let (_, name) = before.split_once("olicy ")?;
    let quote = name.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let (name, _) = name[1..].split_once(quote)?;
    Some((name, why.trim()))
}

#[cfg(test)]
mod tests {
    use kube::core::Status as Answer;

    use super::*;

    const SETS: &str = "mirror-sets.validate.mirrorguard.io";

    fn api(code: u16, message: &str) -> Result<(), Error> {
        Err(Error::Api(Box::new(Answer::failure(message, "").with_code(code))))
    }

    #[test]
    fn an_apiservers_answer_is_understood() {
        let ours = |why: &str| Tried::Denied { webhook: SETS.to_owned(), why: why.to_owned() };
        let table = [
            (Ok(()), Tried::Admitted, "a dry run that went through"),
            (
                api(
                    403,
                    "admission webhook \"mirror-sets.validate.mirrorguard.io\" denied the request: [a] b: c",
                ),
                ours("[a] b: c"),
                "a denial with its reason",
            ),
            (
                api(
                    400,
                    "admission webhook \"mirror-sets.validate.mirrorguard.io\" denied the request without explanation",
                ),
                ours("without explanation"),
                "a denial without one",
            ),
            (
                api(
                    500,
                    "Internal error occurred: failed calling webhook \"mirror-sets.validate.mirrorguard.io\": connection refused",
                ),
                Tried::Unreached { webhook: SETS.to_owned(), why: "connection refused".to_owned() },
                "a webhook that counts and does not answer",
            ),
            (api(404, "the server could not find the requested resource"), Tried::NotServed, "no such kind"),
            (
                api(403, "imagedigestmirrorsets is forbidden"),
                Tried::Forbidden("imagedigestmirrorsets is forbidden (403)".to_owned()),
                "no right",
            ),
            (
                api(500, "etcdserver: request timed out"),
                Tried::Failed("etcdserver: request timed out (500)".to_owned()),
                "in the apiserver's words",
            ),
        ];
        for (answer, expected, reason) in table {
            assert_eq!(tried(answer), expected, "{reason}");
        }
    }

    #[test]
    fn a_policys_denial_is_known_by_its_words_whatever_its_code() {
        let object = "imagedigestmirrorsets.config.openshift.io \"mirrorguard-check\" is forbidden";
        let table = [
            (
                422,
                "ValidatingAdmissionPolicy 'mirror-sets.deny.mirrorguard.io' with binding 'b' denied request: \
                 spec: wrong",
                ("mirror-sets.deny.mirrorguard.io", "spec: wrong"),
                "ours",
            ),
            (
                403,
                "ValidatingAdmissionPolicy 'other.example' with binding 'b' denied request: no",
                ("other.example", "no"),
                "no right is missing",
            ),
            (
                422,
                "ValidatingAdmissionPolicy 'other.example' denied request: failed to configure policy: no",
                ("other.example", "failed to configure policy: no"),
                "one that cannot be asked",
            ),
            (
                422,
                "policy 'other.example' with binding 'b' denied request: no",
                ("other.example", "no"),
                "a MutatingAdmissionPolicy",
            ),
            (
                403,
                "policy \"other.example\" denied request: failed to configure policy: no",
                ("other.example", "failed to configure policy: no"),
                "one that cannot be asked",
            ),
        ];
        for (code, message, (policy, why), reason) in table {
            let expected = Tried::DeniedByPolicy { policy: policy.to_owned(), why: why.to_owned() };
            assert_eq!(tried(api(code, &format!("{object}: {message}"))), expected, "{reason}");
        }
    }
}
