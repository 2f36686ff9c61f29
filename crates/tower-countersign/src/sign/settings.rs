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

/// What the layer and the middleware share.
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

    /// Returns the signer for a request that is about to be sent, or `None` if it is to be sent
    /// unsigned.
    pub(super) fn signer(&self, parts: &Parts) -> Result<Option<Arc<Signer>>, SignError> {
        self.signers.select(parts, self.clock.now())
    }

    /// Signs, with credentials that are read anew where they are about to expire.
    pub(super) async fn sign(
        &self,
        signer: &Signer,
        parts: &Parts,
        payload: impl Into<Payload<'_>>,
    ) -> Result<Signature, SignError> {
        let late = self.refresh(signer).await?;
        let signature = signer.sign(parts, payload, self.clock.now());
        match (signature, late) {
            // What was at hand has expired, or there was nothing: that the provider is late is why.
            (Err(error), Some(late)) if error.kind() == SignErrorKind::Credentials => Err(late),
            (signature, late) => {
                if let Some(late) = &late {
                    events::late(late);
                }
                signature
            }
        }
    }

    /// Waits for credentials no longer than the deadline. `Ok` with an error says that they are late: those at hand may
    /// still do.
    async fn refresh(&self, signer: &Signer) -> Result<Option<SignError>, SignError> {
        let mut refresh = pin!(signer.refresh(self.clock.now()));
        // Most signers have nothing to wait for, and then need no timer, which asks for a runtime.
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

/// Tells the log what came of it. Nothing is late.
fn told(done: &CredentialsRefresh) -> Option<SignError> {
    events::refreshed(done);
    None
}

/// The setters that the layer and the middleware share. Both keep their settings in a field of that
/// name.
macro_rules! setters {
    () => {
        /// Sets the greatest length of a body that is read into memory, in bytes, by default 2 MiB. A
        /// verifying layer takes as much by default: raise its [`BodyLimits`](crate::BodyLimits) as
        /// well. A larger body is an error, unless the request carries its
        /// [`PayloadDigest`](countersign::PayloadDigest) as an extension: then the body is not read but
        /// sent as it is, and that digest is signed.
        #[must_use]
        pub fn with_buffer_bytes(mut self, bytes: u64) -> Self {
            self.settings.buffer.bytes = bytes;
            self
        }

        /// Sets how long a body that is read into memory may take, by default 30 seconds: after it an
        /// error of kind [`Body`](countersign::SignErrorKind::Body). The time begins with the first
        /// wait for the body. Outside of a tokio runtime no time is counted.
        #[must_use]
        pub fn with_body_deadline(mut self, deadline: std::time::Duration) -> Self {
            self.settings.buffer.deadline = deadline;
            self
        }

        /// Sets the longest wait for a byte of such a body, by default 10 seconds: after it an error of
        /// kind [`Body`](countersign::SignErrorKind::Body).
        #[must_use]
        pub fn with_body_idle(mut self, idle: std::time::Duration) -> Self {
            self.settings.buffer.idle = idle;
            self
        }

        /// Sets how long a request waits for [credentials](countersign::CredentialsProvider) that are about to expire to be read
        /// anew, by default 5 seconds: after it, it is signed with those at hand, or is an error of kind
        /// [`Credentials`](countersign::SignErrorKind::Credentials) if they have expired.
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
