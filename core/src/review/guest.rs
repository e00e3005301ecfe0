//! The mirror set that HyperShift makes of a HostedCluster's imageContentSources, reviewed by the rules about entries.

use crate::{
    context::{Context, Overlay},
    objects::{HostedCluster, MirrorSet, ObjectId},
    rules::{Applicability, AsWritten, Finding, SetWrite, Settings, Views},
    write::Operation,
};

/// The mirror set of a hosted cluster, alone on its nodes: those of the management cluster do not reach them.
pub(super) struct Guest<'h> {
    hosted: &'h HostedCluster,
    written: MirrorSet,
    /// Without invalid values, for which there is `invalid-image-content-source`.
    valid: MirrorSet,
    context: Context,
}

impl<'h> Guest<'h> {
    pub(super) fn new(hosted: &'h HostedCluster) -> Self {
        let written = hosted.mirror_set();
        let valid = written.valid_part().unwrap_or_else(|| written.clone());
        Self { hosted, written, valid, context: Context::default() }
    }

    /// The set as the rules see it.
    pub(super) fn overlay(&self) -> Overlay<'_> {
        Overlay::new(&self.context, &self.valid)
    }

    /// The review of the set as it is, with its [`Guest::overlay`].
    pub(super) fn write<'g>(&'g self, overlay: &'g Overlay<'g>, settings: &'g Settings) -> SetWrite<'g> {
        let Self { written, valid, context, .. } = self;
        let view = context.view_with(valid.kind, &valid.name, Some(overlay));
        let cluster = Views { before: view, after: view, others: context.view() };
        let written = AsWritten { operation: Operation::Existing(written), before: view, after: view };
        SetWrite::new(Operation::Existing(valid), written, cluster, settings)
    }

    /// A finding in the set, as one in the HostedCluster. A fix changes imageContentSources, which rolls out every
    /// NodePool.
    pub(super) fn in_hosted(&self, mut finding: Finding) -> Finding {
        finding.related.objects_mut().for_each(|object| self.rename(object));
        finding.fix.changes.iter_mut().for_each(|(object, _)| self.rename(object));
        finding.fix.applicability = Applicability::Unsafe;
        finding
    }

    fn rename(&self, object: &mut ObjectId) {
        if *object == self.valid.id() {
            *object = self.hosted.id();
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use crate::{
        objects::manifest,
        review::{Reviewer, Verdict},
        rules::{Applicability, Settings},
        state::State,
        write::Write,
    };

    /// What is found in a HostedCluster with these imageContentSources, next to other objects.
    fn review(sources: &str, others: &str) -> Verdict {
        let text = format!(
            "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\n\
             metadata: {{name: lab, namespace: clusters}}\nspec: {{imageContentSources: {sources}}}\n{others}"
        );
        let objects: Vec<_> =
            manifest::read("test", text).objects.into_iter().map(|located| located.object).collect();
        let write = Write::existing(&objects[0]).unwrap();
        let (state, settings): (State, _) = (objects.into_iter().collect(), Settings::default());
        Reviewer::new(&state, &settings, date(2026, 1, 1)).review(&write)
    }

    /// `rule path`, below the list.
    fn found(verdict: &Verdict) -> Vec<String> {
        let found = verdict.diagnostics.iter().map(|diagnostic| {
            let path = diagnostic.finding.path.strip_prefix("spec.imageContentSources").unwrap();
            format!("{} {path}", diagnostic.rule.id)
        });
        found.collect()
    }

    #[test]
    fn the_entries_of_a_hosted_cluster_are_reviewed_as_those_of_a_set() {
        const IDMS: &str = "---\napiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\n\
                            metadata: {name: cluster}\nspec: {imageDigestMirrors: \
                            [{source: q.io/a, mirrors: [n.lab/a, m.lab/a]}]}\n";
        let table: [(&str, &str, &[&str], &str); 10] = [
            ("[{source: q.io/a, mirrors: [m.lab/a]}]", "", &[], "as it should be"),
            ("[{source: q.io/a, mirrors: [m3/x]}]", "", &["unqualified-mirror [0].mirrors[0]"], "no host"),
            ("[{source: u/a, mirrors: [m.lab/a]}]", "", &["ineffective-entry [0].source"], "nor a source"),
            ("[{source: q.io/a, mirrors: []}]", "", &["ineffective-entry [0].mirrors"], "no mirror"),
            ("[{source: q.io/a}]", "", &["ineffective-entry [0].mirrors"], "nor the field"),
            ("[{source: q.io/a, mirrors: [q.io/a]}]", "", &["ineffective-entry [0].mirrors"], "itself"),
            (
                "[{source: q.io/a, mirrors: [m.lab/a, n.lab/a]}, {source: q.io/a, mirrors: [n.lab/a, m.lab/a]}]",
                "",
                &["mirror-order-conflict [1].mirrors"],
                "two orders",
            ),
            ("[{source: q.io/a, mirrors: [m.lab/a, n.lab/a]}]", IDMS, &[], "that set is for other nodes"),
            (
                "[{source: q.io/a, mirrors: [m.lab/a]}, {source: r.io/b, mirrors: [m.lab/b]}, \
                 {source: m.lab/o, mirrors: [quay.io/o]}]",
                "",
                &["swapped-source [2].source"],
                "exchanged",
            ),
            (
                "[{source: 'https://q.io/a', mirrors: [m.lab/a]}, {source: q.io/b, mirrors: [m3/x]}]",
                "",
                &["invalid-image-content-source [0].source", "unqualified-mirror [1].mirrors[0]"],
                "the places of valid entries stay",
            ),
        ];
        for (sources, others, expected, reason) in table {
            assert_eq!(found(&review(sources, others)), expected, "{reason}");
        }
    }

    #[test]
    fn fixes_and_related_fields_are_those_of_the_hosted_cluster() {
        let repeated = "[{source: q.io/a, mirrors: [m.lab/a]}, {source: q.io/a, mirrors: [n.lab/a]}]";
        let verdict = review(repeated, "");
        assert_eq!(found(&verdict), ["split-source [1].source"]);
        let finding = &verdict.diagnostics[0].finding;
        let related: Vec<_> =
            finding.related.iter().map(|one| (one.object.to_string(), &*one.path)).collect();
        let hosted = "HostedCluster/clusters/lab".to_owned();
        assert_eq!(related, [(hosted.clone(), "spec.imageContentSources[0].source")]);
        assert_eq!(finding.fix.changes.len(), 2);
        for (object, change) in &finding.fix.changes {
            assert_eq!(object.to_string(), hosted);
            assert!(change.path().starts_with("spec.imageContentSources["));
        }
        assert_eq!(finding.fix.applicability, Applicability::Unsafe);
        assert_eq!(finding.fix.objects, []);
    }
}
