use std::{fmt, marker::PhantomData, ops::Deref};

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::request::Parts;

use super::{
    events,
    forbidden::{Forbidden, ForbiddenReason},
};
use crate::{
    CallerRejection, VerifiedCaller,
    clock::{Clock, SystemClock},
    metrics::{Authorization, authorization_decision},
    mode::Mode,
    verify::events::Events,
};

/// A list of caller names, as a type.
pub trait CallerNames: Send + Sync + 'static {
    /// The allowed names, compared byte for byte.
    const NAMES: &'static [&'static str];
}

/// Extracts the verified caller if its name is one of `N`'s. The restriction is part of the
/// handler's signature, so it holds in every router that the handler is added to.
///
/// Any other caller gets 403. Without a verified caller the response is 500, as for
/// [`VerifiedCaller`], which this type dereferences to.
///
/// ```
/// use tower_countersign::{CallerIn, CallerNames};
///
/// struct Finance;
///
/// impl CallerNames for Finance {
///     const NAMES: &'static [&'static str] = &["billing", "audit"];
/// }
///
/// async fn close(caller: CallerIn<Finance>) -> String {
///     format!("closed by {}", caller.id())
/// }
/// ```
pub struct CallerIn<N> {
    caller: VerifiedCaller,
    names: PhantomData<fn() -> N>,
}

/// Why a [`CallerIn`] could not be extracted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallerInRejection {
    /// The request has no verified caller: 500.
    NoCaller(CallerRejection),
    /// The caller is not listed: 403.
    Forbidden(Forbidden),
}

impl<N> CallerIn<N> {
    /// Returns the caller.
    pub fn into_inner(self) -> VerifiedCaller {
        self.caller
    }
}

impl<N> Deref for CallerIn<N> {
    type Target = VerifiedCaller;

    fn deref(&self) -> &VerifiedCaller {
        &self.caller
    }
}

impl<N> Clone for CallerIn<N> {
    fn clone(&self) -> Self {
        Self {
            caller: self.caller.clone(),
            names: PhantomData,
        }
    }
}

impl<N> fmt::Debug for CallerIn<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallerIn").field(&self.caller).finish()
    }
}

impl<S: Sync, N: CallerNames> FromRequestParts<S> for CallerIn<N> {
    type Rejection = CallerInRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, CallerInRejection> {
        let caller = parts.extensions.get::<VerifiedCaller>();
        let caller = caller.ok_or(CallerInRejection::NoCaller(CallerRejection))?;
        if N::NAMES.contains(&caller.id().as_str()) {
            authorization_decision(Authorization::Allowed, Some(caller), Mode::Enforced);
            return Ok(Self {
                caller: caller.clone(),
                names: PhantomData,
            });
        }
        let forbidden = Forbidden::new(Some(caller.id()), ForbiddenReason::NotListed);
        // A new `Events` limits nothing: each refusal of a verified caller is logged.
        let (events, now) = (Events::default(), SystemClock.now());
        authorization_decision(Authorization::Denied, Some(caller), Mode::Enforced);
        events::forbidden(&events, &forbidden, Mode::Enforced, &parts.method, now);
        Err(CallerInRejection::Forbidden(forbidden))
    }
}

impl fmt::Display for CallerInRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCaller(rejection) => rejection.fmt(f),
            Self::Forbidden(forbidden) => forbidden.reason().fmt(f),
        }
    }
}

impl std::error::Error for CallerInRejection {}

impl IntoResponse for CallerInRejection {
    fn into_response(self) -> Response {
        match self {
            Self::NoCaller(rejection) => rejection.into_response(),
            Self::Forbidden(forbidden) => forbidden.into_response().map(Into::into),
        }
    }
}
