//! An extractor for both modes of a layer.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::{CallerRejection, UnverifiedCaller, VerifiedCaller};

/// The caller in either mode: verified if the layer enforces, unverified if it [only
/// reports](crate::VerifyLayer::insecure_report_only).
///
/// A handler that takes a `Caller` works in both modes, so the deployment can choose the mode. On a
/// route that no layer covers, the response is 500, and `Option<Caller>` is `None`.
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
    /// The layer enforces, and this caller sent the request.
    Verified(VerifiedCaller),
    /// The layer only reports. Anyone can have sent the request.
    Unverified(UnverifiedCaller),
}

impl Caller {
    /// Returns the verified caller. `None` if the layer only reports, even if the signature is
    /// valid. Then a handler must not grant anything that it would not grant a stranger.
    pub fn verified(&self) -> Option<&VerifiedCaller> {
        match self {
            Self::Verified(caller) => Some(caller),
            Self::Unverified(_) => None,
        }
    }

    /// Returns the verified caller without a clone. `None` if the layer only reports.
    pub fn into_verified(self) -> Option<VerifiedCaller> {
        match self {
            Self::Verified(caller) => Some(caller),
            Self::Unverified(_) => None,
        }
    }

    fn of(parts: &Parts) -> Option<Self> {
        // If one layer enforces and another reports, the weaker statement counts.
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
