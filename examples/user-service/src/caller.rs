use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use tower_countersign::{NotVerified, UnverifiedCaller, VerifiedCaller};

/// Who calls: a caller that was proven, or nobody in particular where the layer only reports.
#[derive(Debug)]
pub(crate) enum Caller {
    Verified(VerifiedCaller),
    NotEnforced,
}

impl Caller {
    /// The name of a proven caller. What an unproven one calls itself is not repeated.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Verified(caller) => Some(caller.id().as_str()),
            Self::NotEnforced => None,
        }
    }

    pub(crate) fn into_name(self) -> Option<String> {
        self.name().map(str::to_owned)
    }
}

/// Where neither layer ran, the answer is 500.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = NotVerified;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, NotVerified> {
        let Ok(unverified) =
            <UnverifiedCaller as OptionalFromRequestParts<S>>::from_request_parts(parts, state)
                .await;
        if unverified.is_some() {
            return Ok(Self::NotEnforced);
        }
        <VerifiedCaller as FromRequestParts<S>>::from_request_parts(parts, state)
            .await
            .map(Self::Verified)
    }
}
