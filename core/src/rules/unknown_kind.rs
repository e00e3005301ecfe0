//! A kind of ours under a wrong group or name, or in a version that no API server has.

use super::{Check, DependsOn, FileObject, Finding, Fix, Level, Rule};

pub(super) const RULE: Rule = Rule {
    id: "unknown-kind",
    level: Level::Deny,
    summary: "a mirror set or HostedCluster with a wrong apiVersion or a misspelt kind; in files only",
    page: include_str!("unknown_kind.md"),
    check: Check::File(check),
    depends_on: DependsOn::Nothing,
    about_values: true,
    ..Rule::BASE
};

fn check(object: &FileObject<'_>, findings: &mut Vec<Finding>) {
    let written = object.written;
    let (api_version, kind) = (written.kind.api_version(), written.kind.name());
    if !written.is_misnamed {
        return;
    }
    let (path, what) = if written.kind_name != kind {
        ("kind", format!("{} is not a kind; {kind} is meant", written.kind_name))
    } else if written.api_version.is_empty() {
        ("apiVersion", format!("the {kind} has no apiVersion"))
    } else {
        ("apiVersion", format!("{} has no {kind}; {api_version} has", written.api_version))
    };
    let mut wanted = Vec::new();
    let mut fix = Fix::default();
    for (path, value, meant) in
        [("apiVersion", &*written.api_version, &*api_version), ("kind", &*written.kind_name, kind)]
    {
        if value != meant {
            wanted.push(format!("{path} to {meant}"));
            fix = fix.set(written.id.clone(), path, meant);
        }
    }
    let fix = Fix { title: format!("set {}", wanted.join(" and ")), ..fix };
    let key = format!("{} {}", written.api_version, written.kind_name);
    let effect = "an API server rejects the object".to_owned();
    findings.push(Finding { effect, fix, ..Finding::new(path, key, what) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::Change,
        rules::testing::{assert_texts, find_in_file},
    };

    fn set_to(finding: &Finding) -> Vec<String> {
        let changes = finding.fix.changes.iter().map(|(_, change)| match change {
            Change::Set { path, value } => format!("{path} {}", value.as_str().unwrap()),
            other => panic!("{other:?}"),
        });
        changes.collect()
    }

    #[test]
    fn a_wrong_name_is_found_with_the_right_one() {
        let (v1, idms) = ("config.openshift.io/v1", "ImageDigestMirrorSet");
        let (set_v1, set_idms) = ("apiVersion config.openshift.io/v1", "kind ImageDigestMirrorSet");
        // The apiVersion, the kind, the path of the finding (empty for none), and what its fix sets.
        let table: [(&str, &str, &str, &[&str], &str); 7] = [
            (v1, idms, "", &[], "as it is"),
            ("operator.openshift.io/v1alpha1", idms, "apiVersion", &[set_v1], "the group of an ICSP"),
            ("config.openshift.io/v1alpha1", idms, "apiVersion", &[set_v1], "a version that is not served"),
            ("", idms, "apiVersion", &[set_v1], "no apiVersion"),
            (v1, "ImageDigestMirorSet", "kind", &[set_idms], "a letter is missing"),
            ("v1", "ImageDigestMirrorset", "kind", &[set_v1, set_idms], "both are wrong"),
            ("v1", "ConfigMap", "", &[], "another kind"),
        ];
        let mut all = Vec::new();
        for (api_version, kind, path, expected, reason) in table {
            let api_version =
                if api_version.is_empty() { String::new() } else { format!("apiVersion: {api_version}\n") };
            let text = format!(
                "{api_version}kind: {kind}\nmetadata: {{name: a}}\nspec: {{imageDigestMirrors: []}}\n"
            );
            let found = find_in_file(RULE.id, &text);
            let paths: Vec<_> = found.iter().map(|finding| &*finding.path).collect();
            assert_eq!(paths, Vec::from_iter(Some(path).filter(|path| !path.is_empty())), "{reason}");
            assert_eq!(found.iter().flat_map(set_to).collect::<Vec<_>>(), expected, "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
