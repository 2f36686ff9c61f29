//! Keys, and whatever else a service reads from files, read again when the files change.
//!
//! ```
//! # let digits = |seed: u8| (0..32).map(|n: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed)).collect::<String>();
//! # let directory = std::env::temp_dir().join(format!("countersign-reload-{}", std::process::id()));
//! # std::fs::create_dir_all(&directory)?;
//! # let path = directory.join("keys.toml");
//! # let callers = |digits: &str| format!("[[callers]]\nname = \"billing\"\n[[callers.keys]]\nversion = \"1\"\nsecret_hex = \"{digits}\"\n");
//! # std::fs::write(&path, callers(&digits(1)))?;
//! use tower_countersign::{VerifyLayer, reload::Reload};
//!
//! let (keys, reloading) = Reload::new().keyring(&path)?;
//! let verify = VerifyLayer::new(keys).with_expected_hosts(["user-service:8081"])?;
//! let health = reloading.health();
//! assert!(health.status().is_good());
//! # // The layer now has the keys of the file, whatever they come to be, for as long as `reloading` lives.
//! # drop(verify);
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is read, and when
//!
//! 1. Once at the start, by whoever calls [`Reload::watch`]: a source that is bad from the start is an error there.
//! 2. After each change, on a thread of its own. The operating system tells of it; besides, the content is compared with
//!    what it was at every poll, because there are mounts whose changes nobody is told of. No request waits for a disk.
//! 3. What was loaded is put into use as a whole. Keys that are no longer in the source have stopped working then, and a
//!    request that was being verified goes on with those it began with.
//!
//! The directory of the file is watched and not the file, so that it may be replaced by a rename, by the swap of a link,
//! or of a link further up such as the `..data` of a volume that Kubernetes mounts. Write the new file beside the old one
//! and rename it: a file that is written in place can be read half written. If that half is no good it is tried again with
//! the next change; if it happens to be good, it is in use until then.
//!
//! # When it is bad
//!
//! A source that cannot be read or parsed, or is gone, changes nothing: what was last good stays in use, an event says so,
//! and [`ReloadStatus::is_good`] is `false` until the source is good again. A keyring is never emptied by a file that
//! vanished. This also means that a key is *not* out of use while the file that should remove it is bad: watch the health
//! value.
//!
//! | level | when | fields |
//! |---|---|---|
//! | `info` | something new was put into use | `outcome = "reloaded"`, `path`, `generation` |
//! | `error` | the source is bad, once for each content and reason | `outcome = "reload_failed"`, `path`, `reason` |
//! | `warn` | a policy has a resource that no request to this service can match | `outcome = "statement_unreachable"`, `statement`, `denies`, `kept_out`, `resource`, `reason` |
//! | `debug` | the operating system tells of no changes any more | `outcome = "reload_polls"`, `path`, `reason` |
//!
//! All have the target `countersign`, and none holds a key. The metrics of reloads count what these events say: a source
//! that stays bad counts as one failure, however often it is tried, and is one of `countersign_bad_sources` meanwhile.
//!
//! # Anything else
//!
//! ```
//! # let path = std::env::temp_dir().join(format!("countersign-limits-{}", std::process::id()));
//! # std::fs::write(&path, "17")?;
//! use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
//!
//! use countersign::{ConfigError, ConfigErrorKind};
//! use tower_countersign::reload::Reload;
//!
//! let limit = Arc::new(AtomicU64::new(0));
//! let shared = Arc::clone(&limit);
//! let reloading = Reload::new().watch(
//!     &path,
//!     |path| {
//!         let text = std::fs::read_to_string(path).unwrap_or_default();
//!         let wrong = |_| ConfigError::new(ConfigErrorKind::File, "limit: expected a number, found something else");
//!         text.trim().parse::<u64>().map_err(wrong)
//!     },
//!     move |value| shared.store(value, Ordering::Relaxed),
//! )?;
//! assert_eq!(limit.load(Ordering::Relaxed), 17);
//! # drop(reloading);
//! # std::fs::remove_file(&path)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod content;
mod count;
mod files;
mod health;
mod keys;
#[cfg(feature = "policy")]
mod policy;
mod worker;

pub use self::{
    files::{Reload, Reloading},
    health::{ReloadError, ReloadHealth, ReloadStatus},
};
