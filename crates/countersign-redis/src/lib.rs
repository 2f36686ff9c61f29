//! Shares replay protection across replicas: countersign's
//! [`ReplayStore`](countersign::ReplayStore) on Redis or Valkey.
//!
//! ```no_run
//! use countersign::{Keyring, Unavailable};
//! use countersign_redis::RedisReplayStore;
//! use tower_countersign::{BoxError, VerifyLayer};
//!
//! async fn verify() -> Result<VerifyLayer<Keyring, RedisReplayStore>, BoxError> {
//!     let nonces = RedisReplayStore::from_url("rediss://verifier:secret@redis.internal")?;
//!     // Log the settings of this server that can lose a nonce.
//!     for warning in nonces.check().await? {
//!         tracing::warn!(%warning);
//!     }
//!     Ok(VerifyLayer::new(Keyring::from_env()?)
//!         .with_expected_hosts(["user-service:8081"])?
//!         .with_audience("user-service")
//!         .with_replay_store(nonces))
//! }
//! ```
//!
//! Give all replicas the same servers, the same namespace, and the same audience.
//!
//! # How a claim works
//!
//! One command, one round trip, atomic in the server:
//!
//! ```text
//! SET <namespace>:<identity> <token> NX GET PX <milliseconds>
//! ```
//!
//! | answer | meaning |
//! |---|---|
//! | nil | the first claim: `Fresh` |
//! | the same token | the first attempt arrived, but its answer was lost: `Fresh` |
//! | another token | already claimed: `Replayed` |
//! | any other answer, or none in time | `Unavailable`: a verifying layer answers 503 |
//!
//! The token is 128 random bits, new for each claim and unchanged in a retry. A claim is retried at
//! most once, after its connection broke or half of its [time](RedisReplayStoreBuilder::timeout)
//! has passed. The token ensures that a retry does not refuse an honest request whose first attempt
//! arrived. A cluster node that redirects a claim has not executed it. At most three redirections
//! are followed.
//!
//! An entry lives until the claim's end plus 5 seconds, the longest time that a claim can take. The
//! command carries only this duration, so the server's clock does not matter. The duration is not
//! configurable.
//!
//! # Guarantees
//!
//! - Of any number of claims of one identity, on any number of replicas, exactly one is `Fresh`, as
//!   long as the servers keep acknowledged entries.
//! - An outage accepts no request. Every claim gets an answer within its time limit. After the
//!   outage, claims work again without a restart.
//! - In a cluster, a lost master stops only the claims for the slots of that master.
//! - A server that evicts, or whose eviction policy is unknown, is refused.
//!   [`insecure_allow_eviction`](RedisReplayStoreBuilder::insecure_allow_eviction) accepts both,
//!   [`insecure_assume_noeviction`](RedisReplayStoreBuilder::insecure_assume_noeviction) the
//!   second.
//! - A replica and a server before version 7.0, which lacks the command, are refused.
//! - No error, event or `Debug` output contains a password.
//!
//! # Limits
//!
//! - **Durability depends on the servers.** The README of this crate states what Redis keeps with
//!   each persistence setting, across a failover, and when memory is full.
//! - **There is no quota per caller.** The servers' `maxmemory` limits all callers together. Above
//!   that, claims are `Unavailable`.
//! - **A cancelled claim may have used up its nonce.** This also applies to a request that was
//!   answered with 503. The client must sign again, not send the same signature again.
//! - **A server whose clock is set ahead drops entries early.** A constant difference to the
//!   verifier's clock does not matter.
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `tls` | yes | `rediss://` with TLS by rustls, with the provider that is installed |
//! | `tls-ring` | yes | as `tls`; installs ring if the application installed no provider |
//!
//! TLS trusts the system's root certificates unless others are set.
//!
//! To use another provider, install it before the store is built. To build without ring, turn the
//! default features off and `tls` on.
//!
//! Claims need a tokio runtime with timer and network enabled.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::too_many_lines,
        reason = "tests are tables of constants, and panic where one is wrong"
    )
)]

mod access;
mod builder;
mod check;
mod clock_rollback;
mod cluster;
mod connection;
mod error;
mod handshake;
mod node_address;
mod request;
mod sentinel;
mod single_flight;
mod slots;
mod stall;
mod store;
mod time_to_live;
#[cfg(feature = "tls")]
mod tls_provider;
mod topology;
mod url;

pub use self::{
    builder::RedisReplayStoreBuilder,
    check::{Warning, WarningKind},
    store::RedisReplayStore,
};

/// The example of the crate's README, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
