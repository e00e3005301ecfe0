//! Why certificates cannot be managed.

use kube::Error;
use thiserror::Error as ThisError;

use super::secret_name::SecretName;
use crate::{cluster::cause, server::tls::TlsError};

/// Why certificates cannot be managed: names the flag, the object and the fix.
#[derive(Debug, ThisError)]
pub enum ManagedError {
    /// The Secret does not exist.
    #[error(
        "--tls-managed-secret: Secret {0} does not exist; install the chart, or create an empty Secret: \
         kubectl --namespace {ns} create secret generic {name}", ns = .0.namespace, name = .0.name
    )]
    NoSecret(SecretName),
    /// The Secret contains data that mirrorguard did not write.
    #[error(
        "--tls-managed-secret: Secret {0} contains data that mirrorguard did not write and does not overwrite; \
         specify an empty Secret, or empty this one if its data is not needed"
    )]
    Foreign(SecretName),
    /// The service account is not allowed to do it.
    #[error(
        "{flag}: cannot {verb} {object}: {message}; needs get, watch and patch on it (rbac.create in the chart \
         grants them)"
    )]
    Forbidden {
        /// The flag that named the object.
        flag: &'static str,
        /// The verb of the request.
        verb: &'static str,
        /// The object.
        object: String,
        /// The message of the API server.
        message: String,
    },
    /// The request failed.
    #[error("{flag}: cannot {verb} {object}: {why}")]
    Failed {
        /// The flag that named the object.
        flag: &'static str,
        /// The verb of the request.
        verb: &'static str,
        /// The object.
        object: String,
        /// Why.
        why: String,
    },
    /// Another client keeps overwriting the object.
    #[error(
        "{flag}: another client keeps overwriting {object}; find the client in the managed fields, and stop it: \
         kubectl get {resource} --output yaml --show-managed-fields"
    )]
    Contested {
        /// The flag that named the object.
        flag: &'static str,
        /// The object.
        object: String,
        /// The object as arguments of `kubectl get`.
        resource: String,
    },
    /// A certificate could not be issued.
    #[error("--tls-name: cannot issue a certificate: {0}")]
    Issue(rcgen::Error),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl From<rcgen::Error> for ManagedError {
    fn from(error: rcgen::Error) -> Self {
        Self::Issue(error)
    }
}

impl ManagedError {
    /// Whether another attempt may succeed, so that a start can wait.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Contested { .. })
    }

    /// Whether an object could not be read for a reason that may pass by itself, which a missing permission does not:
    /// no failure as long as no renewal is due.
    pub(super) fn is_failed_read(&self) -> bool {
        matches!(self, Self::Failed { verb: "get", .. })
    }
}

/// The error about a request that failed.
pub(super) fn request_error(
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
