/// The parts of a request that its signature binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coverage {
    /// Method, path, query, authority, and everything else that the scheme covers: the signature
    /// binds this request. For the body, see [`Verified::body`](crate::Verified::body).
    Request,
    /// Less than method, path, query and authority, because the settings [require only some
    /// components](crate::MessageSignaturesVerifySettings::insecure_require_only). Anyone who sees
    /// such a request can resend it with other values for the uncovered parts.
    Partial,
    /// Only the body and a date. Anyone who sees such a request can resend its body to any method,
    /// path or host whose verifier accepts the same key for it.
    BodyOnly,
}
