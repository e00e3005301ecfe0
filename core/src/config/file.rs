//! The shape of the configuration file.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{profile::Profile, unknown_rule};
use crate::{
    hypershift::{NotARelease, Release},
    rules::{self, Level},
};

/// The configuration of mirrorguard, the same for webhook and command line.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "mirrorguard configuration"))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct File {
    /// The default levels of the rules; `rules` overrides them.
    pub(super) profile: Profile,
    /// Levels by rule id.
    #[cfg_attr(test, schemars(schema_with = "super::schema::levels"))]
    pub(super) rules: BTreeMap<RuleId, LevelName>,
    /// When an ICSP next to an IDMS or ITMS is rejected.
    pub(super) icsp_alongside_idms: Mode,
    /// What happens to a write of a mirror set while the other sets cannot be read from the API server.
    pub(super) when_unverified: Unverified,
    /// Bytes that registries.conf may take in a MachineConfig, in base64, for the rule oversized-config. Defaults to
    /// 1572864, the most that etcd accepts; set less to leave room for the rest of the MachineConfig.
    pub(super) registries_conf_room: Option<usize>,
    /// Hosted control planes.
    pub(super) hypershift: Hypershift,
    /// The catalog overrides annotation that HostedClusters without one get.
    pub(super) catalog_overrides: CatalogOverrides,
    /// Registries, namespaces or repositories that mirrors may be in, for the rule untrusted-mirror.
    pub(super) allowed_mirror_registries: Vec<String>,
    /// Sources for the rule protected-source: `quay.io` for the registry as a source, `quay.io/**` for everything
    /// below it. Defaults to those that managed OpenShift protects.
    pub(super) protected_sources: Option<Vec<String>>,
    /// Exemptions: findings to ignore until a date, with a reason.
    pub(super) exemptions: Vec<Exemption>,
}

/// When an ICSP next to an IDMS or ITMS is rejected.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    /// Always.
    #[default]
    Strict,
    /// Only if the two configure the same images differently.
    Conflicts,
}

/// What happens to a write of a mirror set while the other sets cannot be read from the API server.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum Unverified {
    /// It is denied.
    #[default]
    Deny,
    /// It is reviewed against the last known sets, with a warning.
    Warn,
}

/// Hosted control planes.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Hypershift {
    /// Releases of the hosted clusters, such as "4.16", for objects that do not specify one. An empty list means
    /// every release.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    #[serde(deserialize_with = "releases")]
    pub(super) releases: Vec<Release>,
}

/// The catalog overrides annotation that HostedClusters without one get.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct CatalogOverrides {
    /// The value, such as `registry.redhat.io/redhat=mirror.lab.example:8443/redhat`, instead of one derived from the
    /// mirror sets or the catalogs of the management cluster. It must be correct in all of `hypershift.releases`.
    pub(super) value: Option<String>,
}

/// An exemption from rules.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Exemption {
    /// Ids of the rules.
    #[cfg_attr(test, schemars(schema_with = "super::schema::rule_ids"))]
    pub(super) rules: Vec<RuleId>,
    /// Exempt objects: `ImageDigestMirrorSet/name`, `HostedCluster/namespace/name`; a name may end in `*`. Either
    /// this or `annotated` is required.
    #[serde(default)]
    pub(super) objects: Vec<String>,
    /// Exempts objects whose annotation `mirrorguard.io/exempt` names the rule and a reason.
    #[serde(default)]
    pub(super) annotated: bool,
    /// Why the findings are ignored.
    pub(super) reason: String,
    /// The last day, such as `2026-12-31`, in UTC.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date")))]
    #[serde(deserialize_with = "date")]
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

/// A level; also `false`, since YAML 1.1 readers read `off` as a boolean.
pub(super) struct LevelName(pub(super) Level);

impl<'de> Deserialize<'de> for LevelName {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(input)? {
            serde_json::Value::Bool(false) => Ok(Self(Level::Off)),
            value => Level::deserialize(&value)
                .map(Self)
                .map_err(|_| D::Error::custom(format!("unknown level {value}: use deny, warn or off"))),
        }
    }
}

/// Releases as strings; an unquoted `4.20` is a number in YAML, and would lose its zero.
fn releases<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Release>, D::Error> {
    let values: Vec<serde_json::Value> = Vec::deserialize(input)?;
    values.iter().map(|value| release(value).map_err(D::Error::custom)).collect()
}

fn release(value: &serde_json::Value) -> Result<Release, String> {
    let Some(text) = value.as_str() else {
        return Err(format!("{value} is not a string: write releases in quotes, such as \"4.20\""));
    };
    text.parse().map_err(|error: NotARelease| error.to_string())
}

fn date<'de, D: Deserializer<'de>>(input: D) -> Result<Date, D::Error> {
    let text = String::deserialize(input)?;
    text.parse().map_err(|_| D::Error::custom(format!("\"{text}\" is not a date such as 2026-12-31")))
}
