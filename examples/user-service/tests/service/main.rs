//! The program, run as its users run it, over real sockets.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

mod calls;
mod interop;
mod process;
mod start;
