//! Where objects of files are, and which of them are passed over, in words.

use std::collections::BTreeMap;

use mirrorguard_core::{
    objects::{
        Kind, Object,
        manifest::{Located, PassedOver},
    },
    rules::{Finding, unknown_fields},
};

/// Why an object that was probably meant to be read is skipped, on a line. An install-config has no kind to correct: it
/// is skipped because of the name of a field.
pub(super) fn describe_misnamed(located: &Located) -> String {
    let field = located.written.unknown_fields.first();
    if let Some(field) = field.filter(|_| located.is_install_config()) {
        let place = located.place(&field.path);
        return format!(
            "warning: {place}: {} is skipped, because an install-config has no such field\n",
            field.name
        );
    }
    let (place, id) = (located.place("kind"), located.object.id());
    format!("warning: {place}: {id} is skipped, because of its apiVersion or kind\n")
}

/// The fields of an object that its kind does not have, each on a line.
pub(super) fn describe_unknown_fields(located: &Located) -> impl Iterator<Item = String> {
    unknown_fields(&located.written).map(|Finding { path, what, fix, .. }| {
        format!("warning: {}: {what}, so it is ignored: {}\n", located.place(&path), fix.title)
    })
}

/// Why a document was skipped, on a line.
pub(super) fn describe(PassedOver { file, at, what }: &PassedOver) -> String {
    format!("skipped {file}:{}: {what}\n", at.line)
}

/// Why an object with placeholders is skipped, on a line.
pub(super) fn describe_open(located: &Located) -> String {
    let path = located.written.placeholders.first().map_or("", String::as_str);
    let (place, id) = (located.place(path), located.object.id());
    format!("warning: {place}: {id} is skipped, because {path} is a placeholder; render the template first\n")
}

/// Whether the files of the nodes depend on objects of this kind.
pub(super) fn is_for_nodes(object: &Object) -> bool {
    match object {
        Object::MirrorSet(_)
        | Object::ImageConfig(_)
        | Object::ClusterVersion(_)
        | Object::SignaturePolicy(_)
        | Object::MachineConfiguration(_) => true,
        Object::HostedCluster(_) | Object::Catalog(_) => false,
    }
}

/// The values of an object that are left out, each on a line.
pub(super) fn describe_placeholders(located: &Located) -> Vec<String> {
    let paths = located.written.placeholders.iter();
    paths.map(|path| format!("skipped {}: {path}, a placeholder\n", located.place(path))).collect()
}

/// For each object, the last one before it in the same cluster with the same kind, namespace and name. A placeholder may
/// become any name, so it repeats none.
pub(super) fn find_earlier(located: &[Located]) -> Vec<Option<&Located>> {
    let mut last: BTreeMap<(Option<&str>, Kind, &str, &str), &Located> = BTreeMap::new();
    let earlier = located.iter().map(|this| {
        let object = &this.object;
        if !this.has_definite_name() {
            return None;
        }
        // `insert` returns what the key had before.
        last.insert((this.cluster.as_deref(), object.kind(), object.namespace(), object.name()), this)
    });
    earlier.collect()
}

/// Whether two objects are mirror sets with the same entries, none of which a placeholder or an unknown field may change.
pub(in crate::cli) fn has_same_entries(one: &Located, other: &Located) -> bool {
    let is_known = |located: &Located| {
        located.written.placeholders.is_empty() && located.written.unknown_fields.is_empty()
    };
    match (&one.object, &other.object) {
        (Object::MirrorSet(set), Object::MirrorSet(same)) => {
            set.entries == same.entries && is_known(one) && is_known(other)
        }
        _ => false,
    }
}

/// File and line of an object's name.
pub(in crate::cli) fn place_of_name(located: &Located) -> String {
    located.place("metadata.name")
}
