//! The configuration file, the same for webhook and command line.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    objects::manifest::{self, ReadError},
    rules::{self, IcspAlongsideIdms, Level, Settings, WhenUnverified},
};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct File {
    #[serde(deserialize_with = "levels")]
    rules: BTreeMap<String, Level>,
    icsp_alongside_idms: Option<Mode>,
    when_unverified: Option<Unverified>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Strict,
    Conflicts,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unverified {
    Deny,
    Warn,
}

/// Reads a configuration; every key and value that is not known is an error with its place.
pub fn parse(name: &str, text: &str) -> Result<Settings, ReadError> {
    let file: File = manifest::read_document(name, text)?;
    Ok(Settings {
        levels: file.rules,
        icsp_alongside_idms: match file.icsp_alongside_idms {
            Some(Mode::Conflicts) => IcspAlongsideIdms::Conflicts,
            Some(Mode::Strict) | None => IcspAlongsideIdms::Strict,
        },
        when_unverified: match file.when_unverified {
            Some(Unverified::Warn) => WhenUnverified::Warn,
            Some(Unverified::Deny) | None => WhenUnverified::Deny,
        },
    })
}

fn levels<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<String, Level>, D::Error> {
    let named: BTreeMap<RuleId, LevelName> = BTreeMap::deserialize(input)?;
    Ok(named.into_iter().map(|(id, level)| (id.0, level.0)).collect())
}

/// The id of a rule that exists.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct RuleId(String);

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
struct LevelName(Level);

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

/// What to say of a rule id that does not exist, with the one that was probably meant.
pub fn unknown_rule(id: &str) -> String {
    let close = rules::all().map(|rule| (strsim::jaro_winkler(rule.id, id), rule.id));
    let best = close.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness > 0.8);
    let hint = best.map_or_else(
        || "mirrorguard rules lists them".to_owned(),
        |(_, id)| format!("did you mean \"{id}\"?"),
    );
    format!("unknown rule \"{id}\"; {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_modes_are_read() {
        let text = "rules:\n  deprecated-icsp: off\n  node-impact: false\n  root-level-source: deny\nicspAlongsideIdms: conflicts\nwhenUnverified: warn\n";
        let settings = parse("c.yaml", text).unwrap();
        let level = |id| settings.level(rules::rule(id).unwrap());
        assert_eq!((level("deprecated-icsp"), level("node-impact")), (Level::Off, Level::Off));
        assert_eq!((level("root-level-source"), level("invalid-source")), (Level::Deny, Level::Deny));
        assert_eq!(settings.icsp_alongside_idms, IcspAlongsideIdms::Conflicts);
        assert_eq!(settings.when_unverified, WhenUnverified::Warn);
    }

    #[test]
    fn nothing_is_a_configuration_too() {
        assert_eq!(parse("c.yaml", "# defaults\n"), Ok(Settings::default()));
        assert_eq!(parse("c.yaml", "{}\n"), Ok(Settings::default()));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let table = [
            (
                "rules:\n  root-levle-source: warn\n",
                "c.yaml:2:22: rules.root-levle-source: unknown rule \"root-levle-source\"; did you mean \"root-level-source\"?",
            ),
            (
                "rules:\n  node-impact: loud\n",
                "c.yaml:2:16: rules.node-impact: unknown level \"loud\", expected deny, warn or off",
            ),
            (
                "rule: {}\n",
                "c.yaml:1:7: rule: unknown field `rule`, expected one of `rules`, `icspAlongsideIdms`, `whenUnverified`",
            ),
            ("a: [\n", "c.yaml:2:1: "),
        ];
        for (text, expected) in table {
            let error = parse("c.yaml", text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
