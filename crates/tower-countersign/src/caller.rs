//! One extractor for both modes of a layer.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::{CallerRejection, UnverifiedCaller, VerifiedCaller};

/// The caller, in whichever mode the layer is: proven where it enforces, unproven where it
/// [only reports](crate::VerifyLayer::insecure_report_only).
///
/// A handler that takes a `Caller` works in both modes, so that the mode is a setting of the deployment. Where no layer
/// covers the route, it answers 500; `Option<Caller>` is `None` there.
///
/// ```
/// use tower_countersign::Caller;
///
/// async fn greet(caller: Caller) -> String {
///     match caller.verified() {
///         Some(caller) => format!("hello, {}", caller.id()),
///         None => "hello, stranger".to_owned(),
///     }
/// }
/// # let _ = greet;
/// ```
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a layer enforces or reports, and a handler decides on both"
)]
pub enum Caller {
    /// The layer enforces: the request came from this caller.
    Verified(VerifiedCaller),
    /// The layer only reports: anyone can have sent the request.
    Unverified(UnverifiedCaller),
}

impl Caller {
    /// The proven caller. `None` where the layer only reports, also for a request whose signature is right: a handler
    /// must not grant anything that it would not grant a stranger.
    pub fn verified(&self) -> Option<&VerifiedCaller> {
        match self {
            Self::Verified(caller) => Some(caller),
            Self::Unverified(_) => None,
        }
    }

    /// The proven caller, without a copy. `None` where the layer only reports.
    pub fn into_verified(self) -> Option<VerifiedCaller> {
        match self {
            Self::Verified(caller) => Some(caller),
            Self::Unverified(_) => None,
        }
    }

    fn of(parts: &Parts) -> Option<Self> {
        // Where one layer enforces and another reports, the weaker statement counts.
        if let Some(caller) = parts.extensions.get::<UnverifiedCaller>() {
            return Some(Self::Unverified(caller.clone()));
        }
        let caller = parts.extensions.get::<VerifiedCaller>();
        caller.cloned().map(Self::Verified)
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = CallerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, CallerRejection> {
        Self::of(parts).ok_or(CallerRejection)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Infallible> {
        Ok(Self::of(parts))
    }
}
