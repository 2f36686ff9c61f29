use crate::scheme::Scheme;

/// Where a signature of a scheme was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carrier<'r> {
    pub(crate) scheme: Scheme,
    /// The text that the family begins to parse with: what follows the scheme's name in `Authorization`, or nothing where
    /// the signature is elsewhere.
    pub(crate) parameters: &'r str,
}
