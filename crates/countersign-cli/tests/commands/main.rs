//! The commands of the program, run in this process and, where a process matters, as the binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a test that cannot be set up fails by panicking"
)]

mod arguments;
mod binary;
mod curl;
mod dialects;
mod explain;
mod folder;
mod guide;
mod hostile_input;
#[cfg(feature = "proxy")]
mod json_page;
mod keygen;
mod keys_check;
mod keys_rotate;
mod policy;
mod probe;
mod program;
#[cfg(feature = "proxy")]
mod proxy;
mod readme;
mod receiver;
mod recorded;
mod sign;
mod vectors;
mod verify;
