//! One file per command. Each has a struct of its arguments, and `run`.

pub(crate) mod completions;
pub(crate) mod explain;
pub(crate) mod keygen;
pub(crate) mod keys;
pub(crate) mod man;
pub(crate) mod policy;
pub(crate) mod presign;
pub(crate) mod probe;
pub(crate) mod sign;
pub(crate) mod vectors;
pub(crate) mod verify;
