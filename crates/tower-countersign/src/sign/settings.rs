use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use countersign::{
    CredentialsRefresh, Payload, SignError, SignErrorKind, Signature, Signer, TargetSigners,
};
use http::request::Parts;

use super::{bidirectional::Bidirectional, buffered_body::BufferLimits, events, origin::Origin};
use crate::clock::{Clock, SystemClock};

/// The settings that the layer and the middleware share.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) signers: TargetSigners,
    pub(super) origin: Option<Origin>,
    pub(super) bidirectional: Bidirectional,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) buffer: BufferLimits,
    pub(super) credentials_deadline: Duration,
}

impl Settings {
    pub(super) fn new(signers: TargetSigners) -> Self {
        Self {
            signers,
            origin: None,
            bidirectional: Bidirectional::default(),
            clock: Arc::new(SystemClock),
            buffer: BufferLimits::default(),
            credentials_deadline: Duration::from_secs(5),
        }
    }

    /// Returns the signer for a request, or `None` if the request is sent unsigned.
    pub(super) fn signer(&self, parts: &Parts) -> Result<Option<Arc<Signer>>, SignError> {
        self.signers.select(parts, self.clock.now())
    }

    /// Signs a request, after a refresh of credentials that are about to expire.
    pub(super) async fn sign(
        &self,
        signer: &Signer,
        parts: &Parts,
        payload: impl Into<Payload<'_>>,
    ) -> Result<Signature, SignError> {
        let late = self.refresh(signer).await?;
        let signature = signer.sign(parts, payload, self.clock.now());
        match (signature, late) {
            // The late provider is the cause: no usable credentials were left.
            (Err(error), Some(late)) if error.kind() == SignErrorKind::Credentials => Err(late),
            (signature, late) => {
                if let Some(late) = &late {
                    events::late(late);
                }
                signature
            }
        }
    }

    /// Waits for credentials up to the deadline. `Ok(Some(error))` means that they are late: the
    /// current credentials may still be usable.
    async fn refresh(&self, signer: &Signer) -> Result<Option<SignError>, SignError> {
        let mut refresh = pin!(signer.refresh(self.clock.now()));
        // Most signers are ready at once and need no timer. A timer needs a runtime.
        let at_once = poll_fn(|context| Poll::Ready(refresh.as_mut().poll(context))).await;
        if let Poll::Ready(answer) = at_once {
            return answer.map(|done| told(&done));
        }
        match tokio::time::timeout(self.credentials_deadline, refresh).await {
            Ok(answer) => answer.map(|done| told(&done)),
            Err(elapsed) => Ok(Some(
                SignError::new(
                    SignErrorKind::Credentials,
                    format!(
                        "credentials: expected within {:?}, found none by then",
                        self.credentials_deadline
                    ),
                )
                .with_source(Arc::new(elapsed)),
            )),
        }
    }
}

/// Logs the result of a refresh in time.
fn told(done: &CredentialsRefresh) -> Option<SignError> {
    events::refreshed(done);
    None
}

/// The setters that the layer and the middleware share. Both types have a field `settings`.
macro_rules! setters {
    () => {
        /// Sets the maximum length of a body that is read into memory, in bytes. Default: 2 MiB,
        /// as in the [`BodyLimits`](crate::BodyLimits) of a verifying layer: raise both together.
        /// A longer body is an error, unless the request's extensions hold its
        /// [`PayloadDigest`](countersign::PayloadDigest). Then the body is streamed unread, and
        /// that digest is signed.
        #[must_use]
        pub fn with_buffer_bytes(mut self, bytes: u64) -> Self {
            self.settings.buffer.bytes = bytes;
            self
        }

        /// Sets the time limit for reading a body into memory. Default: 30 seconds. Exceeding the
        /// limit is an error of kind [`Body`](countersign::SignErrorKind::Body). The time begins
        /// with the first wait for the body. Outside of a tokio runtime, no limit applies.
        #[must_use]
        pub fn with_body_deadline(mut self, deadline: std::time::Duration) -> Self {
            self.settings.buffer.deadline = deadline;
            self
        }

        /// Sets the longest wait for the next byte of such a body. Default: 10 seconds. A longer
        /// wait is an error of kind [`Body`](countersign::SignErrorKind::Body).
        #[must_use]
        pub fn with_body_idle(mut self, idle: std::time::Duration) -> Self {
            self.settings.buffer.idle = idle;
            self
        }

        /// Sets how long a request waits for new [credentials](countersign::CredentialsProvider)
        /// when the current ones are about to expire. Default: 5 seconds. After this time, the
        /// current credentials sign the request. If they have expired, the result is an error of
        /// kind [`Credentials`](countersign::SignErrorKind::Credentials).
        #[must_use]
        pub fn with_credentials_deadline(mut self, deadline: std::time::Duration) -> Self {
            self.settings.credentials_deadline = deadline;
            self
        }

        /// Reads the time from this clock.
        #[must_use]
        pub fn with_clock(mut self, clock: impl crate::Clock) -> Self {
            self.settings.clock = std::sync::Arc::new(clock);
            self
        }
    };
}

pub(super) use setters;
