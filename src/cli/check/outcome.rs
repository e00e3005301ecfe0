//! The outcome of a write, from the response of the API server.

use kube::Error;

use crate::cluster::cause;

/// The suffix of the names of mirrorguard's webhooks and admission policies.
const DOMAIN: &str = ".mirrorguard.io";

/// The outcome of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Admitted,
    /// Denied by a webhook, with its reason.
    Denied {
        webhook: String,
        why: String,
    },
    /// A webhook with failurePolicy Fail could not be called.
    Unreached {
        webhook: String,
        why: String,
    },
    /// Denied by an admission policy; those run before validating webhooks.
    DeniedByPolicy {
        policy: String,
        why: String,
    },
    /// The cluster does not serve the kind.
    NotServed,
    /// The user may not write it.
    Forbidden(String),
    /// It reached no webhook for another reason.
    Failed(String),
}

impl Outcome {
    pub(super) fn is_denied_by_mirrorguard(&self) -> bool {
        matches!(self, Self::Denied { webhook, .. } if is_ours(webhook))
    }
}

/// Whether mirrorguard has a webhook or an admission policy of this name.
pub(super) fn is_ours(name: &str) -> bool {
    name.ends_with(DOMAIN)
}

/// The outcome of a write.
///
/// The messages are those of `apiserver/pkg/admission/plugin`: `webhook/errors/statuserror.go`,
/// `policy/validating/dispatcher.go`, and `policy/generic` for policies that mutate.
pub(super) fn outcome_of(written: Result<(), Error>) -> Outcome {
    let status = match written {
        Ok(()) => return Outcome::Admitted,
        Err(Error::Api(status)) => status,
        Err(error) => return Outcome::Failed(cause(&error)),
    };
    if let Some((webhook, rest)) = quoted_name_after(&status.message, "admission webhook \"")
        && let Some((_, why)) = rest.split_once("denied the request")
    {
        return Outcome::Denied { webhook, why: why.trim_start_matches([':', ' ']).to_owned() };
    }
    if let Some((webhook, rest)) = quoted_name_after(&status.message, "failed calling webhook \"") {
        return Outcome::Unreached { webhook, why: rest.trim_start_matches([':', ' ']).to_owned() };
    }
    if let Some((policy, why)) = policy_of(&status.message) {
        return Outcome::DeniedByPolicy { policy: policy.to_owned(), why: why.to_owned() };
    }
    let answer = format!("{} ({})", status.message, status.code);
    match status.code {
        404 => Outcome::NotServed,
        403 => Outcome::Forbidden(answer),
        _ => Outcome::Failed(answer),
    }
}

/// The name between this text and the next quote, and the rest of the message.
fn quoted_name_after<'m>(message: &'m str, text: &str) -> Option<(String, &'m str)> {
    let (_, rest) = message.split_once(text)?;
    let (name, rest) = rest.split_once('"')?;
    Some((name.to_owned(), rest))
}

/// The policy that denied, and why: `ValidatingAdmissionPolicy '…'`, of those that mutate `policy '…'` or `policy "…"`.
fn policy_of(message: &str) -> Option<(&str, &str)> {
    let (before, why) = message.split_once("denied request:")?;
    // `Policy ` or `policy `.
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

    fn denied_by_us(why: &str) -> Outcome {
        Outcome::Denied { webhook: SETS.to_owned(), why: why.to_owned() }
    }

    #[test]
    fn a_response_is_an_outcome() {
        let table = [
            (Ok(()), Outcome::Admitted, "a dry run that was admitted"),
            (
                api(
                    403,
                    "admission webhook \"mirror-sets.validate.mirrorguard.io\" denied the request: [a] b: c",
                ),
                denied_by_us("[a] b: c"),
                "a denial with its reason",
            ),
            (
                api(
                    400,
                    "admission webhook \"mirror-sets.validate.mirrorguard.io\" denied the request without explanation",
                ),
                denied_by_us("without explanation"),
                "a denial without one",
            ),
            (
                api(
                    500,
                    "Internal error occurred: failed calling webhook \"mirror-sets.validate.mirrorguard.io\": connection refused",
                ),
                Outcome::Unreached { webhook: SETS.to_owned(), why: "connection refused".to_owned() },
                "a webhook that does not answer",
            ),
            (
                api(404, "the server could not find the requested resource"),
                Outcome::NotServed,
                "no such kind",
            ),
            (
                api(403, "imagedigestmirrorsets is forbidden"),
                Outcome::Forbidden("imagedigestmirrorsets is forbidden (403)".to_owned()),
                "no right",
            ),
            (
                api(500, "etcdserver: request timed out"),
                Outcome::Failed("etcdserver: request timed out (500)".to_owned()),
                "an error of the API server",
            ),
        ];
        for (answer, expected, reason) in table {
            assert_eq!(outcome_of(answer), expected, "{reason}");
        }
    }

    #[test]
    fn a_denial_of_a_policy_has_its_message_and_any_code() {
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
                "one that cannot be evaluated",
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
                "one that cannot be evaluated",
            ),
        ];
        for (code, message, (policy, why), reason) in table {
            let expected = Outcome::DeniedByPolicy { policy: policy.to_owned(), why: why.to_owned() };
            assert_eq!(outcome_of(api(code, &format!("{object}: {message}"))), expected, "{reason}");
        }
    }
}
