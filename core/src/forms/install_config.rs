//! `imageDigestSources` of the installer's install-config.yaml.
//!
//! The installer turns the list into an IDMS (`openshift/installer`
//! `pkg/types/installconfig.go`), after a check that knows no wildcards.

use serde::Serialize;

use super::{
    Form, Omission,
    sources::{Source, misplaced, sources},
};
use crate::{
    context::View,
    objects::{SetKind, scope::is_wildcard},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InstallConfig<'a> {
    image_digest_sources: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    source: &'a str,
    mirrors: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_policy: Option<&'static str>,
}

/// The part of an install-config to paste.
pub fn install_config(view: View<'_>) -> Form {
    let (sources, mut omissions) = sources(view, SetKind::is_digest);
    let entries: Vec<_> = sources.iter().filter_map(|source| entry(source, &mut omissions)).collect();
    let why = "install-config.yaml takes mirrors for pulls by digest only; put the set among the installer's manifests";
    omissions.extend(misplaced(view, |kind| !kind.is_digest(), why));
    let mut comments = vec!["Installers before 4.14 know the field as imageContentSources.".to_owned()];
    if entries.iter().any(|entry| entry.source_policy.is_some()) {
        comments.push("Installers before 4.21 warn of sourcePolicy and go on without it.".to_owned());
    }
    Form { comments, omissions, ..Form::of(&InstallConfig { image_digest_sources: entries }) }
}

fn entry<'a>(source: &'a Source<'a>, omissions: &mut Vec<Omission>) -> Option<Entry<'a>> {
    if let Err(why) = accepted(source.name) {
        omissions.push(Omission::Lost(format!("{} cannot stand there: {why}", source.named())));
        return None;
    }
    let mut mirrors = Vec::new();
    for mirror in &source.mirrors {
        match accepted(mirror) {
            Ok(()) => mirrors.push(*mirror),
            Err(why) => omissions.push(Omission::Lost(format!(
                "the mirror \"{mirror}\" of {} cannot stand there: {why}",
                source.named()
            ))),
        }
    }
    let source_policy = source.is_never_contacted().then(|| source.policy.name());
    (!mirrors.is_empty()).then_some(Entry { source: source.name, mirrors, source_policy })
}

/// Whether the installer accepts a name that is a valid source or mirror, or why it does not.
///
/// Follows `openshift/installer pkg/types/validation/installconfig.go` `validateNamedRepository` and, under
/// it, the normalization of `distribution/reference`: what is not its own full name is refused, unless it is
/// a host.
fn accepted(name: &str) -> Result<(), &'static str> {
    if is_wildcard(name) {
        return Err("the installer takes no wildcards");
    }
    let Some((host, path)) = name.split_once('/') else {
        let refused = name.contains(|c: char| c.is_ascii_uppercase());
        return if refused { Err("the installer takes no upper-case hosts") } else { Ok(()) };
    };
    if !host.contains(['.', ':']) && host != "localhost" {
        return Err("the installer takes a host before a path only with a dot or a port");
    }
    if host == "index.docker.io" || (host == "docker.io" && !path.contains('/')) {
        return Err("the installer takes images of Docker Hub only as docker.io/namespace/name");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_accepted_as_the_installer_accepts_them() {
        let table = [
            ("quay.io", true, "a host"),
            ("quay.io:443", true, "a host and a port"),
            ("m:5000", true, "a short host and a port"),
            ("m", true, "a short host"),
            ("docker.io", true, "a host like others"),
            ("quay.io/a", true, "a namespace"),
            ("m:5000/a/b", true, "a port makes a short name a host"),
            ("localhost/a", true, "the one short host that is known"),
            ("Quay.io/a", true, "upper case before a path"),
            ("docker.io/library/a", true, "its full name"),
            ("Quay.io", false, "taken for the name of an image, which is lower case"),
            ("*.redhat.io", false, "no reference at all"),
            ("m/a", false, "taken for a namespace of Docker Hub"),
            ("docker.io/a", false, "short for docker.io/library/a"),
            ("index.docker.io/a/b", false, "the old name of docker.io"),
        ];
        for (name, expected, reason) in table {
            assert_eq!(accepted(name).is_ok(), expected, "{name}: {reason}");
        }
    }
}
