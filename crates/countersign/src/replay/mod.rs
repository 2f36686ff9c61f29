//! Replay detection: the identity of a request, and the store that accepts each identity once.

mod key;
mod memory;
mod store;

pub use self::{
    key::ReplayKey,
    memory::{MemoryReplayStore, MemoryReplayStoreBuilder},
    store::{ArcReplayStore, ClaimOutcome, ReplayClaim, ReplayStore, ReplayStoreId},
};
