use std::{fmt, sync::Arc};

use countersign::{Coverage, HeadVerified, KeyId, KeyVersion, Scheme, Timestamp};
use http::Method;

use crate::caller_facts::{CallerFacts, VerifiedTarget};

/// The caller of a request whose body is handled while it arrives: the signature over the head
/// matched, the body is **not yet checked**.
///
/// [`VerifyLayer`](crate::VerifyLayer) inserts one into the extensions on routes with
/// [`BodyMode::Stream`](crate::BodyMode::Stream), in place of a
/// [`VerifiedCaller`](crate::VerifiedCaller). With axum it is an extractor, and fails with 500 on
/// every other route.
///
/// Before the body's end, a handler may write to a staging place, hash, parse and reject. What
/// cannot be undone needs the [`VerifiedCaller`](crate::VerifiedCaller), which
/// [`RequestBody::verified`](crate::RequestBody::verified) returns.
///
/// Cloning is cheap.
#[derive(Clone)]
pub struct HeadVerifiedCaller(Arc<Inner>);

struct Inner {
    head: Arc<HeadVerified>,
    replay_protected: bool,
    target: VerifiedTarget,
}

impl HeadVerifiedCaller {
    pub(crate) fn new(
        head: Arc<HeadVerified>,
        replay_protected: bool,
        target: VerifiedTarget,
    ) -> Self {
        Self(Arc::new(Inner {
            head,
            replay_protected,
            target,
        }))
    }

    pub(crate) fn facts(&self) -> CallerFacts<'_> {
        CallerFacts {
            head: &self.0.head,
            target: &self.0.target,
            replay_protected: self.0.replay_protected,
        }
    }

    /// Returns the name of the caller.
    pub fn id(&self) -> &KeyId {
        self.0.head.caller()
    }

    /// Returns the method of the request as it was verified, even if other layers have changed it.
    pub fn method(&self) -> &Method {
        self.0.target.method()
    }

    /// Returns the path of the request as it was verified: the whole path, also under
    /// `Router::nest`, not decoded, without the query.
    pub fn path(&self) -> &str {
        self.0.target.path()
    }

    /// Returns the version of the caller's key that matched.
    pub fn key_version(&self) -> &KeyVersion {
        self.0.head.key_version()
    }

    /// Returns the scheme of the signature.
    pub fn scheme(&self) -> Scheme {
        self.0.head.scheme()
    }

    /// Returns the signed date.
    pub fn signed_at(&self) -> Timestamp {
        self.0.head.signed_at()
    }

    /// Returns the covered nonce.
    pub fn nonce(&self) -> Option<&str> {
        self.0.head.nonce()
    }

    /// Returns which part of the request is signed.
    pub fn coverage(&self) -> Coverage {
        self.0.head.coverage()
    }

    /// Returns whether the signature is in the URL. Then anyone with the URL can have sent the
    /// request.
    pub fn presigned(&self) -> bool {
        self.0.head.presigned()
    }

    /// Returns the names of the covered headers in lower case, in the signed order.
    pub fn covered_headers(&self) -> impl Iterator<Item = &str> {
        self.0.head.covered_headers()
    }

    /// Returns the signed value of a covered header, or `None` if the header is not covered. `name`
    /// is in lower case. For `host`, returns the authority as it was signed.
    pub fn covered(&self, name: &str) -> Option<&str> {
        self.0.head.covered(name)
    }

    /// Returns whether the request was the first with its nonce, or with the identity that its
    /// scheme uses instead of a nonce.
    ///
    /// `false` for a request without a nonce, which only keys that allow it can send. Such a
    /// request can be replayed until its date leaves the window.
    pub fn replay_protected(&self) -> bool {
        self.0.replay_protected
    }

    /// Returns whether the request's authority was checked against the expected hosts.
    pub fn audience_checked(&self) -> bool {
        self.0.head.audience_checked()
    }
}

impl fmt::Debug for HeadVerifiedCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadVerifiedCaller")
            .field("id", self.id())
            .field("key_version", self.key_version())
            .field("scheme", &self.scheme())
            .field("signed_at", &self.signed_at())
            .field("coverage", &self.coverage())
            .field("replay_protected", &self.replay_protected())
            .field("audience_checked", &self.audience_checked())
            .finish_non_exhaustive()
    }
}
