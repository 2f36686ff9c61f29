//! Accepts connections within limits.

mod address;
mod connection;
mod drain;
mod per_address;

pub use self::address::ListenAddress;
pub(crate) use self::{
    connection::{ConnectionLimits, Handler, Listener, Peer},
    drain::{Drain, Draining, Guard},
};
