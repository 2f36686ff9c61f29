use std::borrow::Cow;

use super::{Coverage, Credentials, FreshDate, ReplayIdentity, SignedBody};
use crate::{payload::DeclaredPayload, scheme::Scheme};

/// The result of parsing a head.
pub(crate) struct ParsedHead<'r> {
    pub(crate) scheme: Scheme,
    pub(crate) key_id: Cow<'r, str>,
    pub(crate) date: FreshDate,
    pub(crate) replay: Option<ReplayIdentity<'r>>,
    /// Who decides whether a request without a nonce is accepted.
    pub(crate) nonce: Decides,
    pub(crate) content_type_uncovered: bool,
    pub(crate) audience_checked: bool,
    /// The coverage of this very signature, not the most that its scheme can cover.
    pub(crate) coverage: Coverage,
    /// Whether the signature is in the URL, so that any holder of the URL can send the request.
    pub(crate) presigned: bool,
    pub(crate) signed_over: SignedOver<'r>,
}

/// Who decides whether something must be covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decides {
    /// The rules of the key that matched.
    Key,
    /// The dialect does not ask for it.
    NotAsked,
}

/// The signed parts of a request, which decide when the signature can be verified.
pub(crate) enum SignedOver<'r> {
    /// The head, which declares the body: verified before any byte of the body is read.
    Head {
        credentials: Credentials<'r>,
        payload: DeclaredPayload,
    },
    /// The head and the digest of the body, which the head does not declare: verified once the body
    /// has been read.
    HeadAndDigest { credentials: Credentials<'r> },
    /// Only the body, after a prefix from the head.
    Body(SignedBody<'r>),
}

impl<'r> SignedOver<'r> {
    /// Returns what a signature over a head is over. `declared` is what the head declares for its
    /// body, `None` if nothing.
    pub(crate) fn head(credentials: Credentials<'r>, declared: Option<DeclaredPayload>) -> Self {
        match declared {
            Some(payload) => Self::Head {
                credentials,
                payload,
            },
            None => Self::HeadAndDigest { credentials },
        }
    }
}
