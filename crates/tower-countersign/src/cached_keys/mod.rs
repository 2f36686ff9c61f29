//! A cache over a slow key store.
//!
//! ```
//! # #[derive(Clone)]
//! # struct Directory;
//! # impl countersign::KeyStore for Directory {
//! #     async fn lookup(
//! #         &self,
//! #         _: &str,
//! #     ) -> Result<countersign::CallerKeys, countersign::Unavailable> {
//! #         Ok(countersign::CallerKeys::unknown())
//! #     }
//! # }
//! use std::time::Duration;
//!
//! use tower_countersign::{CachedKeys, VerifyLayer};
//!
//! // Directory is a KeyStore that asks a service over the network.
//! let keys = CachedKeys::builder(Directory)
//!     .fresh_for(Duration::from_secs(20))
//!     .misses(10, 50)
//!     .build()?;
//! let verify = VerifyLayer::new(keys);
//! # Ok::<(), countersign::ConfigError>(())
//! ```
//!
//! # Answers by age
//!
//! The age of an entry counts from the start of its lookup. It is measured on the monotonic clock
//! of the process, so a correction of the wall clock extends no entry.
//!
//! | name | answer |
//! |---|---|
//! | known, younger than `fresh_for` | from memory |
//! | known, at most `stale_while_revalidate` older | from memory, and refreshed in the background |
//! | known, at most `stale_if_error` older | from the store; if the store fails, from memory |
//! | known, older still | from the store; if the store fails, 503 |
//! | unknown, asked for within `unknown_for` | unknown, from memory |
//! | never seen | from the store, within the limit of misses |
//! | never seen, over the limit | not looked up: unknown, or 503 if the last lookup failed |
//!
//! While the store answers, a removed key stops working after `fresh_for` plus
//! `stale_while_revalidate`, by default one minute. While the store fails, a removed key stops
//! working after `fresh_for` plus `stale_if_error`, by default 10.5 minutes. Both `stale_…`
//! settings are named after RFC 5861.
//!
//! # Under load and under attack
//!
//! - Only one lookup per name runs at a time, in a spawned task. A cancelled request does not
//!   cancel the lookup for other requests. A lookup is given up at `lookup_deadline`.
//! - After the store failed for a name, the store is not asked for that name within `retry_after`.
//! - Peers can invent names. At most `unknown_capacity` unknown names are remembered, each for
//!   `unknown_for`, and lookups of never-seen names are limited. Names in memory are exempt from
//!   that limit at any age, so a flood of invented names does not keep known callers out.
//! - During such a flood, callers that this process has not yet seen can be refused. Pass the
//!   expected names to [`CachedKeys::warm`](crate::CachedKeys::warm) at the start.
//! - At most `capacity` known names are kept. Above that, the entry with the oldest lookup is
//!   removed, and its name counts as never seen. Set `capacity` to at least the number of callers.
//! - No lock is held across an `await`.
//!
//! Response times can reveal whether a name is known: a cache does not keep names secret.

mod builder;
mod entries;
mod rate_limit;
mod settings;
mod single_flight;
mod status;
pub(crate) mod store;

pub use self::{builder::CachedKeysBuilder, status::CachedKeysStatus};
