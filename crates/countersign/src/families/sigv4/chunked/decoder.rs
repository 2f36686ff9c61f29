use std::{
    fmt, mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::{Bytes, BytesMut};

use super::{
    super::{credential_scope::CredentialScope, date::AmzDate},
    checksum::{self, Checksum},
    chunk_header::ChunkHeader,
    signature_chain::SignatureChain,
    trailer::{self, TrailerLine},
};
use crate::{
    crypto::sha256::{self, Sha256},
    error::{ConfigError, ConfigErrorKind, Escaped, Reason, Rejection, RejectionKind, reason},
    key::VerifyingKey,
    timestamp::Timestamp,
    wire::hex::{self, Letters},
};

/// Decodes a body in the content coding `aws-chunked`, and checks its chunks, lengths and trailer.
///
/// Performs no I/O: pass the bytes to [`decode`](Self::decode) as they arrive, and call
/// [`finish`](Self::finish) at the end of the body. The pieces may end anywhere.
///
/// # When data is released
///
/// - The data of a signed chunk is released after the signature of that chunk matched.
/// - The data of unsigned chunks is released as it arrives. Nothing but a checksum protects it.
/// - The piece that completes the body is held back until everything after it is right, and is
///   returned by [`finish`](Self::finish). So no reader ever holds a complete body that is wrong.
///
/// Without a [decoded length](Self::with_decoded_length), the latest piece is held back.
///
/// # Limits
///
/// A chunk's header line has at most 256 bytes; the trailer has at most 8 lines and 4 KiB. A signed
/// chunk has at most 1 MiB by [default](Self::with_max_chunk_bytes), because it is kept until its
/// signature is checked. More than 64 chunks must have 1 KiB on average.
///
/// Source: Amazon S3 API Reference, "Transferring Payload in Multiple Chunks".
pub struct ChunkedDecoder {
    protection: Protection,
    declared: Vec<Declared>,
    decoded_length: Option<u64>,
    max_chunk_bytes: u64,
    state: State,
    /// The start of a line whose end has not arrived.
    line: Vec<u8>,
    trailer: Vec<TrailerLine>,
    trailer_bytes: usize,
    chunks: u64,
    received: u64,
    held: Bytes,
    is_finished: Arc<AtomicBool>,
}

/// The progress of a [`ChunkedDecoder`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decoded {
    /// All input was taken, and nothing can be released yet.
    NeedsMore,
    /// The next bytes of the decoded body, never empty. There may be more in the same input.
    Data(Bytes),
}

enum Protection {
    Signed(Box<SignatureChain>),
    Unsigned,
}

/// A trailer that the head declares.
struct Declared {
    name: Box<str>,
    /// `None` if the trailer is no checksum.
    checksum: Option<Checksum>,
}

enum State {
    Header,
    Data {
        remaining: u64,
        /// The chunk so far, if it is signed.
        signed: Option<SignedChunk>,
    },
    /// The CRLF after the data of a chunk.
    DataEnd,
    Trailer,
    End,
    /// The body was refused.
    Failed,
}

struct SignedChunk {
    signature: [u8; 32],
    hash: Sha256,
    data: BytesMut,
}

const MAX_HEADER_BYTES: usize = 256;
const MAX_TRAILER_BYTES: usize = 4096;
const MAX_TRAILER_LINES: usize = 8;
const DEFAULT_MAX_CHUNK_BYTES: u64 = 1024 * 1024;
const LARGEST_MAX_CHUNK_BYTES: u64 = 16 * 1024 * 1024;
/// This many chunks may have any size.
const FREE_CHUNKS: u64 = 64;
const LEAST_AVERAGE_BYTES: u64 = 1024;

impl ChunkedDecoder {
    /// Decodes chunks that are signed one by one: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, and with
    /// [trailers](Self::with_trailer) `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`.
    ///
    /// `key`, `signed_at`, `region` and `service` are those of the head's signature, and `seed` is
    /// that signature.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if the key is not for SigV4, if the date has no form on the
    /// wire, or if the region or service is no name of SigV4.
    pub fn signed(
        key: &VerifyingKey,
        signed_at: Timestamp,
        region: &str,
        service: &str,
        seed: [u8; 32],
    ) -> Result<Self, ConfigError> {
        let wrong = |message: &'static str| ConfigError::new(ConfigErrorKind::Setting, message);
        let date = AmzDate::of(signed_at)
            .ok_or_else(|| wrong("date: expected one of the years 0 to 9999, found another"))?;
        let scope = CredentialScope::of(date.day(), region, service).ok_or_else(|| {
            wrong("scope: expected names of a region and a service, found others")
        })?;
        Self::after_head(key, date, scope, seed)
            .ok_or_else(|| wrong("key: expected one for SigV4, found one of another scheme"))
    }

    /// Decodes chunks that are signed after this head. `None` if the key is of another scheme.
    pub(super) fn after_head(
        key: &VerifyingKey,
        date: AmzDate,
        scope: CredentialScope<'_>,
        seed: [u8; 32],
    ) -> Option<Self> {
        let chain = SignatureChain::new(key, date, scope, seed)?;
        Some(Self::new(Protection::Signed(Box::new(chain))))
    }

    /// Decodes chunks that are not signed: `STREAMING-UNSIGNED-PAYLOAD-TRAILER`. At least one
    /// [trailer](Self::with_trailer) must be a checksum.
    ///
    /// # Attack
    ///
    /// Anyone on the way can exchange the body together with its checksum.
    pub fn insecure_unsigned() -> Self {
        Self::new(Protection::Unsigned)
    }

    fn new(protection: Protection) -> Self {
        Self {
            protection,
            declared: Vec::new(),
            decoded_length: None,
            max_chunk_bytes: DEFAULT_MAX_CHUNK_BYTES,
            state: State::Header,
            line: Vec::new(),
            trailer: Vec::new(),
            trailer_bytes: 0,
            chunks: 0,
            received: 0,
            held: Bytes::new(),
            is_finished: Arc::default(),
        }
    }

    /// Expects a trailer that the head declares in `x-amz-trailer`. The body must carry exactly the
    /// declared trailers, in any order.
    ///
    /// The checksums `x-amz-checksum-crc32`, `-crc32c`, `-crc64nvme`, `-sha1` and `-sha256` are
    /// checked over the decoded body.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::Malformed`] for a name that is no trailer name, a name that is declared
    /// twice, or a checksum that is not supported.
    pub fn with_trailer(mut self, name: &str) -> Result<Self, Rejection> {
        let is_known = |declared: &Declared| &*declared.name == name;
        let checksum = Checksum::of_trailer(name);
        let is_unknown_checksum = checksum.is_none() && name.starts_with(checksum::PREFIX);
        if !trailer::is_name(name)
            || name == trailer::SIGNATURE
            || is_unknown_checksum
            || self.declared.iter().any(is_known)
            || self.declared.len() >= MAX_TRAILER_LINES
        {
            return Err(Rejection::malformed(reason!(
                "x-amz-trailer: expected names of trailers, each once, with the checksums crc32, \
                 crc32c, crc64nvme, sha1 or sha256, found \"{}\"",
                Escaped::text(name)
            )));
        }
        self.declared.push(Declared {
            name: name.into(),
            checksum,
        });
        Ok(self)
    }

    /// Expects this number of decoded bytes: the value of `x-amz-decoded-content-length`.
    #[must_use]
    pub fn with_decoded_length(mut self, bytes: u64) -> Self {
        self.decoded_length = Some(bytes);
        self
    }

    /// Sets the largest signed chunk, in bytes. Default: 1 MiB. At most 16 MiB.
    #[must_use]
    pub fn with_max_chunk_bytes(mut self, bytes: u64) -> Self {
        self.max_chunk_bytes = bytes.min(LARGEST_MAX_CHUNK_BYTES);
        self
    }

    /// Takes bytes from the front of `input` until data can be released or `input` is empty.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::BodyMismatch`] if the body breaks the grammar, a limit, a length, a
    /// signature or a checksum. The decoder must not be used afterwards.
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Decoded, Rejection> {
        loop {
            if input.is_empty() {
                return Ok(Decoded::NeedsMore);
            }
            // An early return leaves the decoder failed, so that it cannot be finished.
            match mem::replace(&mut self.state, State::Failed) {
                State::Header => {
                    self.state = match self.take_line(input, MAX_HEADER_BYTES)? {
                        Some(line) => self.begin_chunk(&line)?,
                        None => State::Header,
                    };
                }
                State::Data { remaining, signed } => {
                    let released = self.take_data(input, remaining, signed)?;
                    if let Some(data) = released {
                        return Ok(Decoded::Data(data));
                    }
                }
                State::DataEnd => {
                    self.state = match self.take_line(input, 0)? {
                        Some(_) => State::Header,
                        None => State::DataEnd,
                    };
                }
                State::Trailer => {
                    let left = MAX_TRAILER_BYTES.saturating_sub(self.trailer_bytes);
                    self.state = match self.take_line(input, left)? {
                        Some(line) if line.is_empty() => {
                            self.check_trailer()?;
                            State::End
                        }
                        Some(line) => {
                            self.add_trailer(&line)?;
                            State::Trailer
                        }
                        None => State::Trailer,
                    };
                }
                State::End | State::Failed => {
                    return Err(mismatch(reason!(
                        "body: expected its end after the last chunk and the trailer, found more"
                    )));
                }
            }
        }
    }

    /// Ends the body. Returns the piece that was held back; empty for an empty body.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::BodyMismatch`] if the body ended before its last chunk and its trailer.
    pub fn finish(self) -> Result<Bytes, Rejection> {
        match self.state {
            State::End => {
                self.is_finished.store(true, Ordering::Release);
                Ok(self.held)
            }
            State::Header
            | State::Data { .. }
            | State::DataEnd
            | State::Trailer
            | State::Failed => Err(mismatch(reason!(
                "body: expected a last chunk of size 0 and a trailer, found the end of the body"
            ))),
        }
    }

    /// Returns the number of decoded bytes in all, if it is declared.
    pub fn decoded_length(&self) -> Option<u64> {
        self.decoded_length
    }

    /// Returns whether each chunk is signed.
    pub fn is_signed(&self) -> bool {
        matches!(self.protection, Protection::Signed(_))
    }

    /// Returns a flag that is set once the body is right to its end.
    pub(crate) fn finished(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_finished)
    }

    /// Returns the number of decoded bytes so far.
    pub fn decoded_bytes(&self) -> u64 {
        self.received
    }

    /// Returns the bytes of a chunk that are kept until its signature is checked.
    pub fn kept_bytes(&self) -> usize {
        let chunk = match &self.state {
            State::Data {
                signed: Some(signed),
                ..
            } => signed.data.len(),
            _ => 0,
        };
        chunk.saturating_add(self.held.len())
    }

    fn begin_chunk(&mut self, line: &[u8]) -> Result<State, Rejection> {
        let header = ChunkHeader::parse(line).ok_or_else(|| {
            mismatch(reason!(
                "chunk header: expected a size in hexadecimal digits and at most a \
                 chunk-signature, found {} bytes of another form",
                line.len()
            ))
        })?;
        let signature = match (&self.protection, header.signature) {
            (Protection::Signed(_), Some(signature)) => Some(signature),
            (Protection::Unsigned, None) => None,
            (Protection::Signed(_), None) => {
                return Err(mismatch(reason!(
                    "chunk header: expected a chunk-signature, as x-amz-content-sha256 says, found \
                     none"
                )));
            }
            (Protection::Unsigned, Some(_)) => {
                return Err(mismatch(reason!(
                    "chunk header: expected no chunk-signature, as x-amz-content-sha256 says, \
                     found one"
                )));
            }
        };
        if header.size == 0 {
            if let Some(signature) = signature {
                self.check_chunk(sha256::digest(b""), signature)?;
            }
            self.ensure_length(self.received, Bound::Exact)?;
            return Ok(State::Trailer);
        }
        self.chunks = self.chunks.saturating_add(1);
        let total = self.received.saturating_add(header.size);
        self.ensure_length(total, Bound::AtMost)?;
        if self.chunks > FREE_CHUNKS && total < self.chunks.saturating_mul(LEAST_AVERAGE_BYTES) {
            return Err(mismatch(reason!(
                "chunks: expected {} bytes on average after the first {}, found fewer",
                LEAST_AVERAGE_BYTES,
                FREE_CHUNKS
            )));
        }
        if signature.is_some() && header.size > self.max_chunk_bytes {
            return Err(mismatch(reason!(
                "chunk header: expected a signed chunk of at most {} bytes, found {}; \
                 SigV4VerifySettings::with_max_chunk_bytes allows more",
                self.max_chunk_bytes,
                header.size
            )));
        }
        Ok(State::Data {
            remaining: header.size,
            signed: signature.map(|signature| SignedChunk {
                signature,
                hash: Sha256::new(),
                data: BytesMut::new(),
            }),
        })
    }

    /// Takes data of the current chunk, and sets the next state.
    fn take_data(
        &mut self,
        input: &mut Bytes,
        remaining: u64,
        signed: Option<SignedChunk>,
    ) -> Result<Option<Bytes>, Rejection> {
        let wanted = usize::try_from(remaining).unwrap_or(usize::MAX);
        let piece = input.split_to(wanted.min(input.len()));
        let taken = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let remaining = remaining.saturating_sub(taken);
        self.received = self.received.saturating_add(taken);
        for declared in &mut self.declared {
            if let Some(checksum) = &mut declared.checksum {
                checksum.update(&piece);
            }
        }
        let Some(mut signed) = signed else {
            self.state = match remaining {
                0 => State::DataEnd,
                remaining => State::Data {
                    remaining,
                    signed: None,
                },
            };
            return Ok(self.release(piece));
        };
        signed.hash.update(&piece);
        signed.data.extend_from_slice(&piece);
        if remaining > 0 {
            self.state = State::Data {
                remaining,
                signed: Some(signed),
            };
            return Ok(None);
        }
        self.check_chunk(signed.hash.finish(), signed.signature)?;
        self.state = State::DataEnd;
        Ok(self.release(signed.data.freeze()))
    }

    fn check_chunk(&mut self, hash: [u8; 32], signature: [u8; 32]) -> Result<(), Rejection> {
        let Protection::Signed(chain) = &mut self.protection else {
            return Ok(());
        };
        if chain.accepts_chunk(hash, signature) {
            return Ok(());
        }
        Err(mismatch(reason!(
            "chunk {}: expected the signature of its data and of the chunk before, found another",
            self.chunks
        )))
    }

    /// Holds `piece` back if it may complete the body, and returns what can be released.
    fn release(&mut self, piece: Bytes) -> Option<Bytes> {
        let may_be_last = self
            .decoded_length
            .is_none_or(|length| self.received >= length);
        let released = if may_be_last {
            mem::replace(&mut self.held, piece)
        } else {
            piece
        };
        (!released.is_empty()).then_some(released)
    }

    fn ensure_length(&self, found: u64, bound: Bound) -> Result<(), Rejection> {
        let Some(expected) = self.decoded_length else {
            return Ok(());
        };
        let is_right = match bound {
            Bound::AtMost => found <= expected,
            Bound::Exact => found == expected,
        };
        if is_right {
            return Ok(());
        }
        Err(mismatch(reason!(
            "chunks: expected {} bytes in all, as x-amz-decoded-content-length says, found {}",
            expected,
            found
        )))
    }

    fn add_trailer(&mut self, line: &[u8]) -> Result<(), Rejection> {
        let line = TrailerLine::parse(line).ok_or_else(|| {
            mismatch(reason!(
                "trailer: expected a lower-case name, a colon and a value of visible ASCII, found \
                 {} bytes of another form",
                line.len()
            ))
        })?;
        // One more for the signature.
        if self.trailer.len() > MAX_TRAILER_LINES {
            return Err(mismatch(reason!(
                "trailer: expected at most {} lines, found more",
                MAX_TRAILER_LINES
            )));
        }
        let bytes = line.name.len().saturating_add(line.value.len());
        self.trailer_bytes = self.trailer_bytes.saturating_add(bytes);
        self.trailer.push(line);
        Ok(())
    }

    fn check_trailer(&mut self) -> Result<(), Rejection> {
        let mut lines = mem::take(&mut self.trailer);
        if let Protection::Signed(chain) = &self.protection
            && !self.declared.is_empty()
        {
            let signature = lines.pop().filter(|line| &*line.name == trailer::SIGNATURE);
            let signature = signature
                .as_ref()
                .and_then(|line| hex::decode(&line.value, Letters::Lower));
            let hash = sha256::digest(trailer::canonical(&lines).as_bytes());
            if !signature.is_some_and(|signature| chain.accepts_trailer(hash, signature)) {
                return Err(mismatch(reason!(
                    "trailer: expected x-amz-trailer-signature of the lines before as its last \
                     line, found another"
                )));
            }
        }
        if lines.len() != self.declared.len() {
            return Err(mismatch(reason!(
                "trailer: expected {} lines, as x-amz-trailer declares, found {}",
                self.declared.len(),
                lines.len()
            )));
        }
        let mut has_checksum = false;
        // Both lists have one length, and no name is declared twice: each line is used once.
        for Declared { name, checksum } in mem::take(&mut self.declared) {
            let line = lines.iter().find(|line| line.name == name);
            let line = line.ok_or_else(|| {
                mismatch(reason!(
                    "trailer: expected {}, as x-amz-trailer declares, found none",
                    Escaped::text(&name)
                ))
            })?;
            if let Some(checksum) = checksum {
                has_checksum = true;
                if !checksum.is(&line.value) {
                    return Err(mismatch(reason!(
                        "trailer {}: expected the checksum of the decoded body, found another",
                        Escaped::text(&name)
                    )));
                }
            }
        }
        if matches!(self.protection, Protection::Unsigned) && !has_checksum {
            return Err(mismatch(reason!(
                "trailer: expected a checksum, because the chunks are not signed, found none"
            )));
        }
        Ok(())
    }

    /// Takes a line and its CRLF from `input`. Returns the line without CRLF, or `None` if its end
    /// has not arrived.
    fn take_line(&mut self, input: &mut Bytes, limit: usize) -> Result<Option<Vec<u8>>, Rejection> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let piece = input.split_to(end.map_or(input.len(), |end| end.saturating_add(1)));
        // The limit is without CRLF.
        if self.line.len().saturating_add(piece.len()) > limit.saturating_add(2) {
            return Err(mismatch(reason!(
                "body: expected a line of at most {} bytes, found a longer one",
                limit
            )));
        }
        self.line.extend_from_slice(&piece);
        if end.is_none() {
            return Ok(None);
        }
        let mut line = mem::take(&mut self.line);
        if line.pop() == Some(b'\n') && line.pop() == Some(b'\r') && !line.contains(&b'\r') {
            return Ok(Some(line));
        }
        Err(mismatch(reason!(
            "body: expected lines that end with CRLF, found another end"
        )))
    }
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost,
    Exact,
}

#[cold]
fn mismatch(reason: Reason) -> Rejection {
    Rejection::because(RejectionKind::BodyMismatch, reason)
}

/// Hides the data and the keys.
impl fmt::Debug for ChunkedDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkedDecoder")
            .field("decoded_bytes", &self.received)
            .finish_non_exhaustive()
    }
}
