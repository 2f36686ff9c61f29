//! Finds the known word nearest to an unknown one, for errors.

use std::fmt;

use crate::error::distance;

/// The greatest length of a compared word in bytes. Every known word is shorter.
const MAX_LEN: usize = 128;

/// The greatest number of known words that an error lists.
const MAX_LISTED: usize = 20;

/// Returns the known word with the least edit distance to `found`. Ignores case, except between
/// words at equal distances. `None` if there are no words, or if `found` is too long.
pub(super) fn nearest<'k>(
    found: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    if found.len() > MAX_LEN {
        return None;
    }
    let lower = found.to_ascii_lowercase();
    known
        .into_iter()
        .filter(|word| word.len() <= MAX_LEN)
        .min_by_key(|word| {
            let folded = distance(&lower, &word.to_ascii_lowercase());
            (folded, distance(found, word))
        })
}

/// `expected one of a, b, c; nearest: b`.
pub(super) struct Expected<'k> {
    pub(super) known: Vec<&'k str>,
    pub(super) nearest: Option<&'k str>,
}

impl<'k> Expected<'k> {
    pub(super) fn one_of(known: impl IntoIterator<Item = &'k str>, found: &str) -> Self {
        let known: Vec<_> = known.into_iter().collect();
        let nearest = nearest(found, known.iter().copied());
        Self { known, nearest }
    }
}

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed: Vec<_> = self.known.iter().take(MAX_LISTED).copied().collect();
        match &*listed {
            [] => return f.write_str("none is known"),
            [only] => return write!(f, "expected {only}"),
            many => write!(f, "expected one of {}", many.join(", "))?,
        }
        let left_out = self.known.len().saturating_sub(MAX_LISTED);
        if left_out > 0 {
            write!(f, " and {left_out} more")?;
        }
        match self.nearest {
            Some(nearest) => write!(f, "; nearest: {nearest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_named_whatever_its_case() {
        let known = ["IpAddress", "NotIpAddress", "StringLike"];
        for (found, expected) in [
            ("ipaddress", "IpAddress"),
            ("IpAddresses", "IpAddress"),
            ("NotIpAdress", "NotIpAddress"),
            ("StringLikes", "StringLike"),
        ] {
            assert_eq!(nearest(found, known), Some(expected), "{found}");
        }
        assert_eq!(nearest("x", []), None);
        assert_eq!(nearest(&"x".repeat(129), known), None);
    }

    #[test]
    fn an_error_lists_the_known_words_and_the_nearest() {
        let text = |known: &[&'static str]| Expected::one_of(known.to_vec(), "ab").to_string();
        assert_eq!(text(&[]), "none is known");
        assert_eq!(text(&["a"]), "expected a");
        assert_eq!(text(&["x", "a"]), "expected one of x, a; nearest: a");
        let many = text(&["x"; 23]);
        assert!(many.contains("x and 3 more; nearest: x"), "{many}");
    }
}
