use std::{fmt, time::Duration};

use countersign::{ConfigError, TargetSigners};
use http::Uri;
use tower_layer::Layer;

use super::{
    bidirectional::Bidirectional,
    origin::Origin,
    service::Sign,
    settings::{Settings, setters},
    total_bytes::TotalBytes,
};

/// Signs every request. See the [module documentation](crate::sign).
#[derive(Clone)]
pub struct SignLayer {
    settings: Settings,
}

impl SignLayer {
    /// Signs with a [`Signer`](countersign::Signer), a [`SharedSigner`](countersign::SharedSigner)
    /// or [`TargetSigners`], and reads bodies of up to 2 MiB into memory. The last two can be
    /// replaced at run time: each request is signed with their current content.
    pub fn new(signers: impl Into<TargetSigners>) -> Self {
        Self {
            settings: Settings::new(signers.into()),
        }
    }

    setters!();

    /// Sets the memory for all bodies together, in bytes. A body counts from its arrival until the
    /// client has sent it or dropped it. A request that needs more is an error of kind
    /// [`BufferFull`](countersign::SignErrorKind::BufferFull). By default only the number of
    /// requests limits it.
    ///
    /// Clones of this layer and all its services share the memory. A value below the maximum length
    /// of one body refuses every body of that length.
    #[must_use]
    pub fn with_total_buffer_bytes(mut self, bytes: u64) -> Self {
        self.settings.buffer.total = TotalBytes::new(bytes);
        self
    }

    /// Sets the longest wait for the next byte of a gRPC stream. Default: 500 milliseconds. A
    /// longer wait is an error of kind [`Body`](countersign::SignErrorKind::Body). A gRPC stream is
    /// a body of unknown length with a `content-type` that begins with `application/grpc`.
    ///
    /// The message of a unary or server-streaming call is ready and causes no wait. A bidirectional
    /// call waits for a response that cannot arrive before the stream is signed, so this limit
    /// refuses the call early.
    #[must_use]
    pub fn with_grpc_idle(mut self, idle: Duration) -> Self {
        self.settings.buffer.grpc_idle = idle;
        self
    }

    /// Sets the origin of all requests, for clients that add the origin below this layer. For
    /// example, tonic's `Channel` sends every request to the origin of its endpoint, whatever the
    /// URI. Each request is signed for this origin and sent with it. A request for another
    /// authority is an error.
    ///
    /// Pass the URI of the endpoint, or the `origin` that was set on the endpoint. If the two
    /// differ, the service refuses the signature, because it is for another authority.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Authority`](countersign::ConfigErrorKind::Authority) if the URI is not
    /// `http://` or `https://` with only a host and an optional port. The same error if the URI
    /// contains the default port of its scheme: a `Channel` would send that port, and no signature
    /// covers it.
    pub fn with_origin(mut self, origin: &Uri) -> Result<Self, ConfigError> {
        self.settings.origin = Some(Origin::new(origin)?);
        Ok(self)
    }

    /// Refuses calls of these gRPC methods without reading their streams. Each method is the path
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
