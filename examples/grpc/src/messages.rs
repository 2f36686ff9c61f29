//! Messages and methods of the service `ledger.Ledger`.

use serde::{Deserialize, Serialize};

/// One entry of the ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a message is all its fields")]
pub struct Entry {
    /// The amount in cents.
    pub cents: u64,
}

/// Requests the entries.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a message is all its fields")]
pub struct Query {}

/// Returns the number of entries and their last poster.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a message is all its fields")]
pub struct Summary {
    /// The number of entries.
    pub entries: usize,
    /// The caller.
    pub posted_by: String,
}

/// Posts one entry: unary.
pub const POST: &str = "/ledger.Ledger/Post";
/// Posts a stream of entries: client-streaming.
pub const IMPORT: &str = "/ledger.Ledger/Import";
/// Streams all entries: server-streaming.
pub const ENTRIES: &str = "/ledger.Ledger/Entries";
/// Streams entries in both directions. The client refuses it.
pub const WATCH: &str = "/ledger.Ledger/Watch";
