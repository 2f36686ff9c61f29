//! Accepts connections within limits.

mod address;
mod connection;
mod drain;
mod per_address;

pub use self::address::ListenAddress;
pub(crate) use self::{
    address::Bound,
    connection::{ConnectionLimits, Handler, Peer, serve},
    drain::{Drain, Draining, Guard},
};
