//! Why a request is refused: for each known mistake, made by a client that is not the crate's, in
//! each scheme where it can happen, the right cause is named first.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::assigning_clones,
    clippy::string_slice,
    clippy::too_many_lines,
    unreachable_pub,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod client;
mod hints;
mod mistakes;
mod report;
mod settings;
