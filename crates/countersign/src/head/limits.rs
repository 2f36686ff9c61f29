use crate::error::{Escaped, Reason, Rejection, reason};

/// Limits on request heads, in bytes and counts. A head over a limit is malformed, and no key is
/// looked up for it. The HTTP server has separate limits.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    pub(crate) authorization_bytes: usize,
    pub(crate) target_bytes: usize,
    pub(crate) covered_headers: usize,
    pub(crate) covered_value_bytes: usize,
    pub(crate) query_parameters: usize,
}

impl Default for HeadLimits {
    /// 4 KiB of `Authorization`, 8 KiB of target, 32 covered headers of 8 KiB each, 128 query
    /// parameters.
    fn default() -> Self {
        Self {
            authorization_bytes: 4 * 1024,
            target_bytes: 8 * 1024,
            covered_headers: 32,
            covered_value_bytes: 8 * 1024,
            query_parameters: 128,
        }
    }
}

impl HeadLimits {
    /// Refuses a target that is too long.
    #[inline]
    pub(crate) fn ensure_target(&self, bytes: usize) -> Result<(), Rejection> {
        if bytes <= self.target_bytes {
            return Ok(());
        }
        let setting = "HeadLimits::with_target_bytes";
        Err(Rejection::malformed(Reason::over(
            "target".into(),
            self.target_bytes,
            "bytes",
            bytes,
            setting,
        )))
    }

    /// Returns the reason for a list with too many covered headers or components. `list` names it.
    #[cold]
    pub(crate) fn too_many_covered(&self, list: &'static str, found: usize) -> Reason {
        let setting = "HeadLimits::with_covered_headers";
        Reason::over(list.into(), self.covered_headers, "names", found, setting)
    }

    /// Returns the reason for a covered header whose value is too long.
    #[cold]
    pub(crate) fn too_long_value(&self, name: &str, found: usize) -> Reason {
        let setting = "HeadLimits::with_covered_value_bytes";
        reason!(
            "header {}: expected at most {} bytes, found {}; {} sets the limit",
            Escaped::text(name),
            self.covered_value_bytes,
            found,
            setting
        )
    }

    /// Sets the greatest length of the `Authorization` value in bytes.
    ///
    /// Applies in every scheme, even if the signature is elsewhere. In RFC 9421 it also limits
    /// `Signature-Input` and `Signature`, each with all of its lines.
    #[must_use]
    pub fn with_authorization_bytes(mut self, bytes: usize) -> Self {
        self.authorization_bytes = bytes;
        self
    }

    /// Sets the greatest length of path and query together, in bytes. Applies in every scheme.
    ///
    /// In schemes whose settings list routes, [`build`](crate::VerifierBuilder::build) refuses a
    /// longer route.
    #[must_use]
    pub fn with_target_bytes(mut self, bytes: usize) -> Self {
        self.target_bytes = bytes;
        self
    }

    /// Sets the greatest number of covered headers, and in RFC 9421 of components.
    ///
    /// Applies in the schemes that list what they cover: all but
    /// [`Scheme::Drf`](crate::Scheme::Drf) and
    /// [`Scheme::StandardWebhooks`](crate::Scheme::StandardWebhooks), which cover one header and
    /// two headers.
    #[must_use]
    pub fn with_covered_headers(mut self, headers: usize) -> Self {
        self.covered_headers = headers;
        self
    }

    /// Sets the greatest length of a covered header's value, in bytes as sent. Lines of one name
    /// count together, with their commas. `Host` counts too.
    ///
    /// Applies in the same schemes as [`with_covered_headers`](Self::with_covered_headers). In the
    /// other two, covered values have at most 12 and 256 bytes.
    #[must_use]
    pub fn with_covered_value_bytes(mut self, bytes: usize) -> Self {
        self.covered_value_bytes = bytes;
        self
    }

    /// Sets the greatest number of query parameters, if they are signed one by one: in
    /// [`Scheme::SigV4`](crate::Scheme::SigV4), and in RFC 9421 if a signature covers a
    /// `@query-param`.
    #[must_use]
    pub fn with_query_parameters(mut self, parameters: usize) -> Self {
        self.query_parameters = parameters;
        self
    }
}
