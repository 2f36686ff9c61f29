//! The rules of which the settings of a verifier and of a signer are made. A dialect of RFC 9421 is
//! a value of each.

use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::{component_id::ComponentId, fields::Fields};
use crate::head::RequestHead;

/// A component that must be covered, and when.
#[derive(Clone, Debug)]
pub(super) struct Required {
    pub(super) component: ComponentId<'static>,
    pub(super) when: When,
}

/// The requests in which a component must be covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// The field of the component is in the request.
    IfPresent,
    /// The request has a body.
    IfContent,
    /// The target has a `?`.
    IfQuery,
}

/// What counts as a required component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// The component, or one that holds it: `"@target-uri"` holds the authority.
    WhatBinds,
    /// The component itself alone.
    WhatIsListed,
}

/// The properties of a request on which coverage depends.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts of one request, no states"
)]
pub(super) struct Facts<'r> {
    pub(super) head: RequestHead<'r>,
    pub(super) has_content_type: bool,
    pub(super) has_content_encoding: bool,
    pub(super) has_content: bool,
    pub(super) has_query: bool,
}

impl<'r> Facts<'r> {
    /// Of a request that was received. `Content-Length` and `Content-Digest` announce a body.
    #[inline]
    pub(super) fn of(head: RequestHead<'r>, fields: &Fields<'r>) -> Self {
        Self {
            head,
            has_content_type: fields.has_content_type,
            has_content_encoding: fields.has_content_encoding,
            has_content: !fields.content_digest.is_empty()
                || fields
                    .content_length
                    .is_some_and(|length| length.as_bytes() != b"0"),
            has_query: head.uri().query().is_some(),
        }
    }
}

impl Required {
    pub(super) const fn always(component: ComponentId<'static>) -> Self {
        Self {
            component,
            when: When::Always,
        }
    }

    pub(super) const fn new(component: ComponentId<'static>, when: When) -> Self {
        Self { component, when }
    }

    /// Returns whether the component must be covered in this request.
    #[inline]
    pub(super) fn applies(&self, facts: &Facts<'_>) -> bool {
        match self.when {
            When::Always => true,
            When::IfContent => facts.has_content,
            When::IfQuery => facts.has_query,
            When::IfPresent => match self.component.field_name() {
                Some(name) if name == CONTENT_TYPE.as_str() => facts.has_content_type,
                Some(name) if name == CONTENT_ENCODING.as_str() => facts.has_content_encoding,
                Some(name) => facts.head.headers().contains_key(name),
                None => true,
            },
        }
    }
}

/// The registered parameters of a signature, as a set (RFC 9421 section 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ParamSet(u8);

impl ParamSet {
    pub(super) const NONE: Self = Self(0);
    pub(super) const CREATED: Self = Self(1);
    pub(super) const EXPIRES: Self = Self(1 << 1);
    pub(super) const NONCE: Self = Self(1 << 2);
    pub(super) const KEYID: Self = Self(1 << 3);
    pub(super) const ALG: Self = Self(1 << 4);
    pub(super) const TAG: Self = Self(1 << 5);

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the set with the other one added, or taken away.
    #[cfg(test)]
    pub(super) const fn toggled(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    /// Returns the name of the first of these parameters that `others` lacks.
    #[inline]
    pub(super) fn first_not_in(self, others: Self) -> Option<&'static str> {
        let missing = self.0 & !others.0;
        (missing != 0).then(|| Self(missing).first_name())
    }

    #[cold]
    fn first_name(self) -> &'static str {
        let names = ["created", "expires", "nonce", "keyid", "alg", "tag"];
        let at = usize::try_from(self.0.trailing_zeros()).unwrap_or_default();
        names.get(at).copied().unwrap_or_default()
    }
}

/// The choice among several signatures that are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// The only one that covers enough. Two are refused.
    OnlyOne,
    /// The one under this label, else the only one. Other labels are ignored.
    Label(&'static str),
}

/// The times at which a signature is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    /// Within the verifier's window around `created`, and not after `expires` if it is there.
    Window,
    /// From `created` to `expires`, as the signature says.
    Stated {
        /// The longest distance between the two.
        longest: Duration,
        /// How far `created` may be ahead of the clock.
        ahead: Duration,
        /// How long a signature is accepted after `expires`.
        grace: Duration,
    },
}

/// The form of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonceForm {
    /// 1 to 256 characters.
    Text,
    /// Unpadded base64url of at least 16 bytes.
    Base64Url,
}

/// The form of `keyid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyIdForm {
    /// A [`KeyId`](crate::KeyId).
    Name,
    /// A string of 1 to 256 characters.
    Text,
    /// A JWK thumbprint (RFC 7638): 32 bytes in unpadded base64url.
    Thumbprint,
}

/// Whether a body must be covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Signed,
    SignedIfCovered,
    /// A covered digest is refused.
    NeverCovered,
}

/// The alphabet of byte sequences in `Signature` and `Content-Digest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bytes {
    /// That of RFC 9651 section 3.3.5.
    Base64,
    /// Unpadded base64url, which RFC 9651 does not allow.
    Base64Url,
}

/// The value of `"@target-uri"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetUri {
    AsSent,
    /// Normalized by RFC 3986 sections 6.2.2 and 6.2.3.
    Normalized,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_first_parameter_that_is_missing() {
        let asked = ParamSet::CREATED.with(ParamSet::NONCE).with(ParamSet::TAG);
        for (found, expected) in [
            (ParamSet::NONE, Some("created")),
            (ParamSet::CREATED, Some("nonce")),
            (ParamSet::CREATED.with(ParamSet::NONCE), Some("tag")),
            (asked, None),
            (asked.with(ParamSet::ALG), None),
        ] {
            assert_eq!(asked.first_not_in(found), expected, "{found:?}");
        }
        for (set, name) in [
            (ParamSet::EXPIRES, "expires"),
            (ParamSet::KEYID, "keyid"),
            (ParamSet::ALG, "alg"),
        ] {
            assert_eq!(set.first_not_in(ParamSet::NONE), Some(name));
        }
    }
}
