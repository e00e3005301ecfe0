//! Why a request to an API server failed, in words.

use std::{io, process::Output};

use kube::client::AuthError;

/// The cause of an error, without the repetitions in the texts of kube.
pub fn cause(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return format!("{} ({})", status.message, status.code);
    }
    if is_timeout(error) {
        return "the API server did not respond in time".to_owned();
    }
    match failed_plugin(error) {
        Some(output) => {
            format!("the credential plugin (exec) {}; log in again", describe_plugin_failure(output))
        }
        None => innermost(error),
    }
}

/// The output of a credential plugin that failed, if that is the cause: one is run again when a token expires.
fn failed_plugin(error: &kube::Error) -> Option<&Output> {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if let Some(AuthError::AuthExecRun { out, .. }) = error.downcast_ref() {
            return Some(out);
        }
        cause = error.source();
    }
    None
}

/// How many characters of a plugin's output a message has.
const MAX_OUTPUT: usize = 200;

/// How a credential plugin failed, and the first line that it wrote to standard error. Its standard output, which may
/// have a token, and its arguments are never shown.
pub fn describe_plugin_failure(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let shown: String = line.chars().filter(|letter| !letter.is_control()).take(MAX_OUTPUT).collect();
    let rest = if line.chars().count() > MAX_OUTPUT { "…" } else { "" };
    let separator = if shown.is_empty() { "" } else { ": " };
    format!("failed with {}{separator}{shown}{rest}", output.status)
}

/// Whether an API server did not respond in time.
pub fn is_timeout(error: &kube::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let is_late = error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::TimedOut);
        if is_late || error.is::<tokio::time::error::Elapsed>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The text of the root cause of an error.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;

    fn failed(stderr: &str) -> Output {
        Output {
            status: ExitStatus::from_raw(255 << 8),
            stdout: b"token".to_vec(),
            stderr: stderr.as_bytes().to_vec(),
        }
    }

    #[test]
    fn only_the_first_line_of_a_failed_plugin_is_shown() {
        let long = "x".repeat(MAX_OUTPUT + 1);
        let cut = format!(": {}…", "x".repeat(MAX_OUTPUT));
        let table = [
            ("", "", "nothing was written"),
            ("\n  expired\nusage: …\n", ": expired", "more lines"),
            ("\u{1b}[31mexpired", ": [31mexpired", "colors"),
            (&*long, &*cut, "a long line"),
        ];
        for (stderr, expected, reason) in table {
            let described = describe_plugin_failure(&failed(stderr));
            assert_eq!(described, format!("failed with exit status: 255{expected}"), "{reason}");
        }
    }

    #[test]
    fn a_plugin_that_fails_at_a_request_is_described_without_its_output() {
        let error =
            AuthError::AuthExecRun { cmd: "SECRET=x plugin".to_owned(), out: failed("expired").into() };
        for error in [
            kube::Error::Service(Box::new(AuthError::AuthExecRun {
                cmd: "SECRET=x plugin".to_owned(),
                out: failed("expired").into(),
            })),
            kube::Error::Auth(error),
        ] {
            let described = cause(&error);
            assert!(described.contains("255: expired"), "{described}");
            assert!(!described.contains("SECRET") && !described.contains("token"), "{described}");
        }
    }
}
