//! The names of the three headers, in the spellings of the specification and of Svix.

use http::HeaderName;
use smallvec::{SmallVec, smallvec};

use crate::{
    error::{Rejection, reason},
    head::RequestHead,
};

/// Which spellings are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderNames {
    /// `webhook-…`.
    Standard,
    /// `webhook-…`, or `svix-…` if `webhook-signature` is absent.
    StandardOrSvix,
}

/// The names of the three headers in one spelling.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) id: HeaderName,
    pub(super) timestamp: HeaderName,
    pub(super) signature: HeaderName,
}

pub(super) static STANDARD: Names = Names {
    id: HeaderName::from_static("webhook-id"),
    timestamp: HeaderName::from_static("webhook-timestamp"),
    signature: HeaderName::from_static("webhook-signature"),
};

pub(super) static SVIX: Names = Names {
    id: HeaderName::from_static("svix-id"),
    timestamp: HeaderName::from_static("svix-timestamp"),
    signature: HeaderName::from_static("svix-signature"),
};

impl HeaderNames {
    /// Returns whether a head carries signatures in one of these spellings.
    pub(super) fn are_in(self, head: &RequestHead<'_>) -> bool {
        let has = |names: &Names| head.headers().contains_key(&names.signature);
        has(&STANDARD) || (self == Self::StandardOrSvix && has(&SVIX))
    }
}

/// The three values and the names under which they were read.
pub(super) struct Message<'r> {
    pub(super) names: &'static Names,
    pub(super) id: &'r str,
    pub(super) timestamp: &'r str,
    pub(super) signatures: &'r str,
    /// Id and timestamp, under each of their names in the head.
    pub(super) covered: SmallVec<[(&'r str, &'r str); 2]>,
}

impl<'r> Message<'r> {
    /// Reads the values in one spelling. The same header in the other spelling must hold the same
    /// value, because a handler may read either.
    pub(super) fn of(head: &RequestHead<'r>, read: HeaderNames) -> Result<Self, Rejection> {
        let (names, other) = match read {
            HeaderNames::Standard => (&STANDARD, None),
            HeaderNames::StandardOrSvix if head.headers().contains_key(&STANDARD.signature) => {
                (&STANDARD, Some(&SVIX))
            }
            HeaderNames::StandardOrSvix => (&SVIX, Some(&STANDARD)),
        };
        let id = head.required(&names.id)?;
        let timestamp = head.required(&names.timestamp)?;
        let signatures = head.required(&names.signature)?;
        let mut covered = smallvec![
            (names.id.as_str(), id),
            (names.timestamp.as_str(), timestamp)
        ];
        if let Some(other) = other {
            for (name, own, value) in [
                (&other.id, &names.id, id),
                (&other.timestamp, &names.timestamp, timestamp),
            ] {
                if is_there_with(head, name, (own, value))? {
                    covered.push((name.as_str(), value));
                }
            }
            is_there_with(head, &other.signature, (&names.signature, signatures))?;
        }
        Ok(Self {
            names,
            id,
            timestamp,
            signatures,
            covered,
        })
    }
}

/// Returns whether a header is present. Refuses a value that differs from the other header's.
fn is_there_with(
    head: &RequestHead<'_>,
    name: &HeaderName,
    (other, value): (&HeaderName, &str),
) -> Result<bool, Rejection> {
    match head.single(name)? {
        None => Ok(false),
        Some(found) if found == value => Ok(true),
        Some(_) => Err(Rejection::malformed(reason!(
            "header {}: expected the value of {}, found another",
            name,
            other
        ))),
    }
}
