use countersign::KeyId;

/// Who made a response. [`VerifyAnswerLayer`](crate::VerifyAnswerLayer) puts it in the response's
/// extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerState {
    /// The head is signed by this service, for this request. The body is verified while it is read.
    #[non_exhaustive]
    Verified {
        /// The name of the service, as its keys give it.
        service: KeyId,
        /// By how many seconds the service's clock is ahead of this one, or behind it if negative.
        /// `None` unless the service refused the request because of its date.
        clock_offset_seconds: Option<i64>,
    },
    /// Nobody is known to have made the response. A layer that accepts [unsigned
    /// errors](crate::VerifyAnswerLayer::insecure_allow_unsigned_errors) passed it on.
    Unsigned,
}
