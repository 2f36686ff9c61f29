//! The program as its users run it, over real sockets.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "tests are tables, and one that cannot be set up fails by panicking"
)]

mod calls;
mod interop;
mod key_texts;
mod operation;
mod policies;
mod process;
mod schemes;
mod start;
mod wire;
