//! A write of one object, as the rules review it.

use std::{borrow::Cow, sync::Arc};

use crate::objects::{HostedCluster, ImageConfig, Kind, MirrorSet, Object};

/// The operation on an object, with the object before and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation<T> {
    /// It is created.
    Create(T),
    /// It is updated.
    Update {
        /// The object before.
        old: T,
        /// The object after.
        new: T,
    },
    /// It is deleted.
    Delete(T),
    /// Nothing is written: the object exists in a cluster or in a file.
    Existing(T),
}

impl<T> Operation<T> {
    /// The object before, for an update or a deletion.
    pub fn before(&self) -> Option<&T> {
        match self {
            Self::Update { old, .. } | Self::Delete(old) => Some(old),
            Self::Create(_) | Self::Existing(_) => None,
        }
    }

    /// The object after; `None` for a deletion.
    pub fn after(&self) -> Option<&T> {
        match self {
            Self::Create(new) | Self::Update { new, .. } | Self::Existing(new) => Some(new),
            Self::Delete(_) => None,
        }
    }

    /// The object after, or the one that is deleted.
    pub fn object(&self) -> &T {
        match self {
            Self::Create(object)
            | Self::Update { new: object, .. }
            | Self::Delete(object)
            | Self::Existing(object) => object,
        }
    }

    /// The same operation on something made of its objects.
    pub fn map<U>(self, mut make: impl FnMut(T) -> U) -> Operation<U> {
        match self {
            Self::Create(new) => Operation::Create(make(new)),
            Self::Update { old, new } => Operation::Update { old: make(old), new: make(new) },
            Self::Delete(old) => Operation::Delete(make(old)),
            Self::Existing(object) => Operation::Existing(make(object)),
        }
    }

    /// The name of the operation in an `AdmissionRequest`; empty if nothing is written.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "CREATE",
            Self::Update { .. } => "UPDATE",
            Self::Delete(_) => "DELETE",
            Self::Existing(_) => "",
        }
    }
}

impl<T> Operation<Arc<T>> {
    /// The same operation on borrowed objects.
    pub fn as_deref(&self) -> Operation<&T> {
        match self {
            Self::Create(new) => Operation::Create(new),
            Self::Update { old, new } => Operation::Update { old, new },
            Self::Delete(old) => Operation::Delete(old),
            Self::Existing(object) => Operation::Existing(object),
        }
    }
}

impl<T: Clone> Operation<Cow<'_, T>> {
    /// The same operation on borrowed objects.
    pub fn borrowed(&self) -> Operation<&T> {
        match self {
            Self::Create(new) => Operation::Create(new),
            Self::Update { old, new } => Operation::Update { old, new },
            Self::Delete(old) => Operation::Delete(old),
            Self::Existing(object) => Operation::Existing(object),
        }
    }
}

/// A write of an object of a kind that rules review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Of an ICSP, IDMS or ITMS.
    MirrorSet(Operation<Arc<MirrorSet>>),
    /// Of a HostedCluster.
    HostedCluster(Operation<Arc<HostedCluster>>),
    /// Of `image.config.openshift.io/cluster`.
    ImageConfig(Operation<Arc<ImageConfig>>),
}

impl Write {
    /// An existing object; `None` for a kind that no rule reviews by itself, and for an image configuration that
    /// operators do not read.
    pub fn existing(object: &Object) -> Option<Self> {
        match object {
            Object::MirrorSet(set) => Some(Self::MirrorSet(Operation::Existing(Arc::clone(set)))),
            Object::HostedCluster(hosted) => {
                Some(Self::HostedCluster(Operation::Existing(Arc::clone(hosted))))
            }
            Object::ImageConfig(config) if config.counts() => {
                Some(Self::ImageConfig(Operation::Existing(Arc::clone(config))))
            }
            Object::ImageConfig(_)
            | Object::ClusterVersion(_)
            | Object::SignaturePolicy(_)
            | Object::MachineConfiguration(_)
            | Object::Catalog(_) => None,
        }
    }

    /// The kind of the object.
    pub fn kind(&self) -> Kind {
        match self {
            Self::MirrorSet(operation) => Kind::Set(operation.object().kind),
            Self::HostedCluster(_) => Kind::HostedCluster,
            Self::ImageConfig(_) => Kind::ImageConfig,
        }
    }

    /// The name of the operation in an `AdmissionRequest`; empty if nothing is written.
    pub fn operation_name(&self) -> &'static str {
        match self {
            Self::MirrorSet(operation) => operation.name(),
            Self::HostedCluster(operation) => operation.name(),
            Self::ImageConfig(operation) => operation.name(),
        }
    }
}
