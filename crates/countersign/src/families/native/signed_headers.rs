//! The list of covered headers.
//!
//! ```text
//! signed-headers = "host;x-date;x-content-sha256" *( ";" name )
//! name           = 1*( "a"-"z" / "0"-"9" / tchar without letters )
//! ```

use http::HeaderName;

use super::ALWAYS_COVERED;
use crate::{
    error::{Escaped, Rejection, reason},
    head::cannot_be_covered,
    wire::ByteSet,
};

/// The start of every list: [`ALWAYS_COVERED`], joined.
pub(super) const START: &str = "host;x-date;x-content-sha256";

/// Returns whether a signature may cover a header of this name.
pub(super) fn may_be_covered(name: &HeaderName) -> bool {
    !cannot_be_covered(name.as_str())
}

/// Yields the names of a list after the first three and checks each.
///
/// The first three are always `host;x-date;x-content-sha256`. A list without one of them covers too
/// little; a list with another order is malformed.
#[inline]
pub(super) fn further_names(
    list: &str,
) -> Result<impl Iterator<Item = Result<&str, Rejection>>, Rejection> {
    let further = match list.strip_prefix(START) {
        Some("") => None,
        Some(rest) => Some(
            rest.strip_prefix(';')
                .ok_or_else(|| unexpected_start(list))?,
        ),
        None => return Err(unexpected_start(list)),
    };
    Ok(Names(further))
}

/// The names between semicolons; `None` after the last.
struct Names<'r>(Option<&'r str>);

impl<'r> Iterator for Names<'r> {
    type Item = Result<&'r str, Rejection>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let names = self.0.take()?;
        let end = names.bytes().position(|byte| !NAME_BYTES.has(byte));
        let (name, behind) = names
            .split_at_checked(end.unwrap_or(names.len()))
            .unwrap_or_default();
        self.0 = behind.strip_prefix(';');
        Some(
            if name.is_empty() || !(behind.is_empty() || self.0.is_some()) {
                let (name, _) = names.split_once(';').unwrap_or((names, ""));
                Err(Rejection::malformed(reason!(
                    "signed-headers: expected names in lower case, found \"{}\"",
                    Escaped::unless_secret(name)
                )))
            } else if cannot_be_covered(name) {
                Err(Rejection::malformed(reason!(
                    "signed-headers: expected headers that can be covered, found {}",
                    Escaped::text(name)
                )))
            } else {
                Ok(name)
            },
        )
    }
}

/// Returns whether the text is a token (RFC 9110 section 5.6.2) without upper-case letters.
static NAME_BYTES: ByteSet = ByteSet::of(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz");

fn unexpected_start(list: &str) -> Rejection {
    let listed: Vec<&str> = list.split(';').collect();
    let expected = ALWAYS_COVERED.into_iter();
    let missing: Vec<&str> = expected.filter(|name| !listed.contains(name)).collect();
    if missing.is_empty() {
        Rejection::malformed(reason!(
            "signed-headers: expected host;x-date;x-content-sha256 first, found {}",
            &listed
        ))
    } else {
        Rejection::insufficient_coverage(reason!(
            "signed-headers: expected {} in the list, found {}",
            &missing,
            &listed
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RejectionKind;

    fn parse(list: &str) -> Result<Vec<&str>, RejectionKind> {
        further_names(list)
            .and_then(Iterator::collect)
            .map_err(|rejection| rejection.kind())
    }

    #[test]
    fn keeps_names_in_the_order_listed() {
        assert_eq!(
            parse("host;x-date;x-content-sha256;z;a;x-nonce").unwrap(),
            ["z", "a", "x-nonce"]
        );
        assert!(parse(START).unwrap().is_empty());
    }

    #[test]
    fn a_list_begins_with_the_headers_that_are_always_covered() {
        assert_eq!(START, ALWAYS_COVERED.join(";"));
    }

    #[test]
    fn refuses_lists_that_cover_too_little() {
        for list in [
            "",
            "host",
            "host;x-date",
            "x-date;x-content-sha256",
            "host;x-content-sha256;x-nonce",
        ] {
            assert_eq!(
                parse(list),
                Err(RejectionKind::InsufficientCoverage),
                "{list}"
            );
        }
    }

    #[test]
    fn refuses_lists_that_are_malformed() {
        for list in [
            "x-date;host;x-content-sha256",
            "x-nonce;host;x-date;x-content-sha256",
            "host;x-date;x-content-sha256;",
            "host;x-date;x-content-sha256;;a",
            "host;x-date;x-content-sha256;A",
            "host;x-date;x-content-sha256; a",
            "host;x-date;x-content-sha256;a b",
            "host;x-date;x-content-sha256;a:b",
            "host;x-date;x-content-sha256;é",
            "host;x-date;x-content-sha256;authorization",
            "host;x-date;x-content-sha256;transfer-encoding",
            "host;x-date;x-content-sha256;connection",
        ] {
            assert_eq!(parse(list), Err(RejectionKind::Malformed), "{list}");
        }
    }
}
