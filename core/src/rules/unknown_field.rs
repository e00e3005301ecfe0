//! A field that the kind of an object does not have.

use super::{Check, DependsOn, FileObject, Finding, Fix, Level, Rule};
use crate::{
    objects::{Change, Kind, Origin, SetKind, UnknownField, manifest::Written},
    suggest::closest,
};

pub(super) const RULE: Rule = Rule {
    id: "unknown-field",
    level: Level::Deny,
    summary: "a field that the kind does not have, for example the list of another kind; in files only",
    page: include_str!("unknown_field.md"),
    check: Check::File(check),
    depends_on: DependsOn::Nothing,
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
    let UnknownField { path, name, free, .. } = field;
    let meant = match written.origin {
        Origin::Object | Origin::HostedCluster => meant(written.kind, field),
        Origin::InstallConfig => meant_in_install_config(field),
    };
    let place = belonging(written.origin, written.kind, field);
    // No file sets the status.
    let free: Vec<_> = free.iter().copied().filter(|name| *name != "status").collect();
    match meant {
        Some(Meant { name, hint }) => {
            let change = Change::Rename { path: path.clone(), name: name.to_owned() };
            Fix::changing_pulls(format!("rename it to {name}{hint}")).change(written.id.clone(), change)
        }
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
        None if place.is_some() => format!("move it to {}", place.unwrap_or_default()).into(),
        None if free.is_empty() || free.len() > MOST_NAMES => "remove it".into(),
        None if free.len() == 1 => format!("remove it, or use {}", free[0]).into(),
        None => format!("remove it, or use one of {}", free.join(", ")).into(),
    }
}

/// The most names that are listed.
const MOST_NAMES: usize = 6;

/// The field that was meant, and what else to know about it.
struct Meant {
    name: &'static str,
    hint: &'static str,
}

/// The list of mirrors, if this is one under the name that another kind has for it, or else the field with the most
/// similar name. Only fields that are not there yet can be meant.
fn meant(kind: Kind, field: &UnknownField) -> Option<Meant> {
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
        Meant { name, hint }
    });
    by_meaning.or_else(|| meant_by_name(field))
}

fn meant_by_name(field: &UnknownField) -> Option<Meant> {
    let name = field.meant?;
    let hint = if name == "mirrors" && !field.is_list { ", and make it a list" } else { "" };
    Some(Meant { name, hint })
}

/// A list for tag pulls has no counterpart there, and every other one is for digest pulls.
fn meant_in_install_config(field: &UnknownField) -> Option<Meant> {
    if field.name == "mirrorSourcePolicy" {
        let name = field.free.iter().find(|name| **name == "sourcePolicy")?;
        return Some(Meant { name, hint: "" });
    }
    if is_for_tags(&field.name) {
        return None;
    }
    let by_meaning = || {
        let lists = ["imageDigestMirrors", "repositoryDigestMirrors"];
        let name = field.free.iter().find(|name| **name == "imageDigestSources")?;
        lists.contains(&&*field.name).then_some(Meant { name, hint: "" })
    };
    by_meaning().or_else(|| meant_by_name(field))
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
mod tests {
    use super::*;
    use crate::{
        objects::manifest,
        review::Reviewer,
        rules::{
            Settings,
            testing::{assert_texts, find_in_file},
        },
        write::Write,
    };

    const IDMS: &str =
        "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: a}\nspec: ";
    const ICSP: &str = "apiVersion: operator.openshift.io/v1alpha1\nkind: ImageContentSourcePolicy\nmetadata: {name: a}\nspec: ";
    const HOSTED: &str = "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\n\
                          metadata: {name: a, namespace: n}\nspec: ";

    #[test]
    fn a_field_is_found_with_the_one_that_was_meant() {
        // The name that the fix gives the field; empty if the field is found, but no name is suggested.
        let table = [
            (IDMS, "{imageDigestMirrors: [{source: q.io}]}", None, "no unknown field"),
            (IDMS, "{repositoryDigestMirrors: []}", Some("imageDigestMirrors"), "the list of an ICSP"),
            (IDMS, "{imageTagMirrors: []}", Some("imageDigestMirrors"), "the list of an ITMS"),
            (IDMS, "{imageDigestMirrors: [], imageTagMirrors: []}", Some(""), "its own list is there"),
            (
                IDMS,
                "{imageDigestMirrors: [{source: q, mirror: [m]}]}",
                Some("mirrors"),
                "a letter is missing",
            ),
            (
                IDMS,
                "{imageDigestMirrors: [{mirrorSourcepolicy: x}]}",
                Some("mirrorSourcePolicy"),
                "lower case",
            ),
            (IDMS, "{imageDigestMirrors: [{imagePullPolicy: Always}]}", Some(""), "of a container"),
            (ICSP, "{repositoryDigestMirrors: [{mirrorSourcePolicy: x}]}", Some(""), "an ICSP has no policy"),
            (HOSTED, "{imageTagMirrorSet: []}", Some("imageContentSources"), "mirrors for tags"),
            (HOSTED, "{olmCatalogPlacment: guest}", Some("olmCatalogPlacement"), "a letter is missing"),
            (HOSTED, "{mirrors: {}}", Some(""), "nothing like it"),
            (HOSTED, "{imageContentSources: [{mirrorSourcePolicy: x}]}", Some(""), "it has no policy"),
            (ICSP, "{imageDigestMirrors: []}", Some("repositoryDigestMirrors"), "of an IDMS"),
            (IDMS, "{imageDigestMirrors: [{mirror: m}]}", Some("mirrors"), "a string must become a list"),
            (IDMS, "{}\nimageDigestMirrors: []", Some(""), "belongs to spec"),
            (IDMS, "{}\nimageTagMirrors: []", Some(""), "belongs to spec, under another name"),
            (IDMS, "{}\nannotations: {}", Some(""), "belongs to metadata"),
            (HOSTED, "{}\nimageDigestMirrors: []", Some(""), "belongs to spec, under another name"),
            (IDMS, "{}\nmirrors: 7", Some(""), "belongs nowhere"),
        ];
        let mut all = Vec::new();
        for (head, spec, expected, reason) in table {
            let found = find_in_file(RULE.id, &format!("{head}{spec}\n"));
            let names: Vec<_> = found.iter().map(|finding| renamed_to(&finding.fix)).collect();
            assert_eq!(names, Vec::from_iter(expected), "{reason}");
            all.extend(found);
        }
        all.extend(found_in_install_configs());
        assert_texts(RULE.id, &all);
    }

    /// What is found in install-configs, of which only the mirrors are known.
    fn found_in_install_configs() -> Vec<Finding> {
        let entries = "[{source: q.io/a, mirrors: [m.lab/a]}]";
        let digests = "imageDigestSources";
        let table = [
            (format!("{digests}: {entries}"), None, "no unknown field"),
            (format!("imageDigestSource: {entries}"), Some(digests), "a letter is missing"),
            (format!("ImageDigestSources: {entries}"), None, "Go ignores the case of names"),
            (format!("{digests}: []\nimageDigestSource: []"), Some(""), "the right one is there"),
            (format!("imageContentSource: {entries}"), Some("imageContentSources"), "the old list"),
            (format!("imageDigestMirrors: {entries}"), Some(digests), "the list of an IDMS"),
            (format!("repositoryDigestMirrors: {entries}"), Some(digests), "the list of an ICSP"),
            (format!("imageTagMirrors: {entries}"), Some(""), "the installer has none for tag pulls"),
            (format!("{digests}: [{{source: q.io, mirror: [m]}}]"), Some("mirrors"), "in an entry"),
            (format!("{digests}: [{{mirrorSourcePolicy: x}}]"), Some("sourcePolicy"), "the name in an IDMS"),
            ("imageContentSources: [{sourcePolicy: x}]".to_owned(), Some(""), "the old list has no policy"),
            ("imageContentSources: [{mirrorSourcePolicy: x}]".to_owned(), Some(""), "under neither name"),
            (format!("{digests}: []\npullSecrets: x"), None, "nothing else is known"),
        ];
        let mut all = Vec::new();
        for (fields, expected, reason) in table {
            let found = find_in_file(RULE.id, &format!("apiVersion: v1\nbaseDomain: lab\n{fields}\n"));
            let names: Vec<_> = found.iter().map(|finding| renamed_to(&finding.fix)).collect();
            assert_eq!(names, Vec::from_iter(expected), "{reason}");
            all.extend(found);
        }
        all
    }

    fn renamed_to(fix: &Fix) -> &str {
        match fix.changes.first() {
            Some((_, Change::Rename { name, .. })) => name,
            _ => "",
        }
    }

    #[test]
    fn what_a_misspelt_field_sets_is_no_other_fault() {
        let table = [
            (IDMS, "{imageDigestMirrors: [{Source: q.io/a, mirrors: [m.lab/a]}]}", "the source is not empty"),
            (IDMS, "{imageDigestMirrors: [{source: q.io/a, mirror: [m.lab/a]}]}", "it has a mirror"),
            (ICSP, "{repositoryDigestMirrors: [{Source: q.io/a, mirror: [m.lab/a]}]}", "both, in an ICSP"),
            (HOSTED, "{imageContentSources: [{Source: q.io/a, mirrors: [m.lab/a]}]}", "in a HostedCluster"),
            (HOSTED, "{imageContentSources: [{source: q.io/a, mirror: [m.lab/a]}]}", "its mirror"),
            (HOSTED, "{imageContentSources: [[q.io/a, m.lab/a]]}", "an entry of another type"),
        ];
        for (head, spec, reason) in table {
            let object = manifest::read("test", format!("{head}{spec}\n")).objects.remove(0).object;
            let state = [object.clone()].into_iter().collect();
            let (settings, today) = (Settings::default(), jiff::civil::date(2026, 1, 1));
            let verdict = Reviewer::new(&state, &settings, today).review(&Write::existing(&object).unwrap());
            let ids: Vec<_> = verdict.rule_ids();
            assert!(ids.iter().all(|id| *id == "deprecated-icsp"), "{reason}: {ids:?}");
        }
    }
}
