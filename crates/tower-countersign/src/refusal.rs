use std::fmt;

use bytes::Bytes;
use countersign::{ErrorChain, Rejection, RejectionKind, Timestamp, Verifier};
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, DATE, RETRY_AFTER},
};

use crate::grpc;

/// The reason for a refused request. Layers outside of this one find it in the extensions of the
/// response. The peer sees only the [code](Self::code).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The request was rejected: the fault of the peer.
    Rejected(Rejection),
    /// A store did not answer, or the body buffer is full: the fault of the environment.
    Unavailable {
        /// The part that is unavailable, such as `"key store"`.
        what: &'static str,
        /// The reason that it gave, or an empty string.
        reason: String,
    },
    /// Something between the routers rewrote the URI, so another request would be handled than the
    /// verified one: the fault of the operator.
    Misconfigured,
    /// The handler answered before the end of a [streamed](crate::BodyMode::Stream) body, and still
    /// holds the body: the fault of the operator.
    AnsweredEarly,
    /// The answer cannot be [signed](crate::AnswerSigning): it is too long, late, or of a kind that
    /// no signature covers. The fault of the operator.
    Unsignable,
}

impl Refusal {
    pub(crate) const fn unavailable(what: &'static str) -> Self {
        Self::Unavailable {
            what,
            reason: String::new(),
        }
    }

    /// Returns the code that the peer gets.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.kind().code(),
            Self::Unavailable { .. } => "unavailable",
            Self::Misconfigured | Self::AnsweredEarly => "misconfigured",
            Self::Unsignable => "unsignable",
        }
    }

    /// Returns the status of the response.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Rejected(rejection) => rejection.kind().status(),
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Misconfigured | Self::AnsweredEarly | Self::Unsignable => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// Returns the numeric gRPC status of the response to a gRPC call.
    pub fn grpc_status(&self) -> u8 {
        match self {
            Self::Rejected(rejection) => rejection.kind().grpc_status(),
            Self::Unavailable { .. } => grpc::UNAVAILABLE,
            Self::Misconfigured | Self::AnsweredEarly | Self::Unsignable => grpc::INTERNAL,
        }
    }

    /// Returns the rejection, or `None` if the refusal is not the fault of the peer.
    pub fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::Unavailable { .. }
            | Self::Misconfigured
            | Self::AnsweredEarly
            | Self::Unsignable => None,
        }
    }

    /// Returns the signed date, if it is the reason.
    pub(crate) fn stale_date(&self) -> Option<Timestamp> {
        self.rejection().and_then(Rejection::stale_date)
    }

    fn kind(&self) -> Option<RejectionKind> {
        self.rejection().map(Rejection::kind)
    }

    /// Returns the response to a gRPC call: a status and a code. It has no challenge, because a
    /// challenge belongs to an HTTP status.
    pub(crate) fn into_grpc_response(self) -> Response<Bytes> {
        let mut response = grpc::trailers_only(self.grpc_status(), self.code());
        response.extensions_mut().insert(self);
        response
    }

    /// Returns the response without challenges: a status and a code.
    fn plain_response(&self) -> Response<Bytes> {
        let body = Bytes::from(format!("{{\"error\":\"{}\"}}", self.code()));
        let mut response = Response::new(body);
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// Returns the response in place of an answer that cannot be signed.
    pub(crate) fn unsignable_response() -> Response<Bytes> {
        let mut response = Self::Unsignable.plain_response();
        response.extensions_mut().insert(Self::Unsignable);
        response
    }

    /// Returns the response: a status, a code and the challenges. It does not depend on the reason.
    pub(crate) fn into_response(
        self,
        verifier: &Verifier,
        realm: &str,
        now: Timestamp,
    ) -> Response<Bytes> {
        let mut response = self.plain_response();
        let headers = response.headers_mut();
        if self.status() == StatusCode::UNAUTHORIZED {
            let kind = self.kind().unwrap_or(RejectionKind::MissingSignature);
            // RFC 9110 section 11.6.1: a 401 has a challenge for each accepted scheme.
            for (name, challenge) in verifier.challenges(realm, kind) {
                headers.append(name, challenge);
            }
            let date = now
                .to_http_date()
                .and_then(|date| HeaderValue::try_from(date).ok());
            if let (RejectionKind::Expired, Some(date)) = (kind, date) {
                headers.insert(DATE, date);
            }
        }
        if matches!(
            self.status(),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        ) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<countersign::Unavailable> for Refusal {
    fn from(error: countersign::Unavailable) -> Self {
        let source = std::error::Error::source(&error);
        Self::Unavailable {
            what: error.what(),
            reason: source
                .map(|source| ErrorChain::new(source).to_string())
                .unwrap_or_default(),
        }
    }
}

/// The reason, for the operator.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejection) => rejection.fmt(f),
            Self::Unavailable { what, reason } if reason.is_empty() => {
                write!(f, "{what} unavailable")
            }
            Self::Unavailable { what, reason } => write!(f, "{what} unavailable: {reason}"),
            Self::Misconfigured => f.write_str(
                "the URI was rewritten between the routers: verified and handled path differ",
            ),
            Self::AnsweredEarly => f.write_str(
                "body: expected the handler to read it to its end or to drop it, found an answer \
                 while the handler holds it; StreamLimits::with_answers_before_end sends such \
                 answers",
            ),
            Self::Unsignable => f.write_str("answer: expected one that can be signed"),
        }
    }
}
