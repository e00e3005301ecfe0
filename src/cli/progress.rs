//! Progress on a terminal.

use std::{io, sync::mpsc, thread, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// On a terminal, nothing is shown for steps that take less time.
const DELAY: Duration = Duration::from_secs(1);
/// Where there is no terminal, nothing is printed for a wait that takes less time.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the line on a terminal is redrawn.
const TICK: Duration = Duration::from_millis(120);

/// Shows what a command is doing if that takes long: on a terminal by a line that is there until the value is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    /// The thread that waits for the delay before something is shown. Dropping the sender ends the wait: then nothing
    /// is shown.
    waiting: Option<(mpsc::Sender<()>, thread::JoinHandle<()>)>,
}

impl Progress {
    /// Shows nothing.
    pub(super) fn none() -> Self {
        Self { bar: ProgressBar::hidden(), waiting: None }
    }

    /// For a step of this command: shown on standard error where that is a terminal, else not at all.
    pub(super) fn on_terminal(what: String) -> Self {
        let target = ProgressDrawTarget::stderr();
        if target.is_hidden() { Self::none() } else { Self::after(DELAY, target, what) }
    }

    /// For a wait for others, such as an API server: shown on a terminal as by [`Self::on_terminal`], else by a line on
    /// standard error that stays, so that a log shows why nothing happens.
    pub(super) fn waiting(what: String) -> Self {
        if ProgressDrawTarget::stderr().is_hidden() {
            return Self::line_after(PATIENCE, io::stderr(), what);
        }
        Self::on_terminal(what)
    }

    /// Prints a line if the value is not dropped before.
    fn line_after(delay: Duration, mut to: impl io::Write + Send + 'static, line: String) -> Self {
        let (end, ended) = mpsc::channel();
        let waiter = thread::spawn(move || {
            if ended.recv_timeout(delay) == Err(mpsc::RecvTimeoutError::Timeout) {
                // A closed standard error cannot be reported anywhere.
                let _ = writeln!(to, "{line}");
            }
        });
        Self { bar: ProgressBar::hidden(), waiting: Some((end, waiter)) }
    }

    /// Shows the step on a target if it takes longer than the delay. The bar is hidden until then.
    fn after(delay: Duration, target: ProgressDrawTarget, what: String) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(what);
        let (end, ended) = mpsc::channel();
        let shown = bar.clone();
        let waiter = thread::spawn(move || {
            if ended.recv_timeout(delay) == Err(mpsc::RecvTimeoutError::Timeout) {
                shown.set_draw_target(target);
                shown.enable_steady_tick(TICK);
            }
        });
        Self { bar, waiting: Some((end, waiter)) }
    }

    /// Shows another step, where a line is shown on a terminal.
    pub(super) fn show(&self, what: String) {
        self.bar.set_message(what);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, waiter)) = self.waiting.take() {
            drop(end);
            // Before the line is cleared, so that the thread does not draw it afterwards. The thread does not panic.
            let _ = waiter.join();
        }
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use indicatif::InMemoryTerm;

    use super::*;

    fn on(terminal: &InMemoryTerm, delay: Duration) -> Progress {
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        Progress::after(delay, target, "reading mirrors/".to_owned())
    }

    #[test]
    fn a_quick_step_is_not_shown() {
        let terminal = InMemoryTerm::new(10, 80);
        let progress = on(&terminal, Duration::from_mins(1));
        progress.show("reading more".to_owned());
        drop(progress);
        assert_eq!(terminal.moves_since_last_check(), "");
    }

    #[test]
    fn a_slow_step_is_shown_and_removed() {
        let terminal = InMemoryTerm::new(10, 80);
        let progress = on(&terminal, Duration::ZERO);
        let started = Instant::now();
        while !terminal.contents().contains("reading mirrors/") {
            assert!(started.elapsed() < Duration::from_secs(20), "nothing is drawn");
            thread::yield_now();
        }
        drop(progress);
        assert_eq!(terminal.contents(), "");
    }
}
