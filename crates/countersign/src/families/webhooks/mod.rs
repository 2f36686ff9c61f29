//! Standard Webhooks, version 1.0.0: signs id, timestamp and body with the sender's secret or
//! Ed25519 key.
//!
//! ```text
//! webhook-id: msg_27UH4WbU6Z5A5EzD8u03UvzRbpk
//! webhook-timestamp: 1649367553
//! webhook-signature: v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw= v1a,…
//! ```
//!
//! The signature covers the [signed content](signed_content). One entry of the list must match:
//! `v1` is HMAC-SHA256, verified with shared secrets only, and `v1a` is Ed25519, verified with
//! public keys only. Other versions and malformed entries are ignored.
//!
//! Svix sends the same values as `svix-id`, `svix-timestamp` and `svix-signature`.
//! [`with_svix_headers`](StandardWebhooksVerifySettings::with_svix_headers) accepts these names.
//!
//! **No method, path, host or other header is signed**, and no name of the sender. The
//! [settings](StandardWebhooksVerifySettings) therefore list the sender's requests, and a verified
//! request has [`Coverage::BodyOnly`](crate::Coverage::BodyOnly).
//!
//! - The head cannot be authenticated before the body is read.
//! - Id and timestamp together are the replay identity. A sender's retry keeps the id, changes the
//!   timestamp, and is accepted. [`Verified::idempotency_key`](crate::Verified::idempotency_key)
//!   lets the handler detect a repeated message.

mod header_names;
mod keys;
mod message_id;
mod parse;
mod sign;
mod signatures;
mod signed_content;
mod timestamp;
mod verify_settings;

pub(crate) use self::sign::FamilySigner;
pub use self::verify_settings::StandardWebhooksVerifySettings;
