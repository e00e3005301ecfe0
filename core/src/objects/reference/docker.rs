//! Image references, as HyperShift reads them.

use super::{ReferenceError, check_length, names_registry, split};

/// An image, a source or a mirror as HyperShift reads it: nothing is added, and all path elements after the first
/// are in `name`.
///
/// Follows `hypershift support/thirdparty/library-go/pkg/image/reference/reference.go` `Parse`, a copy of its own:
/// library-go itself may read a host alone as a registry without a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DockerReference {
    /// `host[:port]`; may be empty.
    pub registry: String,
    /// The first of two or more path elements; otherwise empty.
    pub namespace: String,
    /// The rest of the path.
    pub name: String,
    /// The tag; may be empty.
    pub tag: String,
    /// The digest; may be empty.
    pub id: String,
}

impl DockerReference {
    /// Reads a reference.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let parts = split(text, check_digest)?;
        let (registry, path) = match parts.name.split_once('/') {
            Some((first, rest)) if names_registry(first) => (first, rest),
            _ => ("", parts.name),
        };
        let (namespace, name) = path.split_once('/').unwrap_or(("", path));
        Ok(Self {
            registry: registry.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            tag: parts.tag.unwrap_or_default().to_owned(),
            id: parts.digest.unwrap_or_default().to_owned(),
        })
    }

    /// The name with its digest, or with its tag if it has no digest, without registry and namespace.
    ///
    /// Follows `NameString` in the same file. Every reference that is parsed has a name.
    pub fn name_string(&self) -> String {
        match (self.id.as_str(), self.tag.as_str()) {
            _ if self.name.is_empty() => String::new(),
            ("", "") => self.name.clone(),
            ("", tag) => format!("{}:{tag}", self.name),
            (id, _) => format!("{}@{id}", self.name),
        }
    }
}

/// Upstream's `String`: only for Docker Hub is an empty namespace completed.
impl std::fmt::Display for DockerReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hub = matches!(self.registry.as_str(), "docker.io" | "index.docker.io" | "registry-1.docker.io");
        let namespace = if self.namespace.is_empty() && hub { "library" } else { &self.namespace };
        let name = self.name_string();
        for part in [&self.registry, namespace] {
            if !part.is_empty() && !name.is_empty() {
                write!(f, "{part}/")?;
            }
        }
        f.write_str(&name)
    }
}

/// Follows `hypershift support/thirdparty/library-go/pkg/image/internal/digest/digest.go` `Validate`, which accepts
/// hexadecimal digits of both cases. The grammar has checked that they are hexadecimal; the algorithm and the length are
/// left.
fn check_digest(digest: &str) -> Result<(), ReferenceError> {
    let (algorithm, digits) = digest.split_once(':').ok_or(ReferenceError::DigestFormat)?;
    check_length(algorithm, digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyper_shift_reads_digests_in_both_cases() {
        for (algorithm, expected) in [("sha256", Ok(())), ("SHA256", Err(ReferenceError::Algorithm))] {
            let read = DockerReference::parse(&format!("quay.io/a@{algorithm}:{}", "A".repeat(64)));
            assert_eq!(read.map(|_| ()), expected, "{algorithm}");
        }
    }

    #[test]
    fn a_host_with_a_port_and_no_path_is_read_as_a_name_with_a_tag() {
        let reference = DockerReference::parse("mirror.lab:8443").unwrap();
        assert_eq!((reference.name.as_str(), reference.tag.as_str()), ("mirror.lab", "8443"));
        assert_eq!(reference.to_string(), "mirror.lab:8443");
    }

    #[test]
    fn all_path_elements_after_the_first_belong_to_the_name() {
        let reference = DockerReference::parse("m:8443/quay.io/openshift-release-dev/ocp").unwrap();
        assert_eq!((&*reference.namespace, &*reference.name), ("quay.io", "openshift-release-dev/ocp"));
    }
}
