//! The nodes' view: what the machine-config operator writes into registries.conf, what a pull then
//! tries, and what changing it costs.

#[cfg(test)]
mod against_files;
mod circles;
mod compare;
mod deciding;
mod disruption;
mod file_refusal;
mod files;
mod impact;
mod lists;
mod merge;
mod orders;
mod places;
mod policy;
mod pull;
mod reason;
mod render;
#[cfg(test)]
mod texts;
mod validate;

pub use crate::registries_conf::{Mirror, RegistriesConf, Registry, SEARCH_REGISTRIES, SearchRegistriesConf};
pub use circles::Circles;
pub use deciding::{Deciding, deciding};
pub use disruption::{Disruptions, NodeFile};
pub use file_refusal::{FileRefusal, check_file, check_locations, check_search_registries};
pub use files::{
    NodeFiles, NotRendered, PolicyFile, check_settings, file_refusal, files, renders, why_not_rendered,
};
pub use impact::{
    Change, Impact, Standstill, change_between, change_of_files, change_of_settings, change_of_write,
};
pub use lists::{Lists, LookupError, Loss, payload_repository};
pub use merge::{Merged, merge};
pub use orders::{Order, Orders, in_order};
pub use places::{Places, places, rewrite};
pub use policy::{Policy, PolicyRefusal};
pub use pull::{PullRoute, registry_of, route_pull};
pub use reason::{Reason, RegistryChange};
pub use render::{Placed, RenderError, Rendering, Section, render};
pub use validate::{Refusal, validate, validate_policy};
