use http::{HeaderName, HeaderValue};

use crate::error::{Escaped, Named, Reason, Rejection, reason};

/// The occurrences of a header that may occur at most once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Field<'r> {
    #[default]
    Absent,
    Once(&'r HeaderValue),
    /// This number of times.
    Repeated(usize),
}

impl<'r> Field<'r> {
    /// Counts another occurrence, even an equal one.
    pub(crate) fn occurs(&mut self, value: &'r HeaderValue) {
        *self = match self {
            Self::Absent => Self::Once(value),
            Self::Once(_) => Self::Repeated(2),
            Self::Repeated(times) => Self::Repeated(times.saturating_add(1)),
        };
    }

    pub(crate) fn is_absent(self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Returns the text of the header.
    ///
    /// Refuses a second occurrence, and bytes outside visible ASCII, space and tab: other readers
    /// could read another value.
    #[inline]
    pub(crate) fn text(self, name: &HeaderName) -> Result<Option<&'r str>, Rejection> {
        match self {
            Self::Absent => Ok(None),
            Self::Once(value) => match value.to_str() {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(Rejection::malformed(not_ascii(name.into(), value))),
            },
            Self::Repeated(times) => Err(Rejection::malformed(reason!(
                "header {}: expected once, found {} times",
                name,
                times
            ))),
        }
    }

    /// Returns the [text](Self::text) of a header that must occur.
    #[inline]
    pub(crate) fn required_text(self, name: &HeaderName) -> Result<&'r str, Rejection> {
        self.text(name)?.ok_or_else(|| {
            Rejection::malformed(reason!("header {}: expected once, found none", name))
        })
    }

    /// Returns the number of occurrences.
    pub(crate) fn times(self) -> usize {
        match self {
            Self::Absent => 0,
            Self::Once(_) => 1,
            Self::Repeated(times) => times,
        }
    }
}

/// Returns the reason for a value with other bytes than visible ASCII, space and tab.
#[cold]
pub(crate) fn not_ascii(name: Named<'_>, value: &HeaderValue) -> Reason {
    let is_taken = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
    let before = value.as_bytes().iter().take_while(|byte| is_taken(byte));
    reason!(
        "header {}: expected visible ASCII, found another byte after {} of them",
        name,
        before.count()
    )
}

/// Returns the reason for a covered header that does not occur exactly once.
#[cold]
pub(crate) fn not_once(name: &str, field: Field<'_>) -> Reason {
    reason!(
        "header {}: expected once because it is covered, found {} times",
        Escaped::text(name),
        field.times()
    )
}

impl<'r> FromIterator<&'r HeaderValue> for Field<'r> {
    fn from_iter<I: IntoIterator<Item = &'r HeaderValue>>(values: I) -> Self {
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => Self::Once(value),
            (Some(_), Some(_)) => Self::Repeated(values.count().saturating_add(2)),
        }
    }
}
