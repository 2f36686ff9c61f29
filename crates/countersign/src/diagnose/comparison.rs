//! Compares the sender's own text with this verifier's.

use super::{
    Diagnosis,
    difference::{Difference, visible},
    report::Comparison,
};
use crate::{
    keyring::CallerKeys,
    payload::PayloadDigest,
    verify::{OtherText, SignedText, UnverifiedHead},
};

/// Compares the sender's text with this verifier's, and checks the signature over it.
pub(super) fn compare(
    diagnosis: &Diagnosis<'_>,
    unverified: &UnverifiedHead<'_>,
    digest: Option<&PayloadDigest>,
    theirs: &str,
    keys: Option<&CallerKeys>,
) -> Comparison {
    let is_over = |text: &str, is_string: bool| {
        let text = if is_string {
            OtherText::StringToSign(text)
        } else {
            OtherText::Head(text)
        };
        keys.map(|keys| unverified.is_over(text, keys))
    };
    let SignedText::Head {
        text,
        string_to_sign,
    } = unverified.signed_text(digest)
    else {
        let bytes = theirs.as_bytes();
        let is_signed = keys.map(|keys| unverified.is_over(OtherText::Bytes(bytes), keys));
        return Comparison {
            ours: Vec::new(),
            theirs: Vec::new(),
            difference: None,
            is_signed,
        };
    };
    let is_string = theirs.starts_with("AWS4-HMAC-SHA256\n");
    let ours = match string_to_sign {
        Some(string) if is_string => string,
        _ => text,
    };
    // A file often ends in a line feed that was not signed.
    let trimmed = theirs.strip_suffix('\n').unwrap_or(theirs);
    let as_given = is_over(theirs, is_string);
    let (theirs, is_signed) = if as_given == Some(true) || trimmed == theirs {
        (theirs, as_given)
    } else {
        (trimmed, is_over(trimmed, is_string))
    };
    let lines = |text: &str| {
        let lines = text.split('\n');
        lines
            .map(|line| visible(&diagnosis.redaction.line(line)))
            .collect()
    };
    Comparison {
        ours: lines(&ours),
        theirs: lines(theirs),
        difference: Difference::between(&ours, theirs, &diagnosis.redaction),
        is_signed,
    }
}
