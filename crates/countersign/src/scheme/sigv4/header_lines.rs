use http::{HeaderMap, HeaderValue};
use smallvec::SmallVec;

use crate::head::Field;

/// Up to this many lines are kept without an allocation.
const INLINE: usize = 24;

/// The header lines of a request with their names in lower case, gathered in one pass: a look-up of each covered name by
/// its hash takes longer.
pub(super) struct HeaderLines<'r>(SmallVec<[(&'r str, &'r HeaderValue); INLINE]>);

impl<'r> HeaderLines<'r> {
    pub(super) fn of(headers: &'r HeaderMap) -> Self {
        let lines = headers.iter();
        Self(lines.map(|(name, value)| (name.as_str(), value)).collect())
    }

    /// The values of all lines of this name, in their order.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = &'r HeaderValue> + Clone {
        let lines = self.0.iter();
        lines.filter_map(move |(known, value)| (*known == name).then_some(*value))
    }

    /// How often this header occurs.
    pub(super) fn field(&self, name: &str) -> Field<'r> {
        self.named(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    #[test]
    fn finds_what_a_look_up_finds() {
        let mut headers = HeaderMap::new();
        for number in 0..INLINE.saturating_add(3) {
            for value in 0..number % 3 {
                let name = HeaderName::try_from(format!("X-{number}")).unwrap();
                headers.append(name, HeaderValue::from(value));
            }
        }
        let lines = HeaderLines::of(&headers);
        for number in 0..INLINE.saturating_add(5) {
            let name = format!("x-{number}");
            assert!(lines.named(&name).eq(headers.get_all(&name)), "{name}");
        }
    }
}
