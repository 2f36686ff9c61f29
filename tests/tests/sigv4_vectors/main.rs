//! The shared conformance data of AWS Signature Version 4: both suites of AWS, what was printed or
//! recorded in the sources of a dozen implementations, changed requests with the decision on each,
//! and the steps of the specification one by one.
//!
//! Where the data is absent these tests pass and say so on stderr. No case is left out: a case that
//! is refused here although its source accepts it, or that cannot be signed here, is in one of the
//! tables below with the reason, and is checked to be refused. Of the rest every intermediate value
//! is compared: canonical request, string to sign, signature.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::similar_names,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod case;
mod components;
mod differences;
#[path = "../message/mod.rs"]
mod message;
mod mutations;
mod streaming;
mod suites;

use countersign::Timestamp;

/// 2015-08-30T12:36:00Z, the date of both suites.
const SUITE_DATE: Timestamp = Timestamp::from_unix_seconds(1_440_938_160);
