//! The catalog overrides annotation of a HostedCluster, to paste or patch with.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Form, NoForm};
use crate::{
    hypershift::{Derivations, Releases, Span},
    objects::annotation,
};

#[derive(Serialize)]
struct Patch<'a> {
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    annotations: BTreeMap<&'static str, &'a str>,
}

/// The annotation with the configured value, or else with the derived one, if that value is right in all of the
/// releases; otherwise the reasons why it is not.
pub fn catalog_annotation(
    derivations: &Derivations,
    configured: Option<&str>,
    releases: &Releases,
) -> Result<Form, NoForm> {
    let name = annotation::CATALOG_OVERRIDES;
    match &derivations.or_configured(configured, releases).value {
        Ok(value) => {
            let annotations = BTreeMap::from([(name, value.as_str())]);
            let comments = vec![format!("oc annotate hostedcluster -n NAMESPACE NAME '{name}={value}'")];
            Ok(Form { comments, ..Form::of(&Patch { metadata: Metadata { annotations } }) })
        }
        Err(obstacle) => {
            let mut reasons =
                vec![format!("no value of the annotation is correct for {releases}: {obstacle}")];
            // A value may be right only where there is one catalog less.
            let newer = Span::THREE_CATALOGS.first();
            if let Ok(value) = &derivations.or_configured(configured, &newer.into()).value {
                reasons.push(format!("hosted clusters from {newer} on can use {name}: \"{value}\""));
            }
            Err(NoForm(reasons))
        }
    }
}
