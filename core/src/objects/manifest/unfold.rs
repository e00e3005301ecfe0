//! Finds the objects inside of other objects: lists, templates, and the policies and works that put objects on other
//! clusters.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;

use super::{Holder, embedded, install_config, placeholder::is_placeholder};
use crate::objects::tree::{Data, Node, Position};

/// A part of a file that may be an object.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) node: Node,
    /// What an item of a typed list is, if it does not say so itself.
    pub(super) default: Head,
    /// Whether its text can be edited.
    pub(super) is_editable: bool,
    /// What it is written in.
    pub(super) holder: Holder,
    /// The cluster that it is for, if what it is written in says so.
    pub(super) cluster: Option<Arc<str>>,
}

/// `apiVersion` and `kind`; empty if they are missing.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub(super) api_version: String,
    pub(super) kind: String,
}

/// What is in a part of a file.
#[derive(Debug)]
pub(super) enum Content {
    /// An object.
    Object(Part, Head),
    /// Several parts.
    Parts(Vec<Part>),
    /// The installer's configuration, which is no object but becomes some.
    InstallConfig(Part),
    /// A text that is YAML only after it has been filled in.
    Template(Node),
    /// A field that holds no objects, and where and why that is an error.
    Unreadable(Node, Position, String),
}

impl Content {
    /// With the cluster that all parts are for, if it is known.
    fn of_cluster(mut self, cluster: Option<&Arc<str>>) -> Self {
        if let Self::Parts(parts) = &mut self {
            for part in parts {
                part.cluster = cluster.cloned();
            }
        }
        self
    }
}

impl Part {
    /// A document, or an object written in one.
    pub(super) fn of_file(node: Node) -> Self {
        Self { node, default: Head::default(), is_editable: true, holder: Holder::File, cluster: None }
    }
}

/// The parts of an object that holds others; any other object as it is.
pub(super) fn unfold(text: &str, part: Part) -> Content {
    let Part { node, default, is_editable, holder, cluster } = part;
    let head = Head {
        api_version: node.text("apiVersion").unwrap_or(&default.api_version).to_owned(),
        kind: node.text("kind").unwrap_or(&default.kind).to_owned(),
    };
    // The items of `FooList` are of the kind `Foo` if they do not say so; `List` says nothing of its items' kind.
    if let (Some(item), Some(_)) = (head.kind.strip_suffix("List"), node.get("items")) {
        let default = Head { api_version: head.api_version.clone(), kind: item.to_owned() };
        let holder = if item.is_empty() { Holder::List } else { Holder::Closed("a list of one kind") };
        let items = items_at(node, &["items"]).into_iter();
        return Content::Parts(
            items
                .map(|node| Part {
                    node,
                    default: default.clone(),
                    is_editable,
                    holder,
                    cluster: cluster.clone(),
                })
                .collect(),
        );
    }
    let group = head.api_version.split_once('/').map_or("", |(group, _)| group);
    let cluster = cluster_of(group, &head.kind, &node).or(cluster);
    let (nodes, inner) = match (group, &*head.kind) {
        ("template.openshift.io" | "", "Template") if node.get("objects").is_some() => {
            let inner = holder_of_template(&node);
            (objects_of_template(node), inner)
        }
        ("policy.open-cluster-management.io", "Policy") => {
            (definitions(node, "policy-templates"), Holder::Closed("a Policy"))
        }
        ("policy.open-cluster-management.io", "ConfigurationPolicy") => {
            return unfold_configuration_policy(text, node, is_editable).of_cluster(cluster.as_ref());
        }
        ("work.open-cluster-management.io", "ManifestWork") => {
            (items_at(node, &["spec", "workload", "manifests"]), Holder::List)
        }
        ("work.open-cluster-management.io", "ManifestWorkReplicaSet") => {
            (items_at(node, &["spec", "manifestWorkTemplate", "workload", "manifests"]), Holder::List)
        }
        ("hive.openshift.io", "SyncSet" | "SelectorSyncSet") => {
            (items_at(node, &["spec", "resources"]), Holder::List)
        }
        ("", "ConfigMap") => match embedded::objects(text, &node) {
            parts if parts.is_empty() => {
                return Content::Object(Part { node, default, is_editable, holder, cluster }, head);
            }
            parts => return Content::Parts(parts).of_cluster(cluster.as_ref()),
        },
        ("", "") if install_config::is_one(&head.api_version, &node) => {
            return Content::InstallConfig(Part { node, default, is_editable, holder, cluster });
        }
        _ => return Content::Object(Part { node, default, is_editable, holder, cluster }, head),
    };
    Content::Parts(parts_of(nodes, is_editable, inner)).of_cluster(cluster.as_ref())
}

/// The cluster that the objects inside of an object are for: a `ManifestWork` and a `SyncSet` are in the namespace that
/// stands for their cluster. Where policies and sets of works go is decided by other objects.
///
/// Follows `open-cluster-management.io/api work/v1/types.go` and `hive apis/hive/v1/syncset_types.go`.
fn cluster_of(group: &str, kind: &str, node: &Node) -> Option<Arc<str>> {
    let is_of_one = [("work.open-cluster-management.io", "ManifestWork"), ("hive.openshift.io", "SyncSet")];
    let namespace = node.get("metadata")?.text("namespace").filter(|name| !is_placeholder(name))?;
    is_of_one.contains(&(group, kind)).then(|| format!("namespace {namespace}").into())
}

fn parts_of(nodes: Vec<Node>, is_editable: bool, holder: Holder) -> Vec<Part> {
    nodes.into_iter().map(|node| Part { is_editable, holder, ..Part::of_file(node) }).collect()
}

/// The field of a `ConfigurationPolicy` whose text is a list like `object-templates`, mostly a template for one.
const RAW: &str = "object-templates-raw";

/// The objects of a `ConfigurationPolicy`, in its list or in the text of one.
///
/// Follows `config-policy-controller api/v1/configurationpolicy_types.go` `ObjectTemplatesRaw`.
fn unfold_configuration_policy(text: &str, node: Node, is_editable: bool) -> Content {
    let holder = Holder::Closed("a ConfigurationPolicy");
    let raw = node.get("spec").and_then(|spec| spec.field(RAW)).filter(|raw| !raw.value.is_null());
    let Some(raw) = raw else {
        return Content::Parts(parts_of(definitions(node, "object-templates"), is_editable, holder));
    };
    let Data::Scalar(Value::String(value)) = &raw.value.data else {
        let why = "expected a string; a list belongs in object-templates".to_owned();
        return Content::Unreadable(raw.value.clone(), raw.value.at, why);
    };
    match embedded::documents(text, raw, value) {
        Ok(lists) => {
            let items = lists.into_iter().flat_map(|list| match list.data {
                Data::List(items) => items,
                Data::Map(_) | Data::Scalar(_) => Vec::new(),
            });
            Content::Parts(parts_of(created(items), false, Holder::Text))
        }
        Err(_) if value.contains("{{") => Content::Template(raw.value.clone()),
        Err((at, why)) => Content::Unreadable(raw.value.clone(), at, why),
    }
}

/// The items of the list at a path; none if there is no list.
fn items_at(node: Node, path: &[&str]) -> Vec<Node> {
    match path.iter().try_fold(node, |node, step| take(node, step)).map(|node| node.data) {
        Some(Data::List(items)) => items,
        _ => Vec::new(),
    }
}

/// The value of a field of a map.
pub(super) fn take(node: Node, name: &str) -> Option<Node> {
    let Data::Map(fields) = node.data else { return None };
    fields.into_iter().find(|field| field.name == name).map(|field| field.value)
}

/// The objects that a policy of Advanced Cluster Management creates. A template with `mustnothave` removes its object.
///
/// Follows `config-policy-controller api/v1/configurationpolicy_types.go` and
/// `governance-policy-propagator api/v1/policy_types.go`.
fn definitions(node: Node, list: &str) -> Vec<Node> {
    created(items_at(node, &["spec", list]))
}

fn created(templates: impl IntoIterator<Item = Node>) -> Vec<Node> {
    let created = templates.into_iter().filter(|template| {
        let removes =
            template.text("complianceType").is_some_and(|kind| kind.eq_ignore_ascii_case("mustnothave"));
        !removes
    });
    created.filter_map(|template| take(template, "objectDefinition")).collect()
}

/// The longest value of a parameter that is filled in, in bytes. It bounds what a small file can become, since a
/// parameter may be used any number of times. A longer value is not filled in: the
/// placeholder stays.
const LONGEST: usize = 1024;

/// What the objects of a template are written in. With parameters, the values that are known of an object are only the
/// default ones: a new object with them would be wrong for any other.
fn holder_of_template(node: &Node) -> Holder {
    match node.get("parameters").map(|list| &list.data) {
        Some(Data::List(items)) if !items.is_empty() => Holder::Closed("a Template with parameters"),
        _ => Holder::List,
    }
}

/// The objects of a template, with the default values of its parameters filled in.
fn objects_of_template(node: Node) -> Vec<Node> {
    let parameters = match node.get("parameters").map(|list| &list.data) {
        Some(Data::List(items)) => &items[..],
        _ => &[],
    };
    let values = parameters.iter().filter_map(|item| Some((item.text("name")?, item.text("value")?)));
    let values: HashMap<String, String> = values
        .filter(|(_, value)| value.len() <= LONGEST)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut objects = items_at(node, &["objects"]);
    for object in &mut objects {
        fill_in(object, &values);
    }
    objects
}

fn fill_in(node: &mut Node, values: &HashMap<String, String>) {
    match &mut node.data {
        Data::Scalar(Value::String(text)) if text.contains("${") => *text = filled(text, values),
        Data::Scalar(_) => {}
        Data::List(items) => items.iter_mut().for_each(|item| fill_in(item, values)),
        Data::Map(fields) => fields.iter_mut().for_each(|field| fill_in(&mut field.value, values)),
    }
}

/// A text with the values of `${NAME}` and `${{NAME}}`; unknown parameters stay.
fn filled(text: &str, values: &HashMap<String, String>) -> String {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let parameter = match after.strip_prefix('{') {
            Some(inner) => inner.split_once("}}"),
            None => after.split_once('}'),
        };
        if let Some((value, after)) = parameter.and_then(|(name, after)| Some((values.get(name)?, after))) {
            filled.push_str(value);
            rest = after;
        } else {
            filled.push_str("${");
            rest = after;
        }
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_filled_in() {
        let values = HashMap::from([("A".to_owned(), "x".to_owned())]);
        let table = [
            ("a/${A}/b", "a/x/b", "a parameter"),
            ("${{A}}:${A}", "x:x", "both forms"),
            ("${B}/${A}", "${B}/x", "one without a value"),
            ("${A", "${A", "not closed"),
            ("$A {A}", "$A {A}", "no parameter"),
        ];
        for (text, expected, reason) in table {
            assert_eq!(filled(text, &values), expected, "{reason}");
        }
    }
}
