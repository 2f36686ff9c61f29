//! `VerifiedCaller` and `UnverifiedCaller` as axum extractors.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};

use crate::{HeadVerifiedCaller, UnverifiedCaller, VerifiedCaller};

/// The rejection of a caller extractor.
///
/// [`VerifiedCaller`] is rejected if no [`VerifyLayer`](crate::VerifyLayer) covers the route, if
/// the layer only reports, or if it [streams](crate::BodyMode::Stream) the body.
/// [`HeadVerifiedCaller`] and [`StreamedBody`](crate::StreamedBody) are rejected unless the layer
/// streams the body. [`UnverifiedCaller`] is rejected if no report-only layer covers the route.
///
/// The response is 500 and not 401, because this is a fault of the service and not of the peer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallerRejection;

impl std::fmt::Display for CallerRejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "caller: expected a VerifyLayer on the route in the mode of the extractor, found none \
             or one in the other mode",
        )
    }
}

impl std::error::Error for CallerRejection {}

impl IntoResponse for CallerRejection {
    fn into_response(self) -> Response {
        tracing::error!(target: "countersign", "{self}");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

macro_rules! extractor {
    ($Caller:ident) => {
        impl<S: Sync> FromRequestParts<S> for $Caller {
            type Rejection = CallerRejection;

            async fn from_request_parts(
                parts: &mut Parts,
                _state: &S,
            ) -> Result<Self, CallerRejection> {
                parts
                    .extensions
                    .get::<Self>()
                    .cloned()
                    .ok_or(CallerRejection)
            }
        }

        impl<S: Sync> OptionalFromRequestParts<S> for $Caller {
            type Rejection = Infallible;

            async fn from_request_parts(
                parts: &mut Parts,
                _state: &S,
            ) -> Result<Option<Self>, Infallible> {
                Ok(parts.extensions.get::<Self>().cloned())
            }
        }
    };
}

extractor!(VerifiedCaller);
extractor!(HeadVerifiedCaller);
extractor!(UnverifiedCaller);
