//! HyperShift's view: it reads the same mirror sets by other rules than the nodes, and the catalogs of a
//! hosted cluster only through an annotation whose meaning has changed.

pub mod catalogs;
mod derive;
mod deviation;
mod eras;
mod handed_on;
mod lookup;
mod misreading;
mod obstacle;
mod placement;
mod reading;
mod release;
mod served;
mod slip;
mod work;

pub use derive::{Derivation, Derivations, Origin, derive};
pub use deviation::{Deviation, find_deviation};
pub use eras::{CatalogEra, Era, ReleaseLookupEra, Span};
pub use handed_on::{
    HandedOn, IMAGE_OVERRIDES, OverrideMismatch, REGISTRY_OVERRIDES, append_own, compare_with_mirror_sets,
    compare_with_operator, parse_overrides,
};
pub use lookup::{
    LookupResult, OverrideError, Overrides, RELEASE_REPOSITORIES, Redirect, crashes_on, metadata_lookup,
    override_mirrors, override_of, overrides, redirect, release_lookup,
};
pub use misreading::{Misreading, Problem, Unused, find_correction, misreadings};
pub use obstacle::{Disagreeing, Obstacle};
pub use placement::{CatalogMirrors, Deciders, mirror_of};
pub use reading::{Placement, Readers, Reading, newest_reading, readings};
pub use release::{NotARelease, Release, Releases};
pub use slip::{Slip, SlipKind, find_slip};
