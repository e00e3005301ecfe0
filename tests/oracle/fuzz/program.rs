//! The upstream programs: built with Go, then asked one cluster after another.

use std::{
    env,
    error::Error,
    fmt, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;

use super::{cluster::Cluster, ours, question};

/// What one of the two sides answers about a cluster, or what is asked about it.
type About = fn(&Cluster) -> Result<Value, Box<dyn Error>>;

/// One upstream program, and our own answer to the same questions.
pub(crate) struct Program {
    /// Its folder in `tests/oracle`.
    pub(crate) name: &'static str,
    /// What it is asked.
    pub(crate) question: About,
    /// What we answer.
    pub(crate) ours: About,
    /// Removes from its answer what cannot be compared.
    pub(crate) normalize: fn(&mut Value),
}

/// All programs, the quickest to build first.
pub(crate) const PROGRAMS: [Program; 3] = [
    Program { name: "node", question: question::node, ours: ours::node, normalize: shorten_errors },
    Program {
        name: "hypershift",
        question: question::hypershift,
        ours: ours::hypershift,
        normalize: sort_lookups,
    },
    Program {
        name: "machine-config-operator",
        question: question::machine_config_operator,
        ours: ours::machine_config_operator,
        normalize: reword_refusals,
    },
];

/// The items of a list of an answer; none if the answer does not have the list.
fn items<'a>(answer: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    answer.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}

/// One error repeats the image, which we print next to it.
fn shorten_errors(answer: &mut Value) {
    for pull in items(answer, "pulls") {
        let (Some(image), Some(error)) = (pull["image"].as_str(), pull["error"].as_str()) else { continue };
        pull["error"] = error.replace(&format!(" ({image})"), "").into();
    }
}

/// The order of the sources is random.
fn sort_lookups(answer: &mut Value) {
    for lookup in items(answer, "lookups") {
        if let Some(images) = lookup.as_array_mut() {
            images.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
            images.dedup();
        }
    }
}

/// The end of this text is another one from release 4.15 on.
fn reword_refusals(answer: &mut Value) {
    const OLD: &str = " in imagedigestmirrorsets and/or imagetagmirrorsets";
    const NEW: &str = " in imagedigestmirrorsets, imagetagmirrorsets, or imagecontentsourcepolicies";
    for file in items(answer, "files") {
        if let Some(kept) = file["error"].as_str().and_then(|error| error.strip_suffix(OLD)) {
            file["error"] = format!("{kept}{NEW}").into();
        }
    }
}

/// Why a program cannot be built.
#[derive(Debug)]
pub(crate) enum BuildError {
    /// Go or the modules cannot be had here; nothing is wrong with the program.
    Unavailable(String),
    /// Anything else.
    Broken(String),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(text) | Self::Broken(text) => f.write_str(text),
        }
    }
}

impl Error for BuildError {}

/// What the libraries need to be built without a C compiler and C libraries.
const TAGS: &str = "containers_image_openpgp exclude_graphdriver_btrfs";

impl Program {
    fn source(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/oracle").join(self.name)
    }

    /// Builds the program into the target folder; Go itself knows what has changed since the last time.
    pub(crate) fn build(&self) -> Result<PathBuf, BuildError> {
        let folder = env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
        let folder = folder.join("oracle");
        fs::create_dir_all(&folder).map_err(|error| BuildError::Broken(error.to_string()))?;
        let folder = folder.canonicalize().map_err(|error| BuildError::Broken(error.to_string()))?;
        let program = folder.join(self.name);
        let fetched = self.go(&["list", "-tags", TAGS, "-deps", "-f", "{{.Name}}", "."]);
        if !fetched.map_err(|error| self.unavailable(&error))? {
            return Err(self.unavailable("the modules cannot be fetched"));
        }
        let output = program.to_string_lossy();
        match self.go(&["build", "-trimpath", "-tags", TAGS, "-o", &output, "."]) {
            Ok(true) => Ok(program),
            Ok(false) => Err(BuildError::Broken(format!("go cannot build tests/oracle/{}", self.name))),
            Err(error) => Err(self.unavailable(&error)),
        }
    }

    fn unavailable(&self, why: &str) -> BuildError {
        BuildError::Unavailable(format!("tests/oracle/{} cannot be built here: {why}", self.name))
    }

    /// Runs Go in the folder of the program. Whether it succeeds; an error if it cannot be run at all.
    fn go(&self, arguments: &[&str]) -> Result<bool, String> {
        let mut go = Command::new("go");
        go.args(arguments).current_dir(self.source()).env("GOWORK", "off").env("CGO_ENABLED", "0");
        let status = go.stdin(Stdio::null()).stdout(Stdio::null()).status();
        status.map(|status| status.success()).map_err(|error| format!("go: {error}"))
    }
}

/// A running program.
pub(crate) struct Oracle<'p> {
    /// What it is.
    pub(crate) program: &'p Program,
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl<'p> Oracle<'p> {
    /// Starts a built program.
    pub(crate) fn start(program: &'p Program, path: &Path) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let answers = process.stdout.take().ok_or("no standard output")?;
        let questions = process.stdin.take();
        Ok(Self { program, process, questions, answers: BufReader::new(answers) })
    }

    /// What it answers about a cluster.
    pub(crate) fn ask(&mut self, cluster: &Cluster) -> Result<Value, Box<dyn Error>> {
        let mut line = (self.program.question)(cluster)?.to_string();
        line.push('\n');
        self.questions.as_mut().ok_or("no standard input")?.write_all(line.as_bytes())?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err(format!("tests/oracle/{} ended", self.program.name).into());
        }
        let mut answer = serde_json::from_str(&answer)?;
        (self.program.normalize)(&mut answer);
        Ok(answer)
    }
}

impl Drop for Oracle<'_> {
    /// Closes its input, at which it ends.
    fn drop(&mut self) {
        self.questions = None;
        // It has answered everything: how it ends says nothing more.
        let _ = self.process.wait();
    }
}
