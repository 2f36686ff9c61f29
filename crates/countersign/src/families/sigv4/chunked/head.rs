use http::HeaderName;

use super::{
    super::{credential_scope::CredentialScope, date::AmzDate, verify_settings::ChunkRule},
    decoder::ChunkedDecoder,
};
use crate::{
    error::{Escaped, Rejection, reason},
    head::RequestHead,
    key::VerifyingKey,
};

/// How the chunks of a body are protected: the value of `x-amz-content-sha256`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum ChunkMode {
    Signed,
    SignedWithTrailer,
    UnsignedWithTrailer,
}

impl ChunkMode {
    const ALL: [Self; 3] = [
        Self::Signed,
        Self::SignedWithTrailer,
        Self::UnsignedWithTrailer,
    ];

    pub(in super::super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }

    pub(in super::super) const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::SignedWithTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            Self::UnsignedWithTrailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        }
    }
}

/// The declaration of a head about its chunked body.
#[derive(Clone, Debug)]
pub(in super::super) struct ChunkedHead {
    mode: ChunkMode,
    decoded_length: Option<u64>,
    trailers: Vec<Box<str>>,
    max_chunk_bytes: u64,
}

const DECODED_LENGTH: HeaderName = HeaderName::from_static("x-amz-decoded-content-length");
const TRAILER: HeaderName = HeaderName::from_static("x-amz-trailer");

impl ChunkedHead {
    /// Reads the headers of a chunked body. All `x-amz-…` headers are covered by now.
    pub(in super::super) fn read(
        mode: ChunkMode,
        head: &RequestHead<'_>,
        rule: &ChunkRule,
    ) -> Result<Self, Rejection> {
        let decoded_length = match only(head, &DECODED_LENGTH)? {
            Some(text) => Some(length(text)?),
            None if mode == ChunkMode::UnsignedWithTrailer => None,
            None => {
                return Err(Rejection::malformed(
                    "header x-amz-decoded-content-length: expected with signed chunks, found none",
                ));
            }
        };
        let trailers = match (only(head, &TRAILER)?, mode) {
            (None, ChunkMode::Signed) => Vec::new(),
            (Some(names), ChunkMode::SignedWithTrailer | ChunkMode::UnsignedWithTrailer) => names
                .split(',')
                .map(|name| Box::from(name.trim_matches([' ', '\t'])))
                .collect(),
            (found, _) => {
                return Err(Rejection::malformed(reason!(
                    "header x-amz-trailer: expected exactly if x-amz-content-sha256 ends in \
                     -TRAILER, found {} of them",
                    usize::from(found.is_some())
                )));
            }
        };
        let read = Self {
            mode,
            decoded_length,
            trailers,
            max_chunk_bytes: rule.max_chunk_bytes,
        };
        // Refuses names that no decoder accepts.
        read.described(ChunkedDecoder::insecure_unsigned())?;
        Ok(read)
    }

    /// Returns the decoder of the body, for the key that signed the head.
    pub(in super::super) fn decoder(
        &self,
        key: &VerifyingKey,
        date: AmzDate,
        scope: CredentialScope<'_>,
        seed: [u8; 32],
    ) -> Result<ChunkedDecoder, Rejection> {
        let decoder = match self.mode {
            ChunkMode::UnsignedWithTrailer => ChunkedDecoder::insecure_unsigned(),
            ChunkMode::Signed | ChunkMode::SignedWithTrailer => {
                ChunkedDecoder::after_head(key, date, scope, seed).ok_or_else(|| {
                    Rejection::malformed("chunks: expected a key for SigV4, found another")
                })?
            }
        };
        self.described(decoder)
    }

    fn described(&self, mut decoder: ChunkedDecoder) -> Result<ChunkedDecoder, Rejection> {
        for name in &self.trailers {
            decoder = decoder.with_trailer(name)?;
        }
        if let Some(length) = self.decoded_length {
            decoder = decoder.with_decoded_length(length);
        }
        Ok(decoder.with_max_chunk_bytes(self.max_chunk_bytes))
    }
}

/// Returns the only value of a header.
fn only<'r>(head: &RequestHead<'r>, name: &HeaderName) -> Result<Option<&'r str>, Rejection> {
    let mut values = head.headers().get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(Rejection::malformed(reason!(
            "header {}: expected once, found more than once",
            name
        )));
    }
    let value = value.map(|value| {
        value.to_str().map_err(|_| {
            Rejection::malformed(reason!(
                "header {}: expected visible ASCII, found other",
                name
            ))
        })
    });
    value.transpose()
}

/// Parses a length in one spelling: decimal digits without a leading zero.
fn length(text: &str) -> Result<u64, Rejection> {
    let has_one_spelling = text == "0" || !text.starts_with(['0', '+']);
    let length = text.parse().ok().filter(|_| has_one_spelling);
    length.ok_or_else(|| {
        Rejection::malformed(reason!(
            "header x-amz-decoded-content-length: expected a number without leading zeros, found \
             \"{}\"",
            Escaped::text(text)
        ))
    })
}
