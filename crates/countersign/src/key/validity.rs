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

/// The rotation state of a key, and the time in which it is valid. By default active, without a
/// limit.
///
/// ```
/// use countersign::{CallerKey, KeyState, Secret, Timestamp, Validity, VerifyingKey};
///
/// let key = VerifyingKey::hmac_sha256(&Secret::generate()?);
/// let end = Timestamp::from_unix_seconds(1_767_323_045);
/// let old = Validity::from(KeyState::AcceptOnly).with_not_after(end);
/// let key = CallerKey::new("2026-01", key)?.with_validity(old);
/// assert_eq!(key.state(), KeyState::AcceptOnly);
/// # Ok::<(), countersign::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    pub(crate) state: KeyState,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) not_after: Option<Timestamp>,
}

impl From<KeyState> for Validity {
    fn from(state: KeyState) -> Self {
        Self {
            state,
            ..Self::default()
        }
    }
}

impl Validity {
    /// Active, without a limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the start. The key is not valid before this time, by the clock of its user.
    #[must_use]
    pub fn with_not_before(mut self, not_before: Timestamp) -> Self {
        self.not_before = Some(not_before);
        self
    }

    /// Sets the end. The key is not valid at or after this time, by the clock of its user.
    #[must_use]
    pub fn with_not_after(mut self, not_after: Timestamp) -> Self {
        self.not_after = Some(not_after);
        self
    }

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
