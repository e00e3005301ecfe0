//! The objects of a cluster as plain data, from the JSON of an API server or from files.
//!
//! ICSP, IDMS and ITMS are all a [`MirrorSet`]. This module contains no rules.

mod change;
mod cluster_config;
mod edit;
mod format;
pub mod grammar;
mod hosted_cluster;
mod kind;
mod lenient;
pub mod manifest;
mod mirror_set;
mod object_id;
mod open_sources;
mod operator_catalog;
mod parse;
pub mod reference;
mod schema;
pub mod scope;
mod tree;
mod wire;
mod yaml;

pub use change::{Change, apply_all};
pub use cluster_config::{
    ClusterVersion, DisruptionAction, FileDisruption, ImageConfig, MachineConfiguration, SignaturePolicy,
};
pub use edit::{TextEdit, apply_edits};
pub use format::Format;
pub use hosted_cluster::{HostedCluster, ReleaseVersion, annotation};
pub use kind::Kind;
pub use mirror_set::{Entry, EntryPart, Gaps, MirrorSet, MirrorSourcePolicy, Mirrors, Origin, Pull, SetKind};
pub use object_id::{ObjectId, namespaced_name};
pub use open_sources::OpenSources;
pub use operator_catalog::{CatalogKind, OperatorCatalog};
pub use parse::{Object, ParseError};
pub use schema::UnknownField;
pub use yaml::{to_documents, to_flow, to_inline, to_yaml};
