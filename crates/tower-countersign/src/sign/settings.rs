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
