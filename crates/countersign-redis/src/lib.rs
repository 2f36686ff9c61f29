//! Replay protection across replicas: countersign's [`ReplayStore`](countersign::ReplayStore) on Redis or Valkey.
//!
//! ```no_run
//! use countersign::{Keyring, Unavailable};
//! use countersign_redis::RedisReplayStore;
//! use tower_countersign::{BoxError, VerifyLayer};
//!
//! async fn verify() -> Result<VerifyLayer<Keyring, RedisReplayStore>, BoxError> {
//!     let nonces = RedisReplayStore::from_url("rediss://verifier:secret@redis.internal")?;
//!     // Say at start what about this server lets a nonce be forgotten.
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
//! # How a claim is made
//!
//! One command, one round trip, atomic in the server: `SET <namespace>:<identity> <token> NX GET PX <milliseconds>`.
//!
//! | answer | means |
//! |---|---|
//! | nothing | nobody claimed it before: `Fresh` |
//! | our own token | our first sending arrived and its answer did not: `Fresh` |
//! | another token | somebody claimed it before: `Replayed` |
//! | anything else, or nothing in time | `Unavailable`, which a verifier answers with 503 |
//!
//! The token is 128 random bits, new for each claim and the same when a claim is sent again. A claim is sent again at most once,
//! when its connection broke or half of its [time](RedisReplayStoreBuilder::timeout) is over, and then an honest request
//! whose first sending had arrived is not refused. A node of a cluster that turns a claim away has not carried it out; it is
//! followed three times at most.
//!
//! The life of an entry is what is left until the claim's end, and 5 seconds more: the longest that a claim may be on its way.
//! Only this difference is sent, so that the server's clock does not matter. There is no setting for it.
//!
//! # What it guarantees
//!
//! - Of any number of claims of one identity, on however many replicas, one is `Fresh`, for as long as the servers keep what they
//!   have acknowledged.
//! - An outage lets nothing through. Every claim is answered within its time, whatever the servers do, and works again once
//!   they do, without a restart.
//! - In a cluster, a lost master stops the claims in its own slots and no others.
//! - A server that evicts or does not tell whether it does is refused, unless [that](RedisReplayStoreBuilder::insecure_allow_eviction)
//!   or [the latter](RedisReplayStoreBuilder::insecure_assume_noeviction) was allowed. So are a replica and a server before
//!   version 7.0, which does not know the command.
//! - No password in an error, an event or a `Debug` output.
//!
//! # What it does not
//!
//! - **It keeps no promise that the servers break.** The README beside this crate says what Redis promises with each persistence,
//!   across a failover, and when its memory is full.
//! - **It has no quota per caller.** The servers' `maxmemory` bounds all callers together; past it claims are `Unavailable`.
//! - **A claim that is given up may have been made.** A request whose client went away, or that was answered with 503, may have burnt its
//!   nonce: the client signs anew and does not send the same signature again.
//! - **A server whose own clock is set ahead forgets early.** Its distance from ours does not matter; a step does.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `tls` | yes | `rediss://`: TLS by rustls with the provider that the application installed, and the system's root certificates unless others are given |
//! | `tls-ring` | yes | as `tls`; installs ring where the application installed no provider |
//!
//! To use another provider, install it before the store is built. To leave ring out of the build, turn the default features
//! off and `tls` on.
//!
//! Claims need a tokio runtime with its timer and its network.

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
