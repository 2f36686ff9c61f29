use std::{fmt, time::Duration};

use countersign::{ConfigError, TargetSigners};
use http::Uri;
use tower_layer::Layer;

use super::{
    bidirectional::Bidirectional,
    origin::Origin,
    service::Sign,
    settings::{Settings, setters},
};

/// Signs every request. See the [module documentation](crate::sign).
#[derive(Clone)]
pub struct SignLayer {
    settings: Settings,
}

impl SignLayer {
    /// Signs with a [`Signer`](countersign::Signer), a [`SharedSigner`](countersign::SharedSigner)
    /// or [`TargetSigners`], and reads bodies of up to 2 MiB into memory to do so. The last two can
    /// be replaced at run time: each request is signed with their content of that moment.
    pub fn new(signers: impl Into<TargetSigners>) -> Self {
        Self {
            settings: Settings::new(signers.into()),
        }
    }

    setters!();

    /// Sets the longest wait for a byte of a gRPC stream, by default 500 milliseconds: after it an
    /// error of kind [`Body`](countersign::SignErrorKind::Body). A gRPC stream is a body of unknown
    /// length with a `content-type` that begins with `application/grpc`.
    ///
    /// The one message of a unary or server-streaming call is at hand and is not waited for. A
    /// bidirectional call waits for the answer to its first message, which is not sent before the
    /// stream has ended: so it is refused soon.
    #[must_use]
    pub fn with_grpc_idle(mut self, idle: Duration) -> Self {
        self.settings.buffer.grpc_idle = idle;
        self
    }

    /// Sets the origin of all requests, for clients that add it below this layer: tonic's `Channel`
    /// sends every request to the origin of its endpoint, whatever the URI. Each request is signed
    /// for this origin and handed on with it. A request for another authority is an error.
    ///
    /// Give the URI of the endpoint, or the `origin` that was set on it. If the two differ, the
    /// service is sent a signature for another authority and refuses it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Authority`](countersign::ConfigErrorKind::Authority) if the URI is not
    /// `http://` or `https://` with a host and nothing else, or if it spells out the default port
    /// of its scheme: a `Channel` would send that port, and no signature covers it.
    pub fn with_origin(mut self, origin: &Uri) -> Result<Self, ConfigError> {
        self.settings.origin = Some(Origin::new(origin)?);
        Ok(self)
    }

    /// Refuses calls of these gRPC methods at once, without reading their stream. Each is the path
    /// of a bidirectional method, such as `/chat.Rooms/Talk`.
    #[must_use]
    pub fn with_grpc_bidirectional<I>(mut self, methods: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let methods = methods.into_iter().map(Into::into);
        self.settings.bidirectional = Bidirectional::new(methods);
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
            .field("signers", &self.settings.signers)
            .field("origin", &self.settings.origin)
            .field("buffer", &self.settings.buffer)
            .field("credentials_deadline", &self.settings.credentials_deadline)
            .finish_non_exhaustive()
    }
}
