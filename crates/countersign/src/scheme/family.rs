//! What a folder of schemes provides, and the table that makes one of them all.

use std::{borrow::Cow, future::Future, pin::Pin};

use http::{HeaderName, HeaderValue};
use smallvec::SmallVec;

use super::{Scheme, sigv4::CredentialsRefresh};
use crate::{
    error::{ConfigError, Reason, Rejection, SignError},
    head::RequestHead,
    key::{Fingerprint, VerifyingKey},
    key_id::KeyId,
    payload::{Payload, PayloadDigest},
    scheme::native::Nonce,
    timestamp::Timestamp,
    verify::{ParsedHead, Requirements, UnverifiedHead},
};

/// Where a signature of a scheme was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carrier<'r> {
    pub(crate) scheme: Scheme,
    /// The text that the family begins to parse with: what follows the scheme's name in `Authorization`, or nothing where
    /// the signature is elsewhere.
    pub(crate) parameters: &'r str,
}

/// What a verifier is set to for one family.
pub(crate) trait ProfileOfFamily {
    /// The schemes of the family that are accepted.
    fn schemes(&self) -> &[Scheme];

    /// Every place in which the head carries credentials in one of them, whether or not they hold. `authorization` is the value of that header,
    /// already known to be there once and to be ASCII, in two parts: the name of a scheme and what follows the space.
    fn carriers<'r>(
        &self,
        head: &RequestHead<'r>,
        authorization: Option<(&'r str, &'r str)>,
        policy: &Requirements,
        found: &mut SmallVec<[Carrier<'r>; 2]>,
    );

    /// Why signatures in a scheme of the family that are in the head do not count, where none does.
    fn passed_over(&self, _head: &RequestHead<'_>, _policy: &Requirements) -> Option<Reason> {
        None
    }

    /// Reads the head: the grammar and the caps of step 2, the authority of step 3, the coverage of
    /// step 4, the date of step 5. Before the date is judged, the lengths of covered values are
    /// looked at and not the values, and no text that is signed is built.
    fn parse<'r>(
        &self,
        carrier: Carrier<'r>,
        head: RequestHead<'r>,
        policy: &Requirements,
        now: Timestamp,
    ) -> Result<ParsedHead<'r>, Rejection>;

    /// Makes a claim of the head.
    ///
    /// A claim is large, and is made where it is read: passed on by another function it would be copied.
    fn claim<'r>(
        &self,
        carrier: Carrier<'r>,
        head: RequestHead<'r>,
        policy: &Requirements,
        now: Timestamp,
    ) -> Result<UnverifiedHead<'r>, Rejection> {
        Ok(UnverifiedHead::new(
            self.parse(carrier, head, policy, now)?,
            policy,
        ))
    }

    /// Who the request says it is from, for a log: unproven, and not even well-formed.
    fn claimed_key_id<'r>(
        &self,
        carrier: Carrier<'r>,
        head: &RequestHead<'r>,
    ) -> Option<Cow<'r, str>>;

    /// The headers of a 401 that say how to sign (RFC 9110 section 11.6.1). `stale` if the date was wrong.
    fn challenges(&self, realm: &str, stale: bool, add: &mut dyn FnMut(HeaderName, HeaderValue));

    /// Refuses settings that do not go together with the rest of the verifier's.
    fn check(&self, policy: &Requirements) -> Result<(), ConfigError>;
}

/// What a head claims in one family: the signed text as this verifier sees it, and the signature sent with it.
pub(crate) trait CredentialsOfFamily {
    /// Whether the signature is this key's over this request. `body` is the digest of the body where the head declares
    /// none and the signed text holds one.
    fn matches(&self, key: &VerifyingKey, body: Option<&PayloadDigest>) -> bool;

    /// What keeps this key from matching whatever the signature is. It is for the operator's log.
    fn objection(&self, _key: &VerifyingKey) -> Option<&'static str> {
        None
    }

    /// The signed text.
    fn signed_text(&self, body: Option<&PayloadDigest>) -> String;

    /// What the key signs in place of the signed text, in the families in which that is another text and holds its hash.
    fn string_to_sign(&self, _signed_text: &str) -> Option<String> {
        None
    }

    /// The bytes of the signature that this key matched.
    fn signature(&self) -> &[u8];

    /// The covered headers, in the order in which they are signed, with the value of each as it was signed.
    fn covered(&self, each: &mut impl FnMut(&str, &str));

    /// The same as `name:value` lines with a line break behind each, in the families that keep them so.
    fn covered_lines(&self) -> Option<&str> {
        None
    }
}

/// What a request is signed with in one family: a key, and what it covers.
pub(crate) trait SignerOfFamily {
    /// The scheme of the signatures.
    fn scheme(&self) -> Scheme;

    /// The caller that requests are signed as, if its name is sent.
    fn caller(&self) -> Option<&KeyId>;

    /// Reads anew what the signer signs with, if that is about to expire; `None` if there is nothing to wait for.
    fn refresh(&self, now: Timestamp) -> Option<Refresh<'_>>;

    /// The headers that make a request a signed one, `authorization` last. Nothing has been changed on an error.
    fn sign(&self, input: SigningInput<'_>) -> Result<SignatureHeaders, SignError>;

    /// Whether the signature is over the body itself, so that its digest is not enough.
    fn needs_body(&self) -> bool;

    /// What no caller's key may be.
    fn fingerprints(&self, each: &mut dyn FnMut(&Fingerprint));
}

/// What a signer waits for before it can sign.
pub(crate) type Refresh<'s> =
    Pin<Box<dyn Future<Output = Result<CredentialsRefresh, SignError>> + Send + 's>>;

/// The headers of a signature, in the order in which they are set.
pub(crate) type SignatureHeaders = SmallVec<[(HeaderName, HeaderValue); 4]>;

/// A request to be signed.
#[derive(Debug)]
pub(crate) struct SigningInput<'s> {
    pub(crate) head: RequestHead<'s>,
    /// The one that will stand in `Host` or `:authority`.
    pub(crate) authority: &'s str,
    pub(crate) payload: Payload<'s>,
    /// A given nonce; without one a scheme that has nonces makes its own.
    pub(crate) nonce: Option<Nonce>,
    pub(crate) now: Timestamp,
}

/// Makes [`Scheme`], and one `enum` each of the profiles, credentials and signers of all families, from a table with a
/// row for each family: its module, its name here, and its schemes with their [`Definition`](super::Definition)s.
///
/// A module provides `Profile` and `FamilySigner`, which implement the traits above. A family whose signatures are over
/// the body itself has nothing that could be checked with the head; every other one also provides `Credentials<'r>`, and
/// says so in its row.
macro_rules! families {
    ($(
        $module:ident: $Family:ident $(with $Credentials:ident)? {
            $( $(#[$doc:meta])* $Scheme:ident = $definition:path ),+ $(,)?
        }
    )+) => {
        /// A way of signing requests. Every key is bound to exactly one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Scheme {
            $($( $(#[$doc])* $Scheme, )+)+
        }

        impl Scheme {
            /// Every scheme.
            pub const ALL: &'static [Self] = &[ $($( Self::$Scheme, )+)+ ];

            pub(crate) const fn definition(self) -> &'static Definition {
                match self {
                    $($( Self::$Scheme => &$definition, )+)+
                }
            }

            /// The name on the wire, which is compared with its case; of a scheme that has none there, what it is called.
            pub const fn name(self) -> &'static str {
                self.definition().name
            }

            /// What a verifier is set to that accepts this scheme without further settings.
            pub(crate) fn plain_profile(self) -> Result<Profile, $crate::error::ConfigError> {
                match self {
                    $( $( Self::$Scheme )|+ => $module::Profile::plain(self).map(Profile::$Family), )+
                }
            }
        }

        impl ::std::fmt::Display for Scheme {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.name())
            }
        }

        /// What a verifier is set to for one family of schemes.
        #[derive(Clone, Debug)]
        pub(crate) enum Profile {
            $( $Family($module::Profile), )+
        }

        impl Profile {
            /// Takes over what another profile of the same family accepts. Gives it back if it is of another family.
            pub(crate) fn merge(&mut self, other: Self) -> Result<(), Self> {
                match (self, other) {
                    $( (Self::$Family(profile), Self::$Family(other)) => {
                        profile.merge(other);
                        Ok(())
                    } )+
                    (_, other) => Err(other),
                }
            }
        }

        impl ProfileOfFamily for Profile {
            fn schemes(&self) -> &[Scheme] {
                match self { $( Self::$Family(profile) => profile.schemes(), )+ }
            }

            fn carriers<'r>(
                &self,
                head: &$crate::head::RequestHead<'r>,
                authorization: Option<(&'r str, &'r str)>,
                policy: &$crate::verify::Requirements,
                found: &mut ::smallvec::SmallVec<[Carrier<'r>; 2]>,
            ) {
                match self { $( Self::$Family(profile) => profile.carriers(head, authorization, policy, found), )+ }
            }

            fn passed_over(
                &self,
                head: &$crate::head::RequestHead<'_>,
                policy: &$crate::verify::Requirements,
            ) -> Option<$crate::error::Reason> {
                match self { $( Self::$Family(profile) => profile.passed_over(head, policy), )+ }
            }

            fn parse<'r>(
                &self,
                carrier: Carrier<'r>,
                head: $crate::head::RequestHead<'r>,
                policy: &$crate::verify::Requirements,
                now: $crate::timestamp::Timestamp,
            ) -> Result<$crate::verify::ParsedHead<'r>, $crate::error::Rejection> {
                match self { $( Self::$Family(profile) => profile.parse(carrier, head, policy, now), )+ }
            }

            fn claim<'r>(
                &self,
                carrier: Carrier<'r>,
                head: $crate::head::RequestHead<'r>,
                policy: &$crate::verify::Requirements,
                now: $crate::timestamp::Timestamp,
            ) -> Result<$crate::verify::UnverifiedHead<'r>, $crate::error::Rejection> {
                match self { $( Self::$Family(profile) => profile.claim(carrier, head, policy, now), )+ }
            }

            fn claimed_key_id<'r>(
                &self,
                carrier: Carrier<'r>,
                head: &$crate::head::RequestHead<'r>,
            ) -> Option<::std::borrow::Cow<'r, str>> {
                match self { $( Self::$Family(profile) => profile.claimed_key_id(carrier, head), )+ }
            }

            fn challenges(
                &self,
                realm: &str,
                stale: bool,
                add: &mut dyn FnMut(::http::HeaderName, ::http::HeaderValue),
            ) {
                match self { $( Self::$Family(profile) => profile.challenges(realm, stale, add), )+ }
            }

            fn check(&self, policy: &$crate::verify::Requirements) -> Result<(), $crate::error::ConfigError> {
                match self { $( Self::$Family(profile) => profile.check(policy), )+ }
            }
        }

        $(
            impl From<$module::Profile> for Profile {
                fn from(profile: $module::Profile) -> Self {
                    Self::$Family(profile)
                }
            }
        )+

        /// What a head claims in one family of schemes.
        #[derive(Clone, Debug)]
        pub(crate) enum Credentials<'r> {
            $($( $Family($module::$Credentials<'r>), )?)+
        }

        impl CredentialsOfFamily for Credentials<'_> {
            #[inline]
            fn matches(
                &self,
                key: &$crate::key::VerifyingKey,
                body: Option<&$crate::payload::PayloadDigest>,
            ) -> bool {
                match self {
                    $($( Self::$Family(credentials) => $module::$Credentials::matches(credentials, key, body), )?)+
                }
            }

            fn objection(&self, key: &$crate::key::VerifyingKey) -> Option<&'static str> {
                match self {
                    $($( Self::$Family(credentials) => $module::$Credentials::objection(credentials, key), )?)+
                }
            }

            fn signed_text(&self, body: Option<&$crate::payload::PayloadDigest>) -> String {
                match self {
                    $($( Self::$Family(credentials) => $module::$Credentials::signed_text(credentials, body), )?)+
                }
            }

            fn string_to_sign(&self, signed_text: &str) -> Option<String> {
                match self {
                    $($( Self::$Family(credentials) => $module::$Credentials::string_to_sign(credentials, signed_text), )?)+
                }
            }

            fn signature(&self) -> &[u8] {
                match self {
                    $($( Self::$Family(credentials) => $module::$Credentials::signature(credentials), )?)+
                }
            }

            #[inline]
            fn covered(&self, each: &mut impl FnMut(&str, &str)) {
                match self {
                    $($( Self::$Family(credentials) => $module::$Credentials::covered(credentials, each), )?)+
                }
            }

            #[inline]
            fn covered_lines(&self) -> Option<&str> {
                match self {
                    $($( Self::$Family(credentials) => $module::$Credentials::covered_lines(credentials), )?)+
                }
            }
        }

        $($(
            impl<'r> From<$module::$Credentials<'r>> for Credentials<'r> {
                fn from(credentials: $module::$Credentials<'r>) -> Self {
                    Self::$Family(credentials)
                }
            }
        )?)+

        /// What requests are signed with, in whichever scheme.
        #[derive(Clone, Debug)]
        pub(crate) enum FamilySigner {
            $( $Family($module::FamilySigner), )+
        }

        impl SignerOfFamily for FamilySigner {
            fn scheme(&self) -> Scheme {
                match self { $( Self::$Family(signer) => signer.scheme(), )+ }
            }

            fn caller(&self) -> Option<&$crate::key_id::KeyId> {
                match self { $( Self::$Family(signer) => signer.caller(), )+ }
            }

            fn refresh(&self, now: $crate::timestamp::Timestamp) -> Option<Refresh<'_>> {
                match self { $( Self::$Family(signer) => signer.refresh(now), )+ }
            }

            fn sign(
                &self,
                input: SigningInput<'_>,
            ) -> Result<SignatureHeaders, $crate::error::SignError> {
                match self { $( Self::$Family(signer) => signer.sign(input), )+ }
            }

            fn needs_body(&self) -> bool {
                match self { $( Self::$Family(signer) => signer.needs_body(), )+ }
            }

            fn fingerprints(&self, each: &mut dyn FnMut(&$crate::key::Fingerprint)) {
                match self { $( Self::$Family(signer) => signer.fingerprints(each), )+ }
            }
        }

        $(
            impl From<$module::FamilySigner> for FamilySigner {
                fn from(signer: $module::FamilySigner) -> Self {
                    Self::$Family(signer)
                }
            }
        )+
    };
}
