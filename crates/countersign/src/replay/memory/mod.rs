//! The replay store in the memory of one process.

mod builder;
mod callers;
mod quota;
mod shard;
mod store;

#[cfg(test)]
mod tests;

pub use self::{builder::MemoryReplayStoreBuilder, store::MemoryReplayStore};
