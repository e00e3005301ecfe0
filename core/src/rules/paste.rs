//! YAML to paste: what a finding prints reads back as what is meant.

use crate::{
    node::merge,
    objects::{Entry, MirrorSet, SetKind, to_inline, to_yaml},
};

/// An entry on one line.
pub(super) fn entry_yaml(source: &str, mirrors: &[impl AsRef<str>]) -> String {
    let mirrors: Vec<_> = mirrors.iter().map(|mirror| to_inline(mirror.as_ref())).collect();
    format!("{{source: {}, mirrors: [{}]}}", to_inline(source), mirrors.join(", "))
}

/// Entries of one line each, below the field of `spec` that holds them.
pub(super) fn list_yaml(field: &str, entries: &[String]) -> String {
    let lines: Vec<_> = entries.iter().map(|entry| format!("  - {entry}\n")).collect();
    format!("  {field}:\n{}", lines.concat())
}

/// These entries as a set of this kind, each with the mirrors once, in the order in which nodes try them.
pub(super) fn set_yaml<'a>(
    kind: SetKind,
    name: &str,
    entries: impl IntoIterator<Item = &'a Entry>,
) -> String {
    to_yaml(&MirrorSet::new(kind, name, entries.into_iter().map(with_mirrors_once).collect()))
}

fn with_mirrors_once(entry: &Entry) -> Entry {
    let mirrors = if entry.is_effective() {
        merge(&entry.source, &[&*entry.mirrors]).mirrors.into_iter().map(Box::from).collect()
    } else {
        entry.mirrors.first().cloned().into_iter().collect()
    };
    Entry { mirrors, ..entry.clone() }
}

/// These entries of an ICSP as an IDMS.
pub(super) fn as_idms(set: &MirrorSet, entries: &[usize]) -> String {
    set_yaml(SetKind::Idms, &set.name, entries.iter().map(|index| &set.entries[*index]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        objects::{Object, manifest},
        rules::testing::{never, set},
    };

    #[test]
    fn an_object_reads_back_as_what_it_was() {
        let table: [(&str, &[&str], &[&str], &str); 6] = [
            ("quay.io/a", &["m.lab/b", "m.lab/a"], &["m.lab/b", "m.lab/a"], "nothing to quote"),
            ("*.lab.example", &["m.lab/a"], &["m.lab/a"], "a wildcard is no alias"),
            ("10.0", &["5000"], &["5000"], "a number is no text"),
            ("a: b", &["[m]", "# n"], &["[m]", "# n"], "what is no source at all"),
            ("quay.io/a", &["m/b", "m/c", "m/b", "m/d"], &["m/b", "m/c", "m/d"], "a mirror listed twice"),
            ("quay.io/a", &["quay.io/a", "quay.io/a"], &["quay.io/a"], "an entry that the nodes drop"),
        ];
        for (source, mirrors, expected, reason) in table {
            let yaml = as_idms(&set(SetKind::Icsp, "true", &[(source, mirrors)]), &[0]);
            let read = manifest::read("pasted", yaml).objects.remove(0).object;
            let expected = set(SetKind::Idms, "true", &[(source, expected)]);
            assert_eq!(read, Object::from(expected), "{reason}");
        }
    }

    #[test]
    fn a_policy_is_taken_along() {
        let digests = never(set(SetKind::Idms, "a", &[("quay.io/a", &["m.lab/a"])]));
        let yaml = set_yaml(SetKind::Itms, "a", &digests.entries);
        let read = manifest::read("pasted", yaml).objects.remove(0).object;
        assert_eq!(read, Object::from(MirrorSet { kind: SetKind::Itms, ..digests }));
    }

    #[test]
    fn an_entry_on_one_line_reads_back_as_what_it_was() {
        for (source, mirror) in [
            ("quay.io/a", "m.lab:8443/a"),
            ("*.lab.example", "m.lab"),
            ("a,b", "m]"),
            ("true", "8443"),
            ("a: {b}", "\"m\""),
        ] {
            let entry = entry_yaml(source, &[mirror, "n.lab/a"]);
            let read: Value = manifest::read_document("entry", &entry).unwrap();
            assert_eq!(read, json!({"source": source, "mirrors": [mirror, "n.lab/a"]}), "{entry}");
            let read: Value = manifest::read_document("list", &list_yaml("list", &[entry])).unwrap();
            assert_eq!(read["list"][0]["source"], source);
        }
    }
}
