use std::fmt;

use bytes::Bytes;
use countersign::{Decision, KeyId, StatementId};
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};

use crate::grpc;

/// The reason why an authorization layer refused a request.
///
/// The layer adds this value to the response's extensions, for layers further out. The peer sees
/// only 403 and `forbidden`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forbidden {
    caller: Option<KeyId>,
    reason: ForbiddenReason,
}

/// The reason for a refusal. `Display` writes it for the operator's log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForbiddenReason {
    /// The request has no verified caller.
    NoVerifiedCaller,
    /// The caller is not on the route's list.
    NotListed,
    /// The signature covers only the body or a part of the request, and this route requires the
    /// whole request.
    BodyOnly,
    /// The method or the path was changed between the layers: the handler would serve another
    /// request than the verified one.
    Rewritten,
    /// This statement of the policy denies the request.
    Denied(StatementId),
    /// The path is not in plain form. A policy allows no other form.
    NotPlain(&'static str),
    /// No statement of the policy allows the request.
    NoMatch,
}

impl Forbidden {
    pub(super) fn new(caller: Option<&KeyId>, reason: ForbiddenReason) -> Self {
        Self {
            caller: caller.cloned(),
            reason,
        }
    }

    /// Returns the caller, if one was verified.
    pub fn caller(&self) -> Option<&KeyId> {
        self.caller.as_ref()
    }

    /// Returns the reason for the operator.
    pub fn reason(&self) -> &ForbiddenReason {
        &self.reason
    }

    /// Returns the code that the peer sees.
    pub fn code(&self) -> &'static str {
        "forbidden"
    }

    /// Returns the status of the response.
    pub fn status(&self) -> StatusCode {
        StatusCode::FORBIDDEN
    }

    /// Returns the gRPC status code of the response to a gRPC call.
    pub fn grpc_status(&self) -> u8 {
        grpc::PERMISSION_DENIED
    }

    /// Returns the response to a gRPC call. It is the same for every reason.
    pub(super) fn into_grpc_response(self) -> Response<Bytes> {
        let mut response = grpc::trailers_only(self.grpc_status(), self.code());
        response.extensions_mut().insert(self);
        response
    }

    /// Returns the response. It is the same for every reason.
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
    /// Returns the reason for a policy's refusal, or `None` if the policy allows the request.
    pub(super) fn of(decision: Decision<'_>) -> Option<Self> {
        match decision {
            Decision::Allowed(_) => None,
            Decision::Denied(statement) => Some(Self::Denied(statement.clone())),
            Decision::NotPlain(reason) => Some(Self::NotPlain(reason)),
            // Fails closed if `Decision` gets another variant.
            _ => Some(Self::NoMatch),
        }
    }

    /// Returns the statement that decided, if one did.
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
                "no verified caller: expected an enforcing VerifyLayer outside this layer"
            }
            Self::NotListed => "the caller is not among those that may call this route",
            Self::BodyOnly => "the signature covers only the body or a part of the request",
            Self::Rewritten => {
                "a layer changed the method or the path: they differ from the verified ones"
            }
            Self::Denied(_) => "a statement denies it",
            Self::NotPlain(reason) => reason,
            Self::NoMatch => "no statement allows it",
        })
    }
}
