//! Signed answers: who made a response, and to which request.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests panic on what they do not expect"
)]

mod vectors;
