//! Replay: the identity of a request, and the store that lets each identity through once.

mod key;
mod memory;
mod store;

pub use self::{
    key::ReplayKey,
    memory::{MemoryReplayStore, MemoryReplayStoreBuilder},
    store::{ArcReplayStore, ClaimOutcome, ReplayClaim, ReplayStore, ReplayStoreId},
};
