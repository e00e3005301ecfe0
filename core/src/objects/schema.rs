//! The schemas of the kinds that are read: which fields they have, and of which types.
//!
//! `schema/kinds.json` is made of the CRDs in `tests/crds` by a test. Its notation:
//!
//! | value | is |
//! |---|---|
//! | `"string"`, `"integer"`, `"number"`, `"boolean"` | a value of that type |
//! | `"A\|B"` | one of these strings |
//! | `"any"` | anything |
//! | `[T]` | a list of `T` |
//! | `{"name": T}` | a map with these fields; `"*"` are all fields with other names |
//!
//! What is not in it: required fields, patterns and lengths, which have rules of their own; and `status`, of which only
//! what is read has a type, because no file sets it.
//!
//! `schema/read_only.json` has the kinds that no rule reviews, in the same notation: only the fields that are read have
//! a type.

mod check;
#[cfg(test)]
mod generate;
mod unknown;

use std::{collections::BTreeMap, sync::LazyLock};

pub(super) use check::{Mistyped, Shape, check, neutralized};
use serde::Deserialize;
pub use unknown::UnknownField;
pub(super) use unknown::join;

use super::Kind;

/// The type of a value.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Schema {
    /// Anything but a list or map.
    Scalar(Scalar),
    /// A list of items of one type.
    List([Box<Schema>; 1]),
    /// A map.
    Map(Fields),
}

/// The fields of a map.
pub(super) type Fields = BTreeMap<String, Schema>;

/// The name that stands for all other fields.
const OTHERS: &str = "*";

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(super) enum Scalar {
    Any,
    String,
    Integer,
    Number,
    Boolean,
    OneOf(Vec<String>),
}

impl From<String> for Scalar {
    fn from(name: String) -> Self {
        match &*name {
            "any" => Self::Any,
            "string" => Self::String,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            values => Self::OneOf(values.split('|').map(str::to_owned).collect()),
        }
    }
}

/// The schemas by `apiVersion kind`.
static KINDS: LazyLock<BTreeMap<String, Schema>> =
    LazyLock::new(|| serde_json::from_str(include_str!("schema/kinds.json")).unwrap_or_default());

/// The schemas of the kinds that no rule reviews.
static READ_ONLY: LazyLock<BTreeMap<String, Schema>> =
    LazyLock::new(|| serde_json::from_str(include_str!("schema/read_only.json")).unwrap_or_default());

/// The schema of a kind in the newest version that is served.
pub(super) fn of(kind: Kind) -> Option<&'static Schema> {
    let key = format!("{} {}", kind.api_version(), kind.name());
    KINDS.get(&key).or_else(|| READ_ONLY.get(&key))
}

/// The lists of mirrors of the installer's `install-config.yaml`; its other fields may be anything.
///
/// Follows `openshift/installer pkg/types/installconfig.go`.
static INSTALL_CONFIG: LazyLock<Schema> = LazyLock::new(|| {
    let policies = Scalar::from("NeverContactSource|AllowContactingSource".to_owned());
    Schema::Map(Fields::from([
        ("imageContentSources".to_owned(), list_of_sources(None)),
        ("imageDigestSources".to_owned(), list_of_sources(Some(Schema::Scalar(policies)))),
        (OTHERS.to_owned(), Schema::Scalar(Scalar::Any)),
    ]))
});

/// The schema of a list of the installer, with the policy that its entries may have.
fn list_of_sources(policy: Option<Schema>) -> Schema {
    let mirrors = Schema::List([Box::new(Schema::Scalar(Scalar::String))]);
    let mut fields = Fields::from([
        ("source".to_owned(), Schema::Scalar(Scalar::String)),
        ("mirrors".to_owned(), mirrors),
    ]);
    fields.extend(policy.map(|policy| ("sourcePolicy".to_owned(), policy)));
    Schema::List([Box::new(Schema::Map(fields))])
}

/// The schema of the installer's `install-config.yaml`.
pub(super) fn of_install_config() -> &'static Schema {
    &INSTALL_CONFIG
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_rules_are_about_has_a_schema() {
        let kinds: Vec<_> = Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::Catalog(_))).collect();
        assert_eq!(KINDS.len(), kinds.len());
        for kind in kinds {
            let Some(Schema::Map(fields)) = of(kind) else { panic!("{}", kind.name()) };
            assert!(["metadata", "spec", "status"].iter().all(|name| fields.contains_key(*name)));
        }
        assert!(Kind::all_of_files().all(|kind| of(kind).is_some()), "and so has every other kind");
    }
}
