use http::Method;

use crate::error::{Escaped, Reason, reason};

/// The greatest length of a method in bytes.
const MAX_LEN: usize = 32;

/// Returns the method as sent, if it can be signed: `[A-Z][A-Z-]{0,31}` and not CONNECT.
///
/// This restriction separates the signed texts of all schemes: no other scheme's text begins like
/// ours (a DRF message begins with a digit). Methods are never converted to upper case: `get` and
/// `GET` are different methods (RFC 9110 section 9.1).
#[inline]
pub(crate) fn parse_method(method: &Method) -> Result<&str, Reason> {
    let text = method.as_str();
    let mut bytes = text.bytes();
    if text.len() > MAX_LEN {
        Err(Reason::over_fixed(
            "method".into(),
            MAX_LEN,
            "characters",
            text.len(),
        ))
    } else if !bytes.next().is_some_and(|first| first.is_ascii_uppercase())
        || !bytes.all(|byte| byte.is_ascii_uppercase() || byte == b'-')
    {
        Err(reason!(
            "method: expected A-Z and -, found \"{}\"",
            Escaped::text(text)
        ))
    } else if method == Method::CONNECT {
        Err(reason!(
            "method: expected one that can be signed, found CONNECT"
        ))
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_upper_case_methods_as_sent() {
        for method in ["GET", "POST", "M-SEARCH", "PURGE", "X", &"A".repeat(32)] {
            let parsed = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(parse_method(&parsed), Ok(method));
        }
    }

    #[test]
    fn refuses_every_other_method() {
        for method in [
            "get",
            "Get",
            "GEt",
            "1767323045.GET",
            "-GET",
            "G_T",
            "GET1",
            "CONNECT",
            "G'T",
            &"A".repeat(33),
        ] {
            let parsed = Method::from_bytes(method.as_bytes()).unwrap();
            assert!(parse_method(&parsed).is_err(), "{method}");
        }
    }
}
