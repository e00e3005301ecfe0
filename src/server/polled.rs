//! What is known of files that are polled.

/// The contents of files that are polled, and whether they can be read, so that each change is reported once.
#[derive(Debug)]
pub(super) struct Polled<C> {
    /// What was read last.
    contents: C,
    failure: Option<Failure>,
}

/// Why the files could not be read at the last poll.
#[derive(Debug)]
struct Failure {
    why: String,
    is_reported: bool,
}

/// What is new at a poll.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change<C> {
    /// The files have other contents.
    Contents(C),
    /// They cannot be read, for this reason.
    Unreadable(String),
    /// They can be read again; the contents may be the same as before.
    Readable(C),
}

impl<C: Clone + PartialEq> Polled<C> {
    /// Files that were read.
    pub(super) fn new(contents: C) -> Self {
        Self { contents, failure: None }
    }

    /// Records what a poll has read, and returns what is to be reported; `None` if nothing is new. While files are
    /// replaced, one may be missing for a moment, so a failure counts from the second poll in a row.
    pub(super) fn record(&mut self, read: Result<C, String>) -> Option<Change<C>> {
        match read {
            Ok(contents) => self.record_contents(contents),
            Err(why) => self.record_failure(why),
        }
    }

    fn record_contents(&mut self, contents: C) -> Option<Change<C>> {
        let was_reported = self.failure.take().is_some_and(|failure| failure.is_reported);
        let is_same = contents == self.contents;
        self.contents = contents.clone();
        match (was_reported, is_same) {
            (true, _) => Some(Change::Readable(contents)),
            (false, false) => Some(Change::Contents(contents)),
            (false, true) => None,
        }
    }

    fn record_failure(&mut self, why: String) -> Option<Change<C>> {
        let Some(before) = &self.failure else {
            self.failure = Some(Failure { why, is_reported: false });
            return None;
        };
        if before.is_reported && before.why == why {
            return None;
        }
        self.failure = Some(Failure { why: why.clone(), is_reported: true });
        Some(Change::Unreadable(why))
    }
}

#[cfg(test)]
mod tests {
    use super::{Change::*, *};

    /// A poll: what was read, and what is reported.
    type Poll = (Result<&'static str, &'static str>, Option<Change<&'static str>>);

    fn unreadable(why: &str) -> Change<&'static str> {
        Unreadable(why.to_owned())
    }

    #[test]
    fn each_change_is_reported_once() {
        let (gone, denied) = (Err("does not exist"), Err("permission denied"));
        let table: [(Vec<Poll>, &str); 8] = [
            (vec![(Ok("a"), None), (Ok("a"), None)], "nothing changes"),
            (vec![(Ok("b"), Some(Contents("b"))), (Ok("b"), None)], "other contents, loaded once"),
            (vec![(gone, None), (Ok("a"), None)], "missing for a moment"),
            (vec![(gone, None), (Ok("b"), Some(Contents("b")))], "missing while it was replaced"),
            (
                vec![(gone, None), (gone, Some(unreadable("does not exist"))), (gone, None), (gone, None)],
                "gone",
            ),
            (
                vec![
                    (gone, None),
                    (gone, Some(unreadable("does not exist"))),
                    (denied, Some(unreadable("permission denied"))),
                    (denied, None),
                ],
                "another reason",
            ),
            (
                vec![
                    (gone, None),
                    (denied, Some(unreadable("permission denied"))),
                    (Ok("a"), Some(Readable("a"))),
                ],
                "the same contents again: what was reported is over",
            ),
            (
                vec![
                    (denied, None),
                    (denied, Some(unreadable("permission denied"))),
                    (Ok("b"), Some(Readable("b"))),
                    (denied, None),
                    (denied, Some(unreadable("permission denied"))),
                ],
                "the same reason, after it was over",
            ),
        ];
        for (polls, reason) in table {
            let mut polled = Polled::new("a");
            for (at, (read, expected)) in polls.into_iter().enumerate() {
                assert_eq!(polled.record(read.map_err(str::to_owned)), expected, "{reason}: poll {at}");
            }
        }
    }
}
