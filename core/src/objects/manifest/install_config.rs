//! The mirror sets that the installer makes of an `install-config.yaml`.
//!
//! Their paths are those of the file, and so are its edits: the installer reads nothing but this one document.

use std::{collections::HashSet, sync::Arc};

use serde_json::Value;

use super::{
    Holder, Located, ReadError, Source, Text, Written,
    placeholder::{add_placeholders, is_open_field},
    unfold::Part,
};
use crate::{
    objects::{
        Entry, Kind, MirrorSet, Object, Origin, ParseError, SetKind, UnknownField,
        parse::read_node,
        schema::{self, Mistyped, Shape},
        tree::{Data, Field, Node},
    },
    suggest::is_misspelt,
};

/// The lists of mirrors, and the set that each becomes.
///
/// Follows `installer pkg/types/installconfig.go` and `pkg/asset/manifests/imagedigestmirrorset.go`.
const LISTS: [(&str, SetKind, &str); 2] = [
    ("imageDigestSources", SetKind::Idms, "image-digest-mirror"),
    ("imageContentSources", SetKind::Icsp, "image-policy"),
];

/// The lists of mirrors of the objects, which are no fields of this file.
const OTHER_LISTS: [&str; 5] = [
    "imageDigestMirrors",
    "imageTagMirrors",
    "imageTagSources",
    "repositoryDigestMirrors",
    "repositoryTagMirrors",
];

/// What errors call the document.
const DOCUMENT: &str = "install-config";

/// What is wrong with a file that has entries in both lists.
const BOTH_LISTS: &str =
    "the installer rejects a file that also has imageDigestSources; move these entries there";

/// The fields of an entry.
const FIELDS: [&str; 3] = ["source", "mirrors", "sourcePolicy"];

/// Whether a document without a kind is an `install-config.yaml` with mirrors, or with what was meant to be mirrors.
pub(super) fn is_one(api_version: &str, node: &Node) -> bool {
    let is_config = ["baseDomain", "platform"].iter().any(|name| node.get(name).is_some());
    let Data::Map(fields) = &node.data else { return false };
    api_version == "v1"
        && is_config
        && fields.iter().any(|field| is_list(&field.name) || is_meant_as_list(&field.name))
}

/// The installer reads JSON as Go does, which ignores the case of names.
fn is_list(name: &str) -> bool {
    LISTS.iter().any(|(list, ..)| list.eq_ignore_ascii_case(name))
}

/// Whether a field was probably meant to be a list of mirrors.
fn is_meant_as_list(name: &str) -> bool {
    let known = LISTS.iter().map(|(list, ..)| *list).chain(OTHER_LISTS);
    !is_list(name) && known.into_iter().any(|list| list == name || is_misspelt(name, list))
}

/// What was read of an install-config.
#[derive(Debug, Default)]
pub(super) struct InstallConfig {
    /// The sets that the installer makes.
    pub(super) sets: Vec<Located>,
    /// A set that was probably meant, of a list that the installer ignores.
    pub(super) meant: Option<Located>,
    /// The values that could not be read.
    pub(super) errors: Vec<ReadError>,
}

/// The mirror sets of an install-config. Fields that were meant to be a list are unknown fields of the first set, or of
/// `meant` if there is no set.
pub(super) fn read(source: &Arc<Source>, part: Part) -> InstallConfig {
    let Part { mut node, is_editable, .. } = part;
    let holder = Holder::InstallConfig;
    let cluster = Some(Arc::from(&*source.name));
    name_as_known(&mut node);
    let schema = schema::of_install_config();
    let Shape { mut unknown, mut mistyped } = schema::check(&mut node, schema);
    let mut placeholders = placeholders_of_lists(&node);
    let open_fields = unknown.extract_if(.., |field| is_open_field(field)).map(|field| field.path);
    let open_fields: Vec<_> = open_fields.collect();
    let open: HashSet<&str> = placeholders.iter().map(String::as_str).collect();
    mistyped.retain(|Mistyped { path, .. }| !open.contains(&**path));
    let unreadable = mistyped.iter().map(|mistyped| &*mistyped.path).chain(open).map(str::to_owned);
    // A field whose name is a placeholder may be any.
    let unreadable: Vec<String> = unreadable.chain(open_fields.iter().cloned()).collect();
    placeholders.extend(open_fields);
    let mut meant = mark_meant_lists(&mut node);
    let mut reading = InstallConfig::default();
    reading.errors.extend(source.type_errors(&node, DOCUMENT, &mistyped));
    let has_both_lists = has_both_lists(&node);
    if has_both_lists {
        reading.errors.extend(node.field(LISTS[1].0).map(|list| source.error_of(DOCUMENT, list, BOTH_LISTS)));
    }
    let neutral = schema::neutralized(&node, schema, unreadable.iter().map(String::as_str));
    for ((name, kind, set), list) in lists_of(&neutral) {
        let of_list = unknown.extract_if(.., |field| field.path.starts_with(name)).collect::<Vec<_>>();
        match set_of(*kind, set, list, &unreadable) {
            Ok(mut set) => {
                let misspelt = of_list.iter().filter_map(UnknownField::meant_path);
                misspelt.for_each(|path| set.set_unreadable(&path));
                let of_set = placeholders.iter().filter(|path| path.starts_with(name)).cloned().collect();
                let written = Written {
                    placeholders: of_set,
                    has_both_lists,
                    ..written(&set, [std::mem::take(&mut meant), of_list].concat())
                };
                let source = Arc::clone(source);
                reading.sets.push(Located {
                    object: set.into(),
                    source,
                    written,
                    node: node.clone(),
                    is_editable,
                    holder,
                    cluster: cluster.clone(),
                });
            }
            Err(ParseError { path, message }) => {
                reading.errors.push(source.error_in(&node, DOCUMENT, &format!("{name}{path}"), &message));
            }
        }
    }
    if !meant.is_empty() {
        let (_, kind, name) = LISTS[0];
        let set = MirrorSet { origin: Origin::InstallConfig, ..MirrorSet::new(kind, name, Vec::new()) };
        let written = written(&set, meant);
        let source = Arc::clone(source);
        reading.meant =
            Some(Located { object: set.into(), source, cluster, written, node, is_editable, holder });
    }
    reading
}

fn set_of(kind: SetKind, name: &str, list: &Node, unreadable: &[String]) -> Result<MirrorSet, ParseError> {
    let entries: Vec<Entry> = read_node(&with_policies(list.clone()))?;
    let mut set = MirrorSet { origin: Origin::InstallConfig, ..MirrorSet::new(kind, name, entries) };
    for path in unreadable {
        set.set_unreadable(path);
    }
    Ok(set)
}

/// What rules about files read of a set: the kind and name that the installer gives it, which are valid.
fn written(set: &MirrorSet, unknown_fields: Vec<UnknownField>) -> Written {
    let (kind, object) = (Kind::Set(set.kind), Object::from(set.clone()));
    Written {
        id: object.id(),
        kind,
        origin: Origin::InstallConfig,
        api_version: kind.api_version(),
        kind_name: kind.name().to_owned(),
        is_misnamed: false,
        name: Text::Is(set.name.to_string()),
        generate_name: Text::Missing,
        namespace: Text::Missing,
        unknown_fields,
        placeholders: Vec::new(),
        has_both_lists: false,
    }
}

/// The paths of the placeholders in the lists of mirrors.
fn placeholders_of_lists(node: &Node) -> Vec<String> {
    let mut paths = Vec::new();
    for (name, ..) in LISTS {
        if let Some(list) = node.get(name) {
            add_placeholders(list, name, &mut paths);
        }
    }
    paths
}

/// The lists that the installer makes sets of. It makes none of an empty one; beside the other list, that is left out.
fn lists_of(node: &Node) -> impl Iterator<Item = (&'static (&'static str, SetKind, &'static str), &Node)> {
    let lists =
        LISTS.iter().filter_map(|list| Some((list, node.get(list.0).filter(|list| !list.is_null())?)));
    let has_both = lists.clone().count() > 1;
    let has_entries = lists.clone().any(|(_, list)| !is_empty_list(list));
    lists.filter(move |((_, kind, _), list)| {
        !has_both || !is_empty_list(list) || (!has_entries && *kind == SetKind::Idms)
    })
}

fn is_empty_list(list: &Node) -> bool {
    matches!(&list.data, Data::List(items) if items.is_empty())
}

/// Whether both lists have entries.
///
/// Follows `installer pkg/types/validation/installconfig.go` `ValidateInstallConfig`.
fn has_both_lists(node: &Node) -> bool {
    LISTS.iter().all(|(name, ..)| {
        matches!(node.get(name).map(|list| &list.data), Some(Data::List(items)) if !items.is_empty())
    })
}

/// Marks the fields that were probably meant to be a list of mirrors.
fn mark_meant_lists(node: &mut Node) -> Vec<UnknownField> {
    let Data::Map(fields) = &mut node.data else { return Vec::new() };
    // The installer accepts only one of the lists: where one is there, no name is free.
    let there = fields.iter().map(|field| &field.name).filter(|name| is_list(name));
    let there: Vec<String> = there.cloned().collect();
    let free: Arc<[&'static str]> =
        LISTS.iter().map(|(list, ..)| *list).filter(|_| there.is_empty()).collect();
    let mut meant = Vec::new();
    for field in fields.iter_mut().filter(|field| is_meant_as_list(&field.name)) {
        field.is_unknown = true;
        let is_list = matches!(field.value.data, Data::List(_));
        let unknown = UnknownField::new(field.name.clone(), field.name.clone(), is_list, Arc::clone(&free));
        meant.push(unknown.beside(there.iter().map(String::as_str)));
    }
    meant
}

/// Gives the fields their own names where upper and lower case differ, which the installer ignores.
fn name_as_known(node: &mut Node) {
    let Data::Map(fields) = &mut node.data else { return };
    rename(fields, LISTS.map(|(list, ..)| list));
    for field in fields.iter_mut().filter(|field| is_list(&field.name)) {
        let Data::List(items) = &mut field.value.data else { continue };
        for item in items {
            if let Data::Map(fields) = &mut item.data {
                rename(fields, FIELDS);
            }
        }
    }
}

fn rename<const N: usize>(fields: &mut [Field], known: [&str; N]) {
    for name in known {
        if fields.iter().all(|field| field.name != name)
            && let Some(field) = fields.iter_mut().find(|field| field.name.eq_ignore_ascii_case(name))
        {
            name.clone_into(&mut field.name);
        }
    }
}

/// The entries with their policy under the name that it has in an IDMS; the installer calls it `sourcePolicy`.
fn with_policies(mut entries: Node) -> Node {
    let Data::List(items) = &mut entries.data else { return entries };
    for item in items {
        match &mut item.data {
            Data::Map(fields) => {
                for field in fields.iter_mut().filter(|field| field.name == "sourcePolicy") {
                    "mirrorSourcePolicy".clone_into(&mut field.name);
                }
            }
            // `null` is an entry without fields.
            Data::Scalar(Value::Null) => item.data = Data::Map(Vec::new()),
            Data::Scalar(_) | Data::List(_) => {}
        }
    }
    entries
}
