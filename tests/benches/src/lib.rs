//! What the benchmarks measure: this project, the [lower bound](lower_bound) of what its scheme
//! costs, and what a team writes [by hand](naive).

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::implicit_hasher,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up fails by panicking; what it counts fits; the table is what it is for"
)]

pub mod case;
pub mod groups;
pub mod layers;
pub mod loopback;
pub mod lower_bound;
pub mod many_callers;
pub mod naive;
pub mod ours;
pub mod policies;
pub mod program;
pub mod replay_claims;
pub mod report;
pub mod request;
pub mod schemes;
