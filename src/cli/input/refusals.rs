//! Inputs that a command does not work on.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use mirrorguard_core::objects::{Object, manifest::Located};

use super::{Input, places::is_for_nodes};

impl Input {
    /// Fails if something could not be read. What that is has been printed already.
    pub(in crate::cli) fn complete(self) -> Result<Self> {
        if !self.unread.is_empty() {
            bail!("stopped because not all files could be read");
        }
        Ok(self)
    }

    /// Fails if a mirror set would be lost, in whole for its placeholders or in part for the fields that its kind does
    /// not have. They have been named already.
    pub(in crate::cli) fn without_losses(self) -> Result<Self> {
        let is_set = |located: &&Located| matches!(located.object, Object::MirrorSet(_));
        if let Some(located) = self.open.iter().find(is_set) {
            bail!(
                "nothing was written, because {} has placeholders: it would be lost; render the template first",
                located.object.id()
            );
        }
        let has_unknown_fields = |located: &&Located| !located.written.unknown_fields.is_empty();
        if let Some(located) = self.located.iter().filter(is_set).find(has_unknown_fields) {
            bail!(
                "nothing was written, because {} has fields that its kind does not have: they would be lost; correct \
                 the file first",
                located.object.id()
            );
        }
        Ok(self)
    }

    /// Fails if catalog overrides that are derived could be wrong, because an object from which they are has placeholders.
    /// They have been named already.
    pub(in crate::cli) fn for_derivation(self) -> Result<Self> {
        let is_read = |located: &&Located| {
            is_for_nodes(&located.object) || matches!(located.object, Object::Catalog(_))
        };
        if let Some(located) = self.open.iter().find(is_read) {
            bail!(
                "nothing was derived, because {} has placeholders; render the template first",
                located.object.id()
            );
        }
        Ok(self)
    }

    /// Fails if the objects are for different clusters: each has its own answer, and only the last of two sets with one
    /// name would count.
    pub(in crate::cli) fn of_one_cluster(self) -> Result<Self> {
        let clusters = self.clusters();
        let mut names = clusters.iter();
        if let (Some(first), Some(other)) = (names.next(), names.next()) {
            bail!("the objects are for different clusters ({first} and {other}); give those of one cluster");
        }
        Ok(self)
    }

    /// The existing objects that this input is compared with: all of them, unless they are for different clusters. Then
    /// those of the cluster that the objects of this input are for, and those that name none. Fails if these name no
    /// single one of them: then nobody knows which is meant.
    pub(in crate::cli) fn existing_of_its_cluster(&self, mut against: Vec<Self>) -> Result<Vec<Self>> {
        let there: BTreeSet<_> = against.iter().flat_map(Self::clusters).map(str::to_owned).collect();
        let mut names = there.iter();
        let (Some(first), Some(other)) = (names.next(), names.next()) else { return Ok(against) };
        let own: Vec<_> = self.clusters().into_iter().collect();
        let [own] = own[..] else {
            bail!(
                "--against: the objects are for different clusters ({first} and {other}); give those of one cluster"
            );
        };
        if !there.contains(own) {
            bail!(
                "--against: the objects are for different clusters ({first} and {other}), and none is for {own}; give \
                 those of one cluster"
            );
        }
        for input in &mut against {
            input.located.retain(|located| located.cluster.as_deref().is_none_or(|cluster| cluster == own));
        }
        Ok(against)
    }

    /// The clusters that objects of files name.
    fn clusters(&self) -> BTreeSet<&str> {
        self.located.iter().filter_map(|located| located.cluster.as_deref()).collect()
    }
}
