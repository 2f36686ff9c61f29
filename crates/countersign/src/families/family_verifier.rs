use std::borrow::Cow;

use http::{HeaderName, Method};
use smallvec::SmallVec;

use super::{
    Callers, Carrier, ParsedHead, Requirements, cavage, drf::DrfVerifySettings, message_signatures,
    native, sigv4, webhooks::StandardWebhooksVerifySettings,
};
use crate::{
    error::{ConfigError, Reason, Rejection, RejectionKind},
    head::RequestHead,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// The verifier's settings for one family.
pub(crate) trait VerifierOfFamily {
    /// Returns the accepted schemes of the family.
    fn schemes(&self) -> &[Scheme];

    /// Finds every place in the head with credentials in an accepted scheme, valid or not.
    /// `authorization` is the header's only value in ASCII, split after the scheme name and its
    /// space.
    fn carriers<'r>(
        &self,
        head: &RequestHead<'r>,
        authorization: Option<(&'r str, &'r str)>,
        requirements: &Requirements,
        found: &mut SmallVec<[Carrier<'r>; 2]>,
    );

    /// Returns why signatures of this family in the head do not count, if none counts.
    fn passed_over(&self, _head: &RequestHead<'_>, _requirements: &Requirements) -> Option<Reason> {
        None
    }

    /// Parses the head: grammar and limits of step 2, authority of step 3, coverage of step 4, date
    /// of step 5. Before the date check, reads only the lengths of covered values, and builds no
    /// signed text.
    fn parse<'r>(
        &self,
        carrier: Carrier<'r>,
        head: RequestHead<'r>,
        requirements: &Requirements,
        now: Timestamp,
    ) -> Result<ParsedHead<'r>, Rejection>;

    /// Parses the head into a `T` that holds the result.
    ///
    /// The result is large. Creating `T` here, in a function per family, avoids copies.
    fn parse_into<'r, T>(
        &self,
        carrier: Carrier<'r>,
        head: RequestHead<'r>,
        requirements: &Requirements,
        now: Timestamp,
        into: impl FnOnce(ParsedHead<'r>) -> T,
    ) -> Result<T, Rejection>
    where
        Self: Sized,
    {
        Ok(into(self.parse(carrier, head, requirements, now)?))
    }

    /// Returns the key id that the request asserts. For logs only: unauthenticated, possibly
    /// malformed. `None` in families whose settings name the caller.
    fn asserted_key_id<'r>(
        &self,
        _carrier: Carrier<'r>,
        _head: &RequestHead<'r>,
    ) -> Option<Cow<'r, str>> {
        None
    }

    /// Adds the headers of a 401 that say how to sign (RFC 9110 section 11.6.1). `kind` is the kind
    /// of the refusal.
    fn challenges(&self, realm: &str, kind: RejectionKind, add: &mut dyn FnMut(HeaderName, String));

    /// Returns the routes on which the signature covers the body alone.
    fn body_signed_routes(&self) -> Vec<(&Method, &str)> {
        Vec::new()
    }

    /// Refuses settings that conflict with the rest of the verifier's.
    fn check(&self, requirements: &Requirements) -> Result<(), ConfigError>;
}

/// Returns the parameter of a challenge for a wrong date, or nothing for another refusal.
pub(crate) fn stale_parameter(kind: RejectionKind) -> &'static str {
    match kind {
        RejectionKind::Expired => ", error=\"stale\"",
        _ => "",
    }
}

/// The verifier's settings for any family.
#[derive(Clone, Debug)]
pub(crate) enum FamilyVerifier {
    Native(native::FamilyVerifier),
    Drf(Callers<DrfVerifySettings>),
    StandardWebhooks(Callers<StandardWebhooksVerifySettings>),
    MessageSignatures(message_signatures::FamilyVerifier),
    Cavage(cavage::FamilyVerifier),
    SigV4(sigv4::FamilyVerifier),
}

/// Calls a method of the family.
macro_rules! dispatch {
    ($family:expr, $verifier:ident => $call:expr) => {
        match $family {
            FamilyVerifier::Native($verifier) => $call,
            FamilyVerifier::Drf($verifier) => $call,
            FamilyVerifier::StandardWebhooks($verifier) => $call,
            FamilyVerifier::MessageSignatures($verifier) => $call,
            FamilyVerifier::Cavage($verifier) => $call,
            FamilyVerifier::SigV4($verifier) => $call,
        }
    };
}

impl FamilyVerifier {
    /// Accepts this scheme without settings.
    pub(crate) fn plain(scheme: Scheme) -> Result<Self, ConfigError> {
        match scheme {
            Scheme::HmacSha256 | Scheme::Ed25519 => {
                native::FamilyVerifier::plain(scheme).map(Self::Native)
            }
            Scheme::Drf => Callers::plain().map(Self::Drf),
            Scheme::StandardWebhooks => Callers::plain().map(Self::StandardWebhooks),
            Scheme::MessageSignatures => {
                message_signatures::FamilyVerifier::plain(scheme).map(Self::MessageSignatures)
            }
            Scheme::Cavage => Ok(Self::Cavage(cavage::FamilyVerifier::new())),
            Scheme::SigV4 => sigv4::FamilyVerifier::plain(scheme).map(Self::SigV4),
        }
    }

    /// Merges the settings of another verifier of the same family. Returns a verifier of another
    /// family unchanged.
    #[expect(
        clippy::result_large_err,
        reason = "runs once, when a verifier is built"
    )]
    pub(crate) fn merge(&mut self, other: Self) -> Result<(), Self> {
        match (self, other) {
            (Self::Native(own), Self::Native(other)) => own.merge(other),
            (Self::Drf(own), Self::Drf(other)) => own.merge(other),
            (Self::StandardWebhooks(own), Self::StandardWebhooks(other)) => own.merge(other),
            (Self::MessageSignatures(own), Self::MessageSignatures(other)) => own.merge(other),
            (Self::Cavage(own), Self::Cavage(other)) => own.merge(other),
            (Self::SigV4(own), Self::SigV4(other)) => own.merge(other),
            (_, other) => return Err(other),
        }
        Ok(())
    }

    /// Returns the settings of the family, for everything but the way of an accepted request, which
    /// the compiler follows into each family.
    pub(crate) fn of_family(&self) -> &dyn VerifierOfFamily {
        dispatch!(self, family => family)
    }

    /// Finds the credentials in the head: see [`VerifierOfFamily::carriers`].
    pub(crate) fn carriers<'r>(
        &self,
        head: &RequestHead<'r>,
        authorization: Option<(&'r str, &'r str)>,
        requirements: &Requirements,
        found: &mut SmallVec<[Carrier<'r>; 2]>,
    ) {
        dispatch!(self, family => family.carriers(head, authorization, requirements, found));
    }

    /// Parses the head into a `T`: see [`VerifierOfFamily::parse_into`].
    pub(crate) fn parse_into<'r, T>(
        &self,
        carrier: Carrier<'r>,
        head: RequestHead<'r>,
        requirements: &Requirements,
        now: Timestamp,
        into: impl FnOnce(ParsedHead<'r>) -> T,
    ) -> Result<T, Rejection> {
        dispatch!(self, family => family.parse_into(carrier, head, requirements, now, into))
    }
}
