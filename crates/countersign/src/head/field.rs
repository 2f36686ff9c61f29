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
            Self::Once(value) => match visible_text(value) {
                Some(text) => Ok(Some(text)),
                None => Err(malformed("expected visible ASCII, found another byte")),
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

/// What [`HeaderValue::to_str`] takes. All bytes are looked at before any is judged, so that the compiler takes many at a time.
pub(crate) fn visible_text(value: &HeaderValue) -> Option<&str> {
    let bytes = value.as_bytes();
    let visible = |byte: u8| (b' '..=b'~').contains(&byte) | (byte == b'\t');
    let all_visible = bytes.iter().fold(true, |all, byte| all & visible(*byte));
    all_visible.then(|| str::from_utf8(bytes).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_text_is_what_the_http_crate_takes_for_it() {
        for byte in 0..=u8::MAX {
            for place in [0, 1, 40] {
                let mut bytes = [b'x'; 41];
                bytes[place] = byte;
                let Ok(value) = HeaderValue::from_bytes(&bytes) else {
                    continue;
                };
                assert_eq!(visible_text(&value), value.to_str().ok(), "{byte:#x}");
            }
        }
    }
}
