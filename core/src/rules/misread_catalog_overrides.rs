//! A catalog overrides annotation, set by hand, that HyperShift does not interpret as written.

use super::{Check, DependsOn, Finding, Fix, HostedWrite, Level, Rule};
use crate::{
    hypershift::{
        Derivation, Misreading, Placement, Problem, Releases, Slip, Span, find_correction, find_slip,
        misreadings,
    },
    objects::{HostedCluster, annotation},
};

pub(crate) const RULE: Rule = Rule {
    id: "misread-catalog-overrides",
    level: Level::Deny,
    summary: "a catalog overrides value that HyperShift ignores, corrupts or interprets at random",
    page: include_str!("misread_catalog_overrides.md"),
    check: Check::HostedCluster(check),
    depends_on: DependsOn::Objects,
    ..Rule::BASE
};

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(value) = write.new.catalog_overrides() else { return };
    // Otherwise the hosted cluster has no catalog that the annotation changes.
    let Some(placement) = write.overrides_placement() else { return };
    let reader = Reader { placement, releases: &write.releases(), derivation: &write.derivation() };
    let misreadings = reader.misreadings_of(value);
    if misreadings.is_empty() {
        return;
    }
    let slip = find_slip(value);
    let corrected = slip.as_ref().map(|slip| reader.misreadings_of(&slip.meant)).unwrap_or_default();
    // A slip whose correction is misread in the same way is not the cause.
    let slip = slip.filter(|_| corrected != misreadings);
    let fix = reader.fix(write.new, value, slip.as_ref());
    for found in by_problem(&misreadings) {
        // It is the cause of what its correction mends, and of nothing else.
        let is_cause = !found.iter().all(|misreading| corrected.contains(misreading));
        let cause = slip.as_ref().filter(|_| is_cause).map(ToString::to_string);
        let cause = cause.or_else(|| reader.empty_side(value, &found));
        findings.push(finding(&found, cause.as_deref(), fix.clone()));
    }
}

/// The misreadings of each problem, which several groups of releases may have, in the order in which the problems occur.
fn by_problem(misreadings: &[Misreading]) -> Vec<Vec<&Misreading>> {
    let mut groups: Vec<Vec<&Misreading>> = Vec::new();
    for misreading in misreadings {
        match groups.iter_mut().find(|group| group[0].problem == misreading.problem) {
            Some(group) => group.push(misreading),
            None => groups.push(vec![misreading]),
        }
    }
    groups
}

/// The finding for misreadings with the same problem, of which there is at least one.
fn finding(misreadings: &[&Misreading], cause: Option<&str>, fix: Fix) -> Finding {
    let problem = &misreadings[0].problem;
    let (at_most, effect) = match problem {
        Problem::Ignored(..) | Problem::Dropped(_) => (Level::Warn, "this part of the value has no effect"),
        Problem::Random(_) => (Level::Deny, "HyperShift may look for the catalogs in the wrong location"),
        _ => (Level::Deny, "the catalogs are not pulled from the mirror"),
    };
    let misread = format!("{} {problem}", describe_releases(misreadings));
    let what = match cause {
        Some(cause) => format!("{cause}, so {misread}"),
        None => misread,
    };
    let keys = misreadings.iter().map(|misreading| key(misreading));
    let path = annotation::path(annotation::CATALOG_OVERRIDES);
    Finding { at_most, effect: effect.to_owned(), fix, ..Finding::of_faults(path, keys, what) }
}

/// The releases with a problem, as the subject of a sentence.
fn describe_releases(misreadings: &[&Misreading]) -> String {
    let mut spans: Vec<Span> = Vec::new();
    for misreading in misreadings {
        let span = misreading.readers.span;
        match spans.last().and_then(|last| last.joined(span)) {
            Some(joined) => {
                spans.pop();
                spans.push(joined);
            }
            None => spans.push(span),
        }
    }
    match spans.as_slice() {
        [span] if span.is_every() => "all releases".to_owned(),
        _ => format!("releases {}", spans.iter().map(describe_span).collect::<Vec<_>>().join(" and ")),
    }
}

/// `up to 4.16`, `from 4.17 on`, or `of 4.17` for the z-streams of one.
fn describe_span(span: &Span) -> String {
    let of = if span.last() == Some(span.first()) { "of " } else { "" };
    format!("{of}{span}")
}

/// Who reads the annotation of one HostedCluster, and what its values are compared with.
struct Reader<'a> {
    placement: Placement,
    releases: &'a Releases,
    derivation: &'a Derivation,
}

impl Reader<'_> {
    fn misreadings_of(&self, value: &str) -> Vec<Misreading> {
        misreadings(value, self.releases, self.placement, Some(self.derivation))
    }

    /// A part with nothing before or after its first `=`, as the cause of the misreadings `found`: without such parts
    /// there are none of these. `None` if it is not the cause, or if the problem's own text says what is missing.
    fn empty_side(&self, value: &str, found: &[&Misreading]) -> Option<String> {
        if matches!(found[0].problem, Problem::Dropped(_) | Problem::NoPair) {
            return None;
        }
        let is_incomplete = |(source, mirror): (&str, &str)| source.is_empty() || mirror.is_empty();
        let (empty, other): (Vec<_>, Vec<_>) =
            value.split(',').partition(|part| part.split_once('=').is_some_and(is_incomplete));
        let left = self.misreadings_of(&other.join(","));
        let is_cause = !found.iter().any(|misreading| left.contains(misreading));
        let part = empty.first().filter(|_| is_cause)?;
        let missing = if part.starts_with('=') { "source" } else { "mirror" };
        Some(format!("the part \"{part}\" has no {missing}"))
    }

    /// The fix of a value that is misread.
    fn fix(&self, hosted: &HostedCluster, value: &str, slip: Option<&Slip>) -> Fix {
        match self.correct_value(value, slip) {
            Some(correct) => Fix::changing_pulls(format!("set the value to \"{correct}\"")).set(
                hosted.id(),
                annotation::path(annotation::CATALOG_OVERRIDES),
                correct,
            ),
            None => "write the value as registry.redhat.io/redhat=HOST/NAMESPACE".into(),
        }
    }

    /// A value that every release interprets as written: the derived one, or else what was probably meant. An empty one
    /// would be no overrides at all.
    fn correct_value(&self, value: &str, slip: Option<&Slip>) -> Option<String> {
        let meant = slip.map_or(value, |slip| &*slip.meant);
        let derived = self.derivation.value.clone().ok();
        let mut candidates =
            [derived, find_correction(meant), slip.map(|slip| slip.meant.clone())].into_iter().flatten();
        candidates.find(|value| !value.is_empty() && self.misreadings_of(value).is_empty())
    }
}

/// The releases, the kind of problem, and the values that it is about.
fn key(misreading: &Misreading) -> String {
    let problem = match &misreading.problem {
        Problem::NoPair | Problem::Void(_) => "void".to_owned(),
        Problem::Ignored(source, _) => format!("ignored {source}"),
        Problem::Dropped(part) => format!("dropped {part}"),
        Problem::Random(choices) => format!("random {}", choices.join(" ")),
        Problem::Elsewhere(actual, meant) => format!("elsewhere {actual} {meant}"),
        Problem::Unreadable(actual) => format!("unreadable {actual}"),
        Problem::Unqualified(actual) => format!("unqualified {actual}"),
    };
    format!("{} {problem}", misreading.readers.key())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{MirrorSet, Object, SetKind::Itms},
        rules::{
            Settings,
            testing::{assert_texts, hosted, set},
        },
        state::State,
    };

    /// What is found in a value for a hosted cluster of one release, next to other mirror sets.
    fn find(value: &str, release: &str, sets: &[MirrorSet]) -> Vec<Finding> {
        let image = format!("quay.io/openshift-release-dev/ocp-release:{release}.1-x86_64");
        let annotations = format!("{}: \"{value}\"", annotation::CATALOG_OVERRIDES);
        let Object::HostedCluster(hosted) = hosted("lab", &image, &annotations) else { panic!() };
        let (state, settings) =
            (sets.iter().cloned().map(Object::from).collect::<State>(), Settings::default());
        let write = HostedWrite { old: None, new: &hosted, state: &state, settings: &settings };
        let mut findings = Vec::new();
        check(&write, &mut findings);
        findings
    }

    #[test]
    fn a_part_that_leads_to_no_registry_is_found() {
        let table = [
            ("registry.redhat.io/redhat=m.lab/r", None, "it does"),
            (
                "registry.redhat.io/redhat=m/r",
                Some("list unqualified m/r/certified-operator-index"),
                "no registry",
            ),
            (
                "registry.redhat.io/redhat=m.lab/r=",
                Some("list unreadable m.lab/r=/certified-operator-index"),
                "a second = is part of the mirror",
            ),
            ("registry.redhat.io/redhat=", Some("list 4.18 void"), "a part without a mirror is dropped"),
        ];
        for (value, key, reason) in table {
            let found = find(value, "4.18", &[]);
            let keys: Vec<_> = found.iter().map(|finding| &*finding.key).collect();
            assert_eq!(keys, Vec::from_iter(key), "{reason}");
            assert!(found.iter().all(|finding| !finding.what.contains("has no mirror")), "{reason}");
        }
    }

    #[test]
    fn each_misreading_is_a_finding_of_its_own() {
        use Level::{Deny, Warn};
        type Expected<'a> = &'a [(Level, &'a str)];
        let table: [(&str, &str, Expected<'_>, &str); 7] = [
            ("registry.redhat.io/redhat=m.lab/r", "4.18", &[], "as written"),
            (
                "registry.redhat.io=m.lab/a",
                "4.18",
                &[(
                    Deny,
                    "list elsewhere m.lab/a/certified-operator-index m.lab/a/redhat/certified-operator-index",
                )],
                "the namespace is not appended",
            ),
            ("quay.io=m.lab", "4.16", &[(Deny, "replace void")], "no catalog is below this source"),
            ("quay.io=m.lab", "4.18", &[(Deny, "list void")], "in later releases too"),
            (
                "registry.redhat.io/redhat=m.lab/r,quay.io=m.lab",
                "4.18",
                &[(Warn, "list ignored quay.io")],
                "the other source has an effect",
            ),
            (
                "registry.redhat.io/redhat= m.lab/r",
                "4.20",
                &[(Deny, "list unreadable  m.lab/r/certified-operator-index")],
                "spaces are kept",
            ),
            (
                "registry.redhat.io/redhat=m.lab/r,registry.redhat.io=n.lab/r",
                "4.16",
                &[(
                    Deny,
                    "replace random m.lab/r/certified-operator-index n.lab/r/redhat/certified-operator-index",
                )],
                "both sources are in the image",
            ),
        ];
        let mut all = Vec::new();
        for (value, release, expected, reason) in table {
            let found = find(value, release, &[]);
            let levels: Vec<_> = found.iter().map(|finding| (finding.at_most, &*finding.key)).collect();
            assert_eq!(levels, expected, "{reason}");
            all.extend(found);
        }
        all.extend(find("registry.redhat.io/redhat=m.lab/r, registry.redhat.io=n.lab", "4.18", &[]));
        let mirrored = [set(Itms, "a", &[("registry.redhat.io/redhat", &["n.lab/r"])])];
        all.extend(find("quay.io=m.lab", "4.18", &mirrored));
        assert_texts(RULE.id, &all);
    }
}
