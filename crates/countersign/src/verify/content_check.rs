use std::borrow::Borrow;

#[cfg(feature = "sigv4-chunked")]
use super::chunk_check::ChunkCheck;
#[cfg(feature = "sigv4-chunked")]
use crate::families::sigv4::ChunkedDecoder;
use crate::{
    error::Rejection,
    payload::{BodyState, DeclaredPayload, PayloadCheck, PayloadDigest},
};

/// The check of a body whose head is authenticated.
pub(super) enum ContentCheck<D> {
    /// The head declares a digest of the body, or nothing.
    Digest(PayloadCheck<D>),
    /// The head declares chunks.
    #[cfg(feature = "sigv4-chunked")]
    Chunks(Box<ChunkCheck>),
}

impl ContentCheck<&DeclaredPayload> {
    /// Drops the borrow.
    pub(super) fn detach(self) -> ContentCheck<DeclaredPayload> {
        match self {
            Self::Digest(check) => ContentCheck::Digest(check.detach()),
            #[cfg(feature = "sigv4-chunked")]
            Self::Chunks(check) => ContentCheck::Chunks(check),
        }
    }
}

impl<D: Borrow<DeclaredPayload>> ContentCheck<D> {
    /// Returns the SHA-256 that the body must have, if declared.
    pub(super) fn expected(&self) -> Option<PayloadDigest> {
        match self {
            Self::Digest(check) => check.expected(),
            #[cfg(feature = "sigv4-chunked")]
            Self::Chunks(_) => None,
        }
    }

    #[inline]
    pub(super) fn update(&mut self, chunk: &[u8]) {
        match self {
            Self::Digest(check) => check.update(chunk),
            #[cfg(feature = "sigv4-chunked")]
            Self::Chunks(check) => check.update(chunk),
        }
    }

    #[inline]
    pub(super) fn finish(self) -> Result<BodyState, Rejection> {
        match self {
            Self::Digest(check) => check.finish(),
            #[cfg(feature = "sigv4-chunked")]
            Self::Chunks(check) => check.finish(),
        }
    }

    /// Returns the decoder of a chunked body, once.
    #[cfg(feature = "sigv4-chunked")]
    pub(super) fn take_decoder(&mut self) -> Option<Box<ChunkedDecoder>> {
        match self {
            Self::Digest(_) => None,
            Self::Chunks(check) => check.take_decoder(),
        }
    }
}
