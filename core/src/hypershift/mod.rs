//! HyperShift's view: it reads the same mirror sets by other rules than the nodes, and the catalogs of a
//! hosted cluster only through an annotation whose meaning has changed.

pub mod catalogs;
mod derive;
mod handed_on;
mod lookup;
mod misreading;
mod obstacle;
mod placement;
mod release;
mod served;

pub use derive::{Derivation, Derivations, Origin, derive};
pub use handed_on::{
    HandedOn, IMAGE_OVERRIDES, OverrideMismatch, REGISTRY_OVERRIDES, append_own, compare_with_mirror_sets,
    compare_with_operator, parse_overrides,
};
pub use lookup::{
    Era, LookupResult, OverrideError, Overrides, RELEASE_REPOSITORIES, Redirect, metadata_lookup,
    override_of, overrides, redirect, release_lookup,
};
pub use misreading::{CatalogEra, Misreading, find_correction, misreadings};
pub use obstacle::{Disagreeing, Obstacle};
pub use placement::{CatalogMirrors, Deciders};
pub use release::{NotARelease, Release, Releases};
