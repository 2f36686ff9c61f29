//! The replay store in the memory of one process.

mod builder;
mod quota;
mod shard;
mod store;

#[cfg(test)]
mod tests;

pub use self::{builder::MemoryReplayStoreBuilder, store::MemoryReplayStore};
