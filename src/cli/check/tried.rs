//! What became of a write, by the apiserver's answer.

use kube::Error;

use crate::cluster::cause;

/// How the names of mirrorguard's webhooks end.
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
    /// The cluster does not know the kind.
    NotServed,
    /// It came to no webhook.
    Refused(String),
}

impl Tried {
    pub(super) fn is_denied_by_us(&self) -> bool {
        matches!(self, Self::Denied { webhook, .. } if is_ours(webhook))
    }
}

/// Whether a webhook of this name is mirrorguard's.
pub(super) fn is_ours(webhook: &str) -> bool {
    webhook.ends_with(DOMAIN)
}

/// What an apiserver's answer to a write means.
pub(super) fn tried(written: Result<(), Error>) -> Tried {
    let status = match written {
        Ok(()) => return Tried::Admitted,
        Err(Error::Api(status)) => status,
        Err(error) => return Tried::Refused(cause(&error)),
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
    if status.code == 404 {
        return Tried::NotServed;
    }
    Tried::Refused(format!("{} ({})", status.message, status.code))
}

#[cfg(test)]
mod tests {
    use kube::core::Status as Answer;

    use super::*;

    const SETS: &str = "mirror-sets.validate.mirrorguard.io";

    #[test]
    fn an_apiservers_answer_is_understood() {
        let api = |code: u16, message: &str| {
            Err(Error::Api(Box::new(Answer::failure(message, "").with_code(code))))
        };
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
                Tried::Refused("imagedigestmirrorsets is forbidden (403)".to_owned()),
                "no right",
            ),
        ];
        for (answer, expected, reason) in table {
            assert_eq!(tried(answer), expected, "{reason}");
        }
    }
}
