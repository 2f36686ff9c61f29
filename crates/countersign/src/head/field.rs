use http::{HeaderName, HeaderValue};

use crate::error::{Rejection, RejectionKind};

/// How often a header occurs that may occur at most once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Field<'r> {
    #[default]
    Absent,
    Once(&'r HeaderValue),
    Repeated,
}

impl<'r> Field<'r> {
    /// Takes note of one more occurrence, even of an equal one.
    pub(crate) fn occurs(&mut self, value: &'r HeaderValue) {
        *self = match self {
            Self::Absent => Self::Once(value),
            Self::Once(_) | Self::Repeated => Self::Repeated,
        };
    }

    pub(crate) fn is_absent(self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The text of the header.
    ///
    /// Refused are a second occurrence and bytes outside visible ASCII, space and tab: another reader would take another
    /// value from them.
    #[inline]
    pub(crate) fn text(self, name: &HeaderName) -> Result<Option<&'r str>, Rejection> {
        let malformed = |problem| Rejection::header(RejectionKind::Malformed, name, problem);
        match self {
            Self::Absent => Ok(None),
            Self::Once(value) => match value.to_str() {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(malformed("expected visible ASCII, found another byte")),
            },
            Self::Repeated => Err(malformed("expected once, found more than once")),
        }
    }

    /// The [text](Self::text) of a header that must occur.
    #[inline]
    pub(crate) fn required_text(self, name: &HeaderName) -> Result<&'r str, Rejection> {
        self.text(name)?.ok_or_else(|| {
            Rejection::header(RejectionKind::Malformed, name, "expected once, found none")
        })
    }
}

impl<'r> FromIterator<&'r HeaderValue> for Field<'r> {
    fn from_iter<I: IntoIterator<Item = &'r HeaderValue>>(values: I) -> Self {
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => Self::Once(value),
            (Some(_), Some(_)) => Self::Repeated,
        }
    }
}
