//! `imageDigestSources` of the installer's install-config.yaml.
//!
//! The installer makes an IDMS of the list (`openshift/installer`
//! `pkg/types/installconfig.go`), after a validation that rejects wildcards.

use serde::Serialize;

use super::{
    Form, NoForm, Omission,
    sources::{Source, misplaced, sources},
    without_sources,
};
use crate::{
    context::View,
    objects::{MirrorSourcePolicy, Pull, scope::is_wildcard},
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
    source_policy: Option<MirrorSourcePolicy>,
}

/// The part of an install-config to paste; none if nothing of the mirror sets can be expressed there.
pub fn install_config(view: View<'_>) -> Result<Form, NoForm> {
    let (sources, mut omissions) = sources(view, Pull::Digest);
    let entries: Vec<_> = sources.iter().filter_map(|source| entry(source, &mut omissions)).collect();
    let why =
        "install-config.yaml takes mirrors for digest pulls only; add the set to the installer's manifests";
    omissions.extend(misplaced(view, Pull::Digest, why));
    if entries.is_empty() {
        return Err(without_sources(Pull::Digest, omissions));
    }
    let mut comments = vec!["In installers before 4.14 the field is imageContentSources.".to_owned()];
    if entries.iter().any(|entry| entry.source_policy.is_some()) {
        comments.push("Installers before 4.21 ignore sourcePolicy with a warning.".to_owned());
    }
    Ok(Form { comments, omissions, ..Form::of(&InstallConfig { image_digest_sources: entries }) })
}

/// The entry for a source; `None` where the installer rejects the source or all of its mirrors. What it rejects is
/// added to `omissions`.
fn entry<'a>(source: &'a Source<'a>, omissions: &mut Vec<Omission>) -> Option<Entry<'a>> {
    if let Some(why) = rejection(source.name) {
        omissions.push(Omission::Lost(format!("{}: {why}", source.describe())));
        return None;
    }
    let mut mirrors = Vec::new();
    for mirror in &source.mirrors {
        match rejection(mirror) {
            None => mirrors.push(*mirror),
            Some(why) => {
                omissions
                    .push(Omission::Lost(format!("mirror \"{mirror}\" of {}: {why}", source.describe())));
            }
        }
    }
    if mirrors.is_empty() {
        return None;
    }
    omissions.extend(source.without_registry(&mirrors));
    let source_policy = source.is_never_contacted().then_some(source.policy);
    Some(Entry { source: source.name, mirrors, source_policy })
}

/// Why the installer rejects a name that is a valid source or mirror; `None` where it accepts it.
///
/// Follows `openshift/installer pkg/types/validation/installconfig.go` `validateNamedRepository` and, under
/// it, the normalization of `distribution/reference`: a name that is not its own full name is rejected, unless it
/// is a host.
fn rejection(name: &str) -> Option<&'static str> {
    if is_wildcard(name) {
        return Some("the installer rejects wildcards");
    }
    let Some((host, path)) = name.split_once('/') else {
        // It is read as the name of an image of Docker Hub, and a name is lower case.
        let has_upper_case = name.contains(|c: char| c.is_ascii_uppercase());
        return has_upper_case.then_some("the installer rejects a host with upper-case letters");
    };
    if !host.contains(['.', ':']) && host != "localhost" {
        return Some("the installer accepts a path only after a host with a dot or a port");
    }
    if host == "index.docker.io" || (host == "docker.io" && !path.contains('/')) {
        return Some("the installer accepts images of Docker Hub only as docker.io/namespace/name");
    }
    None
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
            ("docker.io", true, "a host like any other"),
            ("quay.io/a", true, "a namespace"),
            ("m:5000/a/b", true, "a port makes a short name a host"),
            ("localhost/a", true, "the one short host that counts as a host"),
            ("Quay.io/a", true, "upper case before a path"),
            ("docker.io/library/a", true, "its full name"),
            ("Quay.io", false, "read as the name of an image, which is lower case"),
            ("*.redhat.io", false, "not a reference"),
            ("m/a", false, "read as a namespace of Docker Hub"),
            ("docker.io/a", false, "short for docker.io/library/a"),
            ("index.docker.io/a/b", false, "the old name of docker.io"),
        ];
        for (name, expected, reason) in table {
            assert_eq!(rejection(name).is_none(), expected, "{name}: {reason}");
        }
    }
}
