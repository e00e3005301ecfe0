//! Findings that could be false, or could be fixed wrongly, because a value of a file is a placeholder.
//!
//! A placeholder takes part in no rule. So a rule that finds that something is missing could miss what the placeholder
//! stands for, and a fix could be made of a part of an object only.

use std::collections::HashMap;

use super::Reviewed;
use crate::{
    objects::{
        Change, Entry, HostedCluster, MirrorSet, Object, ObjectId, OpenSources,
        manifest::{Located, is_name, is_placeholder},
    },
    review::Diagnostic,
    rules::{DependsOn, Finding, Fix},
};

/// The values of files that are not known, by what depends on them.
#[derive(Debug, Default)]
pub struct UnknownValues {
    /// The paths of the placeholders of each object that has any.
    objects: HashMap<ObjectId, Vec<String>>,
    /// The sources of entries whose mirrors or policy are not known in full.
    sources: OpenSources,
    /// Whether an entry is not known at all.
    has_open_entry: bool,
    /// Whether a value of the image configuration is not known.
    has_open_settings: bool,
}

impl UnknownValues {
    /// The placeholders of the objects of files.
    pub fn of<'a>(located: impl IntoIterator<Item = &'a Located>) -> Self {
        let mut unknown = Self::default();
        for located in located.into_iter().filter(|located| !located.written.placeholders.is_empty()) {
            for path in &located.written.placeholders {
                unknown.add(&located.object, path);
            }
            let paths = located.written.placeholders.iter().cloned();
            unknown.objects.entry(located.object.id()).or_default().extend(paths);
        }
        unknown
    }

    fn add(&mut self, object: &Object, path: &str) {
        match object {
            Object::MirrorSet(set) => {
                if path.starts_with("metadata") {
                    return;
                }
                match entry_at(object, path) {
                    Some(entry) if !path.ends_with(".source") && !entry.source.is_empty() => {
                        self.sources.insert(&entry.source);
                    }
                    _ => self.has_open_entry |= may_be_entries(set, path),
                }
            }
            Object::ImageConfig(_) => self.has_open_settings |= !path.starts_with("metadata"),
            // What is not known of a HostedCluster matters to itself alone.
            _ => {}
        }
    }

    /// The sources whose entries are not known in full. A rule that groups sources must know them: of a group with one of
    /// them, a part would be uncertain.
    pub fn open_sources(&self) -> &OpenSources {
        &self.sources
    }

    /// Leaves out the findings that could be false, and the changes of fixes that could be wrong.
    pub fn withhold(&self, reviewed: &mut [Reviewed<'_>]) {
        if self.objects.is_empty() {
            return;
        }
        for one in reviewed {
            let (id, object) = (&one.object, one.place.map(|place| &place.object));
            // Of a value that is not known, only its place is.
            let is_placeholder =
                |path: &String| one.place.is_some_and(|place| place.written.placeholders.contains(path));
            one.verdict.diagnostics.retain(|diagnostic| {
                !is_placeholder(&diagnostic.finding.path) && !self.may_be_false(id, object, diagnostic)
            });
            for Diagnostic { finding, .. } in &mut one.verdict.diagnostics {
                if self.may_be_fixed_wrongly(id, object, finding) {
                    finding.fix = Fix::from("render the template, then check the result");
                }
            }
        }
    }

    fn may_be_false(&self, id: &ObjectId, object: Option<&Object>, diagnostic: &Diagnostic) -> bool {
        let finding = &diagnostic.finding;
        let is_hosted = matches!(object, Some(Object::HostedCluster(_)));
        let is_about_guest = is_hosted && finding.path.starts_with(HostedCluster::SOURCES_PATH);
        match diagnostic.rule.depends_on {
            DependsOn::Nothing => false,
            _ if is_hosted && self.has_unknown_value(id) => true,
            // In the hosted cluster there is nothing but these sources.
            _ if is_about_guest => false,
            DependsOn::Everything if self.has_open_settings => true,
            DependsOn::Sources => self.concerns_source(object, &finding.path),
            DependsOn::Objects => self.concerns_objects(id, object, finding),
            DependsOn::Entries | DependsOn::Everything if is_hosted => {
                self.has_open_entry || !self.sources.is_empty()
            }
            DependsOn::Entries | DependsOn::Everything => {
                // A finding that is not in an entry is about the whole object.
                self.has_open_entry
                    || self.concerns_source(object, &finding.path)
                    || (object.and_then(|object| entry_at(object, &finding.path)).is_none()
                        && self.concerns_objects(id, object, finding))
            }
        }
    }

    /// Whether a fix creates an object of one that is not known in full, or changes a placeholder.
    fn may_be_fixed_wrongly(&self, id: &ObjectId, object: Option<&Object>, finding: &Finding) -> bool {
        let Fix { changes, objects, .. } = &finding.fix;
        let is_changed = |id: &ObjectId, path: &str| {
            self.paths_of(id).iter().any(|placeholder| placeholder.starts_with(path))
        };
        changes.iter().any(|(id, change)| match change {
            Change::Set { path, .. } | Change::Remove { path } => is_changed(id, path),
            Change::Append { .. } | Change::Rename { .. } => false,
        }) || (!objects.is_empty()
            // The name of a new object is made of that of this one.
            && (self.objects.contains_key(id) || self.has_open_settings || self.concerns_objects(id, object, finding)))
    }

    /// Whether a value of an object is not known. Its name is no such value: no finding depends on what it is.
    fn has_unknown_value(&self, id: &ObjectId) -> bool {
        self.paths_of(id).iter().any(|path| !is_name(path))
    }

    fn paths_of(&self, id: &ObjectId) -> &[String] {
        self.objects.get(id).map_or(&[], Vec::as_slice)
    }

    /// Whether a placeholder is in an entry of the source at a path, or of one above or below it.
    fn concerns_source(&self, object: Option<&Object>, path: &str) -> bool {
        let entry = object.and_then(|object| entry_at(object, path));
        entry.is_some_and(|entry| self.sources.overlap(&entry.source))
    }

    /// Whether a placeholder is in the object, or in one that the finding names, or in an entry of a source that the
    /// object has too.
    fn concerns_objects(&self, id: &ObjectId, object: Option<&Object>, finding: &Finding) -> bool {
        self.has_unknown_value(id)
            || finding.related.iter().any(|related| self.has_unknown_value(&related.object))
            || match object {
                Some(Object::MirrorSet(set)) => {
                    set.entries.iter().any(|entry| self.sources.overlap(&entry.source))
                }
                // The entries of an object of a cluster are not looked at.
                None => true,
                Some(_) => false,
            }
    }
}

/// Whether a placeholder at a path may stand for entries of a set: for its list, for all around it, or for the name of a
/// field there.
fn may_be_entries(set: &MirrorSet, path: &str) -> bool {
    path == "spec" || path.starts_with(&set.list_path()) || is_placeholder(path)
}

/// The entry of a mirror set that a path leads into.
fn entry_at<'o>(object: &'o Object, path: &str) -> Option<&'o Entry> {
    let Object::MirrorSet(set) = object else { return None };
    let below = path.strip_prefix(&set.list_path())?.strip_prefix('[')?;
    set.entries.get(below.split_once(']')?.0.parse::<usize>().ok()?)
}

#[cfg(test)]
mod tests;
