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

/// The names of callers, as a type.
pub trait CallerNames: Send + Sync + 'static {
    /// The names, compared byte for byte.
    const NAMES: &'static [&'static str];
}

/// The caller of a handler that is for some callers only, as an extractor: the handler says so itself, and no router that it
/// is put into can lose it.
///
/// Any other caller is answered with 403. Where nobody was proven to be the caller the answer is 500, as for
/// [`VerifiedCaller`], which this dereferences to.
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
    /// Nobody was proven to be the caller: 500.
    NoCaller(CallerRejection),
    /// Somebody else was: 403.
    Forbidden(Forbidden),
}

impl<N> CallerIn<N> {
    /// The caller.
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
        // Of a proven caller every refusal is written: there is no rate to keep.
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
