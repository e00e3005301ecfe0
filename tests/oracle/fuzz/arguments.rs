//! The command line.

use std::{
    error::Error,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use super::program::{PROGRAMS, Program};

/// What to compare.
pub(crate) struct Arguments {
    /// Which random clusters; a new one each time unless it is given.
    pub(crate) seed: u64,
    /// How many of them.
    pub(crate) clusters: u64,
    /// The upstream programs.
    pub(crate) programs: Vec<&'static Program>,
    /// Where to write the clusters with the answers of the programs, for the tests to compare with.
    pub(crate) record: Option<PathBuf>,
}

impl Arguments {
    /// Reads `--name value` pairs.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut arguments =
            Self { seed: fresh_seed(), clusters: 500, programs: vec![&PROGRAMS[0]], record: None };
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} has no value"))?;
            match name.as_str() {
                "--seed" => arguments.seed = value.parse()?,
                "--clusters" => arguments.clusters = value.parse()?,
                "--with" => arguments.programs = value.split(',').map(named).collect::<Result<_, _>>()?,
                "--record" => arguments.record = Some(value.into()),
                _ => return Err(format!("unknown argument {name}").into()),
            }
        }
        Ok(arguments)
    }
}

fn named(name: &str) -> Result<&'static Program, String> {
    PROGRAMS
        .iter()
        .find(|program| program.name == name)
        .ok_or_else(|| format!("there is no program {name} in tests/oracle"))
}

/// Six digits, to be typed again.
fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos()) % 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Arguments, Box<dyn Error>> {
        Arguments::parse(words.iter().map(ToString::to_string))
    }

    #[test]
    fn arguments_are_pairs_of_a_name_and_a_value() {
        let arguments = parse(&["--seed", "7", "--clusters", "9", "--with", "hypershift,node"]).unwrap();
        assert_eq!((arguments.seed, arguments.clusters), (7, 9));
        assert_eq!(arguments.programs.iter().map(|p| p.name).collect::<Vec<_>>(), ["hypershift", "node"]);
        for wrong in [&["--seed"][..], &["--seed", "x"], &["--with", "mco"], &["7", "8"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
