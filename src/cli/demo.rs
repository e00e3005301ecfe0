//! `mirrorguard demo`: the webhook on loopback, asked as an apiserver asks.

use std::{fmt::Write, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{
    Answer, input,
    output::Output,
    paint::{BOLD, GREEN, PLAIN, RED, YELLOW},
};
use crate::{
    cluster::{FileState, Source},
    server::{App, Listeners, Signals, tls::self_signed},
};
use mirrorguard_core::objects::manifest;

const CLUSTER: &str = include_str!("../../examples/demo/cluster.yaml");

/// Each file, the hooks an apiserver would ask about it, and what it is called in a URL.
const WRITES: [(&str, &str, &[&str], &str); 4] = [
    (
        "icsp.yaml",
        include_str!("../../examples/demo/icsp.yaml"),
        &["mirror-sets.validate"],
        "imagecontentsourcepolicies",
    ),
    (
        "never-contact.yaml",
        include_str!("../../examples/demo/never-contact.yaml"),
        &["mirror-sets.validate"],
        "imagedigestmirrorsets",
    ),
    (
        "release.yaml",
        include_str!("../../examples/demo/release.yaml"),
        &["mirror-sets.validate"],
        "imagedigestmirrorsets",
    ),
    (
        "hostedcluster.yaml",
        include_str!("../../examples/demo/hostedcluster.yaml"),
        &["hosted-clusters.mutate", "hosted-clusters.validate"],
        "hostedclusters",
    ),
];

const HELP: &str = "\
Output:
  stdout  what kubectl apply would print of each write; with -o json a line for each write, with file, object, allowed, deniedBy, message, warnings and patch
  stderr  where the webhook listens

Exit codes:
  0  every write was answered, be it with a rejection
  2  the webhook could not be started or asked

Examples:
  mirrorguard demo
  mirrorguard demo -o json | jq -r .message";

/// Start the webhook on loopback with an example cluster and show its answers
///
/// Nothing is needed: the example cluster is in the program, the webhook listens on a free port of 127.0.0.1
/// with a certificate made up for it, and is asked over TLS as an apiserver asks. Two writes are rejected, one
/// is warned about, and one comes back with an annotation filled in.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct DemoArgs {}

pub(super) fn run(_: &DemoArgs, output: &Output) -> Result<Answer> {
    let settings = output.settings()?;
    let source = Source::Files(FileState::of_objects(manifest::read("cluster.yaml", CLUSTER.to_owned()))?);
    input::runtime()?.block_on(async {
        let made = self_signed(&[])?;
        let bound = Listeners { webhook: SocketAddr::from(([127, 0, 0, 1], 0)), admin: None }.bind()?;
        let address = bound.address;
        let app = App::new(settings, source);
        let webhook = tokio::spawn(bound.serve(app, made.config, Signals::catch()?, Duration::ZERO));
        output.say(&format!(
            "webhook on https://{address}, with the example cluster of examples/demo/cluster.yaml\n\n"
        ));
        let client = Client::new(address, &made.ca)?;
        for (file, text, hooks, resource) in WRITES {
            let outcome = apply(&client, file, text, hooks, resource).await?;
            if output.is_json() {
                output.json_line(&outcome)?;
            } else {
                output.result(&human(&outcome))?;
            }
        }
        webhook.abort();
        output.say("try your own: mirrorguard lint FILES, mirrorguard rules, mirrorguard --help\n");
        Ok(Answer::Yes)
    })
}

/// What became of a write.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    file: &'static str,
    object: ObjectName,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    denied_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    warnings: Vec<String>,
    patch: Vec<Operation>,
}

#[derive(Serialize)]
struct ObjectName {
    #[serde(skip)]
    group: String,
    kind: String,
    name: String,
}

/// Asks each hook as an apiserver does, until one denies.
async fn apply(
    client: &Client,
    file: &'static str,
    text: &str,
    hooks: &[&str],
    resource: &str,
) -> Result<Outcome> {
    let object: Value = manifest::read_document(file, text)?;
    let field = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let group = field("/apiVersion").split('/').next().unwrap_or_default().to_owned();
    let mut outcome = Outcome {
        file,
        object: ObjectName { group, kind: field("/kind"), name: field("/metadata/name") },
        allowed: true,
        denied_by: None,
        message: None,
        warnings: Vec::new(),
        patch: Vec::new(),
    };
    for hook in hooks {
        let path = if hook.ends_with("mutate") { "/mutate" } else { "/validate" };
        let answer = client.ask(path, &review(&object, resource)).await?;
        outcome.warnings.extend(answer.warnings);
        if !answer.allowed {
            outcome.allowed = false;
            outcome.denied_by = Some(format!("{hook}.mirrorguard.io"));
            outcome.message = answer.status.map(|status| status.message);
            break;
        }
        if let Some(patch) = answer.patch {
            let operations: Vec<Operation> =
                serde_json::from_slice(&STANDARD.decode(patch)?).context("the patch is not readable")?;
            outcome.patch.extend(operations);
        }
    }
    Ok(outcome)
}

/// What `kubectl apply` would print.
fn human(outcome: &Outcome) -> String {
    let Outcome { file, object, denied_by, message, warnings, patch, .. } = outcome;
    let mut shown = format!("{BOLD}$ kubectl apply -f {file}{PLAIN}\n");
    for warning in warnings {
        // Writing to a String cannot fail.
        let _ = writeln!(shown, "{YELLOW}Warning:{PLAIN} {warning}");
    }
    if let Some(hook) = denied_by {
        let message = message.as_deref().unwrap_or_default();
        let _ = writeln!(
            shown,
            "{RED}Error from server (Forbidden):{PLAIN} error when creating \"{file}\": admission webhook \
             \"{hook}\" denied the request: {message}\n"
        );
        return shown;
    }
    let ObjectName { group, kind, name } = object;
    let _ = writeln!(shown, "{}.{group}/{name} created", kind.to_lowercase());
    for (name, value) in patch.iter().flat_map(Operation::annotations) {
        let _ = writeln!(shown, "  {GREEN}+ {name}: {value}{PLAIN}");
    }
    shown.push('\n');
    shown
}

fn review(object: &Value, resource: &str) -> Value {
    let (group, version) = object["apiVersion"].as_str().and_then(|v| v.split_once('/')).unwrap_or_default();
    let (kind, metadata) = (&object["kind"], &object["metadata"]);
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "6f1c0b4e-0d2c-4c8e-9d53-3f1f0c1c2d10",
            "kind": { "group": group, "version": version, "kind": kind },
            "resource": { "group": group, "version": version, "resource": resource },
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "operation": "CREATE",
            "userInfo": { "username": "kubeadmin", "groups": ["system:authenticated"] },
            "object": object,
            "oldObject": null,
            "dryRun": false,
        },
    })
}

#[derive(Deserialize)]
struct Review {
    response: Response,
}

#[derive(Deserialize)]
struct Response {
    allowed: bool,
    #[serde(default)]
    warnings: Vec<String>,
    status: Option<Status>,
    patch: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    message: String,
}

/// An operation of a JSON patch on annotations.
#[derive(Deserialize, Serialize)]
struct Operation {
    op: String,
    path: String,
    value: Value,
}

impl Operation {
    fn annotations(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match &self.value {
            Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            value => {
                let name =
                    self.path.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
                vec![(name, text(value))]
            }
        }
    }
}

/// Asks the webhook as an apiserver does: a new review, HTTP/1.1 over TLS, trusting only its CA.
struct Client {
    address: SocketAddr,
    tls: TlsConnector,
}

impl Client {
    fn new(address: SocketAddr, ca: &str) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(
            CertificateDer::from_pem_slice(ca.as_bytes()).context("the CA that was made is not readable")?,
        )?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Self { address, tls: TlsConnector::from(Arc::new(config)) })
    }

    async fn ask(&self, path: &str, review: &Value) -> Result<Response> {
        let stream = TcpStream::connect(self.address).await.context("cannot reach the webhook")?;
        let stream = self.tls.connect(ServerName::try_from("localhost")?, stream).await.context("no TLS")?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::post(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(review.to_string())))?;
        let answer = sender.send_request(request).await.context("the webhook did not answer")?;
        let body = answer.into_body().collect().await?.to_bytes();
        let review: Review = serde_json::from_slice(&body).context("the webhook's answer is not readable")?;
        Ok(review.response)
    }
}
