//! A wildcard source that covers a blocked or insecure registry without mirrors of its own.

use super::{Check, DependsOn, Finding, Level, Rule, SetWrite, invalid_source::RENDERING_FAILS};
use crate::node::Rendering;

pub(super) const RULE: Rule = Rule {
    id: "wildcard-over-nested-scope",
    level: Level::Deny,
    summary: "a wildcard source that covers a blocked or insecure registry without its own mirrors",
    page: include_str!("wildcard_over_nested_scope.md"),
    check: Check::MirrorSet(check),
    stops_rendering: true,
    depends_on: DependsOn::Entries,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let after = Rendering::new(write.cluster.after);
    let scopes = after.unmirrored_scopes();
    if scopes.is_empty() {
        return;
    }
    let before = Rendering::new(write.cluster.before);
    for scope in scopes {
        let Err(error) = after.registry_at(scope) else { continue };
        let own = write.new_set().and_then(|set| {
            let entry = set.effective_entries().find(|(_, entry)| *entry.source == *error.wildcard);
            entry.map(|(index, _)| set.field_path(index, "source"))
        });
        // Without the wildcard itself, this write is at fault only if it removes the scope's mirrors.
        let path = match own {
            Some(path) => path,
            None if before.registry_at(scope).is_ok() => "spec".to_owned(),
            None => continue,
        };
        let wildcard = &error.wildcard;
        let what = format!(
            "wildcard source \"{wildcard}\" covers \"{scope}\", which is blocked or insecure and has no mirrors of its own"
        );
        findings.push(Finding {
            effect: RENDERING_FAILS.to_owned(),
            fix: format!("add an entry for \"{scope}\", or list the hosts instead of \"{wildcard}\"").into(),
            ..Finding::new(path, format!("{wildcard} {scope}"), what)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{
            ImageConfig, MirrorSet, Object,
            SetKind::{Idms, Itms},
        },
        rules::{
            Settings,
            testing::{assert_texts, of_rule, review, set},
        },
        state::State,
        write::Operation,
    };

    /// What is found in a write next to the blocked registry `a.lab.example`.
    fn find(others: &[&MirrorSet], operation: Operation<MirrorSet>) -> Vec<Finding> {
        let config =
            ImageConfig { blocked_registries: vec!["a.lab.example".into()], ..ImageConfig::default() };
        let sets = others.iter().copied().chain(operation.before()).cloned();
        let state: State = sets.map(Object::from).chain([Object::ImageConfig(config.into())]).collect();
        of_rule(RULE.id, review(&state, &Settings::default(), operation))
    }

    type Sets<'a> = &'a [&'a MirrorSet];

    #[test]
    fn a_wildcard_must_not_cover_a_scope_without_mirrors() {
        let wildcard = set(Idms, "wildcard", &[("*.lab.example", &["m.example/a"])]);
        let other = set(Idms, "wildcard", &[("*.other.example", &["m.example/a"])]);
        let ineffective = set(Idms, "wildcard", &[("*.lab.example", &[])]);
        let nested = set(Itms, "nested", &[("a.lab.example", &["m.example/b"])]);
        let source = "spec.imageDigestMirrors[0].source";
        let (create, delete) = (Operation::Create, Operation::Delete);
        let table: [(Sets<'_>, Operation<MirrorSet>, Option<&str>, &str); 6] = [
            (&[], create(wildcard.clone()), Some(source), "the scope has no mirrors"),
            (&[&nested], create(wildcard.clone()), None, "it has its own mirrors"),
            (&[], create(other), None, "another domain"),
            (&[], create(ineffective), None, "without mirrors there is nothing to inherit"),
            (&[&wildcard], delete(nested.clone()), Some("spec"), "its mirrors are removed"),
            (&[&wildcard], create(set(Idms, "b", &[])), None, "it was wrong before"),
        ];
        let mut all = Vec::new();
        for (others, operation, expected, reason) in table {
            let found = find(others, operation);
            assert_eq!(found.first().map(|finding| &*finding.path), expected, "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
