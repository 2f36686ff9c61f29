use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// The longest time without an answer after which a connection is discarded.
const LONGEST: Duration = Duration::from_millis(100);

/// Detects a connection that answers no claim, by claims that are dropped before their deadline.
///
/// A caller may have a shorter deadline than the store and drop its claim. Without this detector, a
/// connection to a lost server would stay in use until the system reports an error, which may never
/// happen.
#[derive(Debug, Default)]
pub(crate) struct StallDetector(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    answers: u64,
    /// The connection, its number of answers then, and the start of the first unanswered claim.
    began: Option<(u64, u64, Instant)>,
}

/// A claim that waits on a connection. Dropping it without [`end`](Self::end) counts as unanswered.
pub(crate) struct Waiting<'s, F: FnMut(u64)> {
    stall: &'s StallDetector,
    number: u64,
    answers: u64,
    began: Instant,
    discard: F,
    over: bool,
}

impl StallDetector {
    /// Starts a wait on the connection with this number. `discard` is called with the number if the
    /// connection has stalled.
    pub(crate) fn wait<F: FnMut(u64)>(&self, number: u64, discard: F) -> Waiting<'_, F> {
        Waiting {
            stall: self,
            number,
            // Invariant: nothing panics under this lock.
            answers: self.0.lock().map_or(0, |state| state.answers),
            began: Instant::now(),
            discard,
            over: false,
        }
    }
}

impl<F: FnMut(u64)> Waiting<'_, F> {
    /// Ends the wait: an answer arrived, or the claim's deadline has passed.
    pub(crate) fn end(mut self) {
        self.over = true;
        if let Ok(mut state) = self.stall.0.lock() {
            state.answers = state.answers.wrapping_add(1);
            state.began = None;
        }
    }
}

impl<F: FnMut(u64)> Drop for Waiting<'_, F> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let Ok(mut state) = self.stall.0.lock() else {
            return;
        };
        if state.answers != self.answers {
            // Answers arrive in order, so the connection works: the next answer may belong to this
            // claim.
            return;
        }
        let since = match state.began {
            Some((number, answers, since)) if (number, answers) == (self.number, self.answers) => {
                since.min(self.began)
            }
            _ => self.began,
        };
        state.began = Some((self.number, self.answers, since));
        drop(state);
        if since.elapsed() >= LONGEST {
            (self.discard)(self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleep() {
        std::thread::sleep(LONGEST);
    }

    #[test]
    fn only_a_connection_without_answers_is_discarded() {
        for (name, waits, answers_between, expected) in [
            ("one claim that waited long", true, false, vec![7]),
            ("a claim that was dropped at once", false, false, vec![]),
            ("an answer meanwhile", true, true, vec![]),
        ] {
            let stall = StallDetector::default();
            let mut discarded = Vec::new();
            let waiting = stall.wait(7, |number| discarded.push(number));
            if waits {
                sleep();
            }
            if answers_between {
                stall.wait(7, |_| {}).end();
            }
            drop(waiting);
            assert_eq!(discarded, expected, "{name}");
        }
    }

    #[test]
    fn short_waits_add_up_on_one_connection() {
        let stall = StallDetector::default();
        let mut discarded = Vec::new();
        drop(stall.wait(1, |number| discarded.push(number)));
        sleep();
        drop(stall.wait(2, |number| discarded.push(number)));
        assert!(discarded.is_empty(), "another connection");
        sleep();
        drop(stall.wait(2, |number| discarded.push(number)));
        assert_eq!(discarded, [2]);
    }
}
