//! The kubeconfig, found as kubectl finds it, and what is wrong with it.

use std::{
    env,
    fmt::Display,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Result, anyhow, bail};
use kube::{
    Config, Error,
    config::{AuthInfo, KubeConfigOptions, Kubeconfig, KubeconfigError, LoadDataError},
};
use mirrorguard_core::{config, objects::manifest};

use super::credentials::{describe_auth, describe_timeout};
use crate::cluster::{cause, is_readable};

const VARIABLE: &str = "KUBECONFIG";
/// The file in the home directory that is read if the variable is not set.
const DEFAULT_FILE: &str = ".kube/config";

/// What the kubeconfig says about the cluster to use.
#[derive(Debug)]
pub(super) struct Selected {
    /// The configuration of the client.
    pub(super) config: Config,
    /// Where that comes from; `None` in a pod without a kubeconfig.
    pub(super) origin: Option<Origin>,
}

/// The files of a kubeconfig, and the names of the entries in use.
#[derive(Debug, Default)]
pub(super) struct Origin {
    /// As in `KUBECONFIG`.
    files: String,
    /// The current context.
    pub(super) context: String,
    cluster: String,
    user: String,
}

/// Reads the kubeconfig. If none of its files exists, the account of the pod is used.
pub(super) async fn load() -> Result<Selected> {
    let files = files();
    let Some(kubeconfig) = read_all(&files.paths)? else {
        let config = of_pod()?.ok_or_else(|| files.missing())?;
        return Ok(Selected { config, origin: None });
    };
    let origin = Origin::of(&kubeconfig, files.shown());
    let server = server_of(&kubeconfig, &origin.cluster);
    let config = Config::from_custom_kubeconfig(kubeconfig.clone(), &KubeConfigOptions::default()).await;
    let mut config = config
        .map_err(|error| anyhow!("kubeconfig {}: {}", origin.files, origin.describe(&error, &kubeconfig)))?;
    // The library takes a user that does not exist for one without credentials.
    if !origin.user.is_empty() && !kubeconfig.auth_infos.iter().any(|named| named.name == origin.user) {
        bail!("kubeconfig {}: {}", origin.files, origin.missing("user", &origin.user));
    }
    // `api.lab.example:6443` is read as a URL without a scheme, and would fail later with an obscure error.
    if config.cluster_url.scheme().is_none() {
        bail!("kubeconfig {}: {}", origin.files, origin.not_a_url(&server));
    }
    // KUBE_RS_DEBUG_…, which the library applies where it finds the kubeconfig itself.
    config.apply_debug_overrides();
    Ok(Selected { config, origin: Some(origin) })
}

/// The files that kubectl reads.
struct Files {
    paths: Vec<PathBuf>,
    /// Whether `KUBECONFIG` names them; otherwise it is the one in the home directory.
    is_set: bool,
}

/// The files of `KUBECONFIG`, or the one in the home directory. They may not exist; there are none if neither is known.
fn files() -> Files {
    let set = env::var_os(VARIABLE).unwrap_or_default();
    let paths: Vec<_> = env::split_paths(&set).filter(|path| !path.as_os_str().is_empty()).collect();
    if !paths.is_empty() {
        return Files { paths, is_set: true };
    }
    // A container may have neither a home nor a user.
    let paths = env::home_dir().map(|home| home.join(DEFAULT_FILE)).into_iter().collect();
    Files { paths, is_set: false }
}

impl Files {
    fn shown(&self) -> String {
        let paths: Vec<_> = self.paths.iter().map(|path| path.display().to_string()).collect();
        paths.join(":")
    }

    /// The error if none of the files exists, outside of a pod.
    fn missing(&self) -> anyhow::Error {
        let shown = self.shown();
        if self.is_set {
            let is_single = self.paths.len() == 1;
            let missing = if is_single { "which does not exist" } else { "and none of these files exists" };
            return anyhow!(
                "no cluster found: KUBECONFIG is {shown}, {missing}; correct KUBECONFIG, or specify PATH if the command \
                 reads files"
            );
        }
        let missing = if shown.is_empty() {
            "neither KUBECONFIG nor HOME is set".to_owned()
        } else {
            format!("KUBECONFIG is not set, and {shown} does not exist")
        };
        anyhow!(
            "no cluster found: {missing}; set KUBECONFIG, or specify PATH if \
             the command reads files"
        )
    }
}

/// The union of all files, as kubectl makes it; `None` if none of them exists.
fn read_all(paths: &[PathBuf]) -> Result<Option<Kubeconfig>> {
    let mut all: Option<Kubeconfig> = None;
    for path in paths {
        let Some(next) = read(path)? else { continue };
        all = Some(match all {
            Some(first) => {
                let merged = first.merge(next);
                merged.map_err(|error| anyhow!("kubeconfig {}: {error}", path.display()))?
            }
            None => next,
        });
    }
    Ok(all)
}

/// A file; `None` if it does not exist.
fn read(path: &Path) -> Result<Option<Kubeconfig>> {
    let name = path.display();
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(metadata) if !is_readable(&metadata) => bail!("kubeconfig {name}: not a regular file"),
        // Any other error is reported by the attempt to read it.
        _ => {}
    }
    match Kubeconfig::read_from(path) {
        Ok(read) => Ok(Some(read)),
        Err(KubeconfigError::ReadConfig(error, _)) => bail!("kubeconfig {name}: cannot read it: {error}"),
        Err(error) => {
            bail!("kubeconfig {}", syntax_error(path).unwrap_or_else(|| format!("{name}: {error}")))
        }
    }
}

/// The place of a syntax error or of a value of another type, and what is wrong there: the file is read a second time,
/// by the parser that knows positions. `None` if that finds no error.
fn syntax_error(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let error = manifest::read_document::<Kubeconfig>(&path.display().to_string(), &text).err()?;
    Some(config::with_plain_words(error).to_string())
}

/// The configuration for the service account of the pod; `None` outside of a pod.
fn of_pod() -> Result<Option<Config>> {
    if env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
        return Ok(None);
    }
    let config = Config::incluster().map_err(|error| {
        anyhow!(
            "no cluster found: the service account of this pod cannot be used: {error}; mount its token \
             (automountServiceAccountToken), or set KUBECONFIG"
        )
    })?;
    Ok(Some(config))
}

/// `server` of a cluster as it is written, for messages; empty if there is none.
fn server_of(kubeconfig: &Kubeconfig, cluster: &str) -> String {
    let found = kubeconfig.clusters.iter().find(|named| named.name == cluster);
    let server = found.and_then(|named| named.cluster.as_ref()?.server.clone());
    server.unwrap_or_default()
}

impl Origin {
    /// The entries of the current context. A name that is missing is empty: without a context or cluster, reading the
    /// configuration then fails; without a user, there are no credentials.
    fn of(kubeconfig: &Kubeconfig, files: String) -> Self {
        let context = kubeconfig.current_context.clone().unwrap_or_default();
        let found = kubeconfig.contexts.iter().find(|named| named.name == context);
        let found = found.and_then(|named| named.context.clone()).unwrap_or_default();
        Self { files, context, cluster: found.cluster, user: found.user.unwrap_or_default() }
    }

    /// That an entry of this kind, which the current context names, does not exist.
    fn missing(&self, kind: &str, name: &str) -> String {
        format!("context \"{}\" has the {kind} \"{name}\", which does not exist", self.context)
    }

    fn not_a_url(&self, server: &str) -> String {
        format!(
            "cluster \"{}\": server \"{server}\" is not a URL such as https://api.lab.example:6443",
            self.cluster
        )
    }

    /// What is wrong with the kubeconfig, with the names of the entries in use.
    fn describe(&self, error: &KubeconfigError, kubeconfig: &Kubeconfig) -> String {
        let Self { context, cluster, user, .. } = self;
        match error {
            KubeconfigError::CurrentContextNotSet => {
                format!("current-context is not set; {}", use_context(kubeconfig))
            }
            KubeconfigError::LoadContext(_) if context.is_empty() => {
                format!("current-context is empty; {}", use_context(kubeconfig))
            }
            KubeconfigError::LoadContext(_) => {
                format!("context \"{context}\" does not exist; {}", use_context(kubeconfig))
            }
            KubeconfigError::LoadClusterOfContext(_) => self.missing("cluster", cluster),
            KubeconfigError::MissingClusterUrl => format!("cluster \"{cluster}\" has no server"),
            KubeconfigError::ParseClusterUrl(_) => self.not_a_url(&server_of(kubeconfig, cluster)),
            KubeconfigError::ParseProxyUrl(error) => {
                format!("cluster \"{cluster}\": proxy-url is not a URL: {error}")
            }
            KubeconfigError::LoadCertificateAuthority(error) => {
                format!("cluster \"{cluster}\": {}", describe_data("certificate-authority", error))
            }
            KubeconfigError::ParseCertificates(_) => {
                format!("cluster \"{cluster}\": certificate-authority has no PEM-encoded certificate")
            }
            KubeconfigError::LoadClientCertificate(error) => {
                format!("user \"{user}\": {}", describe_data("client-certificate", error))
            }
            KubeconfigError::LoadClientKey(error) => {
                format!("user \"{user}\": {}", describe_data("client-key", error))
            }
            other => other.to_string(),
        }
    }

    /// Why no client can be made of a configuration that could be read: only now are client certificates, keys and
    /// tokens loaded, and credential plugins run.
    pub(super) fn cannot_connect(&self, auth: &AuthInfo, error: &Error) -> anyhow::Error {
        let Self { context, user, .. } = self;
        let why = match error {
            // About a client certificate or key, whose messages do not look at the kubeconfig.
            Error::InferKubeconfig(error) => self.describe(error, &Kubeconfig::default()),
            Error::Auth(error) => {
                format!("context \"{context}\", user \"{user}\": {}", describe_auth(auth, error))
            }
            Error::ProxyProtocolDisabled { proxy_url, .. }
            | Error::ProxyProtocolUnsupported { proxy_url } => {
                format!("proxies are not supported: remove proxy-url, or unset HTTPS_PROXY ({proxy_url})")
            }
            other => format!("user \"{user}\": {}", cause(other)),
        };
        anyhow!("kubeconfig {}: {why}", self.files)
    }

    /// Why no client was made within a limit: the credential plugin has not ended.
    pub(super) fn plugin_timed_out(&self, auth: &AuthInfo, limit: impl Display) -> anyhow::Error {
        let Self { files, context, user, .. } = self;
        let why = describe_timeout(auth, limit);
        anyhow!("kubeconfig {files}: context \"{context}\", user \"{user}\": {why}")
    }
}

/// How to choose one of the contexts.
fn use_context(kubeconfig: &Kubeconfig) -> String {
    let names: Vec<_> = kubeconfig.contexts.iter().map(|named| &*named.name).collect();
    if names.is_empty() {
        return "there is no context: log in, for example with oc login".to_owned();
    }
    format!("choose one with kubectl config use-context: {}", names.join(", "))
}

/// What is wrong with a field that has a file, or its content in base64.
fn describe_data(field: &str, error: &LoadDataError) -> String {
    match error {
        LoadDataError::DecodeBase64(_) => format!("{field}-data is not base64"),
        LoadDataError::ReadFile(error, path) => format!("{field}: cannot read {}: {error}", path.display()),
        LoadDataError::NoBase64DataOrFile => format!("{field} is missing"),
    }
}
