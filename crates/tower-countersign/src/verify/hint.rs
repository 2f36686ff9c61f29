use countersign::KeyId;
use http::HeaderName;

/// The known mistake that would explain a refusal.
#[derive(Clone, Debug)]
pub(super) struct Hint {
    /// The caller whose keys were tried.
    pub(super) caller: KeyId,
    /// The code of the cause, or `none` if no known one explains the refusal.
    pub(super) code: &'static str,
    /// The code of a second cause, where only both together explain the refusal.
    pub(super) also: Option<&'static str>,
    /// The covered header that is concerned, if the cause concerns one.
    pub(super) header: Option<HeaderName>,
    /// Whether a signature check shows the cause.
    pub(super) is_matched: bool,
}

#[cfg(not(feature = "diagnose"))]
impl<K, R> super::verification::Verification<K, R> {
    /// Makes no hint.
    #[expect(clippy::unused_self, reason = "the method of the feature takes it")]
    pub(super) fn hint(
        &self,
        _: &http::request::Parts,
        _: &super::verification::Refused,
        _: Option<&str>,
        _: &mut super::buffered::Buffered,
        _: countersign::Timestamp,
    ) -> Option<Hint> {
        None
    }
}
