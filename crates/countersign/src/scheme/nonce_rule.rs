/// Whether a request must carry a covered nonce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NonceRule {
    /// A request without a covered nonce is refused.
    #[default]
    Required,
    /// A request without a nonce is protected from replay by its date alone.
    Optional,
}
