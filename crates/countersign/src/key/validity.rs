use crate::timestamp::Timestamp;

/// The rotation state of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// Verifies.
    #[default]
    Active,
    /// Verifies, and reports that the caller still uses an old key.
    AcceptOnly,
    /// Verifies nothing. Keep it listed, so that the key cannot be added again under another name.
    Revoked,
}

/// The rotation state of a key, and its dates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) state: KeyState,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) not_after: Option<Timestamp>,
}

impl Validity {
    /// Returns the reason for which the key is not valid at this moment. `None` if it is valid.
    pub(crate) fn refusal_at(self, now: Timestamp) -> Option<&'static str> {
        match self.state {
            KeyState::Revoked => return Some("the key is revoked"),
            KeyState::Active | KeyState::AcceptOnly => {}
        }
        if self.not_before.is_some_and(|from| now < from) {
            return Some("the key is not valid yet");
        }
        if self.not_after.is_some_and(|until| now >= until) {
            return Some("the key is no longer valid");
        }
        None
    }
}
