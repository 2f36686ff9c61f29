use std::{fmt, sync::Arc};

use countersign::KeyId;

use crate::{refusal::Refusal, verified_caller::VerifiedCaller};

/// Who a request says it is from, on a route where a layer only reports. **It is not to be trusted**, not even where
/// everything was right: by the time that the route is enforced, a handler asks for a [`VerifiedCaller`].
///
/// [`VerifyLayer::insecure_report_only`](crate::VerifyLayer::insecure_report_only) puts one into the extensions of every request that it
/// reports on, in the place of a [`VerifiedCaller`], and drops any of either that was there before. With axum it is an
/// extractor; `Option<UnverifiedCaller>` is `None` on routes that are enforced or have no layer.
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
/// let app = Router::new().route("/whoami", get(whoami)).layer(VerifyLayer::new(keys).insecure_report_only());
///
/// // Not signed, and handled all the same.
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

/// What would have been decided on a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// It would have been let through.
    Accept,
    /// It would have been refused, for this.
    Refuse(Refusal),
    /// The signature is over the body, which the handler reads itself: what is decided then is counted and logged.
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

    /// The name that the request goes by: the caller's where the signature matched, else whatever the request says.
    /// `None` if it says none, or one that no caller can have.
    pub fn asserted_id(&self) -> Option<&str> {
        self.0.asserted.as_ref().map(KeyId::as_str)
    }

    /// What would have been decided.
    pub fn verdict(&self) -> &Verdict {
        &self.0.verdict
    }

    /// Why the request would have been refused. `None` does not say that it would not: see [`Verdict::Undecided`].
    pub fn would_refuse(&self) -> Option<&Refusal> {
        match &self.0.verdict {
            Verdict::Refuse(refusal) => Some(refusal),
            Verdict::Accept | Verdict::Undecided => None,
        }
    }

    /// The caller that an enforcing layer would have told the handler, for a layer of this crate that only reports, too.
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
