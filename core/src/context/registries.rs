//! The registries that sources and mirrors are on.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::View;
use crate::objects::{Entry, MirrorSet, scope::host};

/// How many entries there are, how many of them have their source on each host, and how many a mirror there, but their
/// source on another host. Only entries that nodes can pull with count.
#[derive(Debug, Clone, Default)]
pub(super) struct Registries {
    entries: usize,
    hosts: BTreeMap<Box<str>, Uses>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Uses {
    sources: usize,
    mirrors: usize,
}

impl Registries {
    fn of(set: &MirrorSet) -> Self {
        let mut registries = Self::default();
        registries.add(set);
        registries
    }

    pub(super) fn add(&mut self, set: &MirrorSet) {
        for (_, entry) in set.usable_entries() {
            self.entries += 1;
            self.change(host(&entry.source), |uses| uses.sources += 1);
            for mirror in hosts_elsewhere(entry) {
                self.change(mirror, |uses| uses.mirrors += 1);
            }
        }
    }

    pub(super) fn remove(&mut self, set: &MirrorSet) {
        for (_, entry) in set.usable_entries() {
            self.entries -= 1;
            self.change(host(&entry.source), |uses| uses.sources -= 1);
            for mirror in hosts_elsewhere(entry) {
                self.change(mirror, |uses| uses.mirrors -= 1);
            }
        }
    }

    /// Changes the numbers of a host, and forgets it when they are 0.
    fn change(&mut self, host: &str, change: impl Fn(&mut Uses)) {
        let Some(uses) = self.hosts.get_mut(host) else {
            let mut uses = Uses::default();
            change(&mut uses);
            self.hosts.insert(host.into(), uses);
            return;
        };
        change(uses);
        if *uses == Uses::default() {
            self.hosts.remove(host);
        }
    }

    fn uses(&self, host: &str) -> Uses {
        self.hosts.get(host).copied().unwrap_or_default()
    }
}

/// The registries of a [`View`]: those of its context, without the set that it hides, and with the one that it adds.
#[derive(Debug)]
pub struct ViewRegistries<'a> {
    context: &'a Registries,
    hidden: Registries,
    added: Registries,
}

impl<'a> ViewRegistries<'a> {
    pub(super) fn new(view: View<'a>, context: &'a Registries) -> Self {
        let [hidden, added] =
            [view.hidden_set(), view.added_set()].map(|set| set.map(Registries::of).unwrap_or_default());
        Self { context, hidden, added }
    }

    /// The number of entries that nodes can pull with.
    pub fn entries(&self) -> usize {
        self.count(|registries| registries.entries)
    }

    /// The number of entries with a source on a host, `quay.io` or `mirror.lab:8443`.
    pub fn sources_on(&self, host: &str) -> usize {
        self.count(|registries| registries.uses(host).sources)
    }

    /// The number of entries with a mirror on a host, and their source on another one.
    pub fn mirrors_on(&self, host: &str) -> usize {
        self.count(|registries| registries.uses(host).mirrors)
    }

    fn count(&self, of: impl Fn(&Registries) -> usize) -> usize {
        of(self.context) + of(&self.added) - of(&self.hidden)
    }
}

/// The hosts of the mirrors of an entry, each once.
pub fn mirror_hosts(entry: &Entry) -> SmallVec<[&str; 2]> {
    let mut hosts: SmallVec<[&str; 2]> = entry.real_mirrors().map(|(_, mirror)| host(mirror)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

fn hosts_elsewhere(entry: &Entry) -> impl Iterator<Item = &str> {
    mirror_hosts(entry).into_iter().filter(|mirror| *mirror != host(&entry.source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        context::{Context, Overlay},
        objects::{MirrorSet, Object, SetKind},
    };

    fn set(name: &str, entries: &[(&str, &[&str])]) -> MirrorSet {
        let entries = entries.iter().map(|(source, mirrors)| Entry {
            source: (*source).into(),
            mirrors: mirrors.iter().map(|mirror| Box::from(*mirror)).collect(),
            mirror_source_policy: None,
        });
        MirrorSet::new(SetKind::Idms, name, entries.collect())
    }

    /// Entries, sources on quay.io, mirrors on m.lab.
    fn counts(view: View<'_>) -> [usize; 3] {
        let registries = view.registries();
        [registries.entries(), registries.sources_on("quay.io"), registries.mirrors_on("m.lab")]
    }

    #[test]
    fn a_view_counts_the_entries_that_it_shows() {
        let usable = set("a", &[("quay.io/a", &["m.lab/a", "m.lab/b"]), ("r.io/b", &["m.lab/b", "n.lab/b"])]);
        let unusable = set("b", &[("quay.io/a", &["m/a"]), ("a", &["m.lab/a"]), ("quay.io/c", &[])]);
        let mut context = Context::from_iter([usable.clone(), unusable].map(Object::from));
        assert_eq!(counts(context.view()), [2, 1, 2], "an entry counts once for a host");
        let other = set("a", &[("quay.io/a", &["n.lab/a"])]);
        let overlay = Overlay::new(&context, &other);
        let replaced = context.view_with(SetKind::Idms, "a", Some(&overlay));
        assert_eq!(counts(replaced), [1, 1, 0], "one set in place of another");
        assert_eq!(counts(context.view_with(SetKind::Idms, "a", None)), [0, 0, 0], "without it");
        context.insert_set(other.clone().into());
        assert_eq!(counts(context.view()), [1, 1, 0], "changed");
        context.remove_set(SetKind::Idms, "a");
        assert!(context.registries.hosts.is_empty(), "nothing is kept of a set that is gone");
    }
}
