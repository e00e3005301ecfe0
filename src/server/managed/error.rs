//! Why certificates cannot be managed.

use kube::Error;
use thiserror::Error as ThisError;

use super::secret_name::SecretName;
use crate::{cluster::cause, server::tls::TlsError};

/// Why certificates cannot be managed; names the flag, the object and the fix.
#[derive(Debug, ThisError)]
pub enum ManagedError {
    /// There is no such Secret.
    #[error(
        "--tls-managed-secret: Secret {0} does not exist; install the chart, or create an empty Secret: \
         kubectl --namespace {ns} create secret generic {name}", ns = .0.namespace, name = .0.name
    )]
    NoSecret(SecretName),
    /// The Secret is somebody else's.
    #[error(
        "--tls-managed-secret: Secret {0} contains data that mirrorguard did not write and does not overwrite; \
         specify an empty Secret, or empty this one if its data is not needed"
    )]
    Foreign(SecretName),
    /// The account may not do it.
    #[error(
        "{flag}: not allowed to {verb} {object}: {message}; grant get, watch and patch on it (rbac.create in \
         the chart does this)"
    )]
    Forbidden {
        /// The flag that named the object.
        flag: &'static str,
        /// What was tried.
        verb: &'static str,
        /// The object.
        object: String,
        /// The apiserver's words.
        message: String,
    },
    /// The apiserver did not do it.
    #[error("{flag}: cannot {verb} {object}: {why}")]
    Failed {
        /// The flag that named the object.
        flag: &'static str,
        /// What was tried.
        verb: &'static str,
        /// The object.
        object: String,
        /// Why.
        why: String,
    },
    /// What was written does not stay.
    #[error(
        "{flag}: another client keeps overwriting {object}; find the client in the managed fields, and stop it: \
         kubectl get {resource} --output yaml --show-managed-fields"
    )]
    Contested {
        /// The flag that named the object.
        flag: &'static str,
        /// The object.
        object: String,
        /// The same as kubectl takes it.
        resource: String,
    },
    /// A certificate could not be made.
    #[error("--tls-name: cannot issue a certificate: {0}")]
    Issue(rcgen::Error),
    /// What was read cannot be served with.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl From<rcgen::Error> for ManagedError {
    fn from(error: rcgen::Error) -> Self {
        Self::Issue(error)
    }
}

impl ManagedError {
    /// Whether it may be gone at the next attempt, so that a start may wait.
    pub(super) fn passes(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Contested { .. })
    }

    /// Whether nothing is known but that the apiserver was asked in vain.
    pub(super) fn is_unread(&self) -> bool {
        matches!(self, Self::Failed { verb: "get", .. })
    }
}

/// What the apiserver's answer to a request means.
pub(super) fn explained(
    flag: &'static str,
    verb: &'static str,
    object: String,
    error: Error,
) -> ManagedError {
    match error {
        Error::Api(status) if status.code == 403 => {
            ManagedError::Forbidden { flag, verb, object, message: status.message.clone() }
        }
        error => ManagedError::Failed { flag, verb, object, why: cause(&error) },
    }
}
