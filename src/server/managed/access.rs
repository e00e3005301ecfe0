//! The Secret and the configurations, as the apiserver has them.

use std::{
    collections::BTreeMap,
    fmt::{self, Debug},
    time::Duration,
};

use k8s_openapi::api::{
    admissionregistration::v1::{
        MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
    },
    core::v1::Secret,
};
use kube::{
    Api, Client, Error, ResourceExt,
    api::{Patch, PatchParams},
    core::Status,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tracing::info;

use super::{
    error::{ManagedError, explained},
    secret_name::SecretName,
};
use crate::certificates::{Configuration, ConfigurationKind, Contents, MARK, Reading};

/// Whose changes these are, in the objects' managed fields.
const MANAGER: &str = "mirrorguard";

/// The usual one.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether something was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// There was nothing to write.
    Nothing,
    /// It is written.
    Done,
    /// Somebody else was first: what was read is no longer so.
    TooLate,
}

/// The three objects that are read and written, and nothing else.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) secrets: Api<Secret>,
    pub(super) validating: Api<ValidatingWebhookConfiguration>,
    pub(super) mutating: Api<MutatingWebhookConfiguration>,
    pub(super) secret: SecretName,
    pub(super) configuration: String,
    /// How long the apiserver may take to answer one request.
    pub(super) patience: Duration,
    version: Option<String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({}, {})", self.secret, self.configuration)
    }
}

impl Access {
    pub(super) fn new(client: Client, secret: SecretName, configuration: String) -> Self {
        Self {
            secrets: Api::namespaced(client.clone(), &secret.namespace),
            validating: Api::all(client.clone()),
            mutating: Api::all(client),
            secret,
            configuration,
            patience: PATIENCE,
            version: None,
        }
    }

    /// Those of the two configurations that exist.
    pub(super) async fn configurations(&self) -> Result<Vec<Configuration>, ManagedError> {
        let validating = self.look_at(ConfigurationKind::Validating, &self.validating, |found| {
            found.webhooks.unwrap_or_default().into_iter().map(|webhook| webhook.client_config).collect()
        });
        let mutating = self.look_at(ConfigurationKind::Mutating, &self.mutating, |found| {
            found.webhooks.unwrap_or_default().into_iter().map(|webhook| webhook.client_config).collect()
        });
        Ok(validating.await?.into_iter().chain(mutating.await?).collect())
    }

    async fn look_at<K: Clone + Debug + DeserializeOwned + ResourceExt>(
        &self,
        kind: ConfigurationKind,
        api: &Api<K>,
        clients: impl FnOnce(K) -> Vec<WebhookClientConfig>,
    ) -> Result<Option<Configuration>, ManagedError> {
        let found = self.answered(api.get_opt(&self.configuration)).await;
        let found = found.map_err(|e| self.about_configuration("get", kind, e))?;
        Ok(found.map(|found| Configuration {
            kind,
            version: found.resource_version().unwrap_or_default(),
            bundles: clients(found)
                .into_iter()
                .map(|client| client.ca_bundle.map(|bytes| bytes.0).unwrap_or_default())
                .collect(),
        }))
    }

    /// The Secret; its version is remembered for the next write.
    pub(super) async fn secret(&mut self) -> Result<Reading, ManagedError> {
        let found = self.answered(self.secrets.get_opt(&self.secret.name)).await;
        let found = found.map_err(|e| self.about_secret("get", e))?;
        let secret = found.ok_or_else(|| ManagedError::NoSecret(self.secret.clone()))?;
        self.version = secret.resource_version();
        let is_marked = secret.annotations().contains_key(MARK);
        let data: BTreeMap<_, _> =
            secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect();
        Ok(Reading::of(&data, is_marked))
    }

    /// Changes the Secret, if it still is as it was read.
    pub(super) async fn write(&self, contents: &Contents) -> Result<Written, ManagedError> {
        let data: serde_json::Map<String, Value> = contents
            .data()
            .into_iter()
            .map(|(key, text)| {
                let bytes = text.map(|text| json!(k8s_openapi::ByteString(text.into_bytes())));
                (key.to_owned(), bytes.unwrap_or_default())
            })
            .collect();
        let metadata = json!({"resourceVersion": self.version, "annotations": {MARK: "true"}});
        let patch = Patch::Merge(json!({"metadata": metadata, "data": data}));
        let params = PatchParams::apply(MANAGER);
        let patched = self.answered(self.secrets.patch(&self.secret.name, &params, &patch)).await;
        written(patched).map_err(|e| self.about_secret("patch", e))
    }

    /// Puts the bundle into every webhook of the configuration, if it still is as it was read.
    pub(super) async fn trust(
        &self,
        configuration: &Configuration,
        bundle: &str,
    ) -> Result<Written, ManagedError> {
        let value = json!(k8s_openapi::ByteString(bundle.as_bytes().to_vec()));
        let mut operations =
            vec![json!({"op": "test", "path": "/metadata/resourceVersion", "value": configuration.version})];
        for place in 0..configuration.bundles.len() {
            let path = format!("/webhooks/{place}/clientConfig/caBundle");
            operations.push(json!({"op": "add", "path": path, "value": value}));
        }
        let patch: json_patch::Patch = serde_json::from_value(operations.into()).unwrap_or_default();
        let (name, params, patch) =
            (&*self.configuration, PatchParams::apply(MANAGER), Patch::Json::<()>(patch));
        let result = match configuration.kind {
            ConfigurationKind::Validating => {
                written(self.answered(self.validating.patch(name, &params, &patch)).await)
            }
            ConfigurationKind::Mutating => {
                written(self.answered(self.mutating.patch(name, &params, &patch)).await)
            }
        };
        let result = result.map_err(|e| self.about_configuration("patch", configuration.kind, e))?;
        if result == Written::Done {
            info!(kind = configuration.kind.name(), name, "wrote the CA to the webhook configuration");
        }
        Ok(result)
    }

    /// The error of a Secret that is not ours.
    pub(super) fn foreign(&self) -> ManagedError {
        ManagedError::Foreign(self.secret.clone())
    }

    /// The errors of objects that somebody else keeps writing.
    pub(super) fn contested_secret(&self) -> ManagedError {
        let SecretName { namespace, name } = &self.secret;
        ManagedError::Contested {
            flag: "--tls-managed-secret",
            object: format!("Secret {}", self.secret),
            resource: format!("secret {name} --namespace {namespace}"),
        }
    }

    pub(super) fn contested_configuration(&self, kind: ConfigurationKind) -> ManagedError {
        let (kind, name) = (kind.name(), &self.configuration);
        ManagedError::Contested {
            flag: "--webhook-configuration",
            object: format!("{kind} {name}"),
            resource: format!("{} {name}", kind.to_lowercase()),
        }
    }

    /// An answer, or an error that says that there was none.
    async fn answered<T>(&self, request: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let answer = tokio::time::timeout(self.patience, request).await;
        answer.map_err(|_| Error::Service(format!("no answer within {:?}", self.patience).into()))?
    }

    fn about_secret(&self, verb: &'static str, error: Error) -> ManagedError {
        explained("--tls-managed-secret", verb, format!("Secret {}", self.secret), error)
    }

    fn about_configuration(&self, verb: &'static str, kind: ConfigurationKind, error: Error) -> ManagedError {
        explained("--webhook-configuration", verb, format!("{} {}", kind.name(), self.configuration), error)
    }
}

/// Tells a lost race from a failure: a version that has moved on, or an object that is gone.
fn written<T>(result: Result<T, Error>) -> Result<Written, Error> {
    match result {
        Ok(_) => Ok(Written::Done),
        Err(Error::Api(status)) if is_race(&status) => Ok(Written::TooLate),
        Err(error) => Err(error),
    }
}

fn is_race(status: &Status) -> bool {
    // A JSON patch whose test fails is Invalid, without saying more.
    let failed_test = status.code == 422 && status.details.as_ref().is_none_or(|d| d.causes.is_empty());
    matches!(status.code, 404 | 409) || failed_test
}
