use std::{error::Error, fmt, sync::Arc};

use countersign::{Rejection, RejectionKind};

use crate::{BoxError, refusal::Refusal};

/// Why a body cannot be read to a verified end.
///
/// A handler that gets this error must discard what it has read. The layer answers the peer with
/// the refusal, whatever the handler says.
///
/// With axum it is a response, so a handler can return it with `?`.
#[derive(Clone, Debug)]
pub struct BodyError(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: BodyErrorKind,
    refusal: Refusal,
    source: Option<BoxError>,
}

/// The kind of a [`BodyError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyErrorKind {
    /// The body is not the signed one.
    BodyMismatch,
    /// The body is longer than its limit.
    TooLarge,
    /// The peer was too slow.
    Timeout,
    /// The body ended with an error before its end.
    BrokenOff,
    /// The room for bodies is used up, or fails: the fault of the environment.
    Storage,
    /// The layer only reports, so nothing is verified.
    Unverified,
}

impl BodyErrorKind {
    /// Returns the text for events and metrics.
    pub(in crate::verify) const fn as_str(self) -> &'static str {
        match self {
            Self::BodyMismatch => "body_mismatch",
            Self::TooLarge => "too_large",
            Self::Timeout => "timeout",
            Self::BrokenOff => "broken_off",
            Self::Storage => "storage",
            Self::Unverified => "unverified",
        }
    }
}

impl BodyError {
    /// Returns the kind.
    pub fn kind(&self) -> BodyErrorKind {
        self.0.kind
    }

    /// Returns the rejection, or `None` if the error is not the fault of the peer.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.0.refusal.rejection()
    }

    pub(in crate::verify) fn new(kind: BodyErrorKind, refusal: impl Into<Refusal>) -> Self {
        Self::caused(kind, refusal, None)
    }

    /// Returns the error of a body that was not the signed one, or not within its limits.
    pub(in crate::verify) fn of(refusal: Refusal) -> Self {
        let kind = match refusal.rejection().map(Rejection::kind) {
            Some(RejectionKind::TooLarge) => BodyErrorKind::TooLarge,
            Some(RejectionKind::Timeout) => BodyErrorKind::Timeout,
            Some(_) => BodyErrorKind::BodyMismatch,
            None => BodyErrorKind::Storage,
        };
        Self::new(kind, refusal)
    }

    pub(in crate::verify) fn caused(
        kind: BodyErrorKind,
        refusal: impl Into<Refusal>,
        source: Option<BoxError>,
    ) -> Self {
        Self(Arc::new(Inner {
            kind,
            refusal: refusal.into(),
            source,
        }))
    }

    pub(in crate::verify) fn refusal(&self) -> &Refusal {
        &self.0.refusal
    }

    /// Returns the body error among the causes of `error`.
    #[cfg(feature = "axum")]
    pub(crate) fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found.clone());
            }
            cause = error.source();
        }
        None
    }

    /// Returns the error of a body that another layer ended with `error`.
    #[cfg(feature = "axum")]
    pub(crate) fn elsewhere(error: BoxError) -> Self {
        let reason = "body: expected its end, found an error of a layer inside this one";
        let rejection = Rejection::new(RejectionKind::BodyMismatch, reason);
        Self::caused(BodyErrorKind::BrokenOff, rejection, Some(error))
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.refusal.fmt(f)
    }
}

impl Error for BodyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

#[cfg(feature = "axum")]
impl axum::response::IntoResponse for BodyError {
    fn into_response(self) -> axum::response::Response {
        self.0.refusal.status().into_response()
    }
}
