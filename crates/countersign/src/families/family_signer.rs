use super::{
    Refresh, SignatureHeaders, SigningInput, cavage, drf, message_signatures, native, sigv4,
    webhooks,
};
use crate::{
    error::SignError, key::Fingerprint, key_id::KeyId, scheme::Scheme, timestamp::Timestamp,
};

/// The signing state of one family: a key and its coverage.
pub(crate) trait SignerOfFamily {
    /// Returns the scheme of the signatures.
    fn scheme(&self) -> Scheme;

    /// Returns the name of the caller, if requests send it.
    fn caller(&self) -> Option<&KeyId> {
        None
    }

    /// Refreshes credentials that expire soon. Returns `None` if there is nothing to wait for.
    fn refresh(&self, _now: Timestamp) -> Option<Refresh<'_>> {
        None
    }

    /// Returns the headers that sign the request, `authorization` last. On an error, nothing has
    /// changed.
    fn sign(&self, input: SigningInput<'_>) -> Result<SignatureHeaders, SignError>;

    /// Returns whether the signature covers the body itself, so that its digest is not enough.
    fn needs_body(&self) -> bool;

    /// Passes the fingerprints that no caller's key may have.
    fn fingerprints(&self, each: &mut dyn FnMut(&Fingerprint));
}

/// The signing state of any scheme.
#[derive(Clone, Debug)]
pub(crate) enum FamilySigner {
    Native(native::FamilySigner),
    Drf(drf::FamilySigner),
    StandardWebhooks(webhooks::FamilySigner),
    MessageSignatures(message_signatures::FamilySigner),
    Cavage(cavage::FamilySigner),
    SigV4(sigv4::FamilySigner),
}

impl FamilySigner {
    /// Returns the signing state of the family.
    pub(crate) fn of_family(&self) -> &dyn SignerOfFamily {
        match self {
            Self::Native(signer) => signer,
            Self::Drf(signer) => signer,
            Self::StandardWebhooks(signer) => signer,
            Self::MessageSignatures(signer) => signer,
            Self::Cavage(signer) => signer,
            Self::SigV4(signer) => signer,
        }
    }
}
