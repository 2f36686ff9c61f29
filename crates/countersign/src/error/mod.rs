//! Errors, by cause.
//!
//! | type | cause | response |
//! |---|---|---|
//! | [`ConfigError`] | the operator | print in full and do not start |
//! | [`SignError`] | this service | fail the call |
//! | [`Rejection`] | the peer | refuse the request, log the reason |
//! | [`Unavailable`] | a store | 503, never 401 |

mod body_bound;
mod config;
mod error_chain;
mod escaped;
mod mismatch;
#[cfg(any(feature = "config", feature = "policy"))]
mod nearest;
mod reason;
mod rejection;
mod sign;
mod unavailable;

#[cfg(feature = "policy")]
pub(crate) use self::nearest::distance;
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
