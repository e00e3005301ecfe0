//! Reviews a whole cluster, with the objects that only an audit reads.

use super::{
    Reviewer, Verdict,
    exempt::{Requester, exempt},
};
use crate::{
    inventory::Inventory,
    objects::{ObjectId, annotation},
    rules::{Check, Found, Level, RULES, Survey},
};

/// A finding in one object of a cluster, or its exemption.
#[derive(Debug, Clone)]
pub struct Audited {
    /// The object.
    pub object: ObjectId,
    /// One finding or one exemption.
    pub verdict: Verdict,
}

impl Reviewer<'_> {
    /// Runs every rule that reviews a whole cluster and that the configuration does not turn off.
    pub fn audit(&self, inventory: &Inventory) -> Vec<Audited> {
        let survey = Survey { state: self.state, inventory, settings: self.settings };
        let mut audited = Vec::new();
        for rule in RULES.iter().filter(|rule| self.settings.level(rule) != Level::Off) {
            let Check::Cluster(check) = rule.check else { continue };
            let mut found = Vec::new();
            check(&survey, &mut found);
            for Found { object, finding } in found {
                let mut verdict = Verdict::of(vec![self.diagnostic(rule, finding)]);
                let requester =
                    Requester { id: object.clone(), annotation: exemption_request(&object, inventory) };
                exempt(&mut verdict, &requester, &self.settings.exemptions, self.today);
                audited.push(Audited { object, verdict });
            }
        }
        audited
    }
}

/// The exemption that an object requests. Only the annotations of HostedClusters are known.
fn exemption_request<'a>(object: &ObjectId, inventory: &'a Inventory) -> &'a str {
    let hosted = inventory.hosted_clusters.iter().find(|hosted| hosted.id() == *object);
    hosted.and_then(|hosted| hosted.annotation(annotation::EXEMPT)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
