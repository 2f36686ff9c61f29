//! Reloads keys, policies and other files when they change.
//!
//! ```
//! # let digits = |seed: u8| -> String {
//! #     (0..32).map(|n: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed)).collect()
//! # };
//! # let name = format!("countersign-reload-{}", std::process::id());
//! # let directory = std::env::temp_dir().join(name);
//! # std::fs::create_dir_all(&directory)?;
//! # let path = directory.join("keys.toml");
//! # let callers = |digits: &str| {
//! #     format!(
//! #         "[[callers]]\nname = \"billing\"\n\
//! #          [[callers.keys]]\nversion = \"1\"\nsecret_hex = \"{digits}\"\n"
//! #     )
//! # };
//! # std::fs::write(&path, callers(&digits(1)))?;
//! use tower_countersign::{VerifyLayer, reload::Reload};
//!
//! let (keys, reloading) = Reload::new().keyring(&path)?;
//! let verify = VerifyLayer::new(keys).with_expected_hosts(["user-service:8081"])?;
//! let health = reloading.health();
//! assert!(health.status().is_good());
//! # // While `reloading` lives, the layer uses the current keys of the file.
//! # drop(verify);
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When files are read
//!
//! 1. Once in [`Reload::watch`], which returns an error if the source is bad.
//! 2. After each change, on a separate thread, so that no request waits for a disk. The operating
//!    system reports changes. Each poll also compares the content, because some mounts report
//!    nothing.
//! 3. Loaded content is put into use as a whole. Keys that are no longer in the source stop working
//!    then. A verification that has already started goes on with its old keys.
//!
//! The watch is on the directory, not on the file. So the file may be replaced by a rename or by
//! the swap of a link, such as the `..data` link of a Kubernetes volume. Write the new file beside
//! the old file and rename it: a file written in place can be read half written. If a half-written
//! file is bad, the next change is loaded; if it parses, it is in use until then.
//!
//! # When a source is bad
//!
//! A source that is absent, or cannot be read or parsed, changes nothing. The last good content
//! stays in use, an event reports the error, and [`ReloadStatus::is_good`] is `false` until the
//! source is good again. An absent file never empties a keyring. A key that a bad file was meant to
//! remove stays valid too, so monitor the health value.
//!
//! | level | `outcome` | when | other fields |
//! |---|---|---|---|
//! | `info` | `reloaded` | new content is in use | `path`, `generation` |
//! | `error` | `reload_failed` | the source is bad | `path`, `reason` |
//! | `warn` | `statement_unreachable` | a policy resource matches no request | see below |
//! | `debug` | `reload_polls` | the system reports no changes any more | `path`, `reason` |
//!
//! `reload_failed` is logged once for each content and reason. `statement_unreachable` has the
//! fields `statement`, `denies`, `kept_out`, `resource` and `reason`. All events have the target
//! `countersign`, and none contains a key.
//!
//! The metrics of reloads count the same facts. A source that stays bad counts as one failure,
//! however often it is tried, and as one of `countersign_bad_sources` until it is good.
//!
//! # Other content
//!
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
//!         let wrong = |_| {
//!             ConfigError::new(
//!                 ConfigErrorKind::File,
//!                 "limit: expected a number, found other text",
//!             )
//!         };
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
