//! `webhook-id`: identifies a message. A sender keeps it when it resends the message.
//!
//! ```text
//! id = 1*256( VCHAR without "." )
//! ```
//!
//! The specification forbids dots, because dots separate the parts of the signed content.

use http::HeaderValue;

use crate::{
    crypto::random,
    error::{SignError, SignErrorKind},
};

const MAX_LEN: usize = 256;

pub(super) fn is_valid(text: &str) -> bool {
    (1..=MAX_LEN).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'.')
}

/// Generates `msg_` and 128 random bits from the operating system, as 32 hexadecimal digits.
pub(super) fn generate() -> Result<HeaderValue, SignError> {
    let failed = || SignError::new(SignErrorKind::Random, "no random bytes for a message id");
    let mut bytes = [0; 16];
    random::fill(&mut bytes).map_err(|_| failed())?;
    let text = ["msg_", &base16ct::lower::encode_string(&bytes)].concat();
    HeaderValue::try_from(text).map_err(|_| failed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_visible_characters_without_dots() {
        for (name, text, valid) in [
            ("Svix's", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".to_owned(), true),
            (
                "a UUID",
                "00000000-0000-0000-0000-000000000000".to_owned(),
                true,
            ),
            ("one", "a".to_owned(), true),
            ("256", "a".repeat(256), true),
            ("257", "a".repeat(257), false),
            ("none", String::new(), false),
            ("a dot", "msg_1.1".to_owned(), false),
            ("a space", "msg 1".to_owned(), false),
            ("a tab", "msg\t1".to_owned(), false),
            ("a newline", "msg\n1".to_owned(), false),
            ("delete", "msg\x7f".to_owned(), false),
            ("non-ASCII", "ñandú".to_owned(), false),
        ] {
            assert_eq!(is_valid(&text), valid, "{name}");
        }
    }

    #[test]
    fn generated_ids_differ_and_are_valid() {
        let (a, b) = (generate().unwrap(), generate().unwrap());
        assert_ne!(a, b);
        assert!(is_valid(a.to_str().unwrap()));
    }
}
