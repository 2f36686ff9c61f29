use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt, mem,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};

/// Chunks shorter than this are copied into one buffer. A chunk that is kept whole pins the buffer
/// into which it was read, and hyper's buffers are at least 8 KiB long.
const KEPT_WHOLE: usize = 8 * 1024;

/// A body in memory, as a list of chunks.
#[derive(Default)]
pub(crate) struct Chunks {
    whole: VecDeque<Bytes>,
    /// The chunks after `whole`.
    small: Small,
    len: u64,
}

/// Small chunks. No chunk is empty.
#[derive(Default)]
enum Small {
    #[default]
    None,
    /// One chunk, not copied.
    Lone(Bytes),
    /// Several chunks, copied.
    Gathered(BytesMut),
}

impl Small {
    fn push(&mut self, chunk: Bytes) {
        if chunk.is_empty() {
            return;
        }
        *self = match mem::take(self) {
            // Most bodies are one small chunk, which needs no copy.
            Self::None => Self::Lone(chunk),
            Self::Lone(first) => {
                let mut gathered = BytesMut::from(&*first);
                gathered.extend_from_slice(&chunk);
                Self::Gathered(gathered)
            }
            Self::Gathered(mut gathered) => {
                gathered.extend_from_slice(&chunk);
                Self::Gathered(gathered)
            }
        };
    }

    fn take(&mut self) -> Option<Bytes> {
        match mem::take(self) {
            Self::None => None,
            Self::Lone(chunk) => Some(chunk),
            Self::Gathered(gathered) => Some(gathered.freeze()),
        }
    }
}

impl Chunks {
    pub(crate) fn push(&mut self, chunk: Bytes) {
        self.len = self
            .len
            .saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if chunk.len() >= KEPT_WHOLE {
            self.whole.extend(self.small.take());
            self.whole.push_back(chunk);
        } else {
            self.small.push(chunk);
        }
    }

    /// Returns the whole body, and holds it as one chunk from now on.
    pub(crate) fn in_one_piece(&mut self) -> Bytes {
        let mut pieces = Vec::new();
        while let Some(chunk) = self.pop() {
            pieces.push(chunk);
        }
        let whole = match pieces.len() {
            1 => pieces.pop().unwrap_or_default(),
            _ => Bytes::from(pieces.concat()),
        };
        if !whole.is_empty() {
            self.push(whole.clone());
        }
        whole
    }

    /// Returns the number of bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Removes and returns the next chunk.
    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        let chunk = self.whole.pop_front().or_else(|| self.small.take())?;
        self.len = self
            .len
            .saturating_sub(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        Some(chunk)
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.get_mut().pop().map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.len == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len)
    }
}

/// Shows only the length, because bodies must not be logged.
impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(mut chunks: Chunks) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| chunks.pop())
            .map(|chunk| chunk.to_vec())
            .collect()
    }

    #[test]
    fn keeps_every_byte_in_order() {
        let mut chunks = Chunks::default();
        let mut whole = Vec::new();
        for (number, len) in (0_u8..).zip([0, 1, 0, 2, 0, 8191, 8192, 9000, 1, 1, 2000, 3, 8192, 5])
        {
            let chunk = vec![number; len];
            whole.extend_from_slice(&chunk);
            chunks.push(Bytes::from(chunk));
        }
        assert_eq!(chunks.size_hint().exact(), u64::try_from(whole.len()).ok());
        assert_eq!(collect(chunks).concat(), whole);
    }

    #[test]
    fn keeps_large_chunks_and_gathers_small_ones() {
        let mut chunks = Chunks::default();
        for _ in 0..2000 {
            chunks.push(Bytes::from_static(b"x"));
        }
        chunks.push(Bytes::from(vec![1; 8192]));
        let lengths: Vec<_> = collect(chunks).iter().map(Vec::len).collect();
        assert_eq!(lengths, [2000, 8192]);
    }

    #[test]
    fn keeps_a_single_small_chunk_without_a_copy() {
        let mut chunks = Chunks::default();
        let chunk = Bytes::from_static(b"small");
        chunks.push(chunk.clone());
        assert_eq!(chunks.pop().unwrap().as_ptr(), chunk.as_ptr());
    }

    #[test]
    fn drops_an_empty_chunk() {
        let mut chunks = Chunks::default();
        chunks.push(Bytes::new());
        assert_eq!(chunks.pop(), None);
    }

    #[test]
    fn debug_shows_the_length_only() {
        let mut chunks = Chunks::default();
        chunks.push(Bytes::from_static(b"secret"));
        assert_eq!(format!("{chunks:?}"), "Chunks { len: 6, .. }");
    }

    #[test]
    fn an_empty_body_is_at_its_end_from_the_start() {
        assert!(Chunks::default().is_end_stream());
        assert_eq!(collect(Chunks::default()), Vec::<Vec<u8>>::new());
    }
}
