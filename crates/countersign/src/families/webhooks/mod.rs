//! Standard Webhooks, version 1.0.0: a sender's secret or Ed25519 key over id, timestamp and body.
//!
//! ```text
//! webhook-id: msg_27UH4WbU6Z5A5EzD8u03UvzRbpk
//! webhook-timestamp: 1649367553
//! webhook-signature: v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw= v1a,…
//! ```
//!
//! The signature is over the [signed content](signed_content). Of the list one must match: `v1` is HMAC-SHA256 and is tried
//! under shared secrets only, `v1a` is Ed25519 and is tried under public keys only. Other versions are passed over, and so
//! is an entry that cannot be read.
//!
//! Svix sends the same values as `svix-id`, `svix-timestamp` and `svix-signature`. These are read where the
//! [profile](StandardWebhooksVerifySettings::with_svix_headers) says so.
//!
//! **No method, path, host or header beside the two is signed**, and no name of the sender. So a verifier is told
//! [who sends what](StandardWebhooksVerifySettings), and [`Coverage::BodyOnly`](crate::Coverage::BodyOnly) says so of what it lets
//! through.
//!
//! - The head cannot be authenticated before the body is read.
//! - Id and timestamp together are the replay identity. A sender's retry keeps the id and changes the timestamp: it is let
//!   through, and [`Verified::idempotency_key`](crate::Verified::idempotency_key) tells the handler that it is the message
//!   that it may know.

mod header_names;
mod keys;
mod message_id;
mod parse;
mod sign;
mod signatures;
mod signed_content;
mod timestamp;
mod verify_settings;

pub use self::verify_settings::StandardWebhooksVerifySettings;
pub(crate) use self::{sign::FamilySigner, verify_settings::FamilyVerifier};
