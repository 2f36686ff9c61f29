//! Errors, sorted by whose fault they are.
//!
//! | type | whose fault | what to do with it |
//! |---|---|---|
//! | [`ConfigError`] | the operator's | print it in full and do not start |
//! | [`SignError`] | this service's own | an error of the call |
//! | [`Rejection`] | the peer's | a refusal on the wire, the reason in the log |
//! | [`Unavailable`] | a store's | 503, never 401 |

mod body_bound;
mod config;
mod error_chain;
mod escaped;
mod mismatch;
#[cfg(feature = "config")]
mod nearest;
mod reason;
mod rejection;
mod sign;
mod unavailable;

#[cfg(feature = "config")]
pub(crate) use self::nearest::nearest;
pub use self::{
    body_bound::BodyBound,
    config::{ConfigError, ConfigErrorKind},
    error_chain::ErrorChain,
    escaped::Escaped,
    rejection::{Rejection, RejectionKind},
    sign::{SignError, SignErrorKind},
    unavailable::Unavailable,
};
pub(crate) use self::{
    mismatch::{Found, Mismatch, Tried},
    reason::{Detail, Named, Reason, Set, finer_unit, reason},
};
