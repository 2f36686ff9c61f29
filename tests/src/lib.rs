//! What the tests of this package share: keys, servers on loopback, and the vector files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a test that cannot be set up fails by panicking"
)]

pub mod bodies;
pub mod certificates;
pub mod client;
pub mod directory;
pub mod growth;
pub mod keys;
pub mod peer;
pub mod raw;
pub mod redis;
pub mod server;
pub mod signed;
pub mod stranger;
pub mod vectors;

/// The Rust examples of the guide, compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../crates/GUIDE.md")]
struct Guide;
