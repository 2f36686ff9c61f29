use std::{fmt, sync::Arc};

use countersign::{BodyState, Coverage, Evidence, KeyId, KeyVersion, Scheme, Timestamp, Verified};
use http::Method;

use crate::{
    caller_facts::{CallerFacts, VerifiedTarget},
    head_verified_caller::HeadVerifiedCaller,
};

/// The verified caller of a request, and the other facts that the signature proves.
///
/// [`VerifyLayer`](crate::VerifyLayer) inserts one into the extensions of every request that it
/// accepts, and removes any that was there before. This type has no public constructor, so a
/// handler that holds one was called by that caller.
///
/// With axum it is an extractor. On a route that no layer covers, it fails closed: the response is
/// 500. `Option<VerifiedCaller>` is `None` on such routes, and if a layer [only
/// reports](crate::VerifyLayer::insecure_report_only). In that case, the handler gets an
/// [`UnverifiedCaller`](crate::UnverifiedCaller).
///
/// Cloning is cheap.
#[derive(Clone)]
pub struct VerifiedCaller(Arc<Inner>);

struct Inner {
    verified: Verified,
    replay_protected: bool,
    target: VerifiedTarget,
}

impl VerifiedCaller {
    pub(crate) fn new(verified: Verified, replay_protected: bool, target: VerifiedTarget) -> Self {
        Self(Arc::new(Inner {
            verified,
            replay_protected,
            target,
        }))
    }

    /// Returns the caller of a streamed request whose body is now checked.
    pub(crate) fn of_stream(verified: Verified, facts: CallerFacts<'_>) -> Self {
        Self::new(verified, facts.replay_protected, facts.target.clone())
    }

    /// Returns the caller without the check of the body, for a handler on a streamed route.
    pub(crate) fn head(&self) -> HeadVerifiedCaller {
        HeadVerifiedCaller::new(
            Arc::new(self.0.verified.head().clone()),
            self.0.replay_protected,
            self.0.target.clone(),
        )
    }

    pub(crate) fn facts(&self) -> CallerFacts<'_> {
        CallerFacts {
            head: self.0.verified.head(),
            target: &self.0.target,
            replay_protected: self.0.replay_protected,
        }
    }

    /// Returns the name of the caller.
    pub fn id(&self) -> &KeyId {
        self.0.verified.caller()
    }

    /// Returns the method of the request as it was verified, even if other layers have changed it.
    ///
    /// The method is not signed if the [coverage](Self::coverage) is the body only. It may be
    /// unsigned if the coverage is partial.
    pub fn method(&self) -> &Method {
        self.0.target.method()
    }

    /// Returns the path of the request as it was verified: the whole path, also under
    /// `Router::nest`, not decoded, without the query.
    ///
    /// The path is not signed if the [coverage](Self::coverage) is the body only. It may be
    /// unsigned if the coverage is partial.
    pub fn path(&self) -> &str {
        self.0.target.path()
    }

    /// Returns the version of the caller's key that matched.
    pub fn key_version(&self) -> &KeyVersion {
        self.0.verified.key_version()
    }

    /// Returns the scheme of the signature.
    pub fn scheme(&self) -> Scheme {
        self.0.verified.scheme()
    }

    /// Returns the signed date.
    pub fn signed_at(&self) -> Timestamp {
        self.0.verified.signed_at()
    }

    /// Returns the covered nonce.
    pub fn nonce(&self) -> Option<&str> {
        self.0.verified.nonce()
    }

    /// Returns the id that stays the same when a sender repeats a message (`webhook-id`). A handler
    /// that has processed this id can skip the message.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.0.verified.idempotency_key()
    }

    /// Returns which part of the request is signed: all of it, a part, or only the body. In the
    /// last case, method, path and headers are not signed.
    pub fn coverage(&self) -> Coverage {
        self.0.verified.coverage()
    }

    /// Returns whether the signature is in the URL. Then anyone with the URL can have sent the
    /// request.
    pub fn presigned(&self) -> bool {
        self.0.verified.presigned()
    }

    /// Returns the names of the covered headers in lower case, in the signed order.
    pub fn covered_headers(&self) -> impl Iterator<Item = &str> {
        self.0.verified.covered_headers()
    }

    /// Returns the signed value of a covered header, or `None` if the header is not covered. `name`
    /// is in lower case. For `host`, returns the authority as it was signed.
    pub fn covered(&self, name: &str) -> Option<&str> {
        self.0.verified.covered(name)
    }

    /// Returns whether the body is verified.
    pub fn body(&self) -> BodyState {
        self.0.verified.body()
    }

    /// Returns whether the request was the first with its nonce, or with the identity that its
    /// scheme uses instead of a nonce.
    ///
    /// `false` for a request without a nonce, which only keys that allow it can send. Such a
    /// request can be replayed until its date leaves the window.
    pub fn replay_protected(&self) -> bool {
        self.0.replay_protected
    }

    /// Returns whether the request's authority was checked against the expected hosts. If no hosts
    /// are set, it is `false`: a request for another service with the same key is accepted, too.
    pub fn audience_checked(&self) -> bool {
        self.0.verified.audience_checked()
    }

    /// Returns the data that an auditor needs to check the signature later. `None` unless the
    /// verifier [keeps it](countersign::VerifierBuilder::keep_evidence).
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
