use base64ct::{Base64, Encoding};
use countersign::{
    KeyStore, Secret, Timestamp,
    diagnose::{Cause, Certainty, Diagnosis, Finding, Report},
};

use crate::client::{
    self, ALL, BODIES, Family, HEADS, HOST, KEY, NOW, Seen, other_key, signature, written,
};

/// One mistake: how the signed and the sent request differ from the usual one.
struct Mistake {
    name: &'static str,
    cause: Cause,
    families: &'static [Family],
    signed: fn(&mut Seen, Family),
    sent: fn(&mut Seen, Family),
    text: fn(String, Family) -> String,
    written: fn(Family, &[u8]) -> String,
    key: fn() -> Vec<u8>,
    body: fn(Vec<u8>) -> Vec<u8>,
}

const NONE: Mistake = Mistake {
    name: "",
    cause: Cause::Malformed,
    families: ALL,
    signed: |_, _| {},
    sent: |_, _| {},
    text: |text, _| text,
    written,
    key: || KEY.to_vec(),
    body: |body| body,
};

const NATIVE: &[Family] = &[Family::Hmac, Family::Ed25519];
const NOT_SIGV4: &[Family] = &[Family::Hmac, Family::Ed25519, Family::Rfc9421];
pub const HMAC_KEYS: &[Family] = &[
    Family::Hmac,
    Family::SigV4,
    Family::Rfc9421,
    Family::Cavage,
    Family::Drf,
    Family::Webhooks,
];
const CANONICAL: &[Family] = &[Family::Hmac, Family::Ed25519, Family::SigV4];

/// In place of a body in gzip: the text of a mistake is text.
const GZIPPED: &[u8] = b"compressed";

/// The mistakes.
const MISTAKES: &[Mistake] = &[
    // The host.
    Mistake {
        name: "host signed without its port",
        cause: Cause::HostWithoutPort,
        families: HEADS,
        signed: |signed, _| signed.host = "user-service.internal".to_owned(),
        ..NONE
    },
    Mistake {
        name: "host signed with a port that is not sent",
        cause: Cause::HostWithPort,
        families: HEADS,
        sent: |sent, _| sent.host = "user-service.internal".to_owned(),
        ..NONE
    },
    Mistake {
        name: "host signed with the default port",
        cause: Cause::HostWithPort,
        families: HEADS,
        signed: |signed, _| signed.host = "user-service.internal:443".to_owned(),
        sent: |sent, _| sent.host = "user-service.internal".to_owned(),
        ..NONE
    },
    Mistake {
        name: "host signed with a port that no setting names",
        cause: Cause::HostWithPort,
        families: HEADS,
        signed: |signed, _| signed.host = "user-service.internal:8080".to_owned(),
        sent: |sent, _| sent.host = "user-service.internal".to_owned(),
        ..NONE
    },
    Mistake {
        name: "a proxy's host sent, the expected one signed",
        cause: Cause::OtherHost,
        families: HEADS,
        sent: |sent, _| sent.host = "10.0.0.7:9000".to_owned(),
        ..NONE
    },
    Mistake {
        name: "host that is not expected",
        cause: Cause::HostNotExpected,
        families: HEADS,
        signed: |signed, _| signed.host = "elsewhere.internal".to_owned(),
        sent: |sent, _| sent.host = "elsewhere.internal".to_owned(),
        ..NONE
    },
    Mistake {
        name: "host signed in capitals",
        cause: Cause::HostCase,
        families: &[Family::Hmac, Family::Ed25519, Family::SigV4],
        sent: |sent, _| sent.host = "User-Service.internal:8081".to_owned(),
        ..NONE
    },
    // The method.
    Mistake {
        name: "method signed in lower case",
        cause: Cause::MethodCase,
        families: &[
            Family::Hmac,
            Family::Ed25519,
            Family::SigV4,
            Family::Rfc9421,
        ],
        signed: |signed, _| signed.method = "post".to_owned(),
        ..NONE
    },
    Mistake {
        name: "method sent in lower case",
        cause: Cause::MethodCase,
        families: HEADS,
        signed: |signed, _| signed.method = "post".to_owned(),
        sent: |sent, _| sent.method = "post".to_owned(),
        ..NONE
    },
    Mistake {
        name: "method changed on the way",
        cause: Cause::OtherMethod,
        families: HEADS,
        sent: |sent, _| sent.method = "PUT".to_owned(),
        ..NONE
    },
    // The path.
    Mistake {
        name: "prefix stripped",
        cause: Cause::PathPrefixStripped,
        families: HEADS,
        sent: |sent, _| sent.path = sent.path.replace("/api", ""),
        ..NONE
    },
    Mistake {
        name: "prefix added",
        cause: Cause::PathPrefixAdded,
        families: HEADS,
        signed: |signed, _| signed.path = signed.path.replace("/api", ""),
        ..NONE
    },
    Mistake {
        name: "unknown prefix added",
        cause: Cause::PathPrefixAdded,
        families: HEADS,
        sent: |sent, _| sent.path = format!("/edge/v9{}", sent.path),
        ..NONE
    },
    Mistake {
        name: "trailing slash added",
        cause: Cause::TrailingSlash,
        families: HEADS,
        sent: |sent, _| sent.path.push('/'),
        ..NONE
    },
    Mistake {
        name: "trailing slash dropped",
        cause: Cause::TrailingSlash,
        families: HEADS,
        signed: |signed, _| signed.path.push('/'),
        ..NONE
    },
    Mistake {
        name: "path signed normalised",
        cause: Cause::PathNormalized,
        families: NOT_SIGV4,
        sent: |sent, _| sent.path = sent.path.replace("/v1", "/./x/..//v1"),
        ..NONE
    },
    Mistake {
        name: "path that is not canonical",
        cause: Cause::StrictTarget,
        families: &[Family::SigV4],
        sent: |sent, _| sent.path = sent.path.replace("/v1", "//v1"),
        ..NONE
    },
    Mistake {
        name: "path signed decoded",
        cause: Cause::PathDecoded,
        families: NOT_SIGV4,
        signed: |signed, _| signed.path = "/api/v1/items/caf\u{e9} (7)".to_owned(),
        ..NONE
    },
    Mistake {
        name: "path signed encoded once more",
        cause: Cause::PathEncodedAgain,
        families: HEADS,
        signed: |signed, _| signed.path = client::encoded(&signed.path),
        ..NONE
    },
    Mistake {
        name: "brackets of the path escaped",
        cause: Cause::PathEncoding,
        families: HEADS,
        signed: |signed, _| signed.path = signed.path.replace('(', "%28").replace(')', "%29"),
        ..NONE
    },
    Mistake {
        name: "path encoded as S3 does",
        cause: Cause::SigV4Encoding,
        families: &[Family::SigV4],
        text: |text, _| {
            let path = client::encoded("/api/v1/items/caf%C3%A9%20(7)");
            text.replace(&path, "/api/v1/items/caf%C3%A9%20%287%29")
        },
        ..NONE
    },
    // The query.
    Mistake {
        name: "query not signed",
        cause: Cause::QueryLeftOut,
        families: HEADS,
        signed: |signed, _| signed.query = None,
        ..NONE
    },
    Mistake {
        name: "question mark added",
        cause: Cause::QueryEmpty,
        families: NATIVE,
        signed: |signed, _| signed.query = None,
        sent: |sent, _| sent.query = Some(String::new()),
        ..NONE
    },
    Mistake {
        name: "question mark dropped",
        cause: Cause::QueryEmpty,
        families: NATIVE,
        signed: |signed, _| signed.query = Some(String::new()),
        sent: |sent, _| sent.query = None,
        ..NONE
    },
    Mistake {
        name: "query signed in sorted order",
        cause: Cause::QueryOrder,
        families: NOT_SIGV4,
        signed: |signed, _| signed.query = Some("a=1%20x&b=2&c".to_owned()),
        ..NONE
    },
    Mistake {
        name: "query signed as sent, unsorted",
        cause: Cause::QueryOrder,
        families: &[Family::SigV4],
        signed: |signed, _| signed.query = Some("b=2&a=1".to_owned()),
        sent: |sent, _| sent.query = Some("b=2&a=1".to_owned()),
        text: |text, _| text.replace("a=1&b=2", "b=2&a=1"),
        ..NONE
    },
    Mistake {
        name: "query signed as sent, unsorted and with a bare name",
        cause: Cause::QueryOrder,
        families: &[Family::SigV4],
        text: |text, _| text.replace("a=1%20x&b=2&c=", "b=2&a=1%20x&c="),
        ..NONE
    },
    Mistake {
        name: "space signed as a plus",
        cause: Cause::QueryPlus,
        families: HEADS,
        signed: |signed, _| signed.query = Some("b=2&a=1+x&c".to_owned()),
        ..NONE
    },
    Mistake {
        name: "space sent as a plus",
        cause: Cause::QueryPlus,
        families: HEADS,
        sent: |sent, _| sent.query = Some("b=2&a=1+x&c".to_owned()),
        ..NONE
    },
    Mistake {
        name: "parameter signed with an equals sign",
        cause: Cause::QueryEquals,
        families: NOT_SIGV4,
        signed: |signed, _| signed.query = Some("b=2&a=1%20x&c=".to_owned()),
        ..NONE
    },
    Mistake {
        name: "parameter signed without an equals sign",
        cause: Cause::QueryEquals,
        families: HEADS,
        sent: |sent, _| sent.query = Some("a=1&c=".to_owned()),
        signed: |signed, _| signed.query = Some("a=1&c".to_owned()),
        text: |text, family| match family {
            Family::SigV4 => text.replace("a=1&c=", "a=1&c"),
            _ => text,
        },
        ..NONE
    },
    Mistake {
        name: "query signed with escapes in lower case",
        cause: Cause::QueryEncoding,
        families: NOT_SIGV4,
        signed: |signed, _| signed.query = Some("a=%c3%a9".to_owned()),
        sent: |sent, _| sent.query = Some("a=%C3%A9".to_owned()),
        ..NONE
    },
    // Headers.
    Mistake {
        name: "accept-encoding rewritten",
        cause: Cause::HeaderRewritten,
        families: HEADS,
        sent: |sent, _| sent.header("accept-encoding", "br"),
        ..NONE
    },
    Mistake {
        name: "accept-encoding removed",
        cause: Cause::HeaderRemoved,
        families: HEADS,
        ..NONE
    },
    Mistake {
        name: "content type with a charset",
        cause: Cause::ContentType,
        families: HEADS,
        sent: |sent, _| sent.header("content-type", "application/json; charset=utf-8"),
        ..NONE
    },
    Mistake {
        name: "another content type",
        cause: Cause::ContentType,
        families: HEADS,
        sent: |sent, _| sent.header("content-type", "application/x-www-form-urlencoded"),
        ..NONE
    },
    Mistake {
        name: "inner spaces folded",
        cause: Cause::HeaderSpaces,
        families: NOT_SIGV4,
        signed: |signed, _| signed.header("x-list", "one two"),
        sent: |sent, _| sent.header("x-list", "one   two"),
        ..NONE
    },
    Mistake {
        name: "inner spaces not folded",
        cause: Cause::HeaderSpaces,
        families: &[Family::SigV4],
        signed: |signed, _| signed.header("x-list", "one   two"),
        sent: |sent, _| sent.header("x-list", "one   two"),
        ..NONE
    },
    Mistake {
        name: "value not trimmed",
        cause: Cause::HeaderSpaces,
        families: HEADS,
        signed: |signed, _| signed.header("x-list", "one "),
        sent: |sent, _| sent.header("x-list", "one"),
        ..NONE
    },
    Mistake {
        name: "value signed on a folded line",
        cause: Cause::HeaderSpaces,
        families: HEADS,
        signed: |signed, _| signed.header("x-list", "one\r\n two"),
        sent: |sent, _| sent.header("x-list", "one two"),
        ..NONE
    },
    Mistake {
        name: "value signed in lower case",
        cause: Cause::HeaderCase,
        families: HEADS,
        signed: |signed, _| signed.header("x-list", "one"),
        sent: |sent, _| sent.header("x-list", "One"),
        ..NONE
    },
    Mistake {
        name: "items reordered",
        cause: Cause::HeaderItems,
        families: HEADS,
        sent: |sent, _| sent.header("x-list", "alpha, beta"),
        ..NONE
    },
    Mistake {
        name: "two lines, signed joined by a comma",
        cause: Cause::HeaderLines,
        families: NOT_SIGV4,
        signed: |signed, _| signed.header("x-list", "beta,alpha"),
        sent: |sent, _| {
            sent.header("x-list", "beta");
            sent.headers.push(("x-list".to_owned(), "alpha".to_owned()));
        },
        ..NONE
    },
    Mistake {
        name: "two lines, the first signed",
        cause: Cause::HeaderLines,
        families: HEADS,
        signed: |signed, _| signed.header("x-list", "beta"),
        sent: |sent, _| {
            sent.header("x-list", "beta");
            sent.headers.push(("x-list".to_owned(), "alpha".to_owned()));
        },
        ..NONE
    },
    Mistake {
        name: "header lines signed in sorted order",
        cause: Cause::HeaderOrder,
        families: NATIVE,
        text: |text, _| {
            let mut lines: Vec<&str> = text.split('\n').collect();
            let end = lines.len() - 3;
            lines[2..end].sort_unstable();
            lines.join("\n")
        },
        ..NONE
    },
    Mistake {
        name: "header lines signed with a space",
        cause: Cause::HeaderOrder,
        families: CANONICAL,
        text: |text, _| {
            let lines = text.split('\n').map(|line| match line.split_once(':') {
                Some((name, value)) if !line.contains('?') => format!("{name}: {value}"),
                _ => line.to_owned(),
            });
            lines.collect::<Vec<_>>().join("\n")
        },
        ..NONE
    },
    // The text.
    Mistake {
        name: "text signed with a line feed at its end",
        cause: Cause::TextLineEnds,
        families: HEADS,
        text: |text, _| text + "\n",
        ..NONE
    },
    Mistake {
        name: "text signed with CRLF",
        cause: Cause::TextLineEnds,
        families: HEADS,
        text: |text, _| text.replace('\n', "\r\n"),
        ..NONE
    },
    Mistake {
        name: "text without its timestamp",
        cause: Cause::TextForm,
        families: BODIES,
        text: |text, _| {
            text.rsplit_once(".{")
                .map(|(_, body)| format!("{{{body}"))
                .unwrap()
        },
        ..NONE
    },
    Mistake {
        name: "parameters of the signature with a space",
        cause: Cause::SignatureParams,
        families: &[Family::Rfc9421],
        text: |text, _| {
            let (before, _) = text.rsplit_once('\n').unwrap();
            let params = Seen::usual().parts(Family::Rfc9421, "");
            let params = params.headers["signature-input"].to_str().unwrap();
            format!("{before}\n\"@signature-params\": {params}")
        },
        ..NONE
    },
    // The body.
    Mistake {
        name: "body signed with a line feed",
        cause: Cause::BodyLineEnd,
        families: ALL,
        signed: |signed, _| signed.body.push(b'\n'),
        sent: |sent, family| {
            if HEADS.contains(&family) {
                sent.body.push(b'\n');
            }
        },
        body: |body| body.trim_ascii_end().to_vec(),
        ..NONE
    },
    Mistake {
        name: "body sent with CRLF at its end",
        cause: Cause::BodyLineEnd,
        families: ALL,
        body: |body| [&body[..], b"\r\n"].concat(),
        ..NONE
    },
    Mistake {
        name: "empty body hashed",
        cause: Cause::BodyHashedAsEmpty,
        families: HEADS,
        signed: |signed, _| signed.body.clear(),
        sent: |sent, _| sent.body.clear(),
        body: |_| Seen::usual().body,
        ..NONE
    },
    Mistake {
        name: "body dropped on the way",
        cause: Cause::BodyEmpty,
        families: ALL,
        body: |_| Vec::new(),
        ..NONE
    },
    Mistake {
        name: "body decompressed",
        cause: Cause::BodyDecompressed,
        families: ALL,
        signed: |signed, _| {
            signed
                .headers
                .push(("content-encoding".to_owned(), "gzip".to_owned()));
            signed.body = GZIPPED.to_vec();
        },
        sent: |sent, _| {
            sent.headers
                .push(("content-encoding".to_owned(), "gzip".to_owned()));
            sent.body = GZIPPED.to_vec();
        },
        body: |_| Seen::usual().body,
        ..NONE
    },
    Mistake {
        name: "JSON written without white space",
        cause: Cause::BodyReserialized,
        families: ALL,
        signed: |signed, _| signed.body = br#"{"b":1,"a":[2,3]}"#.to_vec(),
        sent: |sent, family| {
            if HEADS.contains(&family) {
                sent.body = br#"{"b":1,"a":[2,3]}"#.to_vec();
            }
        },
        body: |_| Seen::usual().body,
        ..NONE
    },
    Mistake {
        name: "JSON written with sorted members",
        cause: Cause::BodyReserialized,
        families: ALL,
        signed: |signed, _| signed.body = br#"{"a":[2,3],"b":1}"#.to_vec(),
        sent: |sent, family| {
            if HEADS.contains(&family) {
                sent.body = br#"{"a":[2,3],"b":1}"#.to_vec();
            }
        },
        body: |_| Seen::usual().body,
        ..NONE
    },
    Mistake {
        name: "another body",
        cause: Cause::OtherBody,
        families: HEADS,
        body: |_| b"something else".to_vec(),
        ..NONE
    },
    Mistake {
        name: "hash of the body in capitals",
        cause: Cause::ContentHashForm,
        families: CANONICAL,
        signed: |signed, _| signed.hash = Some(hash_of_usual().to_uppercase()),
        sent: |sent, _| sent.hash = Some(hash_of_usual().to_uppercase()),
        ..NONE
    },
    Mistake {
        name: "hash of the body signed as Base64",
        cause: Cause::ContentHashForm,
        families: CANONICAL,
        signed: |signed, _| {
            let mut bytes = [0; 32];
            base16ct::lower::decode(hash_of_usual(), &mut bytes).unwrap();
            signed.hash = Some(Base64::encode_string(&bytes));
        },
        ..NONE
    },
    // The date.
    Mistake {
        name: "clock ten minutes behind",
        cause: Cause::Clock,
        families: ALL,
        signed: |signed, _| signed.date = NOW - 607,
        sent: |sent, _| sent.date = NOW - 607,
        ..NONE
    },
    Mistake {
        name: "local time as UTC",
        cause: Cause::TimeZone,
        families: ALL,
        signed: |signed, _| signed.date = NOW + 7200 - 3,
        sent: |sent, _| sent.date = NOW + 7200 - 3,
        ..NONE
    },
    Mistake {
        name: "milliseconds",
        cause: Cause::Milliseconds,
        families: &[Family::Rfc9421, Family::Drf, Family::Webhooks],
        signed: |signed, _| signed.date = NOW * 1000,
        sent: |sent, _| sent.date = NOW * 1000,
        ..NONE
    },
    Mistake {
        name: "date sent and signed in another form",
        cause: Cause::DateForm,
        families: NATIVE,
        signed: |signed, _| signed.date_text = Some("2026-01-02T03:04:05Z".to_owned()),
        sent: |sent, _| sent.date_text = Some("2026-01-02T03:04:05Z".to_owned()),
        ..NONE
    },
    Mistake {
        name: "date sent and signed with an offset",
        cause: Cause::DateForm,
        families: NATIVE,
        signed: |signed, _| signed.date_text = Some("Fri, 02 Jan 2026 03:04:05 +0000".to_owned()),
        sent: |sent, _| sent.date_text = Some("Fri, 02 Jan 2026 03:04:05 +0000".to_owned()),
        ..NONE
    },
    Mistake {
        name: "date signed as seconds",
        cause: Cause::DateForm,
        families: NATIVE,
        signed: |signed, _| signed.date_text = Some(NOW.to_string()),
        ..NONE
    },
    Mistake {
        name: "date taken twice",
        cause: Cause::DateOther,
        families: &[
            Family::Hmac,
            Family::Ed25519,
            Family::Rfc9421,
            Family::Drf,
            Family::Webhooks,
        ],
        signed: |signed, _| signed.date = NOW - 1,
        ..NONE
    },
    // The signature.
    Mistake {
        name: "signature as Base64",
        cause: Cause::SignatureEncoding,
        families: &[Family::Hmac, Family::Ed25519, Family::SigV4, Family::Drf],
        written: |_, bytes| Base64::encode_string(bytes),
        ..NONE
    },
    Mistake {
        name: "signature in hexadecimal digits",
        cause: Cause::SignatureEncoding,
        families: &[Family::Rfc9421, Family::Webhooks],
        written: |family, bytes| {
            let hex = base16ct::lower::encode_string(bytes);
            match family {
                Family::Webhooks => format!("v1,{hex}"),
                _ => hex,
            }
        },
        ..NONE
    },
    Mistake {
        name: "signature in upper-case digits",
        cause: Cause::SignatureEncoding,
        families: &[Family::SigV4, Family::Drf],
        written: |family, bytes| written(family, bytes).to_uppercase(),
        ..NONE
    },
    // The key.
    Mistake {
        name: "revoked key",
        cause: Cause::KeyNotInForce,
        families: ALL,
        key: || other_key(1),
        ..NONE
    },
    Mistake {
        name: "key of another caller",
        cause: Cause::KeyOfAnotherCaller,
        families: ALL,
        key: || other_key(2),
        ..NONE
    },
    Mistake {
        name: "hexadecimal digits of the secret as text",
        cause: Cause::SecretAsText,
        families: HMAC_KEYS,
        key: || base16ct::lower::encode_string(&KEY).into_bytes(),
        ..NONE
    },
    Mistake {
        name: "Base64 of the secret as text",
        cause: Cause::SecretAsText,
        families: HMAC_KEYS,
        key: || Base64::encode_string(&KEY).into_bytes(),
        ..NONE
    },
    Mistake {
        name: "hexadecimal digits read as Base64",
        cause: Cause::SecretAsBase64,
        families: HMAC_KEYS,
        key: || Base64::decode_vec(&base16ct::lower::encode_string(&KEY)).unwrap(),
        ..NONE
    },
    Mistake {
        name: "secret with a line end",
        cause: Cause::SecretLineEnd,
        families: HMAC_KEYS,
        key: || [&KEY[..], b"\n"].concat(),
        ..NONE
    },
    Mistake {
        name: "name misspelt",
        cause: Cause::CallerName,
        families: HEADS,
        signed: |signed, _| signed.caller = "biling".to_owned(),
        sent: |sent, _| sent.caller = "biling".to_owned(),
        ..NONE
    },
    Mistake {
        name: "unknown caller",
        cause: Cause::UnknownCaller,
        families: HEADS,
        signed: |signed, _| signed.caller = "biling".to_owned(),
        sent: |sent, _| sent.caller = "biling".to_owned(),
        key: || other_key(9),
        ..NONE
    },
    // The scheme.
    Mistake {
        name: "scheme in lower case",
        cause: Cause::SchemeName,
        families: &[Family::Hmac],
        sent: |sent, _| sent.scheme_name = Some("hmac-sha256"),
        ..NONE
    },
    Mistake {
        name: "another region",
        cause: Cause::Region,
        families: &[Family::SigV4],
        signed: |signed, _| signed.region = "us-east-1".to_owned(),
        sent: |sent, _| sent.region = "us-east-1".to_owned(),
        ..NONE
    },
    Mistake {
        name: "region signed that is not sent",
        cause: Cause::Region,
        families: &[Family::SigV4],
        signed: |signed, _| signed.region = "us-east-1".to_owned(),
        ..NONE
    },
    Mistake {
        name: "day of the scope in local time",
        cause: Cause::ScopeDate,
        families: &[Family::SigV4],
        signed: |signed, _| signed.day = Some("20260101".to_owned()),
        sent: |sent, _| sent.day = Some("20260101".to_owned()),
        ..NONE
    },
    Mistake {
        name: "payload not signed",
        cause: Cause::PayloadUnsigned,
        families: &[Family::SigV4],
        signed: |signed, _| signed.hash = Some("UNSIGNED-PAYLOAD".to_owned()),
        sent: |sent, _| sent.hash = Some("UNSIGNED-PAYLOAD".to_owned()),
        ..NONE
    },
    Mistake {
        name: "route that is not listed",
        cause: Cause::RouteNotListed,
        families: BODIES,
        sent: |sent, _| sent.path = "/elsewhere".to_owned(),
        ..NONE
    },
    Mistake {
        name: "host and prefix changed on the way",
        cause: Cause::OtherHost,
        families: HEADS,
        sent: |sent, _| {
            sent.host = "10.0.0.7:9000".to_owned();
            sent.path = sent.path.replace("/api", "");
        },
        ..NONE
    },
];

fn hash_of_usual() -> String {
    use sha2::{Digest as _, Sha256};
    base16ct::lower::encode_string(&Sha256::digest(Seen::usual().body))
}

fn diagnosed(mistake: &Mistake, family: Family) -> Report {
    let mut signed = Seen::usual();
    let mut sent = Seen::usual();
    (mistake.signed)(&mut signed, family);
    (mistake.sent)(&mut sent, family);
    let text = signed.text(family, &sent);
    let text = (mistake.text)(String::from_utf8(text).unwrap(), family);
    let key = (mistake.key)();
    let signature = signature(family, &key, text.as_bytes(), &signed);
    let mut parts = sent.parts(family, &(mistake.written)(family, &signature));
    if mistake.cause == Cause::HeaderRemoved {
        parts.headers.remove("accept-encoding");
    }
    let body = (mistake.body)(sent.body);
    let secret = Secret::from_bytes(&KEY);
    Diagnosis::new(
        &client::verifier(family),
        &parts,
        Timestamp::from_unix_seconds(NOW),
    )
    .with_keyring(&client::keyring(family))
    .with_secret(&secret)
    .with_body(&body)
    .with_path_prefix("/api")
    .run()
}

#[test]
fn the_right_cause_of_each_known_mistake_is_named_first() {
    let mut wrong = Vec::new();
    let mut all = 0;
    for mistake in MISTAKES {
        for family in mistake.families {
            all += 1;
            let report = diagnosed(mistake, *family);
            let first = report.first_cause().map(Finding::cause);
            // Only a checked signature is called a match.
            let shown_by = match mistake.cause {
                Cause::OtherBody
                | Cause::BodyEmpty
                | Cause::BodyDecompressed
                | Cause::UnknownCaller => Certainty::Observed,
                _ => Certainty::Matched,
            };
            let certainty = report.first_cause().map(Finding::certainty);
            if first != Some(mistake.cause) || certainty != Some(shown_by) {
                wrong.push(format!(
                    "{} in {family:?}: expected {}, found {first:?}\n{report}",
                    mistake.name, mistake.cause
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {all} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(all >= 200, "{all}");
}

#[test]
fn the_usual_request_is_accepted_and_has_no_cause() {
    for family in ALL {
        let report = diagnosed(&NONE, *family);
        assert!(report.is_accepted(), "{family:?}: {report}");
        assert_eq!(report.causes(), [], "{family:?}");
        assert_eq!(report.checks(), 0, "{family:?}");
        let (caller, version) = report.proven().unwrap();
        assert_eq!((caller.as_str(), version.as_str()), ("billing", "2026"));
    }
}

/// What no mistake explains must not be explained.
#[test]
fn a_random_key_matches_no_candidate() {
    for family in ALL {
        let keys: [fn() -> Vec<u8>; 2] = [|| other_key(10), || other_key(11)];
        for key in keys {
            let mistake = Mistake { key, ..NONE };
            let report = diagnosed(&mistake, *family);
            assert_eq!(report.causes(), [], "{family:?}: {report}");
            assert!(report.tried().iter().all(|candidate| !candidate.matched()));
            assert!(report.tried().len() > 20, "{family:?}");
            assert!(report.is_complete(), "{family:?}");
            assert!(!report.next().is_empty());
        }
    }
}

#[test]
fn no_more_signatures_are_checked_than_the_limit_says() {
    for family in ALL {
        let seen = Seen::usual();
        let text = seen.text(*family, &seen);
        let made = signature(*family, &other_key(9), &text, &seen);
        let parts = seen.parts(*family, &written(*family, &made));
        for limit in [0, 1, 16, 50] {
            let verifier = client::verifier(*family);
            let keyring = client::keyring(*family);
            let report = Diagnosis::new(&verifier, &parts, Timestamp::from_unix_seconds(NOW))
                .with_keyring(&keyring)
                .with_body(&seen.body)
                .with_limit(limit)
                .run();
            assert!(report.checks() <= limit, "{family:?}: {}", report.checks());
            assert!(!report.is_complete(), "{family:?}");
        }
    }
}

/// An answer that takes another time would tell which callers exist.
#[test]
fn an_unknown_caller_costs_as_many_checks_as_a_known_one() {
    for family in HEADS {
        for limit in [40, 100, 768, 4096] {
            let checks = ["billing", "neworky"].map(|caller| {
                let mut seen = Seen::usual();
                seen.caller = caller.to_owned();
                let text = seen.text(*family, &seen);
                let made = signature(*family, &other_key(9), &text, &seen);
                let parts = seen.parts(*family, &written(*family, &made));
                let keys = client::keyring(*family)
                    .try_lookup(caller)
                    .unwrap()
                    .unwrap();
                assert_eq!(keys.is_unknown(), caller != "billing");
                let verifier = client::verifier(*family);
                Diagnosis::new(&verifier, &parts, Timestamp::from_unix_seconds(NOW))
                    .with_keys(keys)
                    .with_limit(limit)
                    .with_single_changes_only()
                    .run()
                    .checks()
            });
            assert_eq!(checks[0], checks[1], "{family:?}, {limit}");
            assert!(checks[0] > 0, "{family:?}, {limit}");
        }
    }
}

#[test]
fn a_host_is_named_with_what_was_signed() {
    let report = diagnosed(&MISTAKES[0], Family::Hmac);
    let first = report.first_cause().unwrap();
    assert_eq!(first.detail(), "signed host: \"user-service.internal\"");
    assert_eq!(HOST, "user-service.internal:8081");
}
