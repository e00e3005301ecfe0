//! What every test uses: a control plane with the chart installed and its webhook ready.

use std::io::Write as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::binaries::Binaries;
use crate::control_plane::ControlPlane;
use crate::json::{items, text};
use crate::kubelet::Pod;
use crate::namespace::Ground;
use crate::objects::{CLUSTERS, entry, icsp, invalid_icsp};
use crate::release::{NAMESPACE, Release, existing_secret};
use crate::routing;
use crate::wait::eventually;

/// The three kinds of mirror sets, as kubectl takes them.
pub(crate) const MIRROR_SETS: &str = "imagecontentsourcepolicies,imagedigestmirrorsets,imagetagmirrorsets";

/// Until the API server has seen a change by a watch: new webhooks, new endpoints.
const PROPAGATION: Duration = Duration::from_secs(15);

/// The cluster of one test run.
pub(crate) struct Cluster {
    pub(crate) plane: ControlPlane,
    pub(crate) release: Release,
    pod: Option<Pod>,
    /// All objects before the chart was installed.
    pristine: Vec<String>,
}

impl Cluster {
    /// Starts everything, from etcd to a webhook that answers.
    pub(crate) fn start(binaries: Binaries, ground: Ground) -> Result<Self> {
        let plane = ControlPlane::start(binaries, ground)?;
        plane.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": CLUSTERS}}))?;
        let release = Release::prepare(&plane)?;
        let pristine = everything(&plane)?;
        let mut cluster = Self { plane, release, pod: None, pristine };
        cluster.install()?;
        Ok(cluster)
    }

    /// `helm install`, and what a real cluster then does by itself.
    pub(crate) fn install(&mut self) -> Result<()> {
        self.release.install(&self.plane, &self.plane.binaries.helm)?;
        self.start_pod()
    }

    /// Installs the chart anew, with this configuration of mirrorguard.
    pub(crate) fn configure(&mut self, config: Value) -> Result<()> {
        self.uninstall()?;
        self.release.config = config;
        self.install()
    }

    /// `helm uninstall`, and what a real cluster then does by itself.
    pub(crate) fn uninstall(&mut self) -> Result<()> {
        Release::uninstall(&self.plane, &self.plane.binaries.helm)?;
        if self.pod.is_some() {
            self.stop_pod()?;
        }
        routing::remove_slices(&self.plane, NAMESPACE)
    }

    /// Installs the chart anew, with these certificates; no pod runs yet.
    pub(crate) fn install_with(&mut self, certificates: Value) -> Result<()> {
        self.uninstall()?;
        self.release.certificates = certificates;
        self.release.install(&self.plane, &self.plane.binaries.helm)
    }

    /// Installs the chart anew, as every test expects it.
    pub(crate) fn install_as_before(&mut self) -> Result<()> {
        self.release.certificates = existing_secret(&self.release.authority);
        self.install()
    }

    /// Starts a pod of the release's Deployment and leads the webhooks to it.
    pub(crate) fn start_pod(&mut self) -> Result<()> {
        let pod = Pod::start(&self.plane, &Release::deployment(&self.plane)?)?;
        routing::lead_to(&self.plane, NAMESPACE, &pod)?;
        self.pod = Some(pod);
        self.wait_until_guarded()
    }

    /// Ends the pod by SIGTERM; returns the exit status of its process.
    pub(crate) fn stop_pod(&mut self) -> Result<ExitStatus> {
        self.take_pod()?.stop(&self.plane)
    }

    /// Hands the pod over to a test that stops it itself.
    pub(crate) fn take_pod(&mut self) -> Result<Pod> {
        self.pod.take().context("no pod is running")
    }

    /// Replaces the pod that was taken.
    pub(crate) fn set_pod(&mut self, pod: Pod) {
        self.pod = Some(pod);
    }

    pub(crate) fn pod(&self) -> Result<&Pod> {
        self.pod.as_ref().context("no pod is running")
    }

    /// `kubectl create`.
    pub(crate) fn create(&self, object: &Value) -> Result<Answer> {
        self.plane.kubectl(&["create", "-f", "-"], &object.to_string())
    }

    /// `kubectl create --dry-run=server`.
    pub(crate) fn create_dry(&self, object: &Value) -> Result<Answer> {
        self.plane.kubectl(&["create", "--dry-run=server", "-f", "-"], &object.to_string())
    }

    /// `kubectl apply`, as people do it.
    pub(crate) fn apply(&self, object: &Value) -> Result<Answer> {
        self.plane.kubectl(&["apply", "-f", "-"], &object.to_string())
    }

    /// `kubectl delete`.
    pub(crate) fn delete(&self, object: &Value) -> Result<Answer> {
        self.plane.kubectl(&["delete", "-f", "-"], &object.to_string())
    }

    /// The object as it is stored.
    pub(crate) fn stored(&self, object: &Value) -> Result<Value> {
        let (kind, name) = (text(object, "/kind")?, text(object, "/metadata/name")?);
        let namespace = text(object, "/metadata/namespace").unwrap_or_default();
        self.plane.get(&[kind, name, "--namespace", namespace])
    }

    /// How many mirror sets there are.
    pub(crate) fn mirror_sets(&self) -> Result<usize> {
        Ok(items(&self.plane.get(&[MIRROR_SETS])?["items"]).len())
    }

    /// The registries.conf that the nodes get from the mirror sets as they are now.
    pub(crate) fn registries_conf(&self) -> Result<String> {
        let list = self.plane.kubectl(&["get", MIRROR_SETS, "--output=yaml"], "")?.succeeded()?.stdout;
        Ok(self.mirrorguard(&["render", "--to", "registries-conf", "-"], &list)?.succeeded()?.stdout)
    }

    /// The command line, as the administrator of the cluster runs it.
    pub(crate) fn mirrorguard(&self, arguments: &[&str], stdin: &str) -> Result<Answer> {
        let mut child = self
            .plane
            .client(Path::new(env!("CARGO_BIN_EXE_mirrorguard")))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        child.stdin.take().context("mirrorguard has no stdin")?.write_all(stdin.as_bytes())?;
        Ok(child.wait_with_output()?.into())
    }

    /// Removes what a test has left, and waits until the webhook has seen that.
    pub(crate) fn sweep(&self) -> Result<()> {
        self.clear()?;
        let valid = icsp("sweep", &[entry("quay.io/sweep/app", "mirror.example.com/sweep/app")]);
        eventually(PROPAGATION, "the webhook to see an empty cluster", || {
            self.create_dry(&valid)?.succeeded().map(drop)
        })
    }

    /// Removes what a test has left.
    pub(crate) fn clear(&self) -> Result<()> {
        self.plane.kubectl(&["delete", MIRROR_SETS, "--all"], "")?.succeeded()?;
        self.plane
            .kubectl(&["delete", "hostedclusters", "--all", "--namespace", CLUSTERS], "")?
            .succeeded()?;
        let singletons = "images.config.openshift.io,clusterversions.config.openshift.io";
        self.plane.kubectl(&["delete", singletons, "--all"], "")?.succeeded()?;
        Ok(())
    }

    /// Removes the webhooks until [`Unguarded::end`].
    pub(crate) fn unguarded(&self) -> Result<Unguarded<'_>> {
        let mut configurations = Vec::new();
        for kind in routing::CONFIGURATIONS {
            for configuration in items(&self.plane.get(&[kind])?["items"]) {
                configurations.push(configuration.clone());
                self.delete(configuration)?.succeeded()?;
            }
        }
        let guard = Unguarded { cluster: self, configurations };
        eventually(PROPAGATION, "the API server to stop calling the webhooks", || {
            self.create_dry(&invalid_icsp())?.succeeded().map(drop)
        })?;
        Ok(guard)
    }

    /// Waits until the API server calls the webhook and denies a bad mirror set.
    pub(crate) fn wait_until_guarded(&self) -> Result<()> {
        eventually(PROPAGATION, "the API server to call the webhook", || {
            self.create_dry(&invalid_icsp())?.denied_for("invalid-source").map(drop)
        })
    }
}

/// Fails if there are more objects than before the chart was installed.
pub(crate) fn nothing_is_left(cluster: &Cluster) -> Result<()> {
    let objects = everything(&cluster.plane)?;
    let left: Vec<_> = objects.iter().filter(|object| !cluster.pristine.contains(object)).collect();
    ensure!(left.is_empty(), "still there: {left:#?}");
    Ok(())
}

/// A cluster without our webhooks, as before the installation.
#[must_use = "the webhooks stay away until they are put back"]
pub(crate) struct Unguarded<'a> {
    cluster: &'a Cluster,
    configurations: Vec<Value>,
}

impl Unguarded<'_> {
    /// Puts the webhooks back and waits until they answer.
    pub(crate) fn end(self) -> Result<()> {
        for mut configuration in self.configurations {
            // The labels and annotations by which Helm knows its own stay.
            for assigned in ["resourceVersion", "uid"] {
                configuration["metadata"][assigned].take();
            }
            self.cluster.create(&configuration)?.succeeded()?;
        }
        self.cluster.wait_until_guarded()
    }
}

/// Kind, namespace and name of every object in the cluster, events aside.
fn everything(plane: &ControlPlane) -> Result<Vec<String>> {
    let kinds =
        plane.kubectl(&["api-resources", "--verbs=list,delete", "--output=name"], "")?.succeeded()?.stdout;
    let kinds: Vec<&str> = kinds.lines().filter(|kind| !kind.starts_with("events")).collect();
    ensure!(!kinds.is_empty(), "the apiserver knows no resources");
    let columns = "--output=custom-columns=:.kind,:.metadata.namespace,:.metadata.name";
    let listed =
        plane.kubectl(&["get", &kinds.join(","), "--all-namespaces", columns, "--no-headers"], "")?;
    let mut objects: Vec<String> = listed.succeeded()?.stdout.lines().map(str::to_owned).collect();
    objects.sort();
    Ok(objects)
}
