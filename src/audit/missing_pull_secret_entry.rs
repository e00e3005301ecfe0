//! A mirror that a pull secret has no credentials for.

use std::collections::BTreeMap;

use super::{
    Found, PullSecret, Survey,
    mirrors::{self, Mirrors},
};
use crate::rules::{Check, Finding, Level, Related, Rule};

pub(super) const CHECK: Rule = Rule {
    id: "missing-pull-secret-entry",
    level: Level::Warn,
    summary: "a pull secret has no credentials for a mirror",
    page: include_str!("missing_pull_secret_entry.md"),
    check: Check::Cluster(check),
};

const PATH: &str = "data[.dockerconfigjson]";
/// Places worth naming of one host.
const MAX_RELATED: usize = 3;

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    let view = survey.state.context().view();
    for secret in &survey.inventory.pull_secrets {
        let mut pulled = Mirrors::new();
        if (&*secret.namespace, &*secret.name) == PullSecret::OF_NODES {
            pulled.append(&mut mirrors::of_nodes(view));
        }
        let uses = |hosted: &crate::objects::HostedCluster| {
            hosted.metadata.namespace == secret.namespace && hosted.spec.pull_secret.name == secret.name
        };
        for write in survey.hosted().filter(|write| uses(write.new)) {
            for (mirror, places) in mirrors::of_hosted(view, &write) {
                pulled.entry(mirror).or_default().extend(places);
            }
        }
        judge(secret, &pulled, found);
    }
}

fn judge(secret: &PullSecret, pulled: &Mirrors<'_>, found: &mut Vec<Found>) {
    let object = secret.object();
    if secret.keys.is_none() {
        let what = "the pull secret has no auths that can be read".to_owned();
        let fix = "write the JSON that \"podman login --authfile\" writes into its key .dockerconfigjson";
        let finding =
            Finding::new(PATH, what, "no mirror that asks for a login can be pulled from", fix.to_owned());
        found.push(Found { object, finding });
        return;
    }
    let mut lacking: BTreeMap<&str, Vec<&Related>> = BTreeMap::new();
    for (mirror, places) in pulled.iter().filter(|(mirror, _)| !secret.speaks_of(mirror)) {
        lacking.entry(mirrors::host(mirror)).or_default().extend(places);
    }
    for (host, places) in lacking {
        let fix = format!(
            "add an entry \"{host}\" to its auths; for a mirror that asks for no login set {}: \"off\" in the configuration",
            CHECK.id
        );
        let finding = Finding {
            related: places.into_iter().take(MAX_RELATED).cloned().collect(),
            ..Finding::new(
                PATH,
                format!("mirror host {host} has no entry in the pull secret"),
                "pulls from it are anonymous, and fail unless it allows that",
                fix,
            )
        };
        found.push(Found { object: object.clone(), finding });
    }
}
