//! `VerifiedCaller` as an axum extractor.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};

use crate::VerifiedCaller;

/// Why [`VerifiedCaller`] could not be extracted: no [`VerifyLayer`](crate::VerifyLayer) covers the route.
///
/// It answers 500 and not 401, because it is the service that is wrong and not the peer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NotVerified;

impl std::fmt::Display for NotVerified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the route asks for a verified caller, but no VerifyLayer covers it")
    }
}

impl std::error::Error for NotVerified {}

impl IntoResponse for NotVerified {
    fn into_response(self) -> Response {
        tracing::error!(target: "countersign", "{self}");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for VerifiedCaller {
    type Rejection = NotVerified;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, NotVerified> {
        parts.extensions.get::<Self>().cloned().ok_or(NotVerified)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for VerifiedCaller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Option<Self>, std::convert::Infallible> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
