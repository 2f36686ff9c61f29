//! A cache over a slow key store.
//!
//! ```
//! # #[derive(Clone)]
//! # struct Directory;
//! # impl countersign::KeyStore for Directory {
//! #     async fn lookup(&self, _: &str) -> Result<countersign::CallerKeys, countersign::Unavailable> {
//! #         Ok(countersign::CallerKeys::unknown())
//! #     }
//! # }
//! use std::time::Duration;
//!
//! use tower_countersign::{CachedKeys, VerifyLayer};
//!
//! // Directory is a KeyStore that asks somebody over the network.
//! let keys = CachedKeys::builder(Directory)
//!     .fresh_for(Duration::from_secs(20))
//!     .misses(10, 50)
//!     .build()?;
//! let verify = VerifyLayer::new(keys);
//! # Ok::<(), countersign::ConfigError>(())
//! ```
//!
//! # What is answered
//!
//! The age of an entry counts from the moment at which the look-up began, on a clock that is never set: the one of the
//! process and not the layer's, so that a correction of the time prolongs nothing.
//!
//! | the name | the answer |
//! |---|---|
//! | known, younger than `fresh_for` | from memory |
//! | known, no more than `stale_while_revalidate` older | from memory, and the store is asked in the background |
//! | known, no more than `stale_if_error` older | the store's; if it fails, from memory |
//! | known, older than that | the store's; if it fails, 503 |
//! | not there, asked for within `unknown_for` | unknown, from memory |
//! | never seen | the store's, while the limit of misses is not used up; past it unknown, or 503 if the store failed when it was last asked, and it is not asked |
//!
//! A key that is removed from the store has therefore stopped working after `fresh_for` and `stale_while_revalidate`, by
//! default one minute, as long as the store answers; and after `fresh_for` and `stale_if_error`, by default ten and a
//! half, while it does not. The two last words on the store failing are RFC 5861's.
//!
//! # Under load, and under attack
//!
//! - One look-up for a name at a time, whoever waits for it. It runs on a task of its own: a caller that goes away strands
//!   nobody, and a store that never answers is given up on at `lookup_deadline`.
//! - A store that has just failed for a name is not asked for it again within `retry_after`.
//! - Anyone can make up names. Those that the store does not know are remembered for `unknown_for`, no more than
//!   `unknown_capacity` of them, and names that were never seen are looked up no faster than the limit. Known names are
//!   never subject to it, however old their entry: a flood of made-up names does not keep known callers out. A caller
//!   that is new, or that this process has not seen since it started, can be refused while the flood lasts: give the
//!   names that you know to [`CachedKeys::warm`](crate::CachedKeys::warm) at the start.
//! - At most `capacity` known names; past it the one that was read the longest ago is forgotten, and is then one that was
//!   never seen. Make room for all callers.
//! - No lock is held while anything is waited for.
//!
//! An unknown name is answered faster than a known one that must be looked up, or the other way round: names of callers are
//! not kept secret by a cache.

mod builder;
mod entries;
mod rate_limit;
mod settings;
mod single_flight;
mod status;
pub(crate) mod store;

pub use self::{builder::CachedKeysBuilder, status::CachedKeysStatus};
