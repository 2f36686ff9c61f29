use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;

use crate::{
    error::{Rejection, RejectionKind},
    families::sigv4::{ChunkedDecoder, Decoded},
    payload::BodyState,
};

/// The check of a chunked body. Its decoder is used here, or given to the reader of the body.
pub(super) struct ChunkCheck {
    decoder: Option<Box<ChunkedDecoder>>,
    problem: Option<Rejection>,
    state: BodyState,
    /// Set by the decoder, wherever it is, once the body is right to its end.
    is_finished: Arc<AtomicBool>,
}

impl ChunkCheck {
    pub(super) fn new(decoder: Box<ChunkedDecoder>) -> Self {
        Self {
            state: if decoder.is_signed() {
                BodyState::Signed
            } else {
                BodyState::Unsigned
            },
            is_finished: decoder.finished(),
            decoder: Some(decoder),
            problem: None,
        }
    }

    /// Checks encoded bytes, and drops the decoded ones.
    pub(super) fn update(&mut self, chunk: &[u8]) {
        let Some(decoder) = &mut self.decoder else {
            return;
        };
        let mut input = Bytes::copy_from_slice(chunk);
        while self.problem.is_none() {
            match decoder.decode(&mut input) {
                Ok(Decoded::Data(_)) => {}
                Ok(Decoded::NeedsMore) => return,
                Err(problem) => self.problem = Some(problem),
            }
        }
    }

    pub(super) fn take_decoder(&mut self) -> Option<Box<ChunkedDecoder>> {
        self.decoder.take()
    }

    pub(super) fn finish(self) -> Result<BodyState, Rejection> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        if let Some(decoder) = self.decoder {
            decoder.finish()?;
        }
        if self.is_finished.load(Ordering::Acquire) {
            Ok(self.state)
        } else {
            Err(Rejection::new(
                RejectionKind::BodyMismatch,
                "body: expected its decoder to be finished, found it unfinished",
            ))
        }
    }
}
