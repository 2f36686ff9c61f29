use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// For how long a connection may leave every claim unanswered before it is given up.
const LONGEST: Duration = Duration::from_millis(100);

/// Knows for how long a connection has answered nothing, by claims that were given up before their own time was over.
///
/// Whoever claims may have a shorter deadline than the store, and drops the claim at it. Were that told nobody, a connection
/// whose server is gone would be kept for as long as the system takes to find out, which can be for ever.
#[derive(Debug, Default)]
pub(crate) struct Silence(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    answers: u64,
    /// The connection, the answers by then, and since when it was asked in vain.
    began: Option<(u64, u64, Instant)>,
}

/// A claim that waits on a connection. Dropped without an answer, it was given up.
pub(crate) struct Waiting<'s, F: FnMut(u64)> {
    silence: &'s Silence,
    number: u64,
    answers: u64,
    began: Instant,
    discard: F,
    over: bool,
}

impl Silence {
    /// Begins to wait on the connection of this number, which `discard` is called with if it is to be given up.
    pub(crate) fn wait<F: FnMut(u64)>(&self, number: u64, discard: F) -> Waiting<'_, F> {
        Waiting {
            silence: self,
            number,
            // A poisoned lock: nothing in it can panic.
            answers: self.0.lock().map_or(0, |state| state.answers),
            began: Instant::now(),
            discard,
            over: false,
        }
    }
}

impl<F: FnMut(u64)> Waiting<'_, F> {
    /// The wait is over: there is an answer, or its own time has run out.
    pub(crate) fn end(mut self) {
        self.over = true;
        if let Ok(mut state) = self.silence.0.lock() {
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
        let Ok(mut state) = self.silence.0.lock() else {
            return;
        };
        if state.answers != self.answers {
            // Answers come in the order of the questions: this one may have been a moment away.
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
    fn a_connection_that_is_given_up_has_answered_nobody() {
        for (name, waits, answers_between, expected) in [
            ("one claim that waited for long", true, false, vec![7]),
            ("claims that were given up at once", false, false, vec![]),
            ("an answer meanwhile", true, true, vec![]),
        ] {
            let silence = Silence::default();
            let mut discarded = Vec::new();
            let waiting = silence.wait(7, |number| discarded.push(number));
            if waits {
                sleep();
            }
            if answers_between {
                silence.wait(7, |_| {}).end();
            }
            drop(waiting);
            assert_eq!(discarded, expected, "{name}");
        }
    }

    #[test]
    fn short_waits_add_up_on_one_connection() {
        let silence = Silence::default();
        let mut discarded = Vec::new();
        drop(silence.wait(1, |number| discarded.push(number)));
        sleep();
        drop(silence.wait(2, |number| discarded.push(number)));
        assert!(discarded.is_empty(), "another connection");
        sleep();
        drop(silence.wait(2, |number| discarded.push(number)));
        assert_eq!(discarded, [2]);
    }
}
