//! The nodes' view: what the machine-config operator writes into registries.conf, what a pull then
//! tries, and what changing it costs.

mod blocked;
mod compare;
mod impact;
mod merge;
mod places;
mod policy;
mod pull;
mod registries_conf;
mod render;
mod validate;

pub use blocked::{effective_blocked, payload_repository};
pub use impact::{Change, Difference, Impact, Reason, change_between, change_of_write};
pub use merge::{Merged, merge};
pub use places::{Places, moved, places};
pub use policy::{Policy, PolicyRefusal};
pub use pull::{Pull, pull, registry_of};
pub use registries_conf::{Mirror, PullFromMirror, RegistriesConf, Registry, SEARCH_REGISTRIES};
pub use render::{Placed, RenderError, Rendering, Section, render};
pub use validate::{Refusal, validate};
