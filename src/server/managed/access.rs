//! Reads and writes the Secret and the webhook configurations.

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
    error::{ManagedError, request_error},
    secret_name::SecretName,
};
use crate::certificates::{Configuration, ConfigurationKind, Contents, MARK, Reading};

/// The field manager of the changes.
const MANAGER: &str = "mirrorguard";

/// How long the API server may take to answer one request.
const PATIENCE: Duration = Duration::from_secs(5);

/// The outcome of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// There was nothing to write.
    Nothing,
    /// The object was written.
    Done,
    /// The object has changed since it was read, so nothing was written.
    TooLate,
}

/// The Secret as it was read.
#[derive(Debug)]
pub(super) struct SecretReading {
    pub(super) reading: Reading,
    /// Its resource version, which every API server sets.
    pub(super) version: Option<String>,
}

/// Access to the Secret and the two webhook configurations.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) secrets: Api<Secret>,
    pub(super) validating: Api<ValidatingWebhookConfiguration>,
    pub(super) mutating: Api<MutatingWebhookConfiguration>,
    pub(super) secret: SecretName,
    pub(super) configuration: String,
    /// How long the API server may take to answer one request.
    pub(super) patience: Duration,
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
        }
    }

    /// Reads those of the two configurations that exist.
    pub(super) async fn read_configurations(&self) -> Result<Vec<Configuration>, ManagedError> {
        let mut configurations = Vec::new();
        if let Some(found) = self.get_configuration(ConfigurationKind::Validating, &self.validating).await? {
            let version = found.resource_version().unwrap_or_default();
            let webhooks = found.webhooks.unwrap_or_default();
            let bundles = webhooks.into_iter().map(|webhook| bundle_of(webhook.client_config)).collect();
            configurations.push(Configuration { kind: ConfigurationKind::Validating, version, bundles });
        }
        if let Some(found) = self.get_configuration(ConfigurationKind::Mutating, &self.mutating).await? {
            let version = found.resource_version().unwrap_or_default();
            let webhooks = found.webhooks.unwrap_or_default();
            let bundles = webhooks.into_iter().map(|webhook| bundle_of(webhook.client_config)).collect();
            configurations.push(Configuration { kind: ConfigurationKind::Mutating, version, bundles });
        }
        Ok(configurations)
    }

    async fn get_configuration<K: Clone + Debug + DeserializeOwned>(
        &self,
        kind: ConfigurationKind,
        api: &Api<K>,
    ) -> Result<Option<K>, ManagedError> {
        let found = self.answer_to(api.get_opt(&self.configuration)).await;
        found.map_err(|error| self.configuration_error("get", kind, error))
    }

    /// Reads the Secret.
    pub(super) async fn read_secret(&self) -> Result<SecretReading, ManagedError> {
        let found = self.answer_to(self.secrets.get_opt(&self.secret.name)).await;
        let found = found.map_err(|error| self.secret_error("get", error))?;
        let secret = found.ok_or_else(|| ManagedError::NoSecret(self.secret.clone()))?;
        let version = secret.resource_version();
        let is_marked = secret.annotations().contains_key(MARK);
        let data: BTreeMap<_, _> =
            secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect();
        Ok(SecretReading { reading: Reading::of(&data, is_marked), version })
    }

    /// Writes the Secret, unless it has changed since this version.
    pub(super) async fn write_secret(
        &self,
        contents: &Contents,
        version: Option<&str>,
    ) -> Result<Written, ManagedError> {
        let mut data = serde_json::Map::new();
        for (key, text) in contents.data() {
            // In a merge patch, null removes a key.
            let value = text.map(|text| json!(k8s_openapi::ByteString(text.into_bytes())));
            data.insert(key.to_owned(), value.unwrap_or(Value::Null));
        }
        // With a version in it, a merge patch fails with a conflict if the object has another one.
        let metadata = json!({"resourceVersion": version, "annotations": {MARK: "true"}});
        let patch = Patch::Merge(json!({"metadata": metadata, "data": data}));
        let params = PatchParams::apply(MANAGER);
        let result = self.answer_to(self.secrets.patch(&self.secret.name, &params, &patch)).await;
        outcome(result).map_err(|error| self.secret_error("patch", error))
    }

    /// Writes the bundle into every webhook of the configuration, unless the configuration has changed since it was
    /// read.
    pub(super) async fn trust(
        &self,
        configuration: &Configuration,
        bundle: &str,
    ) -> Result<Written, ManagedError> {
        let value = json!(k8s_openapi::ByteString(bundle.as_bytes().to_vec()));
        // A patch by index is safe, because the test of the version fails if the webhooks have changed. `add` replaces
        // a bundle that is there.
        let mut operations =
            vec![json!({"op": "test", "path": "/metadata/resourceVersion", "value": configuration.version})];
        for index in 0..configuration.bundles.len() {
            let path = format!("/webhooks/{index}/clientConfig/caBundle");
            operations.push(json!({"op": "add", "path": path, "value": value}));
        }
        // These operations can always be read.
        let patch: json_patch::Patch = serde_json::from_value(operations.into()).unwrap_or_default();
        let (name, params, patch) =
            (&*self.configuration, PatchParams::apply(MANAGER), Patch::Json::<()>(patch));
        let result = match configuration.kind {
            ConfigurationKind::Validating => {
                outcome(self.answer_to(self.validating.patch(name, &params, &patch)).await)
            }
            ConfigurationKind::Mutating => {
                outcome(self.answer_to(self.mutating.patch(name, &params, &patch)).await)
            }
        };
        let result = result.map_err(|error| self.configuration_error("patch", configuration.kind, error))?;
        if result == Written::Done {
            info!(kind = configuration.kind.name(), name, "wrote the CA to the webhook configuration");
        }
        Ok(result)
    }

    /// The error about a Secret that mirrorguard did not write.
    pub(super) fn foreign_secret(&self) -> ManagedError {
        ManagedError::Foreign(self.secret.clone())
    }

    /// The error about a Secret that another client keeps overwriting.
    pub(super) fn contested_secret(&self) -> ManagedError {
        let SecretName { namespace, name } = &self.secret;
        ManagedError::Contested {
            flag: "--tls-managed-secret",
            object: format!("Secret {}", self.secret),
            resource: format!("secret {name} --namespace {namespace}"),
        }
    }

    /// The error about a configuration that another client keeps overwriting.
    pub(super) fn contested_configuration(&self, kind: ConfigurationKind) -> ManagedError {
        let (kind, name) = (kind.name(), &self.configuration);
        ManagedError::Contested {
            flag: "--webhook-configuration",
            object: format!("{kind} {name}"),
            resource: format!("{} {name}", kind.to_lowercase()),
        }
    }

    /// Waits for the answer to a request; no answer in time is an error.
    async fn answer_to<T>(&self, request: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match tokio::time::timeout(self.patience, request).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Service(format!("no answer within {:?}", self.patience).into())),
        }
    }

    fn secret_error(&self, verb: &'static str, error: Error) -> ManagedError {
        request_error("--tls-managed-secret", verb, format!("Secret {}", self.secret), error)
    }

    fn configuration_error(&self, verb: &'static str, kind: ConfigurationKind, error: Error) -> ManagedError {
        request_error(
            "--webhook-configuration",
            verb,
            format!("{} {}", kind.name(), self.configuration),
            error,
        )
    }
}

fn bundle_of(client: WebhookClientConfig) -> Vec<u8> {
    client.ca_bundle.map(|bytes| bytes.0).unwrap_or_default()
}

/// The outcome of a write, where a conflict with another client is no error.
fn outcome<T>(result: Result<T, Error>) -> Result<Written, Error> {
    match result {
        Ok(_) => Ok(Written::Done),
        Err(Error::Api(status)) if is_conflict(&status) => Ok(Written::TooLate),
        Err(error) => Err(error),
    }
}

/// Whether an object has changed since it was read, or is gone.
fn is_conflict(status: &Status) -> bool {
    // A JSON patch whose test fails is reported as Invalid, without causes.
    let failed_test = status.code == 422 && status.details.as_ref().is_none_or(|d| d.causes.is_empty());
    matches!(status.code, 404 | 409) || failed_test
}
