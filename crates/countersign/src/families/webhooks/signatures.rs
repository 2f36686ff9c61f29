//! `webhook-signature`: the signatures of one message, one per key in use.
//!
//! ```text
//! list  = entry *7( SP entry )
//! entry = version "," signature
//! v1    = Base64 of 32 bytes, HMAC-SHA256
//! v1a   = Base64 of 64 bytes, Ed25519
//! ```
//!
//! Base64 is padded and canonical (RFC 4648 section 4). Entries of other versions are ignored, as
//! the specification says.
//! Malformed entries are ignored too: they match no key, and must not refuse a valid entry of the
//! same list. Every entry counts towards the limit, and one must be well formed.

use base64ct::{Base64, Encoding};
use http::{HeaderName, HeaderValue};
use smallvec::SmallVec;

use crate::{
    error::{Reason, SignError, SignErrorKind, reason},
    families::BodySignature,
};

/// Maximum number of entries, known or not: every known one is verified with every key.
const MAX_ENTRIES: usize = 8;

/// Maximum number of Ed25519 signatures: enough for two keys during a rotation. Each hashes the
/// whole body with every such key before the request is authenticated.
const MAX_ED25519: usize = 2;

/// Maximum length of the list, in bytes.
const MAX_LEN: usize = 2048;

const V1: &str = "v1";
const V1A: &str = "v1a";

/// Parses the well-formed signatures of known versions; there must be one. `header` names the
/// header of the list.
pub(super) fn parse(
    header: &HeaderName,
    list: &str,
) -> Result<SmallVec<[BodySignature; 2]>, Reason> {
    if list.len() > MAX_LEN {
        return Err(over(header, MAX_LEN, "bytes", list.len()));
    }
    let mut signatures = SmallVec::new();
    let mut ed25519: usize = 0;
    for (before, entry) in list.split(' ').enumerate() {
        if before >= MAX_ENTRIES {
            let found = list.split(' ').count();
            return Err(over(header, MAX_ENTRIES, "entries", found));
        }
        let Some(signature) = read(entry) else {
            continue;
        };
        if matches!(signature, BodySignature::Ed25519(_)) {
            ed25519 = ed25519.saturating_add(1);
            if ed25519 > MAX_ED25519 {
                let is_ed25519 =
                    |entry: &&str| matches!(read(entry), Some(BodySignature::Ed25519(_)));
                let found = list.split(' ').filter(is_ed25519).count();
                return Err(over(header, MAX_ED25519, "v1a entries", found));
            }
        }
        signatures.push(signature);
    }
    if signatures.is_empty() {
        return Err(none(header, list));
    }
    Ok(signatures)
}

/// Returns the reason for a list above a limit.
#[cold]
fn over(header: &HeaderName, limit: usize, unit: &'static str, found: usize) -> Reason {
    reason!(
        "header {}: expected at most {} {}, found {}",
        header,
        limit,
        unit,
        found
    )
}

/// Returns the reason for a list without a well-formed signature. Never shows a signature.
#[cold]
fn none(header: &HeaderName, list: &str) -> Reason {
    let entries = || list.split(' ').filter_map(|entry| entry.split_once(','));
    let known = entries().find_map(|(version, signature)| match version {
        V1 => Some((V1, 32_usize, signature)),
        V1A => Some((V1A, 64, signature)),
        _ => None,
    });
    if let Some((version, bytes, signature)) = known {
        return reason!(
            "header {}: expected {} to be Base64 of {} bytes, found {} characters that are not",
            header,
            version,
            bytes,
            signature.len()
        );
    }
    let versions = entries().map(|(version, _)| version);
    // A longer text in the place of a version may be a signature.
    let is_version = |version: &&str| {
        (1..=8).contains(&version.len()) && version.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let versions: Vec<&str> = versions.filter(is_version).collect();
    if versions.is_empty() {
        return reason!(
            "header {}: expected a version, a comma and a signature, found {} entries of which \
             none has a version",
            header,
            list.split(' ').count()
        );
    }
    reason!(
        "header {}: expected a v1 or v1a signature, found {}",
        header,
        &versions
    )
}

/// Returns the signature of an entry; `None` for another version or a malformed one.
fn read(entry: &str) -> Option<BodySignature> {
    match entry.split_once(',')? {
        (V1, signature) => decode(signature).map(BodySignature::HmacSha256),
        (V1A, signature) => decode(signature).map(BodySignature::Ed25519),
        (_, _) => None,
    }
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
    // Keeps the value out of `Debug` and of the compression tables of HTTP/2.
    value.set_sensitive(true);
    Ok(value)
}

/// Decodes a signature. Needs no constant time: a signature is public, unlike a key.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    match Base64::decode(text, &mut bytes) {
        Ok(decoded) if decoded.len() == N => Some(bytes),
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::header_names::STANDARD, *};

    fn parse(list: &str) -> Result<SmallVec<[BodySignature; 2]>, Reason> {
        super::parse(&STANDARD.signature, list)
    }

    const HMAC: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
    const ED25519: &str = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5\
         BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";

    #[test]
    fn reads_the_versions_it_knows_and_passes_over_what_else_is_there() {
        let (start, end) = HMAC.split_at(HMAC.len() - 2);
        for (name, list, expected) in [
            ("one", HMAC.to_owned(), "1"),
            ("both", format!("{HMAC} {ED25519}"), "1a"),
            ("the other way round", format!("{ED25519} {HMAC}"), "a1"),
            ("two of one version", format!("{HMAC} {HMAC}"), "11"),
            ("a later version before", format!("v2,x {HMAC}"), "1"),
            (
                "a later version after",
                format!("{HMAC} v2,not/base64?"),
                "1",
            ),
            ("a version in capitals", format!("V1,x {HMAC}"), "1"),
            ("another comma in it", format!("v2,a,b {HMAC}"), "1"),
            ("hex before", format!("v1,{} {HMAC}", "ab".repeat(32)), "1"),
            ("hex after", format!("{HMAC} v1,{}", "ab".repeat(32)), "1"),
            (
                "16 bytes",
                format!("v1,AAAAAAAAAAAAAAAAAAAAAA== {HMAC}"),
                "1",
            ),
            ("a version alone", format!("v1 {HMAC}"), "1"),
            ("no version", format!("{} {HMAC}", &HMAC[3..]), "1"),
            ("an empty version", format!(",{} {HMAC}", &HMAC[3..]), "1"),
            ("a word before", format!("nonsense {HMAC}"), "1"),
            ("a word after", format!("{HMAC} nonsense"), "1"),
            ("Ed25519 of 3 bytes", format!("v1a,AAAA {HMAC}"), "1"),
            ("an empty signature", format!("{HMAC} v1,"), "1"),
            ("two spaces", format!("{HMAC}  {HMAC}"), "11"),
            ("spaces at the ends", format!(" {HMAC} "), "1"),
            (
                "another spelling of the same bytes",
                format!("{start}x{} {HMAC}", &end[1..]),
                "1",
            ),
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

    /// Source: RUSTSEC-2024-0010 (svix compared up to the shorter signature, so `v1,` passed). The
    /// Python library of Standard Webhooks raises on rows without a comma and decodes Base64
    /// leniently.
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
            ("junk alone", "junk junk v1,AAAA v2,x".to_owned()),
            ("a space", " ".to_owned()),
            (
                "nine with junk",
                format!("{} {HMAC}", "junk ".repeat(8).trim()),
            ),
            ("nine spaces", format!("{}{HMAC}", " ".repeat(8))),
            ("a tab", format!("{HMAC}\t{HMAC}")),
            ("a comma between", format!("{HMAC},{HMAC}")),
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
            ("non-ASCII", HMAC.replace('I', "é")),
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
