//! Verifies the answers to signed requests, on the client.
//!
//! ```text
//! SignLayer ─▶ VerifyAnswerLayer ─▶ client
//! ```
//!
//! [`VerifyAnswerLayer`](crate::VerifyAnswerLayer) sees the signed request and the unchanged
//! response. So it is **between** [`SignLayer`](crate::SignLayer) and the client.
//!
//! - **Redirects** inside the client break it: the response then answers another request. Follow
//!   redirects outside of both layers.
//! - **Decompression** inside the client breaks it: the signature covers the compressed body.
//!   Decompress outside of this layer, or switch it off.
//! - **Retries** outside of both layers get a new request each, as they must.
//!
//! # Events
//!
//! | level | `outcome` | when | other fields |
//! |---|---|---|---|
//! | `warn` | `clock_differs` | the service refused the date, and signed its own | `service`, `offset_seconds` |
//!
//! The target is `countersign`.

mod checked_body;
mod future;
pub(crate) mod layer;
mod service;
mod state;

pub use self::{
    checked_body::CheckedBody, future::VerifyAnswerFuture, service::VerifyAnswer,
    state::AnswerState,
};
