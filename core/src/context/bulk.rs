//! Many changes at once. After each of many changes of one source, all of its entries would be read again for the
//! totals: here they are counted once, after all of them.

use super::{
    Context,
    size::{faults_of_all, size_of_all},
};
use crate::objects::{Object, SetKind};

impl Context {
    /// Removes the mirror sets of a kind that have these names, those that exist.
    pub fn remove_sets<'n>(&mut self, kind: SetKind, names: impl IntoIterator<Item = &'n str>) {
        for name in names {
            self.take_set(kind, name);
        }
        self.count_again();
    }

    fn count_again(&mut self) {
        self.size = size_of_all(self.view());
        self.faults = faults_of_all(self.view());
    }
}

impl FromIterator<Object> for Context {
    fn from_iter<I: IntoIterator<Item = Object>>(objects: I) -> Self {
        let mut context = Self::default();
        context.extend(objects);
        context
    }
}

impl Extend<Object> for Context {
    /// The same as inserting each.
    fn extend<I: IntoIterator<Item = Object>>(&mut self, objects: I) {
        for object in objects {
            if let Object::MirrorSet(set) = object {
                self.take_set(set.kind, &set.name);
                self.put_set(set);
            } else {
                self.insert(object);
            }
        }
        self.count_again();
    }
}
