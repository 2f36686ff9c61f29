//! `webhook-signature`: the signatures of one message, by as many keys as are in use.
//!
//! ```text
//! list  = entry *7( SP entry )
//! entry = version "," signature
//! v1    = Base64 of 32 bytes, HMAC-SHA256
//! v1a   = Base64 of 64 bytes, Ed25519
//! ```
//!
//! Base64 is RFC 4648 section 4, padded, in its one canonical form. Entries of other versions are passed over, as the
//! specification has it.

use base64ct::{Base64, Encoding};
use http::HeaderValue;
use smallvec::SmallVec;

use crate::{
    error::{Reason, SignError, SignErrorKind, reason},
    verify::BodySignature,
};

/// The greatest number of entries, known or not: every known one is tried under every key.
const MAX_ENTRIES: usize = 8;

/// The greatest number of Ed25519 signatures, each of which hashes the whole body under every such key before anything is
/// proven: as many as two keys make that are being exchanged.
const MAX_ED25519: usize = 2;

/// The greatest length of the list, in bytes.
const MAX_LEN: usize = 2048;

const HEADER: &str = "header webhook-signature";
const V1: &str = "v1";
const V1A: &str = "v1a";

/// The signatures of known versions, of which there must be one.
pub(super) fn parse(list: &str) -> Result<SmallVec<[BodySignature; 2]>, Reason> {
    if list.len() > MAX_LEN {
        return Err(Reason::over_fixed(
            HEADER.into(),
            MAX_LEN,
            "bytes",
            list.len(),
        ));
    }
    let mut signatures = SmallVec::new();
    let mut ed25519: usize = 0;
    for (before, entry) in list.split(' ').enumerate() {
        if before >= MAX_ENTRIES {
            let found = list.split(' ').count();
            return Err(Reason::over_fixed(
                HEADER.into(),
                MAX_ENTRIES,
                "entries",
                found,
            ));
        }
        match entry.split_once(',') {
            Some((V1, signature)) => {
                let signature = decode(signature).ok_or_else(|| no_base64(V1, 32, signature))?;
                signatures.push(BodySignature::HmacSha256(signature));
            }
            Some((V1A, signature)) => {
                let signature = decode(signature).ok_or_else(|| no_base64(V1A, 64, signature))?;
                ed25519 = ed25519.saturating_add(1);
                if ed25519 > MAX_ED25519 {
                    let of_version = |entry: &&str| entry.starts_with("v1a,");
                    let found = list.split(' ').filter(of_version).count();
                    return Err(Reason::over_fixed(
                        HEADER.into(),
                        MAX_ED25519,
                        "v1a entries",
                        found,
                    ));
                }
                signatures.push(BodySignature::Ed25519(signature));
            }
            Some(("", _)) | None => {
                return Err(reason!(
                    "header webhook-signature: expected a version, a comma and a signature in each entry, found entry {} of {} characters without",
                    before.saturating_add(1),
                    entry.len()
                ));
            }
            Some((_, _)) => {}
        }
    }
    if signatures.is_empty() {
        let versions = list.split(' ').filter_map(|entry| entry.split_once(','));
        let versions: Vec<&str> = versions.map(|(version, _)| version).collect();
        return Err(reason!(
            "header webhook-signature: expected a v1 or v1a signature, found {}",
            &versions
        ));
    }
    Ok(signatures)
}

/// What something else than a signature is refused with. The text itself is not shown.
#[cold]
fn no_base64(version: &'static str, bytes: usize, found: &str) -> Reason {
    reason!(
        "header webhook-signature: expected {} to be Base64 of {} bytes, found {} characters that are not",
        version,
        bytes,
        found.len()
    )
}

pub(super) fn format(signatures: &[BodySignature]) -> Result<HeaderValue, SignError> {
    let entries: Vec<_> = signatures
        .iter()
        .map(|signature| match signature {
            BodySignature::HmacSha256(bytes) => [V1, ",", &Base64::encode_string(bytes)].concat(),
            BodySignature::Ed25519(bytes) => [V1A, ",", &Base64::encode_string(bytes)].concat(),
        })
        .collect();
    let mut value = HeaderValue::try_from(entries.join(" "))
        .map_err(|_| SignError::new(SignErrorKind::Header, "the signatures are no header value"))?;
    // Not shown by `Debug`, and not kept in the compression tables of HTTP/2.
    value.set_sensitive(true);
    Ok(value)
}

/// What is decoded was sent in the open: unlike keys it needs no constant time.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    match Base64::decode(text, &mut bytes) {
        Ok(decoded) if decoded.len() == N => Some(bytes),
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HMAC: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
    const ED25519: &str = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";

    #[test]
    fn reads_the_versions_it_knows_and_passes_over_others() {
        for (name, list, expected) in [
            ("one", HMAC.to_owned(), "1"),
            ("both", format!("{HMAC} {ED25519}"), "1a"),
            ("the other way round", format!("{ED25519} {HMAC}"), "a1"),
            ("two of one version", format!("{HMAC} {HMAC}"), "11"),
            ("a later version before", format!("v2,x {HMAC}"), "1"),
            (
                "a later version behind",
                format!("{HMAC} v2,not/base64?"),
                "1",
            ),
            ("a version in capitals", format!("V1,x {HMAC}"), "1"),
            ("another comma in it", format!("v2,a,b {HMAC}"), "1"),
            ("eight", [HMAC; 8].join(" "), "11111111"),
            ("two of Ed25519", [ED25519; 2].join(" "), "aa"),
        ] {
            let found: String = parse(&list)
                .unwrap()
                .iter()
                .map(|signature| match signature {
                    BodySignature::HmacSha256(_) => '1',
                    BodySignature::Ed25519(_) => 'a',
                })
                .collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    /// Source: RUSTSEC-2024-0010 (svix compared up to the shorter signature, so that `v1,` passed); the Python library of
    /// Standard Webhooks, which raises on the rows without a comma and decodes Base64 leniently.
    #[test]
    fn refuses_lists_that_are_malformed() {
        let (start, end) = HMAC.split_at(HMAC.len() - 2);
        for (name, list) in [
            ("nothing", String::new()),
            ("no signature", "v1,".to_owned()),
            ("no Ed25519 signature", "v1a,".to_owned()),
            ("no version", HMAC[3..].to_owned()),
            ("an empty version", format!(",{}", &HMAC[3..])),
            ("a version alone", "v1".to_owned()),
            ("junk behind", format!("{HMAC} junk")),
            ("junk before", format!("junk {HMAC}")),
            ("a space behind", format!("{HMAC} ")),
            ("a space before", format!(" {HMAC}")),
            ("two spaces", format!("{HMAC}  {HMAC}")),
            ("a tab", format!("{HMAC}\t{HMAC}")),
            ("a comma between", format!("{HMAC},{HMAC}")),
            ("a known one that is malformed", format!("{HMAC} v1,AAAA")),
            ("an empty one beside", format!("{HMAC} v1,")),
            ("one byte", "v1,AA==".to_owned()),
            ("a prefix", HMAC[..11].to_owned()),
            (
                "31 bytes",
                format!("v1,{}", Base64::encode_string(&[7; 31])),
            ),
            (
                "33 bytes",
                format!("v1,{}", Base64::encode_string(&[7; 33])),
            ),
            (
                "63 bytes",
                format!("v1a,{}", Base64::encode_string(&[7; 63])),
            ),
            (
                "65 bytes",
                format!("v1a,{}", Base64::encode_string(&[7; 65])),
            ),
            ("an Ed25519 signature as v1", ED25519.replace("v1a", "v1")),
            ("a MAC as v1a", HMAC.replace("v1", "v1a")),
            ("no padding", HMAC.trim_end_matches('=').to_owned()),
            ("padding twice", format!("{HMAC}=")),
            (
                "another last character for the same bytes",
                format!("{start}x{}", &end[1..]),
            ),
            ("the URL alphabet", HMAC.replace(['/', '+'], "_")),
            ("a space in it", HMAC.replace("I4", "I 4")),
            ("only a later version", "v2,x".to_owned()),
            ("nine", [HMAC; 9].join(" ")),
            ("three of Ed25519", [ED25519; 3].join(" ")),
            (
                "nine, most of them unknown",
                format!("{} {HMAC}", ["v2,x"; 8].join(" ")),
            ),
            ("too long", format!("{HMAC} v2,{}", "x".repeat(2048))),
            ("non-ASCII", format!("{HMAC} é")),
        ] {
            assert!(parse(&list).is_err(), "{name}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for list in [HMAC.to_owned(), format!("{HMAC} {ED25519} {HMAC}")] {
            let value = format(&parse(&list).unwrap()).unwrap();
            assert_eq!(value, list.as_str());
            assert!(value.is_sensitive());
        }
    }
}
