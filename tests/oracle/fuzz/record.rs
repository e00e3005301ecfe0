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
    use crate::{ours, program::PROGRAMS};

    /// The lines of one program.
    fn recorded(name: &str) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/oracle");
        fs::read_to_string(folder.join(format!("{name}.jsonl"))).unwrap()
    }

    #[test]
    fn the_answers_are_those_that_upstream_code_gave() {
        for program in &PROGRAMS {
            let name = program.name;
            let text = recorded(name);
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

    /// Made by the code of release 4.18, which no module has: with wildcard sources, and scopes that need signatures.
    #[test]
    fn the_answers_are_those_of_release_4_18() {
        let mut compared = 0;
        for (index, line) in recorded("machine-config-operator-4.18").lines().enumerate() {
            let Recorded { cluster, answer } = serde_json::from_str(line).unwrap();
            let mut ours = ours::operator_files(std::slice::from_ref(&cluster)).unwrap();
            // What it says about these scopes is not modelled.
            if let Some(scopes) = ours.pointer_mut("/written/policy/scopes").and_then(Value::as_object_mut) {
                let signed = cluster.signed.iter().filter(|signed| !signed.namespaced);
                signed.for_each(|signed| drop(scopes.remove(&signed.scope)));
            }
            assert_eq!(ours, answer, "line {}", index + 1);
            compared += 1;
        }
        assert!(compared >= 50, "only {compared} clusters");
    }

    #[test]
    fn the_answers_have_each_part_of_the_image_configuration() {
        let table = [
            ("node", r#""usable":true"#, "a blocked payload with a mirror"),
            ("node", r#""usable":false"#, "a blocked payload without one"),
            ("node", r#""rejected":["#, "an image that policy.json rejects"),
            ("node", r#""searchRegistriesConf""#, "search registries"),
            ("node", r#""unreadable""#, "a file that nodes reject"),
            ("machine-config-operator", r#""lost":"error adding"#, "blocked registries that are dropped"),
            ("machine-config-operator", r#""lost":"rewriting"#, "all lists that are dropped"),
            ("machine-config-operator", r#""rejectsOthers":true"#, "allowed registries"),
            ("machine-config-operator", "only one of AllowedRegistries", "both lists"),
            ("machine-config-operator", "nil pointer", "a payload that stops the operator"),
            (
                "machine-config-operator-4.18",
                r#""lost":"internal"#,
                "a wildcard source above a blocked scope",
            ),
            (
                "machine-config-operator-4.18",
                "is not nested inside allowed",
                "a signed scope that is not allowed",
            ),
            ("machine-config-operator-4.18", "is nested inside blocked", "a signed scope that is blocked"),
        ];
        for (name, part, reason) in table {
            let text = recorded(name);
            assert!(text.contains(part), "{name}: no answer has {reason}");
        }
    }
}
