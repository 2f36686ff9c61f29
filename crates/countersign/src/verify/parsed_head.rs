use crate::{
    payload::PayloadDigest,
    scheme::{Scheme, native::Credentials},
    timestamp::Timestamp,
};

/// What a scheme reads from a head.
pub(crate) struct ParsedHead<'r> {
    pub(crate) scheme: Scheme,
    pub(crate) key_id: &'r str,
    pub(crate) signed_at: Timestamp,
    pub(crate) nonce: Option<&'r str>,
    pub(crate) content_type_uncovered: bool,
    pub(crate) content_sha256: PayloadDigest,
    pub(crate) audience_checked: bool,
    pub(crate) credentials: Credentials<'r>,
}
