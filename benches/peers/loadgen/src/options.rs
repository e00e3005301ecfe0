//! The command line: a verb, then `--key value` pairs.

use std::{error::Error, path::PathBuf, str::FromStr, time::Duration};

use crate::Res;

pub enum Verb {
    Run,
    First,
    Once,
}

pub struct Options {
    pub verb: Verb,
    pub port: u16,
    pub path: String,
    pub body: PathBuf,
    /// What a correct answer contains.
    pub expect: String,
    pub h2: bool,
    pub concurrency: usize,
    pub warm_up: Duration,
    pub duration: Duration,
    /// The highest number of requests.
    pub max: u64,
    /// The process of the server, if it is measured.
    pub pid: Option<u32>,
}

impl Options {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Res<Self> {
        let mut options = Self::with(words.next().unwrap_or_default().parse()?);
        while let Some(key) = words.next() {
            let value = words.next().ok_or_else(|| format!("{key} needs a value"))?;
            options.set(&key, value)?;
        }
        Ok(options)
    }

    fn with(verb: Verb) -> Self {
        Self {
            verb,
            port: 9443,
            path: "/".to_owned(),
            body: PathBuf::new(),
            expect: String::new(),
            h2: false,
            concurrency: 1,
            warm_up: Duration::from_millis(400),
            duration: Duration::from_secs(10),
            max: 2_000_000,
            pid: None,
        }
    }

    fn set(&mut self, key: &str, value: String) -> Res<()> {
        match key {
            "--port" => self.port = number(key, &value)?,
            "--path" => self.path = value,
            "--body" => self.body = value.into(),
            "--expect" => self.expect = value,
            "--proto" => {
                self.h2 = match value.as_str() {
                    "h1" => false,
                    "h2" => true,
                    _ => return Err(format!("--proto must be h1 or h2, not {value}").into()),
                }
            }
            "--conc" => self.concurrency = number(key, &value)?,
            "--warm" => self.warm_up = Duration::try_from_secs_f64(number(key, &value)?)?,
            "--secs" => self.duration = Duration::try_from_secs_f64(number(key, &value)?)?,
            "--max" => self.max = number(key, &value)?,
            "--pid" => self.pid = Some(number(key, &value)?),
            _ => return Err(format!("unknown option {key}").into()),
        }
        Ok(())
    }
}

impl FromStr for Verb {
    type Err = Box<dyn Error>;

    fn from_str(word: &str) -> Res<Self> {
        match word {
            "run" => Ok(Self::Run),
            "first" => Ok(Self::First),
            "once" => Ok(Self::Once),
            _ => Err("usage: loadgen run|first|once --key value...".into()),
        }
    }
}

fn number<T: FromStr>(key: &str, value: &str) -> Res<T> {
    value.parse().map_err(|_| format!("{key} must be a number, not {value}").into())
}
