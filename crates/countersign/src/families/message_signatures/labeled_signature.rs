use smallvec::SmallVec;

use super::{covered_components::CoveredComponents, signature_params::SignatureParams};

/// One signature.
#[derive(Clone, Debug, Default)]
pub(super) struct LabeledSignature<'r> {
    pub(super) label: &'r str,
    pub(super) covered: CoveredComponents<'r>,
    pub(super) params: SignatureParams<'r>,
    /// Why this signature cannot be verified. Another party's signature may use unknown features.
    pub(super) problem: Option<Problem<'r>>,
    /// Empty until the signature is found.
    pub(super) signature: SignatureBytes,
    /// The components and parameters as sent, if they were sent in serialized form.
    pub(super) serialized: Option<&'r str>,
}

/// Why a signature cannot be verified, and the place of the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Problem<'r> {
    pub(super) text: &'static str,
    pub(super) place: Place<'r>,
}

/// A part of a signature's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'r> {
    /// The component at this position, counted from one.
    Component(usize),
    Parameter(&'r str),
}

/// The bytes of a signature.
pub(super) type SignatureBytes = SmallVec<[u8; 64]>;
