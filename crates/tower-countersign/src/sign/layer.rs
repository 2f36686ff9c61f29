use std::{fmt, sync::Arc, time::Duration};

use countersign::SharedSigner;
use tower_layer::Layer;

use super::{service::Sign, settings::Settings};
use crate::clock::Clock;

/// Signs every request. See the [module documentation](crate::sign).
#[derive(Clone)]
pub struct SignLayer {
    settings: Settings,
}

impl SignLayer {
    /// A layer that signs with this [`Signer`](countersign::Signer), and reads bodies of up to 8 MiB into memory to do so.
    /// Of a [`SharedSigner`] each request is signed with what it holds by then.
    pub fn new(signer: impl Into<SharedSigner>) -> Self {
        Self {
            settings: Settings::new(signer.into()),
        }
    }

    /// Sets the greatest length of a body that is read into memory, in bytes. A larger one is an error, unless the
    /// request carries its [`PayloadDigest`](countersign::PayloadDigest) as an extension: then the body is not read but
    /// sent as it is, and that digest is signed.
    #[must_use]
    pub fn with_buffer_bytes(mut self, bytes: u64) -> Self {
        self.settings.buffer_bytes = bytes;
        self
    }

    /// Sets how long a request waits for [credentials](countersign::CredentialsProvider) that are about to expire to be read
    /// anew, by default 5 seconds: after it, it is signed with those at hand, or is an error of kind
    /// [`Credentials`](countersign::SignErrorKind::Credentials) if they have expired.
    #[must_use]
    pub fn with_credentials_deadline(mut self, deadline: Duration) -> Self {
        self.settings.credentials_deadline = deadline;
        self
    }

    /// Reads the time from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }
}

impl<S> Layer<S> for SignLayer {
    type Service = Sign<S>;

    fn layer(&self, inner: S) -> Sign<S> {
        Sign::new(inner, self.settings.clone())
    }
}

impl fmt::Debug for SignLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignLayer")
            .field("signer", &self.settings.signer)
            .field("buffer_bytes", &self.settings.buffer_bytes)
            .field("credentials_deadline", &self.settings.credentials_deadline)
            .finish_non_exhaustive()
    }
}
