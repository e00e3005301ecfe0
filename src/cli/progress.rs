//! What is shown on a terminal while something takes its time.

use std::{sync::mpsc, thread, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Nothing is drawn before.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is drawn anew.
const TICK: Duration = Duration::from_millis(120);

/// A line that says what is going on, from the end of the first second until it is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    waiting: Option<(mpsc::Sender<()>, thread::JoinHandle<()>)>,
}

impl Progress {
    /// Nothing, for those who do not want to see it.
    pub(super) fn none() -> Self {
        Self { bar: ProgressBar::hidden(), waiting: None }
    }

    /// On standard error where that is a terminal, else nothing.
    pub(super) fn on_terminal(what: String) -> Self {
        let target = ProgressDrawTarget::stderr();
        if target.is_hidden() { Self::none() } else { Self::after(PATIENCE, target, what) }
    }

    fn after(patience: Duration, target: ProgressDrawTarget, what: String) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(what);
        let (end, ended) = mpsc::channel();
        let shown = bar.clone();
        let waiter = thread::spawn(move || {
            if ended.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
                shown.set_draw_target(target);
                shown.enable_steady_tick(TICK);
            }
        });
        Self { bar, waiting: Some((end, waiter)) }
    }

    /// Says what is going on now.
    pub(super) fn now(&self, what: String) {
        self.bar.set_message(what);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, waiter)) = self.waiting.take() {
            drop(end);
            // It panics nowhere; and if it had, there would be nothing to show.
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

    fn on(terminal: &InMemoryTerm, patience: Duration) -> Progress {
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        Progress::after(patience, target, "reading mirrors/".to_owned())
    }

    #[test]
    fn what_is_quick_draws_nothing() {
        let terminal = InMemoryTerm::new(10, 80);
        let progress = on(&terminal, Duration::from_mins(1));
        progress.now("reading more".to_owned());
        drop(progress);
        assert_eq!(terminal.moves_since_last_check(), "");
    }

    #[test]
    fn what_takes_longer_is_shown_and_wiped_away() {
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
