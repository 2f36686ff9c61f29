//! The program as its users run it, over real sockets.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

mod calls;
mod process;
mod start;
mod unanswered;
