//! The proxies over real sockets. `rows.md` lists the tests, and the claim of each.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests are tables of constants and panic on a wrong one"
)]

mod support;

mod answers;
mod authz;
mod deployment;
mod framing;
mod gateways;
mod haproxy;
mod heads;
mod http2;
mod identity;
mod limits;
mod operation;
mod refusals;
mod resign;
mod rows;
mod secrets;
mod sign;
mod targets;
mod upgrades;
mod uploads;
mod verify_config;
