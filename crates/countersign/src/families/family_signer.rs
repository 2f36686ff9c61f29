use super::{
    Refresh, SignatureHeaders, SigningInput, drf, message_signatures, native, sigv4, webhooks,
};
use crate::{
    error::SignError, key::Fingerprint, key_id::KeyId, scheme::Scheme, timestamp::Timestamp,
};

/// The signing state of one family: a key and its coverage.
pub(crate) trait SignerOfFamily {
    /// Returns the scheme of the signatures.
    fn scheme(&self) -> Scheme;

    /// Returns the name of the caller, if requests send it.
    fn caller(&self) -> Option<&KeyId>;

    /// Refreshes credentials that expire soon. Returns `None` if there is nothing to wait for.
    fn refresh(&self, now: Timestamp) -> Option<Refresh<'_>>;

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
    SigV4(sigv4::FamilySigner),
}

/// Calls a method of the family.
macro_rules! dispatch {
    ($family:expr, $signer:ident => $call:expr) => {
        match $family {
            FamilySigner::Native($signer) => $call,
            FamilySigner::Drf($signer) => $call,
            FamilySigner::StandardWebhooks($signer) => $call,
            FamilySigner::MessageSignatures($signer) => $call,
            FamilySigner::SigV4($signer) => $call,
        }
    };
}

impl SignerOfFamily for FamilySigner {
    fn scheme(&self) -> Scheme {
        dispatch!(self, family => family.scheme())
    }

    fn caller(&self) -> Option<&KeyId> {
        dispatch!(self, family => family.caller())
    }

    fn refresh(&self, now: Timestamp) -> Option<Refresh<'_>> {
        dispatch!(self, family => family.refresh(now))
    }

    fn sign(&self, input: SigningInput<'_>) -> Result<SignatureHeaders, SignError> {
        dispatch!(self, family => family.sign(input))
    }

    fn needs_body(&self) -> bool {
        dispatch!(self, family => family.needs_body())
    }

    fn fingerprints(&self, each: &mut dyn FnMut(&Fingerprint)) {
        dispatch!(self, family => family.fingerprints(each));
    }
}

impl From<native::FamilySigner> for FamilySigner {
    fn from(signer: native::FamilySigner) -> Self {
        Self::Native(signer)
    }
}

impl From<drf::FamilySigner> for FamilySigner {
    fn from(signer: drf::FamilySigner) -> Self {
        Self::Drf(signer)
    }
}

impl From<webhooks::FamilySigner> for FamilySigner {
    fn from(signer: webhooks::FamilySigner) -> Self {
        Self::StandardWebhooks(signer)
    }
}

impl From<message_signatures::FamilySigner> for FamilySigner {
    fn from(signer: message_signatures::FamilySigner) -> Self {
        Self::MessageSignatures(signer)
    }
}

impl From<sigv4::FamilySigner> for FamilySigner {
    fn from(signer: sigv4::FamilySigner) -> Self {
        Self::SigV4(signer)
    }
}
