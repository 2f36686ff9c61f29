use std::borrow::Cow;

use super::{Coverage, Credentials, FreshDate, ReplayIdentity, SignedBody};
use crate::{payload::DeclaredPayload, scheme::Scheme};

/// What a scheme reads from a head.
pub(crate) struct ParsedHead<'r> {
    pub(crate) scheme: Scheme,
    pub(crate) key_id: Cow<'r, str>,
    pub(crate) date: FreshDate,
    pub(crate) replay: Option<ReplayIdentity<'r>>,
    pub(crate) content_type_uncovered: bool,
    pub(crate) audience_checked: bool,
    /// What is covered by this very signature, and not what its scheme could cover.
    pub(crate) coverage: Coverage,
    /// Whether the signature stands in the URL, so that whoever was given the URL can send the request.
    pub(crate) presigned: bool,
    pub(crate) signed_over: SignedOver<'r>,
}

/// What the signature is over, and so when it can be checked.
pub(crate) enum SignedOver<'r> {
    /// The head, which declares what body follows: it is checked before one byte of the body is read.
    Head {
        credentials: Credentials<'r>,
        payload: DeclaredPayload,
    },
    /// The head and the digest of the body, which the head does not declare: it is checked once the body is there.
    HeadAndDigest { credentials: Credentials<'r> },
    /// The body itself behind a few bytes of the head, and nothing else.
    Body(SignedBody<'r>),
}
