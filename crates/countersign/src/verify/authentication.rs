use super::{authenticated_head::AuthenticatedHead, pending_body::PendingBody, verified::Verified};
use crate::{error::Rejection, timestamp::Timestamp};

/// How far a request could be authenticated before its body is read.
///
/// Whoever reads the body must tell the two apart: a peer whose head is not authenticated has proven nothing yet, and must
/// be given less memory and less time.
#[derive(Debug)]
#[must_use = "a request is verified only when its body is"]
#[expect(
    clippy::exhaustive_enums,
    reason = "a third state would have to be handled by whoever reads bodies"
)]
pub enum Authentication<'c, 'r> {
    /// The signature matched. The body is still to be compared with what the head declares.
    Head(AuthenticatedHead<'c, 'r>),
    /// The signature is over the body, or over its digest without declaring it. Nothing is proven.
    Body(PendingBody<'c, 'r>),
}

impl Authentication<'_, '_> {
    /// Verifies a body that is in memory as a whole, whichever state this is. `now` is the time at which the body was
    /// there.
    ///
    /// # Errors
    ///
    /// As [`AuthenticatedHead::finish`] and [`PendingBody::finish`].
    pub fn finish_with(self, body: &[u8], now: Timestamp) -> Result<Verified, Rejection> {
        match self {
            Self::Head(mut head) => {
                head.update(body);
                head.finish()
            }
            Self::Body(mut mac) => {
                mac.update(body);
                mac.finish(now)
            }
        }
    }
}
