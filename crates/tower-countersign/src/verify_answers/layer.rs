use std::{fmt, sync::Arc};

use countersign::ResponseVerifier;
use tower_layer::Layer;

use super::service::VerifyAnswer;
use crate::clock::{Clock, SystemClock};

/// Verifies that a response was made by the called service, for the request that was sent.
///
/// Services sign with
/// [`VerifyLayer::with_signed_answers`](crate::VerifyLayer::with_signed_answers).
///
/// Put this layer between [`SignLayer`](crate::SignLayer) and the client. See
/// [the module documentation](crate::verify_answers) for redirects and compression.
///
/// A response that proves nothing is a [`countersign::AnswerError`], whatever its status: a 404
/// that anyone can write decides as much as a 200. That includes the 502 of a proxy. A request to
/// an authority whose keys are not known is not sent.
///
/// The body is verified while it is read. Its last bytes are held back until the digest has
/// matched, so a reader never holds a complete body that is wrong.
///
/// ```
/// use countersign::{CallerKey, CallerKeys, ResponseVerifier, Secret, Signer, SigningKey};
/// use tower_countersign::{SignLayer, VerifyAnswerLayer};
///
/// let key = SigningKey::hmac_sha256(&Secret::generate()?);
/// let answers = key.response_verifying_key().expect("a shared secret has one");
/// let service = CallerKeys::new("user-service", [CallerKey::new("2026-01", answers)?])?;
/// let verifier = ResponseVerifier::new().with_service(["users.internal"], service)?;
/// let layers = (
///     SignLayer::new(Signer::new("billing", key, ["users.internal"])?),
///     VerifyAnswerLayer::new(verifier),
/// );
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// For reqwest, convert its response below this layer, such as with
/// `tower::ServiceExt::map_response` and `http::Response::from`.
#[derive(Clone)]
pub struct VerifyAnswerLayer {
    settings: Settings,
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) verifier: Arc<ResponseVerifier>,
    pub(super) unsigned: UnsignedErrors,
    pub(super) clock: Arc<dyn Clock>,
}

/// How an unsigned response is treated that says that the service was not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnsignedErrors {
    Refused,
    Allowed,
}

impl VerifyAnswerLayer {
    /// Verifies with the keys of these services.
    #[must_use]
    pub fn new(verifier: ResponseVerifier) -> Self {
        Self {
            settings: Settings {
                verifier: Arc::new(verifier),
                unsigned: UnsignedErrors::Refused,
                clock: Arc::new(SystemClock),
            },
        }
    }

    /// Passes on unsigned responses with a 5xx status, 408 or 429, marked as
    /// [`AnswerState::Unsigned`](super::AnswerState::Unsigned). Proxies answer with them if the
    /// service cannot be reached. Every other unsigned response stays an error.
    ///
    /// # Attack
    ///
    /// Anyone on the way can make a request fail with a status and a body of their choice, such as
    /// after the service has handled the request.
    #[must_use]
    pub fn insecure_allow_unsigned_errors(mut self) -> Self {
        self.settings.unsigned = UnsignedErrors::Allowed;
        self
    }

    /// Reads the time from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }
}

impl<S> Layer<S> for VerifyAnswerLayer {
    type Service = VerifyAnswer<S>;

    fn layer(&self, inner: S) -> VerifyAnswer<S> {
        VerifyAnswer::new(inner, self.settings.clone())
    }
}

impl fmt::Debug for VerifyAnswerLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyAnswerLayer")
            .field("verifier", &self.settings.verifier)
            .field("unsigned", &self.settings.unsigned)
            .finish_non_exhaustive()
    }
}
