//! One cluster, and what both sides say.

use std::error::Error;

use serde_json::Value;

use super::{cluster::Cluster, program::Oracle};

/// What both sides say where they differ: of lists only the items that do.
pub(crate) struct Disagreement {
    /// What upstream code answers.
    pub(crate) upstream: Value,
    /// What our model answers.
    pub(crate) ours: Value,
}

/// The disagreement about a cluster; `None` if there is none.
pub(crate) fn compare(
    oracle: &mut Oracle<'_>,
    cluster: &Cluster,
) -> Result<Option<Disagreement>, Box<dyn Error>> {
    let upstream = oracle.ask(cluster)?;
    let ours = (oracle.program.ours)(cluster)?;
    Ok((upstream != ours).then(|| difference(upstream, ours)))
}

/// The parts of two values that differ.
fn difference(upstream: Value, ours: Value) -> Disagreement {
    match (upstream, ours) {
        (Value::Object(mut upstream), Value::Object(mut ours)) => {
            let equal: Vec<String> = upstream
                .iter()
                .filter(|(field, value)| ours.get(*field) == Some(value))
                .map(|(field, _)| field.clone())
                .collect();
            for field in equal {
                upstream.remove(&field);
                ours.remove(&field);
            }
            let fields: Vec<String> =
                upstream.keys().filter(|field| ours.contains_key(*field)).cloned().collect();
            for field in fields {
                let inner = difference(upstream[&field].take(), ours[&field].take());
                upstream[&field] = inner.upstream;
                ours[&field] = inner.ours;
            }
            Disagreement { upstream: upstream.into(), ours: ours.into() }
        }
        (upstream, ours) => Disagreement { upstream, ours },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_kept() {
        let found = difference(
            json!({"same": 1, "missing": 2, "inner": {"same": 3, "value": 4}, "list": [1, 2]}),
            json!({"same": 1, "inner": {"same": 3, "value": 5}, "list": [1, 3]}),
        );
        assert_eq!(found.upstream, json!({"missing": 2, "inner": {"value": 4}, "list": [1, 2]}));
        assert_eq!(found.ours, json!({"inner": {"value": 5}, "list": [1, 3]}));
    }
}
