/// What a signature binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coverage {
    /// Method, path, query, authority and what else the scheme covers: the signature is for this request. What is known of
    /// the body, [`Verified::body`](crate::Verified::body) says.
    Request,
    /// Some of the request, but not all of method, path, query and authority, as the settings of the scheme allow
    /// ([`MessageSignaturesVerifySettings::insecure_require_only`](crate::MessageSignaturesVerifySettings::insecure_require_only)). Whoever sees such a
    /// request can send it with another value of what is left out.
    Partial,
    /// The body, a date and no more. Whoever sees such a request can send its body elsewhere: to another method, path or
    /// host whose verifier accepts the same key for it.
    BodyOnly,
}
