//! Other people's clients call us, and we call other people's servers: run for real, over loopback.
//!
//! The peers are programs below `peers`; what each can do and cannot is in `docs`' table in the
//! README of that folder. For each client: what it signs is accepted; with one thing changed that
//! its scheme binds it is refused; a stale date is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::arithmetic_side_effects,
    unreachable_pub,
    reason = "a test that cannot be set up fails by panicking"
)]

mod body_schemes;
mod caller;
mod cavage;
mod changes;
mod message_signatures;
mod peers;
mod service;
mod sigv4;
