//! Insecure registries that open a source with `NeverContactSource`.

use std::collections::BTreeSet;

use super::Problem;
use crate::{context::View, node::Rendering, rules::Level};

/// The insecure registries below a source with `NeverContactSource` to which that does not apply.
pub(super) fn opened_scopes(view: View<'_>) -> Vec<Problem> {
    let rendering = Rendering::new(view);
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for (at, scope) in view.image_config().insecure_registries.iter().enumerate() {
        if let Some(source) = rendering.opens(scope)
            && seen.insert(scope)
        {
            problems.push(opened(scope, source, at));
        }
    }
    problems
}

fn opened(scope: &str, source: &str, at: usize) -> Problem {
    Problem {
        keys: vec![format!("opened {scope}")],
        level: Level::Warn,
        field: format!("insecureRegistries[{at}]"),
        culprit: scope.to_owned(),
        what: format!(
            "\"{scope}\" in insecureRegistries is below source \"{source}\" with NeverContactSource, and inherits its \
             mirrors without the policy"
        ),
        effect: "nodes contact the source for its images if no mirror has them",
        fix: format!(
            "add an entry for source \"{scope}\" with NeverContactSource to the mirror sets, or remove it from \
             insecureRegistries"
        ),
    }
}
