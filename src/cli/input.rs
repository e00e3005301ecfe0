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
use crate::{
    cluster::{LiveState, read_paths},
    objects::{
        Kind, Object,
        manifest::{Located, Reading},
    },
};

/// What a command works on.
#[derive(Debug)]
pub(super) struct Input {
    /// Objects of files, which know their place.
    pub(super) located: Vec<Located>,
    /// Objects of a cluster.
    pub(super) live: Vec<Object>,
    /// How many objects of other kinds there were.
    pub(super) skipped: usize,
    /// Whether a file could not be read whole; what is wrong has been said.
    pub(super) incomplete: bool,
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

    /// Fails where a file could not be read whole.
    pub(super) fn complete(self) -> Result<Self> {
        if self.incomplete {
            bail!("not everything could be read");
        }
        Ok(self)
    }
}

/// Reads files, or without any the cluster. What is wrong in a file is said, and the rest still read.
pub(super) fn read(paths: &[PathBuf], output: &Output) -> Result<Input> {
    if paths.is_empty() {
        return from_cluster(output);
    }
    let progress = output.progress("reading");
    let mut input = Input { located: Vec::new(), live: Vec::new(), skipped: 0, incomplete: false };
    let (mut wrong, mut empty) = (Vec::new(), Vec::new());
    for path in paths {
        progress.now(format!("reading {}", path.display()));
        match read_paths(std::slice::from_ref(path)) {
            Ok(Reading { objects, skipped, errors }) => {
                if objects.is_empty() && skipped == 0 && errors.is_empty() && path.is_dir() {
                    empty.push(path);
                }
                input.located.extend(objects);
                input.skipped += skipped;
                wrong.extend(errors.into_iter().map(anyhow::Error::from));
            }
            Err(error) => wrong.push(error),
        }
    }
    drop(progress);
    input.incomplete = !wrong.is_empty();
    for error in &wrong {
        output.error(error);
    }
    for path in empty {
        output.say(&format!(
            "warning: {}: no object in any *.yaml, *.yml or *.json of this folder\n",
            path.display()
        ));
    }
    for twice in defined_twice(&input.located) {
        output.say(&format!("warning: {twice}; the last one counts\n"));
    }
    Ok(input)
}

/// What stands in the files more than once, and where.
fn defined_twice(located: &[Located]) -> Vec<String> {
    let mut first: BTreeMap<(Kind, &str, &str), &Located> = BTreeMap::new();
    let mut twice = Vec::new();
    for this in located {
        let object = &this.object;
        let namespace = match object {
            Object::HostedCluster(hosted) => &*hosted.metadata.namespace,
            _ => "",
        };
        if let Some(before) = first.insert((object.kind(), namespace, object.name()), this) {
            let place = |l: &Located| format!("{}:{}", l.source.name, l.position("metadata.name").line);
            let id = format!("{}/{}", object.kind().name(), object.name());
            twice.push(format!("{id} is defined at {} and again at {}", place(before), place(this)));
        }
    }
    twice
}

/// Reads one path that may also be the word `cluster`.
pub(super) fn read_or_cluster(path: &Path, output: &Output) -> Result<Input> {
    if path.as_os_str() == "cluster" && !path.exists() {
        return from_cluster(output);
    }
    read(&[path.to_owned()], output)
}

fn from_cluster(output: &Output) -> Result<Input> {
    let _progress = output.progress("reading the cluster of the current kubeconfig");
    let live = runtime()?.block_on(async {
        let config = config().await?;
        let which = format!(
            "cannot list the mirror sets of {}, the current kubeconfig's cluster",
            config.cluster_url
        );
        LiveState::snapshot(client_of(config)?).await.context(which)
    })?;
    Ok(Input { located: Vec::new(), live, skipped: 0, incomplete: false })
}

/// A client for the current kubeconfig, or for the cluster that the process runs in.
pub(super) async fn client() -> Result<Client> {
    client_of(config().await?)
}

fn client_of(config: Config) -> Result<Client> {
    Client::try_from(config).context("cannot make a client of the kubeconfig")
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
        anyhow::anyhow!("no cluster: name files or folders, or set KUBECONFIG: {why}")
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
