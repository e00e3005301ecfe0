//! Every file that mirror sets and the image configuration reach on nodes.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{
    FileRefusal, Lists, Refusal, RegistriesConf, RenderError, Rendering, check_file, check_locations,
    check_search_registries,
    validate::{validate_lists, validate_with},
    validate_policy,
};
use crate::{
    context::View,
    objects::{Format, MirrorSet},
    registries_conf::SearchRegistriesConf,
};

/// Why the machine-config operator renders nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotRendered {
    /// It rejects an object.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It accepts all of them, and fails to render registries.conf.
    #[error(transparent)]
    Failed(#[from] RenderError),
}

/// The files of one cluster.
///
/// Follows `machine-config-operator pkg/controller/container-runtime-config/container_runtime_config_controller.go`
/// `registriesConfigIgnition`. Files about signatures and credentials are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFiles<'a> {
    /// `/etc/containers/registries.conf`.
    pub registries_conf: RegistriesConf<'a>,
    /// Whether registries.conf is written at all: without a mirror set and without a blocked or insecure registry,
    /// the text of the template stays, which differs in its bytes.
    pub is_written: bool,
    /// `/etc/containers/policy.json`.
    pub policy: PolicyFile<'a>,
    /// `/etc/containers/registries.conf.d/01-image-searchRegistries.conf`, where there are search registries.
    pub search_registries: Option<SearchRegistriesConf<'a>>,
    /// Why nodes reject registries.conf or the drop-in file, so that every pull fails.
    pub refusal: Option<FileRefusal>,
}

/// What the lists make of policy.json. Without any list it is the template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyFile<'a> {
    /// Images of no scope are rejected: some scopes are accepted, and none is rejected.
    pub rejects_others: bool,
    /// Whether each scope is accepted.
    pub scopes: BTreeMap<&'a str, bool>,
}

impl<'a> PolicyFile<'a> {
    /// What these lists make of it.
    pub(super) fn of(lists: &Lists<'a>) -> Self {
        // No scope is in both: next to rejected scopes, `validate_policy` lets only the payload's be allowed, which
        // `Lists::of` takes out of the rejected ones.
        let allowed = lists.allowed.iter().map(|scope| (*scope, true));
        let rejected = lists.rejected.iter().map(|scope| (*scope, false));
        Self {
            rejects_others: !lists.allowed.is_empty() && lists.rejected.is_empty(),
            scopes: allowed.chain(rejected).collect(),
        }
    }
}

/// The files that nodes get, or why they get none.
pub fn files(view: View<'_>) -> Result<NodeFiles<'_>, NotRendered> {
    let lists = Lists::of(view)?;
    validate_with(view, &lists)?;
    let rendering = Rendering::with_blocked(view, lists.blocked.clone());
    let registries_conf = rendering.file()?;
    validate_policy(view, &lists)?;
    let search = &view.image_config().container_runtime_search_registries;
    Ok(NodeFiles {
        is_written: is_written(view, &rendering),
        registries_conf,
        policy: PolicyFile::of(&lists),
        search_registries: (!search.is_empty()).then_some(SearchRegistriesConf(search)),
        refusal: file_refusal(view, &rendering),
    })
}

/// Why nodes reject registries.conf or the drop-in file with the search registries. The rendering is of the same view.
pub fn file_refusal(view: View<'_>, rendering: &Rendering<'_>) -> Option<FileRefusal> {
    // From 4.16 on, the operator accepts no source or mirror for which nodes would reject the file.
    if view.format() == Format::UpTo415 {
        let entries = view.sets().flat_map(MirrorSet::effective_entries);
        let values = entries.flat_map(|(_, entry)| {
            std::iter::once(&*entry.source).chain(entry.mirrors.iter().map(|mirror| &**mirror))
        });
        if let Err(refusal) = check_locations(values) {
            return Some(refusal);
        }
    }
    let search = &view.image_config().container_runtime_search_registries;
    check_file(rendering).and_then(|()| check_search_registries(search)).err()
}

/// Whether the operator writes registries.conf, and does not leave the template's. It writes it for any mirror set,
/// even for one whose entries have no effect.
pub(super) fn is_written(view: View<'_>, rendering: &Rendering<'_>) -> bool {
    !rendering.listed().is_empty() || view.sets().next().is_some()
}

/// Whether [`files`] succeeds, without rendering anything: a write that is reviewed next to a thousand sets looks only
/// at the image configuration and at what it changes.
pub fn renders(view: View<'_>) -> bool {
    !view.has_refused_entries() && check_settings(view).is_ok()
}

/// Whether the image configuration, the payload and the sources together let the operator render. The entries by
/// themselves, with their values and policies, are not checked: [`View::has_refused_entries`] knows about them.
pub fn check_settings(view: View<'_>) -> Result<(), NotRendered> {
    let lists = Lists::of(view)?;
    validate_lists(view, &lists)?;
    Rendering::with_blocked(view, lists.blocked.clone()).check()?;
    Ok(validate_policy(view, &lists)?)
}

/// Why nodes get no file that they can read: in the words of the machine-config operator, which renders none, or in
/// those of a node, which rejects it. `None` if they get one.
pub fn why_not_rendered(view: View<'_>) -> Option<String> {
    // Whether anything is rendered is known without rendering; only the reason needs all of it.
    if !renders(view) {
        return files(view).err().map(|error| error.to_string());
    }
    file_refusal(view, &Rendering::new(view)).map(|refusal| refusal.to_string())
}
