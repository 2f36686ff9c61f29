//! Bodies in the content coding `aws-chunked`: chunks that are signed one by one, and trailers.
//!
//! ```text
//! body    = *chunk last-chunk *trailer-line CRLF
//! chunk   = size [";chunk-signature=" 64LHEXDIG] CRLF size-bytes CRLF
//! last    = "0"  [";chunk-signature=" 64LHEXDIG] CRLF
//! size    = [1-9a-fA-F] 0*15HEXDIG
//! trailer-line = name ":" OWS value OWS CRLF
//! ```
//!
//! One grammar, without the variants that some receivers accept. Nothing may follow the end.
//!
//! Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header:
//! Transferring Payload in Multiple Chunks", and the same "Including Trailing Headers".

mod checksum;
mod chunk_header;
mod decoder;
mod head;
mod signature_chain;
mod trailer;

pub use self::decoder::{ChunkedDecoder, Decoded};
pub(super) use self::head::{ChunkMode, ChunkedHead};
