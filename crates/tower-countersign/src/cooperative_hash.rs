//! Hashes bodies in slices, so that a large body does not block a worker thread.

use std::{
    future::Future as _,
    pin::pin,
    task::{Context, Poll},
};

use bytes::Bytes;

/// The maximum number of bytes that are hashed in one turn of a task.
pub(crate) const SLICE: usize = 64 * 1024;

/// Passes chunks on in slices, and yields to other tasks of the worker thread after every [`SLICE`]
/// bytes.
///
/// A body of up to 64 KiB never yields, because a yield comes only while unhashed bytes are held.
/// tokio delays the wake-up of a yielding task until the I/O driver has been polled. This works
/// only if nothing else wakes the task. A poll of hyper's body can wake it, so the body must not be
/// polled while a chunk is held.
#[derive(Debug, Default)]
pub(crate) struct CooperativeHash {
    /// Boxed, because this value is kept for every waiting body, and most bodies never need it.
    in_hand: Option<Box<InHand>>,
    /// The number of bytes passed on in this turn.
    in_turn: usize,
}

#[derive(Debug)]
struct InHand {
    chunk: Bytes,
    done: usize,
}

impl CooperativeHash {
    /// Takes a chunk, and returns it if all of it was passed to `update` in this turn. Otherwise
    /// `poll` must return `Ready` before the next chunk is taken.
    pub(crate) fn take(&mut self, chunk: Bytes, update: impl FnOnce(&[u8])) -> Option<Bytes> {
        let in_turn = self.in_turn.saturating_add(chunk.len());
        if in_turn > SLICE {
            self.in_hand = Some(Box::new(InHand { chunk, done: 0 }));
            return None;
        }
        update(&chunk);
        self.in_turn = in_turn;
        Some(chunk)
    }

    /// Passes the held chunk to `update`, and returns it when all of it was passed. Returns `Ready`
    /// at once if no chunk is held.
    ///
    /// Outside of tokio, the task is woken at once.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut update: impl FnMut(&[u8]),
    ) -> Poll<Option<Bytes>> {
        while let Some(InHand { chunk, done }) = self.in_hand.as_deref_mut() {
            let rest = chunk.get(*done..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            if self.in_turn >= SLICE {
                self.in_turn = 0;
                if pin!(tokio::task::yield_now()).poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
            let left = SLICE.saturating_sub(self.in_turn);
            let slice = rest.get(..left).unwrap_or(rest);
            update(slice);
            *done = done.saturating_add(slice.len());
            self.in_turn = self.in_turn.saturating_add(slice.len());
        }
        Poll::Ready(self.in_hand.take().map(|in_hand| in_hand.chunk))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::{Wake, Waker},
    };

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Returns the lengths passed on in each turn, for chunks of these lengths.
    fn turns(lengths: &[usize]) -> Vec<usize> {
        let counted = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&counted));
        let mut context = Context::from_waker(&waker);
        let mut slices = CooperativeHash::default();
        let mut turns = vec![Vec::new()];
        let mut expected = Vec::new();
        let mut fed = Vec::new();
        for (number, length) in (0_u8..).zip(lengths) {
            let chunk = Bytes::from(vec![number; *length]);
            expected.extend_from_slice(&chunk);
            let mut update = |turns: &mut Vec<Vec<u8>>, slice: &[u8]| {
                turns.last_mut().unwrap().extend_from_slice(slice);
                fed.extend_from_slice(slice);
            };
            let mut back = slices.take(chunk.clone(), |slice| update(&mut turns, slice));
            while back.is_none() {
                match slices.poll(&mut context, |slice| update(&mut turns, slice)) {
                    Poll::Ready(chunk) => back = chunk,
                    Poll::Pending => turns.push(Vec::new()),
                }
            }
            assert_eq!(back, Some(chunk));
        }
        assert!(fed == expected, "every byte once and in order");
        let woken = counted.0.load(Ordering::SeqCst);
        assert_eq!(turns.len(), woken.saturating_add(1), "woken");
        turns.iter().map(Vec::len).collect()
    }

    #[test]
    fn a_body_of_up_to_a_slice_never_yields() {
        for lengths in [&[][..], &[0], &[1], &[SLICE], &[SLICE / 2, 0, SLICE / 2]] {
            assert_eq!(turns(lengths).len(), 1, "{lengths:?}");
        }
    }

    #[test]
    fn a_large_chunk_is_passed_on_in_slices() {
        assert_eq!(turns(&[SLICE + 1]), [SLICE, 1]);
        assert_eq!(turns(&[2 * SLICE]), [SLICE, SLICE]);
        assert_eq!(turns(&[16 * SLICE]), [SLICE; 16]);
    }

    #[test]
    fn small_chunks_fill_a_turn_up_to_a_slice() {
        let chunks = [16 * 1024; 9];
        assert_eq!(turns(&chunks), [SLICE, SLICE, 16 * 1024]);
        assert_eq!(turns(&[40_000, 40_000, 40_000]), [SLICE, 54_464]);
    }
}
