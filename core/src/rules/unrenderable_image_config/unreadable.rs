//! Registries in the settings for which nodes reject the files that have them.

use std::collections::BTreeSet;

use super::Problem;
use crate::{
    context::View,
    node::{FileRefusal, Rendering, check_file, check_locations, check_search_registries},
    objects::grammar::is_valid_registry_scope,
    rules::Level,
};

/// What happens if containers/image rejects the file.
const FILE_REJECTED: &str =
    "nodes reject the whole registry configuration, and every pull fails on every node";

/// The scopes for which containers/image rejects registries.conf.
pub(super) fn unreadable_scopes(view: View<'_>) -> Vec<Problem> {
    let config = view.image_config();
    let rendering = Rendering::new(view);
    let listed: BTreeSet<_> = rendering.listed().into_iter().collect();
    let mut problems = Vec::new();
    for (list, scopes) in [
        ("insecureRegistries", &config.insecure_registries),
        ("blockedRegistries", &config.blocked_registries),
    ] {
        // A blocked registry that covers the payload may not reach the file. What is in it and not valid stops
        // rendering, and is a finding of invalid-registry-scope.
        let written = |scope: &str| listed.contains(scope) && is_valid_registry_scope(scope);
        for (at, scope) in scopes.iter().enumerate().filter(|(_, scope)| written(scope)) {
            if let Err(refusal) = check_locations([scope.as_str()]) {
                problems.push(unreadable(&refusal, scope, list, at));
            }
        }
    }
    // Its other refusals are about one scope, and found above with the place of each.
    if let Err(refusal) = check_file(&rendering)
        && let FileRefusal::Flag { scope, location, .. } = &refusal
    {
        let lists = [
            ("insecureRegistries", &config.insecure_registries),
            ("blockedRegistries", &config.blocked_registries),
        ];
        let place = lists
            .iter()
            .find_map(|(list, scopes)| Some((*list, scopes.iter().position(|listed| listed == scope)?)));
        // A flag comes from one of the lists, so that there is a place.
        let (list, at) = place.unwrap_or(("blockedRegistries", 0));
        problems.push(Problem { culprit: location.clone(), ..unreadable(&refusal, scope, list, at) });
    }
    problems
}

pub(super) fn unreadable_search_registries(view: View<'_>) -> Vec<Problem> {
    let registries = &view.image_config().container_runtime_search_registries;
    let mut problems = Vec::new();
    for (at, registry) in registries.iter().enumerate() {
        if let Err(refusal) = check_search_registries(std::slice::from_ref(registry)) {
            problems.push(unreadable(&refusal, registry, "containerRuntimeSearchRegistries", at));
        }
    }
    problems
}

fn unreadable(refusal: &FileRefusal, scope: &str, list: &str, at: usize) -> Problem {
    let what = match refusal {
        FileRefusal::Scheme(_) => format!("\"{scope}\" in {list} has a scheme"),
        FileRefusal::Empty(_) => format!("\"{scope}\" in {list} has no registry"),
        FileRefusal::Search(_) => format!("\"{scope}\" in {list} is not host[:port]"),
        FileRefusal::Flag { location, flag, .. } => format!(
            "\"{scope}\" in {list} and \"{location}\" are the same scope, but only one of them is {flag}"
        ),
    };
    Problem {
        keys: vec![format!("{list} {scope}")],
        level: Level::Deny,
        field: format!("{list}[{at}]"),
        culprit: String::new(),
        what,
        effect: FILE_REJECTED,
        fix: file_fix(refusal),
    }
}

pub(super) fn file_fix(refusal: &FileRefusal) -> String {
    match refusal {
        FileRefusal::Scheme(scope) => {
            let bare = scope.split_once("://").map_or(&**scope, |(_, rest)| rest);
            format!("set it to \"{}\"", bare.trim_end_matches('/'))
        }
        FileRefusal::Empty(_) => "remove it".to_owned(),
        FileRefusal::Search(_) => "write host[:port], without a path".to_owned(),
        FileRefusal::Flag { scope, location, .. } => format!("write \"{location}\" instead of \"{scope}\""),
    }
}
