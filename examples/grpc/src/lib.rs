//! A gRPC service and its client with tonic. The client signs each call. The service verifies each
//! call and knows its caller.
//!
//! # Run with
//!
//! ```sh
//! export KEY=$(openssl rand -hex 32)
//! cargo run -p grpc -- serve &
//! cargo run -p grpc -- call http://127.0.0.1:8085
//! # Another key, and a caller that may only read:
//! KEY=$(openssl rand -hex 32) cargo run -p grpc -- call http://127.0.0.1:8085
//! CALLER=audit cargo run -p grpc -- call http://127.0.0.1:8085
//! ```
//!
//! | variable | value | default |
//! |---|---|---|
//! | `KEY` | the key of the caller, 64 hexadecimal digits | required |
//! | `CALLER` | `billing`, which may do everything, or `audit`, which may read | `billing` |
//! | `LISTEN_ADDR` | the address on which the service listens | `127.0.0.1:8085` |
//!
//! To keep the example short, the keys of both callers are derived from one `KEY`.
//!
//! # Transcript
//!
//! ```text
//! $ cargo run -p grpc -- call http://127.0.0.1:8085
//! Post: 1 entries, posted by billing
//! Import: 4 entries, posted by billing
//! Entries: 100 200 300 400
//! Watch: not sent: body: expected a unary, server-streaming or client-streaming method, found the
//! bidirectional gRPC method /ledger.Ledger/Watch: a signature needs the end of the stream
//!
//! $ CALLER=audit cargo run -p grpc -- call http://127.0.0.1:8085
//! Post: PermissionDenied forbidden
//! Import: PermissionDenied forbidden
//! Entries: 100 200 300 400
//! …
//!
//! $ KEY=$(openssl rand -hex 32) cargo run -p grpc -- call http://127.0.0.1:8085
//! Post: Unauthenticated invalid_signature
//! …
//! ```
//!
//! # In a real service
//!
//! Replace [`codec`], [`messages`], and the lists of methods in [`client`] and [`service`] by the
//! code that `tonic-prost-build` generates from a `.proto` file. They are written by hand here, so
//! that the example needs no `protoc`. Keep [`client::channel`] and [`layers::verified`].

pub mod client;
pub mod codec;
pub mod layers;
pub mod messages;
pub mod service;

use countersign::{ConfigError, RootKey, Secret, SigningKey};

/// The service's name in key derivation.
pub const CALLEE: &str = "ledger";
/// The callers of the service.
pub const CALLERS: [&str; 2] = ["billing", "audit"];

/// Derives the key of a caller.
///
/// # Errors
///
/// A [`ConfigError`] if the secret is weak. The error holds no key.
pub fn key_of(caller: &str, secret: &Secret) -> Result<SigningKey, ConfigError> {
    let root = RootKey::new("1", secret)?;
    Ok(SigningKey::hmac_sha256(&root.derive_for(caller, CALLEE)?))
}
