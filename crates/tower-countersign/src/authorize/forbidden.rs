use std::fmt;

use bytes::Bytes;
use countersign::{Decision, KeyId, StatementId};
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};

use crate::grpc;

/// Why a request was refused by an authorization layer. It rides in the extensions of the response, for the layers outside
/// this one: the peer sees 403 and `forbidden`, and not why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forbidden {
    caller: Option<KeyId>,
    reason: ForbiddenReason,
}

/// What a request was refused for. `Display` is the reason for the operator's log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForbiddenReason {
    /// Nobody was proven to be the caller.
    NoVerifiedCaller,
    /// The caller is not one of those that may call this route.
    NotListed,
    /// The signature is over the body alone or a part of the request, and more is asked for here.
    BodyOnly,
    /// Something between the layers has changed the method or the path: another request would be handled than the one that
    /// was verified.
    Rewritten,
    /// This statement of the policy denies it.
    Denied(StatementId),
    /// The path is not in the one plain form in which a policy allows anything.
    NotPlain(&'static str),
    /// No statement of the policy allows it.
    NoMatch,
}

impl Forbidden {
    pub(super) fn new(caller: Option<&KeyId>, reason: ForbiddenReason) -> Self {
        Self {
            caller: caller.cloned(),
            reason,
        }
    }

    /// The caller, if one was proven.
    pub fn caller(&self) -> Option<&KeyId> {
        self.caller.as_ref()
    }

    /// Why.
    pub fn reason(&self) -> &ForbiddenReason {
        &self.reason
    }

    /// The code that the peer is told.
    pub fn code(&self) -> &'static str {
        "forbidden"
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        StatusCode::FORBIDDEN
    }

    /// The status of the response to a gRPC call, one of gRPC's numeric status codes.
    pub fn grpc_status(&self) -> u8 {
        grpc::PERMISSION_DENIED
    }

    /// Returns the response to a gRPC call: the same for every reason.
    pub(super) fn into_grpc_response(self) -> Response<Bytes> {
        let mut response = grpc::trailers_only(self.grpc_status(), self.code());
        response.extensions_mut().insert(self);
        response
    }

    /// The response: the same for every reason.
    pub(super) fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from_static(b"{\"error\":\"forbidden\"}"));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(self);
        response
    }
}

impl ForbiddenReason {
    /// What a policy refused for; `None` if it did not.
    pub(super) fn of(decision: Decision<'_>) -> Option<Self> {
        match decision {
            Decision::Allowed(_) => None,
            Decision::Denied(statement) => Some(Self::Denied(statement.clone())),
            Decision::NotPlain(reason) => Some(Self::NotPlain(reason)),
            // Whatever else a policy may come to say, it is not Allowed.
            _ => Some(Self::NoMatch),
        }
    }

    /// The statement that decided, if one did.
    pub fn statement(&self) -> Option<&StatementId> {
        match self {
            Self::Denied(statement) => Some(statement),
            Self::NoVerifiedCaller
            | Self::NotListed
            | Self::BodyOnly
            | Self::Rewritten
            | Self::NotPlain(_)
            | Self::NoMatch => None,
        }
    }
}

impl fmt::Display for ForbiddenReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoVerifiedCaller => {
                "no verified caller: no VerifyLayer stands outside this layer, or one that only reports"
            }
            Self::NotListed => "the caller is not among those that may call this route",
            Self::BodyOnly => "the signature is over the body alone or a part of the request",
            Self::Rewritten => {
                "the method or the path was rewritten between the layers: it is not the one that was verified"
            }
            Self::Denied(_) => "a statement denies it",
            Self::NotPlain(reason) => reason,
            Self::NoMatch => "no statement allows it",
        })
    }
}
