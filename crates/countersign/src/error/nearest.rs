//! Finds the known name that is nearest to a mistyped one.

/// The greatest length of a compared name. Bounds the work.
#[cfg(feature = "config")]
const MAX_LEN: usize = 64;

/// Returns the known name that differs from `name` in the fewest characters. `None` if every name
/// differs in more than a third of them.
///
/// Ignores case and the difference between `-` and `_`.
#[cfg(feature = "config")]
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let name = plain(name);
    let length = name.chars().count();
    if !(1..=MAX_LEN).contains(&length) {
        return None;
    }
    let most = length.div_ceil(3);
    let near = known
        .into_iter()
        .map(|known| (distance(&name, &plain(known)), known))
        .filter(|(distance, _)| *distance <= most);
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(feature = "config")]
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

/// Returns the least number of characters to insert, remove or replace to turn one text into the
/// other (Levenshtein distance).
///
/// Implemented here: it is one loop, and no crate in the dependency graph has it.
pub(crate) fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    // The distances from the characters of `one` read so far to every prefix of `other`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (taken, character) in one.chars().enumerate() {
        let mut diagonal = taken;
        let mut left = taken.saturating_add(1);
        let mut next = vec![left];
        for (known, above) in other.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal.saturating_add(usize::from(character != *known));
            left = replaced
                .min(left.saturating_add(1))
                .min(above.saturating_add(1));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "config")]
    const KNOWN: [&str; 4] = ["secret_hex", "secret_base64", "secret_text", "accept-only"];

    #[cfg(feature = "config")]
    #[test]
    fn a_mistyped_name_finds_the_known_one() {
        for (name, expected) in [
            ("secret_hx", Some("secret_hex")),
            ("secrethex", Some("secret_hex")),
            ("secret-base64", Some("secret_base64")),
            ("Secret_Text", Some("secret_text")),
            ("accept_only", Some("accept-only")),
            ("secret", None),
            ("retired", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, KNOWN), expected, "{name}");
        }
        assert_eq!(nearest(&"s".repeat(65), KNOWN), None);
    }

    #[test]
    fn the_distance_is_the_number_of_changes() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "abd", 1),
            ("abc", "abcd", 1),
            ("abc", "bc", 1),
            ("kitten", "sitting", 3),
            ("GET", "get", 3),
            ("flaw", "lawn", 2),
        ] {
            assert_eq!(distance(one, other), expected, "{one} and {other}");
            assert_eq!(distance(other, one), expected, "{other} and {one}");
        }
    }
}
