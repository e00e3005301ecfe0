//! The objects of a cluster that cannot be read.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mirrorguard_core::objects::{Kind, ObjectId};
use tracing::{info, warn};

/// An object that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its kind, namespace and name.
    pub id: ObjectId,
    /// Its resource version.
    pub version: String,
    /// Why.
    pub why: String,
}

/// The objects that cannot be read now. Each change is logged once.
#[derive(Debug, Default)]
pub struct Unreadable(Mutex<BTreeMap<ObjectId, Unread>>);

impl Unreadable {
    /// Records an object that cannot be read.
    pub(super) fn record(&self, unread: Unread) {
        let mut known = self.lock();
        let is_known = known.get(&unread.id).is_some_and(|before| before.why == unread.why);
        if !is_known {
            warn!(object = %unread.id, "cannot read the object, the version before is used if there is one: {}", unread.why);
        }
        known.insert(unread.id.clone(), unread);
    }

    /// Records that an object can be read, or that it is gone.
    pub(super) fn remove(&self, id: &ObjectId) {
        if self.lock().remove(id).is_some() {
            info!(object = %id, "the object can be read again, or is gone");
        }
    }

    /// Records the objects of a list that cannot be read; every other one of the kind can be read, or is gone.
    pub(super) fn replace(&self, kind: Kind, unread: &[Unread]) {
        let before: Vec<_> = self.lock().keys().filter(|id| id.kind == kind.name()).cloned().collect();
        for id in before.iter().filter(|id| !unread.iter().any(|unread| unread.id == **id)) {
            self.remove(id);
        }
        for unread in unread {
            self.record(unread.clone());
        }
    }

    /// The resource versions of those of a kind, by name.
    pub(super) fn versions(&self, kind: Kind) -> Vec<(String, String)> {
        let known = self.lock();
        let of_kind = known.values().filter(|unread| unread.id.kind == kind.name());
        of_kind.map(|unread| (unread.id.name.to_string(), unread.version.clone())).collect()
    }

    /// How many there are of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.lock().keys().filter(|id| id.kind == kind.name()).count()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectId, Unread>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
