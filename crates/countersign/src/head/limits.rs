use crate::error::{Escaped, Reason, Rejection, reason};

/// How much of a head a verifier reads, in bytes and in numbers. A head over a limit is malformed,
/// and no key is looked up for it. The server below has limits of its own.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    pub(crate) authorization_bytes: usize,
    pub(crate) target_bytes: usize,
    pub(crate) covered_headers: usize,
    pub(crate) covered_value_bytes: usize,
    pub(crate) query_parameters: usize,
}

impl Default for HeadLimits {
    /// 4 KiB of `Authorization`, 8 KiB of target, 32 covered headers of 8 KiB each, 128 query parameters.
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
    /// Refuses a target of so many bytes if it is too long.
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

    /// What a list of more covered headers or components than there may be is refused with. `list` names it.
    #[cold]
    pub(crate) fn too_many_covered(&self, list: &'static str, found: usize) -> Reason {
        let setting = "HeadLimits::with_covered_headers";
        Reason::over(list.into(), self.covered_headers, "names", found, setting)
    }

    /// What a covered header with a longer value than it may have is refused with.
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

    /// The greatest length of the `Authorization` value, in bytes. It holds in every scheme, also
    /// where the signature is elsewhere. In RFC 9421 it is also that of `Signature-Input` and of
    /// `Signature`, all lines of each together.
    #[must_use]
    pub fn with_authorization_bytes(mut self, bytes: usize) -> Self {
        self.authorization_bytes = bytes;
        self
    }

    /// The greatest length of path and query together, in bytes. It holds in every scheme. In those
    /// whose settings list routes, a longer route is refused by
    /// [`build`](crate::VerifierBuilder::build).
    #[must_use]
    pub fn with_target_bytes(mut self, bytes: usize) -> Self {
        self.target_bytes = bytes;
        self
    }

    /// The greatest number of covered headers, and in RFC 9421 of components.
    ///
    /// It holds in the schemes that list what they cover: all but
    /// [`Scheme::Drf`](crate::Scheme::Drf) and
    /// [`Scheme::StandardWebhooks`](crate::Scheme::StandardWebhooks), which cover one header and
    /// two.
    #[must_use]
    pub fn with_covered_headers(mut self, headers: usize) -> Self {
        self.covered_headers = headers;
        self
    }

    /// The greatest length of one covered header's value, in bytes as sent. Lines of one name count
    /// together, with the commas that join them; `Host` counts as well.
    ///
    /// It holds in the same schemes as [`with_covered_headers`](Self::with_covered_headers). What
    /// the two others cover has at most 12 and 256 bytes.
    #[must_use]
    pub fn with_covered_value_bytes(mut self, bytes: usize) -> Self {
        self.covered_value_bytes = bytes;
        self
    }

    /// The greatest number of query parameters, where they are signed one by one: in
    /// [`Scheme::SigV4`](crate::Scheme::SigV4), and in RFC 9421 if a signature covers a
    /// `@query-param`.
    #[must_use]
    pub fn with_query_parameters(mut self, parameters: usize) -> Self {
        self.query_parameters = parameters;
        self
    }
}
