//! Objects from files, or from the cluster of the current kubeconfig.

use std::{
    collections::BTreeMap,
    env,
    error::Error as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use kube::{Client, Config};

use super::output::Output;
use crate::cluster::{Exclude, Listing, cause, read_path};
use mirrorguard_core::objects::{
    Kind, Object,
    manifest::{Located, Position, ReadError, Reading},
};

/// What a command works on.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// Objects of files, which know their place.
    pub(super) located: Vec<Located>,
    /// Objects of a cluster.
    pub(super) live: Vec<Object>,
    /// URL of the cluster, where one was read.
    pub(super) cluster: Option<String>,
    /// How many objects of other kinds there were.
    pub(super) skipped: usize,
    /// How many files there were.
    pub(super) files: usize,
    /// What could not be read; it has been said.
    pub(super) unread: Vec<Unread>,
}

/// What could not be read, and why.
#[derive(Debug)]
pub(super) struct Unread {
    /// All of it, the place included.
    pub(super) text: String,
    /// Where in which file, as far as there is one.
    pub(super) place: Option<(String, Position)>,
}

impl From<ReadError> for Unread {
    fn from(error: ReadError) -> Self {
        Self { text: error.to_string(), place: Some((error.file, error.at)) }
    }
}

impl Input {
    /// Every object.
    pub(super) fn objects(&self) -> impl Iterator<Item = &Object> {
        self.located.iter().map(|located| &located.object).chain(&self.live)
    }

    /// Every object, with its place where it has one.
    pub(super) fn with_places(&self) -> impl Iterator<Item = (&Object, Option<&Located>)> {
        let located = self.located.iter().map(|located| (&located.object, Some(located)));
        located.chain(self.live.iter().map(|object| (object, None)))
    }

    /// Whether there is nothing that a command could work on, although everything could be read.
    fn is_empty(&self) -> bool {
        self.unread.is_empty() && self.objects().next().is_none()
    }

    /// Fails where a file could not be read whole.
    pub(super) fn complete(self) -> Result<Self> {
        if !self.unread.is_empty() {
            bail!("not everything could be read");
        }
        Ok(self)
    }
}

/// Reads files, or without any the cluster. What is wrong in a file is said, and the rest still read.
pub(super) fn read(paths: &[PathBuf], output: &Output) -> Result<Input> {
    let input = read_except(paths, &Exclude::default(), output)?;
    if input.is_empty() && !paths.is_empty() {
        let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        output.say(&format!("warning: no mirror set and no HostedCluster in {}\n", paths.join(", ")));
    }
    Ok(input)
}

/// The same without what is to be left out of folders.
pub(super) fn read_except(paths: &[PathBuf], exclude: &Exclude, output: &Output) -> Result<Input> {
    let input = read_every(paths, exclude, output)?;
    for twice in defined_twice(&input.located) {
        output.say(&format!("warning: {twice}; the last one counts\n"));
    }
    Ok(input)
}

/// The same for who decides by itself what to make of an object that is defined twice.
pub(super) fn read_every(paths: &[PathBuf], exclude: &Exclude, output: &Output) -> Result<Input> {
    if paths.is_empty() {
        return from_cluster(output);
    }
    let progress = output.progress("reading");
    let mut input = Input::default();
    for path in paths {
        progress.now(format!("reading {}", path.display()));
        match read_path(path, exclude) {
            Ok(Reading { objects, skipped, files, errors }) => {
                input.located.extend(objects);
                input.skipped += skipped;
                input.files += files;
                input.unread.extend(errors.into_iter().map(Unread::from));
            }
            Err(error) => input.unread.push(Unread { text: format!("{error:#}"), place: None }),
        }
    }
    drop(progress);
    for unread in &input.unread {
        output.error(&anyhow::Error::msg(unread.text.clone()));
    }
    Ok(input)
}

/// What stands in the files more than once, and where.
fn defined_twice(located: &[Located]) -> Vec<String> {
    let mut first: BTreeMap<(Kind, &str, &str), &Located> = BTreeMap::new();
    let mut twice = Vec::new();
    for this in located {
        let object = &this.object;
        if let Some(before) = first.insert((object.kind(), object.namespace(), object.name()), this) {
            let place = |l: &Located| format!("{}:{}", l.source.name, l.position("metadata.name").line);
            let id = object.id();
            twice.push(format!("{id} is defined at {} and again at {}", place(before), place(this)));
        }
    }
    twice
}

/// Reads one path that may also be the word `cluster`.
pub(super) fn read_or_cluster(path: &Path, output: &Output) -> Result<Input> {
    read_or_cluster_except(path, &Exclude::default(), output)
}

/// The same without what is to be left out of folders.
pub(super) fn read_or_cluster_except(path: &Path, exclude: &Exclude, output: &Output) -> Result<Input> {
    if path.as_os_str() == "cluster" && !path.exists() {
        return from_cluster(output);
    }
    read_except(&[path.to_owned()], exclude, output)
}

fn from_cluster(output: &Output) -> Result<Input> {
    let _progress = output.progress("reading the cluster of the current kubeconfig");
    let (live, server) = runtime()?.block_on(async {
        let Connection { client, server } = connect().await?;
        let live = Listing::of(&client)
            .await
            .and_then(Listing::complete)
            .map_err(|error| unreadable(&server, &error))?;
        anyhow::Ok((live, server))
    })?;
    Ok(Input { live, cluster: Some(server), ..Input::default() })
}

/// A cluster to ask.
pub(super) struct Connection {
    pub(super) client: Client,
    /// Its URL.
    pub(super) server: String,
}

/// What to do about an apiserver that did not tell what it was asked; `right` where that is missing.
pub(super) fn advice<'a>(error: &kube::Error, right: &'a str) -> &'a str {
    match error {
        kube::Error::Api(status) if status.code == 401 => "log in again, with oc login for example",
        kube::Error::Api(status) if status.code == 403 => right,
        kube::Error::Api(_) => "",
        kube::Error::SerdeError(_) => {
            "this is no answer of an apiserver, check the server of the current context: \
             kubectl config view --minify"
        }
        _ => "check server and certificates of the current context: kubectl config view --minify",
    }
}

/// Why the mirror sets of a cluster could not be listed, and what to do about it.
pub(super) fn unreadable(server: &str, error: &kube::Error) -> anyhow::Error {
    let right = "needs list on imagedigestmirrorsets, imagetagmirrorsets and imagecontentsourcepolicies";
    let advice = advice(error, right);
    let advice = if advice.is_empty() { String::new() } else { format!(" ({advice})") };
    anyhow::anyhow!("cannot list the mirror sets of {server}{advice}: {}", cause(error))
}

/// A connection for the current kubeconfig, or to the cluster that the process runs in.
pub(super) async fn connect() -> Result<Connection> {
    let config = config().await?;
    let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    let client = Client::try_from(config).context("cannot make a client of the kubeconfig")?;
    Ok(Connection { client, server })
}

/// A client for the current kubeconfig, or for the cluster that the process runs in.
pub(super) async fn client() -> Result<Client> {
    Ok(connect().await?.client)
}

async fn config() -> Result<Config> {
    Config::infer().await.map_err(|error| {
        // Outside of pods nobody expects their variables; the texts have their causes in them already.
        let in_pod = env::var_os("KUBERNETES_SERVICE_HOST").is_some();
        let text = match error.source() {
            Some(kubeconfig) if !in_pod => kubeconfig.to_string(),
            _ => error.to_string(),
        };
        let why = text.lines().next().unwrap_or_default();
        anyhow::anyhow!("no cluster: set KUBECONFIG, or name files where the command takes them: {why}")
    })
}

/// A runtime for the commands that talk to somebody. On one core everything stays on one thread, which
/// saves waking another for every request.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    let alone = std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1);
    let mut builder = if alone {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    builder.enable_all().build().context("cannot start the async runtime")
}
