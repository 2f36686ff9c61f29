//! Joins the `cookie` lines of HTTP/2.

use http::{HeaderMap, HeaderValue, header::COOKIE};

/// Joins several `cookie` lines with `; ` (RFC 9113 section 8.2.3). HTTP/2 may split the header,
/// and HTTP/1.1 has one line.
pub(crate) fn join(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(COOKIE).iter();
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else {
        return;
    };
    let mut joined = first.as_bytes().to_vec();
    for line in std::iter::once(second).chain(lines) {
        joined.extend_from_slice(b"; ");
        joined.extend_from_slice(line.as_bytes());
    }
    match HeaderValue::from_bytes(&joined) {
        Ok(joined) => headers.insert(COOKIE, joined),
        // Unreachable: the parts and the separator are valid. Without a cookie, nothing is granted.
        Err(_) => headers.remove(COOKIE),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_cookie_become_one() {
        for (lines, expected) in [
            (&[][..], &[][..]),
            (&["a=1"], &["a=1"]),
            (&["a=1", "b=2", "c=3"], &["a=1; b=2; c=3"]),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, HeaderValue::from_static(line));
            }
            join(&mut headers);
            let found: Vec<_> = headers.get_all(COOKIE).iter().collect();
            assert_eq!(found, expected);
        }
    }
}
