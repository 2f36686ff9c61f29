use crate::scheme::Scheme;

/// The place of a signature in a head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carrier<'r> {
    pub(crate) scheme: Scheme,
    /// The text for the family to parse: the rest of `Authorization` after the scheme name. Empty
    /// if the signature is elsewhere.
    pub(crate) parameters: &'r str,
}
