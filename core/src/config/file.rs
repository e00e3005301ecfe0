//! The shape of the configuration file.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{profile::Profile, unknown_rule};
use crate::{
    hypershift::Release,
    rules::{self, Level},
};

/// The configuration of mirrorguard, the same for webhook and command line.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "mirrorguard configuration"))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct File {
    /// The levels to start from; `rules` says what differs.
    pub(super) profile: Profile,
    /// Levels by rule id.
    #[cfg_attr(test, schemars(schema_with = "super::schema::levels"))]
    pub(super) rules: BTreeMap<RuleId, LevelName>,
    /// When an ICSP next to an IDMS or ITMS is refused.
    pub(super) icsp_alongside_idms: Mode,
    /// What happens to a write of a mirror set while the apiserver cannot be asked for the others.
    pub(super) when_unverified: Unverified,
    /// Bytes that registries.conf may take in a MachineConfig, in base64, for the rule oversized-config. Without
    /// it 1572864, which is all that etcd takes: name less to leave room for what else is in the MachineConfig.
    pub(super) registries_conf_room: Option<usize>,
    /// About hosted control planes.
    pub(super) hypershift: Hypershift,
    /// Registries, namespaces or repositories that mirrors may lie in, for the rule untrusted-mirror.
    pub(super) allowed_mirror_registries: Vec<String>,
    /// Sources for the rule protected-source: `quay.io` for itself, `quay.io/**` for everything below it.
    /// Without any, those that managed OpenShift protects.
    pub(super) protected_sources: Option<Vec<String>>,
    /// Findings that count for nothing, for a reason and until a day.
    pub(super) exemptions: Vec<Exemption>,
}

/// When an ICSP next to an IDMS or ITMS is refused.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    /// Always, whatever it says.
    #[default]
    Strict,
    /// Only where the two say different things about the same images.
    Conflicts,
}

/// What happens to a write that could not be compared with the apiserver's own state.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum Unverified {
    /// It is refused.
    #[default]
    Deny,
    /// It is judged on what is known, with a warning.
    Warn,
}

/// About hosted control planes.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Hypershift {
    /// Releases of the hosted clusters, such as "4.16", for objects that do not tell their own. All releases
    /// when empty.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    #[serde(deserialize_with = "releases")]
    pub(super) releases: Vec<Release>,
}

/// An exemption from rules.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Exemption {
    /// Ids of the rules.
    #[cfg_attr(test, schemars(schema_with = "super::schema::rule_ids"))]
    pub(super) rules: Vec<RuleId>,
    /// Objects that are exempt: `ImageDigestMirrorSet/name`, `HostedCluster/namespace/name`; a name may end
    /// in `*`. Either this or `annotated`.
    #[serde(default)]
    pub(super) objects: Vec<String>,
    /// Exempt are objects whose annotation `mirrorguard.io/exempt` names the rule and a reason.
    #[serde(default)]
    pub(super) annotated: bool,
    /// Why.
    pub(super) reason: String,
    /// The last day, `2026-12-31`, in UTC.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date")))]
    pub(super) until: Date,
}

/// The id of a rule that exists.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RuleId(pub(super) String);

impl<'de> Deserialize<'de> for RuleId {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let id = String::deserialize(input)?;
        if rules::rule(&id).is_some() {
            return Ok(Self(id));
        }
        Err(D::Error::custom(unknown_rule(&id)))
    }
}

/// A level; a YAML reader that takes `off` for a boolean is understood.
pub(super) struct LevelName(pub(super) Level);

impl<'de> Deserialize<'de> for LevelName {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(input)? {
            serde_json::Value::Bool(false) => Ok(Self(Level::Off)),
            value => Level::deserialize(&value)
                .map(Self)
                .map_err(|_| D::Error::custom(format!("unknown level {value}, expected deny, warn or off"))),
        }
    }
}

/// Releases as texts; a bare `4.20` is a number in YAML, and would lose its zero.
fn releases<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Release>, D::Error> {
    let values: Vec<serde_json::Value> = Vec::deserialize(input)?;
    let release = |value: serde_json::Value| match value.as_str() {
        Some(text) => text.parse().map_err(D::Error::custom),
        None => Err(D::Error::custom(format!("{value} is not a text: write releases in quotes, \"4.20\""))),
    };
    values.into_iter().map(release).collect()
}
