use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

/// The accounts that are suspended at the start.
const SUSPENDED: [u64; 2] = [13, 99];

/// Accounts in memory. Every number is an account, which is active unless suspended. Clones share
/// the accounts.
#[derive(Clone, Debug)]
pub struct Accounts {
    suspended: Arc<Mutex<HashSet<u64>>>,
}

/// Whether an account may be billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// The account may be billed.
    Active,
    /// The account may not be billed.
    Suspended,
}

/// The changes that a caller may make.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Update {
    status: Status,
}

impl Accounts {
    /// Returns the status of an account.
    pub fn status(&self, id: u64) -> Status {
        if self.suspended().contains(&id) {
            Status::Suspended
        } else {
            Status::Active
        }
    }

    /// Changes an account and returns its status.
    pub(crate) fn update(&self, id: u64, update: Update) -> Status {
        match update.status {
            Status::Active => self.suspended().remove(&id),
            Status::Suspended => self.suspended().insert(id),
        };
        update.status
    }

    fn suspended(&self) -> MutexGuard<'_, HashSet<u64>> {
        // The set stays consistent after a panic.
        self.suspended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            suspended: Arc::new(Mutex::new(HashSet::from(SUSPENDED))),
        }
    }
}
