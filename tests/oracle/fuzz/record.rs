//! Clusters with what upstream code answered, which the tests compare with ours without building anything.

use std::{
    error::Error,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{cluster::Cluster, generate::generate, program::Oracle};

/// One line of a file.
#[derive(Serialize, Deserialize)]
struct Recorded {
    cluster: Cluster,
    answer: Value,
}

/// Writes the answers of one program about the first clusters of a seed, one a line.
pub(crate) fn write(
    oracle: &mut Oracle<'_>,
    seed: u64,
    clusters: u64,
    folder: &Path,
) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let mut file = BufWriter::new(File::create(folder.join(format!("{}.jsonl", oracle.program.name)))?);
    for index in 0..clusters {
        let cluster = generate(seed, index);
        let answer = oracle.ask(&cluster)?;
        serde_json::to_writer(&mut file, &Recorded { cluster, answer })?;
        file.write_all(b"\n")?;
    }
    Ok(file.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::PROGRAMS;

    #[test]
    fn the_answers_are_those_that_upstream_code_gave() {
        for program in &PROGRAMS {
            let name = program.name;
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/oracle");
            let text = fs::read_to_string(folder.join(format!("{name}.jsonl"))).unwrap();
            let mut compared = 0;
            for (index, line) in text.lines().enumerate() {
                let Recorded { cluster, answer } = serde_json::from_str(line).unwrap();
                let ours = (program.ours)(&cluster).unwrap();
                assert_eq!(ours, answer, "{name}: line {}", index + 1);
                compared += 1;
            }
            assert!(compared >= 100, "{name}: only {compared} clusters");
        }
    }
}
