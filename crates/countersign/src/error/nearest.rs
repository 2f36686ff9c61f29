//! Finds the known name that is nearest to a mistyped one.

/// The greatest length of a compared name. Bounds the work.
const MAX_LEN: usize = 64;

/// Returns the known name that differs from `name` in the fewest characters. `None` if every name
/// differs in more than a third of them.
///
/// Ignores case and the difference between `-` and `_`.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let name = plain(name);
    if name.is_empty() || name.len() > MAX_LEN {
        return None;
    }
    let most = name.len().div_ceil(3);
    let near = known
        .into_iter()
        .map(|known| (distance(&name, &plain(known)), known))
        .filter(|(distance, _)| *distance <= most);
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

fn plain(name: &str) -> Vec<char> {
    name.chars()
        .map(|character| match character {
            '-' => '_',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

/// Returns the least number of characters to insert, remove or replace (Levenshtein distance).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, character) in one.iter().enumerate() {
        let mut diagonal = index;
        let mut left = index.saturating_add(1);
        let Some((first, rest)) = row.split_first_mut() else {
            return usize::MAX;
        };
        *first = left;
        for (above, known) in rest.iter_mut().zip(other) {
            let replaced = diagonal.saturating_add(usize::from(character != known));
            diagonal = *above;
            left = replaced
                .min(above.saturating_add(1))
                .min(left.saturating_add(1));
            *above = left;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["secret_hex", "secret_base64", "secret_text", "accept-only"];

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
            ("a", "", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("same", "same", 0),
        ] {
            let [one, other] = [one, other].map(|text| text.chars().collect::<Vec<_>>());
            assert_eq!(distance(&one, &other), expected, "{one:?} {other:?}");
        }
    }
}
