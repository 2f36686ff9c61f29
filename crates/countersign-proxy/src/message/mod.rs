//! Rules on the head of a message. Each is a pure function on the types of `http`, without I/O.

pub(crate) mod cookies;
pub(crate) mod hop_by_hop;
pub(crate) mod look_alike;
pub(crate) mod open_request;
pub(crate) mod signature_headers;
pub(crate) mod target;
pub(crate) mod upgrade;

/// A request that is answered with 400 before it is verified. The reason is for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);
