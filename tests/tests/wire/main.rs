//! `crates/WIRE.md` against the library, the vector files, and the clients that the page shows.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::similar_names,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod answers;
mod clients;
mod derived_keys;
mod example;
mod grammar;
mod page;
mod refusals;
