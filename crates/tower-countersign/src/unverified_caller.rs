use std::{fmt, sync::Arc};

use countersign::KeyId;

use crate::{refusal::Refusal, verified_caller::VerifiedCaller};

/// The asserted caller of a request on a route where a layer only reports. **Do not trust it**, not
/// even if the verdict is `Accept`. When the route is enforced, handlers take a [`VerifiedCaller`].
///
/// [`VerifyLayer::insecure_report_only`](crate::VerifyLayer::insecure_report_only) inserts one into
/// the extensions of every request, instead of a [`VerifiedCaller`], and removes any of the two
/// that was there before. With axum it is an extractor. `Option<UnverifiedCaller>` is `None` on
/// routes that are enforced or have no layer.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use axum::{Router, body::Body, routing::get};
/// use countersign::{CallerKey, Keyring, Secret, VerifyingKey};
/// use http::Request;
/// use tower::ServiceExt;
/// use tower_countersign::{UnverifiedCaller, VerifyLayer};
///
/// async fn whoami(caller: UnverifiedCaller) -> String {
///     match caller.would_refuse() {
///         Some(refusal) => format!("would be refused: {}", refusal.code()),
///         None => format!("perhaps {:?}", caller.asserted_id()),
///     }
/// }
///
/// let key = CallerKey::new("1", VerifyingKey::hmac_sha256(&Secret::generate()?))?;
/// let keys = Keyring::builder().caller("billing", key).build()?;
/// let verify = VerifyLayer::new(keys).insecure_report_only();
/// let app = Router::new().route("/whoami", get(whoami)).layer(verify);
///
/// // The request is not signed, and is handled.
/// let response = app.oneshot(Request::get("/whoami").body(Body::empty())?).await?;
/// let body = axum::body::to_bytes(response.into_body(), 100).await?;
/// assert_eq!(body, "would be refused: missing_signature");
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
///
/// Cloning is cheap.
#[derive(Clone)]
pub struct UnverifiedCaller(Arc<Inner>);

struct Inner {
    asserted: Option<KeyId>,
    verdict: Verdict,
    caller: Option<VerifiedCaller>,
}

/// The decision that enforcement would make on a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// The request would be accepted.
    Accept,
    /// The request would be refused, for this reason.
    Refuse(Refusal),
    /// The signature is over the body, and the handler has not read the body yet. The decision is
    /// counted and logged when it has.
    Undecided,
}

impl UnverifiedCaller {
    pub(crate) fn accepted(caller: VerifiedCaller) -> Self {
        Self(Arc::new(Inner {
            asserted: Some(caller.id().clone()),
            verdict: Verdict::Accept,
            caller: Some(caller),
        }))
    }

    pub(crate) fn refused(refusal: Refusal, asserted: Option<KeyId>) -> Self {
        Self::other(Verdict::Refuse(refusal), asserted)
    }

    pub(crate) fn undecided(asserted: Option<KeyId>) -> Self {
        Self::other(Verdict::Undecided, asserted)
    }

    fn other(verdict: Verdict, asserted: Option<KeyId>) -> Self {
        Self(Arc::new(Inner {
            asserted,
            verdict,
            caller: None,
        }))
    }

    /// Returns the caller if the signature matched, and otherwise the key id that the request
    /// asserts. `None` if the request asserts none, or one that is not a valid key id.
    pub fn asserted_id(&self) -> Option<&str> {
        self.0.asserted.as_ref().map(KeyId::as_str)
    }

    /// Returns the decision that enforcement would make.
    pub fn verdict(&self) -> &Verdict {
        &self.0.verdict
    }

    /// Returns the reason for which the request would be refused. `None` does not mean that it
    /// would be accepted: see [`Verdict::Undecided`].
    pub fn would_refuse(&self) -> Option<&Refusal> {
        match &self.0.verdict {
            Verdict::Refuse(refusal) => Some(refusal),
            Verdict::Accept | Verdict::Undecided => None,
        }
    }

    /// Returns the caller that enforcement would give the handler. Only for report-only layers of
    /// this crate.
    pub(crate) fn as_if_enforced(&self) -> Option<&VerifiedCaller> {
        self.0.caller.as_ref()
    }
}

impl fmt::Debug for UnverifiedCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedCaller")
            .field("asserted_id", &self.asserted_id())
            .field("verdict", &self.0.verdict)
            .field(
                "key_version",
                &self.as_if_enforced().map(VerifiedCaller::key_version),
            )
            .finish_non_exhaustive()
    }
}
