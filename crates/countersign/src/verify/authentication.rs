use super::{authenticated_head::AuthenticatedHead, pending_body::PendingBody, verified::Verified};
use crate::{error::Rejection, timestamp::Timestamp};

/// How far a request could be authenticated before its body is read.
///
/// Read the two kinds of bodies within different limits. A peer without an authenticated head gets
/// less memory and less time.
#[derive(Debug)]
#[must_use = "a request is verified only when its body is"]
#[expect(
    clippy::exhaustive_enums,
    reason = "code that reads bodies would have to handle a third state"
)]
pub enum Authentication<'c, 'r> {
    /// The signature matched. The body must still match the digest that the head declares.
    Head(AuthenticatedHead<'c, 'r>),
    /// The signature covers the body, or a digest of the body that the head does not declare.
    /// Nothing is authenticated yet.
    Body(PendingBody<'c, 'r>),
}

impl Authentication<'_, '_> {
    /// Verifies a body that is completely in memory, in either state. `now` is the time at which
    /// the body was complete.
    ///
    /// # Errors
    ///
    /// See [`AuthenticatedHead::finish`] and [`PendingBody::finish`].
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
