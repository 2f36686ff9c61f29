//! Decides which request targets are forwarded.

use http::{Method, Uri, Version};

use super::Malformed;

/// Refuses a target that a later server could read in another way than it was signed.
///
/// The path and the query consist of the characters of RFC 3986 and of complete escapes. `#`, `\`,
/// spaces, `"<>^{|}` and bytes above 0x7E are refused: servers cut, keep or re-encode them
/// (CVE-2021-32779). `*` is accepted for `OPTIONS` only. Empty, dot and escaped segments are
/// accepted here, and forwarded byte by byte. A policy refuses them.
///
/// # Limits
///
/// `http::Uri` drops a `#` and all that follows it. The request is then verified and forwarded
/// without the fragment.
pub(crate) fn check(method: &Method, uri: &Uri, version: Version) -> Result<(), Malformed> {
    if *method == Method::CONNECT {
        return Err(Malformed("method: connect is not forwarded"));
    }
    if version < Version::HTTP_10 {
        return Err(Malformed("version: expected HTTP/1.0 or later"));
    }
    let Some(target) = uri.path_and_query() else {
        return Err(Malformed("target: expected a path"));
    };
    check_text(method, target.as_str())
}

/// As [`check`], for a target in text.
pub(crate) fn check_text(method: &Method, target: &str) -> Result<(), Malformed> {
    if target == "*" {
        return if *method == Method::OPTIONS {
            Ok(())
        } else {
            Err(Malformed("target: expected a path, found an asterisk"))
        };
    }
    if !target.starts_with('/') {
        return Err(Malformed(
            "target: expected a path that starts with a slash",
        ));
    }
    let mut bytes = target.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = [bytes.next(), bytes.next()];
                if !digits
                    .iter()
                    .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit()))
                {
                    return Err(Malformed("target: holds an incomplete escape"));
                }
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => {}
            byte if b"-._~!$&'()*+,;=:@/?".contains(&byte) => {}
            _ => {
                return Err(Malformed(
                    "target: holds a character that must be escaped (RFC 3986)",
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn targets_of_rfc_3986_pass_and_others_do_not() {
        for (target, expected) in [
            ("/", true),
            ("/a/b?c=d&e", true),
            ("//a//b", true),
            ("/a/../b", true),
            ("/%2F%2e%00", true),
            ("/;a=b?&&+", true),
            ("/a?b?c/d", true),
            ("/~!$&'()*+,;=:@-._", true),
            ("", false),
            ("a", false),
            ("?a", false),
            ("*", false),
            ("/a#b", false),
            ("/a\\b", false),
            ("/a b", false),
            ("/a\"b", false),
            ("/a<b>", false),
            ("/a^b", false),
            ("/a`b", false),
            ("/a{b}", false),
            ("/a|b", false),
            ("/[a]", false),
            ("/b\u{fc}cher", false),
            ("/a\u{7f}", false),
            ("/a\t", false),
            ("/%", false),
            ("/%2", false),
            ("/%zz", false),
            ("/a?b=%g0", false),
        ] {
            let checked = check_text(&Method::GET, target);
            assert_eq!(checked.is_ok(), expected, "{target}");
        }
        assert!(check_text(&Method::OPTIONS, "*").is_ok());
    }

    #[test]
    fn connect_and_a_target_without_a_path_are_refused() {
        let authority: Uri = "a:443".parse().unwrap();
        let uri = Uri::from_static("http://a/");
        let version = Version::HTTP_11;
        assert!(check(&Method::CONNECT, &authority, version).is_err());
        assert!(check(&Method::GET, &authority, version).is_err());
        assert!(check(&Method::GET, &uri, Version::HTTP_09).is_err());
        assert!(check(&Method::GET, &uri, version).is_ok());
    }

    proptest! {
        /// What passes is what `http::Uri` keeps byte by byte.
        #[test]
        fn an_accepted_target_is_forwarded_byte_by_byte(target in "/[ -~\u{fc}]{0,20}") {
            if check_text(&Method::GET, &target).is_ok() {
                let uri: Uri = target.parse().unwrap();
                let kept = uri.path_and_query().unwrap().as_str();
                prop_assert_eq!(kept, target);
            }
        }
    }
}
