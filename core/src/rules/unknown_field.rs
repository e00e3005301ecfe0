//! A field that the kind of an object does not have.

use std::slice;

use serde_json::Value;

use super::{Check, DependsOn, FileObject, Finding, Fix, Level, Rule};
use crate::{
    objects::{
        Change, Kind, ObjectId, Origin, SetKind, UnknownField,
        grammar::{is_valid_mirror, is_valid_source},
        manifest::{Written, is_placeholder},
        to_flow,
    },
    suggest::closest,
};

pub(super) const RULE: Rule = Rule {
    id: "unknown-field",
    level: Level::Deny,
    summary: "a field that the kind does not have, for example the list of another kind; in files only",
    page: include_str!("unknown_field.md"),
    check: Check::File(check),
    depends_on: DependsOn::Nothing,
    about_values: true,
    ..Rule::BASE
};

/// Follows `openshift/installer pkg/asset/installconfig/installconfigbase.go`: a field that strict reading rejects is
/// named in a warning, and the file is read again without it.
const EFFECT_IN_INSTALL_CONFIG: &str = "the installer ignores it, and only logs a warning";

const EFFECT: &str = "the object is rejected if it comes from kubectl or oc; for other clients the field is dropped without an error";

fn check(object: &FileObject<'_>, findings: &mut Vec<Finding>) {
    findings.extend(unknown_fields(object.written));
}

/// The finding for each field of an object that its kind does not have.
pub fn unknown_fields(written: &Written) -> impl Iterator<Item = Finding> {
    written.unknown_fields.iter().map(|field| unknown(written, field))
}

fn unknown(written: &Written, field: &UnknownField) -> Finding {
    let UnknownField { path, name, .. } = field;
    let (document, effect) = match written.origin {
        Origin::Object | Origin::HostedCluster => (written.kind.name(), EFFECT),
        Origin::InstallConfig => ("install-config.yaml", EFFECT_IN_INSTALL_CONFIG),
    };
    let what = format!("{document} has no field {path}");
    Finding { effect: effect.to_owned(), fix: fix(written, field), ..Finding::new(path, name, what) }
}

fn fix(written: &Written, field: &UnknownField) -> Fix {
    let UnknownField { name, free, twin, .. } = field;
    let meant = match written.origin {
        Origin::Object | Origin::HostedCluster => meant(written.kind, field),
        Origin::InstallConfig => meant_in_install_config(field),
    };
    let place = belonging(written.origin, written.kind, field);
    // No file sets the status.
    let free: Vec<_> = free.iter().copied().filter(|name| *name != "status").collect();
    match meant {
        Some(meant) => rename(&written.id, field, &meant),
        None if written.origin == Origin::InstallConfig && is_for_tags(name) => {
            "add an ImageTagMirrorSet to the installer's manifests instead".into()
        }
        None if written.origin == Origin::InstallConfig && is_policy(name) => {
            "rename the list imageContentSources to imageDigestSources, whose entries have sourcePolicy"
                .into()
        }
        None if written.kind == Kind::HostedCluster && is_policy(name) => {
            "remove it: a HostedCluster has no policy for its sources".into()
        }
        None if written.kind == Kind::Set(SetKind::Icsp) && name == "mirrorSourcePolicy" => {
            "move the entry to an ImageDigestMirrorSet, which has this field, or remove the field".into()
        }
        // A list for tag pulls is no misspelling of one for digest pulls.
        None if twin.as_deref().is_some_and(|twin| is_for_tags(twin) == is_for_tags(name)) => {
            let twin = twin.as_deref().unwrap_or_default();
            format!("move what it sets to {twin}, which is also there, and remove it").into()
        }
        None if place.is_some() => format!("move it to {}", place.unwrap_or_default()).into(),
        None if free.is_empty() || free.len() > MOST_NAMES => "remove it".into(),
        None if free.len() == 1 => format!("remove it, or use {}", free[0]).into(),
        None => format!("remove it, or use one of {}", free.join(", ")).into(),
    }
}

/// Gives a field the name that was meant, and the value that it needs. One whose value that name cannot have is left to a
/// person.
fn rename(id: &ObjectId, field: &UnknownField, meant: &Meant<'_>) -> Fix {
    let Meant { name, hint, value } = *meant;
    let misfit = field.misfit.as_ref().filter(|_| field.meant == Some(name));
    if let Some(misfit) = misfit {
        return format!("rename it to {name}, and correct its value: {misfit}").into();
    }
    if value.is_some_and(|value| !is_valid(name, value)) {
        return format!("rename it to {name}, and give it a valid value").into();
    }
    let change = Change::Rename { path: field.path.clone(), name: name.to_owned() };
    let title = match value {
        Some(value) => format!("write it as {name}: {}{hint}", to_flow(value, false)),
        None => format!("rename it to {name}{hint}"),
    };
    let fix = Fix::changing_pulls(title).change(id.clone(), change);
    value.iter().fold(fix, |fix, value| fix.set(id.clone(), &field.path, (*value).clone()))
}

/// Whether a value that is written anew is a valid one, as far as its grammar is known. A placeholder may become one.
fn is_valid(name: &str, value: &Value) -> bool {
    let is_valid: fn(&str) -> bool = match name {
        "mirrors" => is_valid_mirror,
        "source" => is_valid_source,
        _ => return true,
    };
    let items = value.as_array().map_or(slice::from_ref(value), Vec::as_slice);
    let mut texts = items.iter().map(|item| item.as_str().unwrap_or_default());
    texts.all(|text| is_placeholder(text) || is_valid(text))
}

/// The most names that are listed.
const MOST_NAMES: usize = 6;

/// The field that was meant, and what else to know about it.
struct Meant<'f> {
    name: &'static str,
    hint: &'static str,
    /// The value that it needs, if that is another one.
    value: Option<&'f Value>,
}

/// The list of mirrors, if this is one under the name that another kind has for it, or else the field with the most
/// similar name. Only fields that are not there yet can be meant.
fn meant(kind: Kind, field: &UnknownField) -> Option<Meant<'_>> {
    let list = list_of_mirrors(kind)
        .filter(|_| field.is_list && is_in_spec(field) && is_list_of_mirrors(&field.name));
    let by_meaning = list.filter(|list| field.free.contains(list)).map(|name| {
        let is_for_tags = is_for_tags(&field.name);
        let hint = match kind {
            Kind::HostedCluster if is_for_tags => "; a HostedCluster has no mirrors for tag pulls",
            Kind::Set(SetKind::Icsp | SetKind::Idms) if is_for_tags => {
                ", or set kind to ImageTagMirrorSet for tag pulls"
            }
            Kind::Set(SetKind::Icsp) if field.name == "imageDigestMirrors" => {
                ", or set kind to ImageDigestMirrorSet, whose entries may have a mirrorSourcePolicy"
            }
            _ => "",
        };
        Meant { name, hint, value: None }
    });
    by_meaning.or_else(|| meant_by_name(field))
}

fn meant_by_name(field: &UnknownField) -> Option<Meant<'_>> {
    Some(Meant { name: field.meant?, hint: "", value: field.meant_value.as_ref() })
}

/// The field of an install-config that was meant. A list for tag pulls has no counterpart there, and every other list
/// is for digest pulls.
fn meant_in_install_config(field: &UnknownField) -> Option<Meant<'_>> {
    if field.name == "mirrorSourcePolicy" {
        let name = field.free.iter().find(|name| **name == "sourcePolicy")?;
        return Some(Meant { name, hint: "", value: None });
    }
    if is_for_tags(&field.name) {
        return None;
    }
    let is_list = ["imageDigestMirrors", "repositoryDigestMirrors"].contains(&&*field.name);
    match field.free.iter().find(|name| **name == "imageDigestSources") {
        Some(name) if is_list => Some(Meant { name, hint: "", value: None }),
        _ => meant_by_name(field),
    }
}

/// Whether a field has the name of the policy of an entry, in an IDMS or an install-config.
fn is_policy(name: &str) -> bool {
    ["mirrorSourcePolicy", "sourcePolicy"].contains(&name)
}

fn is_for_tags(name: &str) -> bool {
    name.to_ascii_lowercase().contains("tag")
}

/// Where a field of an object belongs that is at the wrong level.
fn belonging(origin: Origin, kind: Kind, field: &UnknownField) -> Option<String> {
    if origin != Origin::Object {
        return None;
    }
    if let Some(place) = &field.belongs_to {
        return Some(place.clone());
    }
    let is_on_top = field.path == field.name;
    let list =
        list_of_mirrors(kind).filter(|_| field.is_list && is_on_top && is_list_of_mirrors(&field.name))?;
    Some(format!("spec.{list}"))
}

fn is_in_spec(field: &UnknownField) -> bool {
    field.path.strip_prefix("spec.") == Some(&*field.name)
}

/// The list of sources and mirrors that a kind has in its `spec`.
fn list_of_mirrors(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Set(set) => Some(set.list_field()),
        Kind::HostedCluster => Some("imageContentSources"),
        Kind::ImageConfig
        | Kind::ClusterVersion
        | Kind::ClusterImagePolicy
        | Kind::ImagePolicy
        | Kind::MachineConfiguration
        | Kind::Catalog(_) => None,
    }
}

/// Whether a list has the name that the list of sources and mirrors has in some kind, or a similar one.
fn is_list_of_mirrors(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "repositoryDigestMirrors",
        "imageDigestMirrors",
        "imageTagMirrors",
        "imageContentSources",
        "imageDigestSources",
        "imageDigestMirrorSet",
        "imageTagMirrorSet",
    ];
    closest(name, NAMES).is_some()
}

#[cfg(test)]
mod tests;
