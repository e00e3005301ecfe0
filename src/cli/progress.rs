//! What is shown on a terminal while something takes its time.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use textwrap::core::display_width;

/// Nothing is drawn before.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line is drawn again.
const TICK: Duration = Duration::from_millis(120);
const SPINNER: &str = "⠁⠉⠙⠚⠒⠂⠒⠲⠴⠤⠄⠤⠠⠤⠦⠖⠒⠐⠒⠓⠋⠉⠈";
/// Back to the beginning of the line, and the line is empty.
const CLEAR: &str = "\r\x1b[2K";

/// A line that says what is going on, from the end of the first second until it is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    text: Arc<Mutex<String>>,
    drawing: Option<(mpsc::Sender<()>, thread::JoinHandle<io::Result<()>>)>,
}

impl Progress {
    /// Draws nothing.
    pub(super) fn none() -> Self {
        Self { text: Arc::default(), drawing: None }
    }

    /// Draws on standard error if that is a terminal, else nothing.
    pub(super) fn on_terminal(what: String) -> Self {
        if io::stderr().is_terminal() { Self::after(PATIENCE, io::stderr(), what) } else { Self::none() }
    }

    fn after(patience: Duration, mut terminal: impl Write + Send + 'static, what: String) -> Self {
        let text = Arc::new(Mutex::new(what));
        let shown = Arc::clone(&text);
        let (end, ended) = mpsc::channel();
        let drawing = thread::spawn(move || draw(patience, &ended, &shown, &mut terminal));
        Self { text, drawing: Some((end, drawing)) }
    }

    /// Changes the text.
    pub(super) fn now(&self, what: String) {
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, drawing)) = self.drawing.take() {
            drop(end);
            // A terminal that cannot be written to shows no progress.
            let _ = drawing.join();
        }
    }
}

/// Draws the line again and again until the other end of the channel is dropped, then removes it.
fn draw(
    patience: Duration,
    ended: &mpsc::Receiver<()>,
    text: &Mutex<String>,
    terminal: &mut impl Write,
) -> io::Result<()> {
    let begin = Instant::now();
    let mut pause = patience;
    for spinner in SPINNER.chars().cycle() {
        if ended.recv_timeout(pause) != Err(mpsc::RecvTimeoutError::Timeout) {
            break;
        }
        pause = TICK;
        let text = text.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let line = format!("{spinner} {text} ({}s)", begin.elapsed().as_secs());
        write!(terminal, "{CLEAR}{}", fitting(&line, width()))?;
        terminal.flush()?;
    }
    if pause == TICK {
        write!(terminal, "{CLEAR}")?;
        terminal.flush()?;
    }
    Ok(())
}

/// What of the line fits into one line of the terminal: a second one would not be removed.
fn fitting(line: &str, width: usize) -> &str {
    let mut end = 0;
    for (at, character) in line.char_indices() {
        let next = at + character.len_utf8();
        if display_width(&line[..next]) > width {
            break;
        }
        end = next;
    }
    &line[..end]
}

fn width() -> usize {
    terminal_size::terminal_size_of(io::stderr()).map_or(usize::MAX, |(width, _)| width.0.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps what is written to it.
    #[derive(Clone, Default)]
    struct Terminal(Arc<Mutex<Vec<u8>>>);

    impl Terminal {
        fn written(&self) -> String {
            String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
        }
    }

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn on(terminal: &Terminal, patience: Duration) -> Progress {
        Progress::after(patience, terminal.clone(), "reading mirrors/".to_owned())
    }

    #[test]
    fn what_is_quick_draws_nothing() {
        let terminal = Terminal::default();
        let progress = on(&terminal, Duration::from_mins(1));
        progress.now("reading more".to_owned());
        drop(progress);
        assert_eq!(terminal.written(), "");
    }

    #[test]
    fn what_takes_longer_is_shown_and_wiped_away() {
        let terminal = Terminal::default();
        let progress = on(&terminal, Duration::ZERO);
        let started = Instant::now();
        while !terminal.written().contains("reading mirrors/ (0s)") {
            assert!(started.elapsed() < Duration::from_secs(20), "nothing is drawn");
            thread::yield_now();
        }
        drop(progress);
        let written = terminal.written();
        assert!(written.starts_with(CLEAR) && written.ends_with(CLEAR), "{written:?}");
    }

    #[test]
    fn a_line_that_is_too_long_is_cut() {
        for (width, expected, reason) in
            [(5, "é日日", "exactly"), (4, "é日", "half of a wide character is left out"), (0, "", "no room")]
        {
            assert_eq!(fitting("é日日", width), expected, "{reason}");
        }
    }
}
