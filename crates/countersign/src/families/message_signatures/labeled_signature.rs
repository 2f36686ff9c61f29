use smallvec::SmallVec;

use super::{covered_components::CoveredComponents, signature_params::SignatureParams};

/// One signature.
#[derive(Clone, Debug, Default)]
pub(super) struct LabeledSignature<'r> {
    pub(super) label: &'r str,
    pub(super) covered: CoveredComponents<'r>,
    pub(super) params: SignatureParams<'r>,
    /// What keeps this one from being judged. A signature of somebody else may have what is not known here.
    pub(super) problem: Option<Problem<'r>>,
    /// Empty until the signature is found.
    pub(super) signature: SignatureBytes,
    /// The components and the parameters as they were sent, where they were sent as they are signed.
    pub(super) serialized: Option<&'r str>,
}

/// What keeps a signature from being judged, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Problem<'r> {
    pub(super) text: &'static str,
    pub(super) place: Place<'r>,
}

/// A part of what a signature is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'r> {
    /// The component of this number, from one.
    Component(usize),
    Parameter(&'r str),
}

/// The bytes of a signature.
pub(super) type SignatureBytes = SmallVec<[u8; 64]>;
