//! One file per command. Each has a struct of its arguments, and `run`.

pub(crate) mod completions;
#[cfg(feature = "proxy")]
pub(crate) mod config;
pub(crate) mod explain;
pub(crate) mod keygen;
pub(crate) mod keys;
pub(crate) mod man;
pub(crate) mod policy;
pub(crate) mod presign;
pub(crate) mod probe;
#[cfg(feature = "proxy")]
pub(crate) mod proxy;
#[cfg(feature = "proxy")]
pub(crate) mod serve;
pub(crate) mod sign;
pub(crate) mod vectors;
pub(crate) mod verify;
