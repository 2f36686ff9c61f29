//! The program `countersign`, beside what it must agree with: the layer, the vectors, clients in
//! other languages, `curl`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    unreachable_pub,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod curl;
mod growth;
mod mistakes;
mod page;
mod program;
mod vectors;
