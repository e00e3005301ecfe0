//! The nodes' view: what the machine-config operator writes into registries.conf, what a pull then
//! tries, and what changing it costs.

mod blocked;
mod compare;
mod deciding;
mod impact;
mod merge;
mod places;
mod policy;
mod pull;
mod render;
#[cfg(test)]
mod texts;
mod validate;

pub use crate::registries_conf::{Mirror, RegistriesConf, Registry, SEARCH_REGISTRIES};
pub use blocked::{effective_blocked, payload_repository};
pub use deciding::{Deciding, deciding, why_not_rendered};
pub use impact::{Change, Impact, Reason, RegistryChange, change_between, change_of_write};
pub use merge::{Merged, merge};
pub use places::{Places, places, rewrite};
pub use policy::{Policy, PolicyRefusal};
pub use pull::{PullRoute, registry_of, route_pull};
pub use render::{Placed, RenderError, Rendering, Section, render};
pub use validate::{Refusal, validate};
