//! Proxies that verify, sign and re-sign HTTP requests, and a decision server for gateways.
//!
//! A service in any language gets what the layers of `tower-countersign` do, without a line of
//! signing code. The binary `countersign` starts the proxies. This crate is the library below it.
//!
//! ```no_run
//! use countersign_proxy::{Config, Sections, start};
//!
//! # async fn run() -> Result<(), countersign_proxy::StartError> {
//! let config = Config::from_file("proxy.toml").map_err(countersign_proxy::StartError::Config)?;
//! let running = start(&config, Sections::All).await?;
//! let all_answered = running.until_signal().await?;
//! # let _ = all_answered;
//! # Ok(())
//! # }
//! ```
//!
//! The verifier is `VerifyLayer`, the policy `AuthorizeLayer`, the signer `SignLayer`. This crate
//! decides nothing about a signature. It holds the order of the steps, and the rules for headers
//! that belong to one connection and for headers that look like the identity it adds.

mod admin;
mod authorized;
mod authz;
mod config;
mod events;
mod forward;
mod front;
mod identity;
mod listen;
mod message;
mod resign;
mod routes;
mod sign;
mod start;
mod tls;
mod verify;

pub use self::{
    config::{Config, LogFormat, Sections},
    listen::ListenAddress,
    start::{Running, StartError, start},
};
