//! A gRPC service and its client, in tonic: the client signs each call, the service verifies it and knows its caller.
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
//! | variable | holds | if it is not set |
//! |---|---|---|
//! | `KEY` | the key of the caller, 64 hexadecimal digits | the program does not start |
//! | `CALLER` | `billing`, which may do all, or `audit`, which may read | `billing` |
//! | `LISTEN_ADDR` | where the service listens | `127.0.0.1:8085` |
//!
//! For the sake of a short example one `KEY` makes both callers: each caller's key is derived from it.
//!
//! # Transcript
//!
//! ```text
//! $ cargo run -p grpc -- call http://127.0.0.1:8085
//! Post: 1 entries, posted by billing
//! Import: 4 entries, posted by billing
//! Entries: 100 200 300 400
//! Watch: not sent: body: /ledger.Ledger/Watch is a bidirectional gRPC method, and a stream is signed once it has ended: use
//! a unary, server-streaming or client-streaming method
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
//! # In a service of your own
//!
//! The code that `tonic-prost-build` generates from a `.proto` file takes the place of [`codec`], [`messages`], and the two
//! lists of methods in [`client`] and [`service`], which are written by hand so that the example needs no `protoc`. What
//! is left to write are [`client::channel`] and [`layers::verified`].

pub mod client;
pub mod codec;
pub mod layers;
pub mod messages;
pub mod service;

use countersign::{ConfigError, RootKey, Secret, SigningKey};

/// What the service is called in keys.
pub const CALLEE: &str = "ledger";
/// The callers of the service.
pub const CALLERS: [&str; 2] = ["billing", "audit"];

/// Derives the key of a caller.
///
/// # Errors
///
/// A [`ConfigError`] if the secret is weak. It holds no key.
pub fn key_of(caller: &str, secret: &Secret) -> Result<SigningKey, ConfigError> {
    let root = RootKey::new("1", secret)?;
    Ok(SigningKey::hmac_sha256(&root.derive_for(caller, CALLEE)?))
}
