use std::{fmt, sync::Arc};

use countersign::{BodyState, Coverage, Evidence, KeyId, KeyVersion, Scheme, Timestamp, Verified};
use http::{Method, Uri, uri::PathAndQuery};

/// The caller that a request was proven to come from, and what else was proven of it.
///
/// [`VerifyLayer`](crate::VerifyLayer) puts one into the extensions of every request that it lets through, and drops any
/// that was there before. It has no public constructor: a handler that holds one was called by that caller.
///
/// With axum it is an extractor. A handler that asks for it on a route that no layer covers answers 500: it fails closed.
/// `Option<VerifiedCaller>` is `None` only there, and where a layer [only reports](crate::VerifyLayer::insecure_report_only): there
/// the handler gets an [`UnverifiedCaller`](crate::UnverifiedCaller) instead.
///
/// Cloning is cheap.
#[derive(Clone)]
pub struct VerifiedCaller(Arc<Inner>);

struct Inner {
    verified: Verified,
    replay_protected: bool,
    target: VerifiedTarget,
}

/// The method and the target of the request at the moment that it was verified.
pub(crate) struct VerifiedTarget {
    method: Method,
    path_and_query: Option<PathAndQuery>,
}

impl VerifiedTarget {
    pub(crate) fn new(method: &Method, uri: &Uri) -> Self {
        Self {
            method: method.clone(),
            path_and_query: uri.path_and_query().cloned(),
        }
    }
}

impl VerifiedCaller {
    pub(crate) fn new(verified: Verified, replay_protected: bool, target: VerifiedTarget) -> Self {
        Self(Arc::new(Inner {
            verified,
            replay_protected,
            target,
        }))
    }

    /// The caller, as its key record names it.
    pub fn id(&self) -> &KeyId {
        self.0.verified.caller()
    }

    /// The method of the request as it was verified, whatever has rewritten it since. Where the
    /// [coverage](Self::coverage) is of the body only, it was sent and not signed; where it is partial, perhaps.
    pub fn method(&self) -> &Method {
        &self.0.target.method
    }

    /// The path of the request as it was verified: the whole of it, also behind `Router::nest`, not decoded, without the
    /// query. Where the [coverage](Self::coverage) is of the body only, it was sent and not signed; where it is partial,
    /// perhaps.
    pub fn path(&self) -> &str {
        let target = &self.0.target.path_and_query;
        target.as_ref().map_or("", PathAndQuery::path)
    }

    /// Which of the caller's keys matched.
    pub fn key_version(&self) -> &KeyVersion {
        self.0.verified.key_version()
    }

    /// The scheme of the signature.
    pub fn scheme(&self) -> Scheme {
        self.0.verified.scheme()
    }

    /// The signed date.
    pub fn signed_at(&self) -> Timestamp {
        self.0.verified.signed_at()
    }

    /// The covered nonce.
    pub fn nonce(&self) -> Option<&str> {
        self.0.verified.nonce()
    }

    /// The id that a sender keeps when it sends the same message again (`webhook-id`): a handler that has done what a
    /// message with this id asks for need not do it again.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.0.verified.idempotency_key()
    }

    /// Whether the signature is for this request, for some of it, or for its body alone: then it says nothing about method,
    /// path and headers.
    pub fn coverage(&self) -> Coverage {
        self.0.verified.coverage()
    }

    /// Whether the signature stands in the URL: then whoever was given the URL can have sent the request.
    pub fn presigned(&self) -> bool {
        self.0.verified.presigned()
    }

    /// The names of the covered headers in lower case, in the order in which they were signed.
    pub fn covered_headers(&self) -> impl Iterator<Item = &str> {
        self.0.verified.covered_headers()
    }

    /// The value of a covered header as it was signed; `None` for a header that was not covered, whether or not the
    /// request has one. `name` is in lower case; `host` is the authority in the form that was signed.
    pub fn covered(&self, name: &str) -> Option<&str> {
        self.0.verified.covered(name)
    }

    /// What is known of the body.
    pub fn body(&self) -> BodyState {
        self.0.verified.body()
    }

    /// Whether this request was let through as the first with its nonce, or with what stands for one in its scheme. `false`
    /// for a request without a nonce, which only keys that allow it can send: such a request can come again until its date
    /// is outside the window.
    pub fn replay_protected(&self) -> bool {
        self.0.replay_protected
    }

    /// Whether the authority that the request was sent to was one of the expected hosts. `false` where none are
    /// configured: then a request that was meant for another service with the same key is accepted here too.
    pub fn audience_checked(&self) -> bool {
        self.0.verified.audience_checked()
    }

    /// What an auditor needs to check the signature later; `None` unless the verifier
    /// [keeps it](countersign::VerifierBuilder::keep_evidence).
    pub fn evidence(&self) -> Option<&Evidence> {
        self.0.verified.evidence()
    }
}

impl fmt::Debug for VerifiedCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedCaller")
            .field("id", self.id())
            .field("key_version", self.key_version())
            .field("scheme", &self.scheme())
            .field("signed_at", &self.signed_at())
            .field("body", &self.body())
            .field("coverage", &self.coverage())
            .field("replay_protected", &self.replay_protected())
            .field("audience_checked", &self.audience_checked())
            .finish_non_exhaustive()
    }
}
