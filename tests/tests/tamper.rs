//! The outcome of a signed request after any change: a row for every covered component, and every
//! parameter of the authorization header, under every kind of change, with the code that it is
//! refused with. Both schemes answer alike.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::similar_names,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod message;

use countersign::{
    CallerKey, Keyring, PayloadDigest, RejectionKind, Scheme, Signer, SigningKey, Verifier,
};
use tests::keys::{NOW, OTHER_SECRET, SECRET, ed25519_key, hmac_key};

use crate::message::{Message, Verdict};

const SCHEMES: [Scheme; 2] = [Scheme::HmacSha256, Scheme::Ed25519];
const HOST: &str = "user-service.internal";
/// Another name that the verifier knows as its own.
const SECOND_HOST: &str = "accounts.internal";
const LIST: &str = "host;x-date;x-content-sha256;x-nonce;content-type;x-tenant";
const BODY: &[u8] = b"{\"userId\":123}";

/// The change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Method,
    Path,
    Query,
    Host,
    Date,
    Hash,
    Nonce,
    ContentType,
    Tenant,
    Body,
    Authorization,
    Scheme,
    Credential,
    SignedHeaders,
    Signature,
}

const PARTS: [Part; 15] = [
    Part::Method,
    Part::Path,
    Part::Query,
    Part::Host,
    Part::Date,
    Part::Hash,
    Part::Nonce,
    Part::ContentType,
    Part::Tenant,
    Part::Body,
    Part::Authorization,
    Part::Scheme,
    Part::Credential,
    Part::SignedHeaders,
    Part::Signature,
];

/// How it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Change,
    Drop,
    /// A second one in front, with the same value.
    TwinBefore,
    /// A second one in front, with another value.
    OtherBefore,
    TwinBehind,
    OtherBehind,
    Reorder,
    Empty,
    /// Larger than the limit, but no larger than a server accepts.
    Huge,
    NonAscii,
}

const CHANGES: [How; 10] = [
    How::Change,
    How::Drop,
    How::TwinBefore,
    How::OtherBefore,
    How::TwinBehind,
    How::OtherBehind,
    How::Reorder,
    How::Empty,
    How::Huge,
    How::NonAscii,
];

struct Row {
    part: Part,
    how: How,
    name: &'static str,
    change: fn(&mut Message),
    expect: &'static str,
}

/// One row per line: part, change, name, the edit, the code. A macro, so that it stays a table.
macro_rules! rows {
    ($($part:ident $how:ident $name:literal, $change:expr, $expect:literal;)*) => {
        &[$(Row {
            part: Part::$part,
            how: How::$how,
            name: $name,
            change: $change,
            expect: $expect,
        }),*]
    };
}

/// `accept` if nothing that the signature covers has changed; `no HTTP` where the `http` types, and
/// so every server built on them, refuse it first.
const TABLE: &[Row] = rows! {
    Method Change "another method", |m| m.method = "PUT".into(), "invalid_signature";
    Method Change "lower case", |m| m.method = "post".into(), "malformed";
    Method Change "mixed case", |m| m.method = "Post".into(), "malformed";
    Method Change "a digit behind", |m| m.method = "POST1".into(), "malformed";
    Method Change "an underscore", |m| m.method = "POST_".into(), "malformed";
    Method Change "CONNECT", |m| m.method = "CONNECT".into(), "malformed";
    Method Change "digits in front", |m| m.method = "1767323045.POST".into(), "malformed";
    Method Drop "no method", |m| m.method.clear(), "no HTTP";
    Method TwinBefore "twice", |m| m.method = "POSTPOST".into(), "invalid_signature";
    Method OtherBefore "another in front", |m| m.method = "GET-POST".into(), "invalid_signature";
    Method TwinBehind "twice, with a hyphen", |m| m.method = "POST-POST".into(), "invalid_signature";
    Method OtherBehind "another behind", |m| m.method = "POST-GET".into(), "invalid_signature";
    Method Reorder "letters", |m| m.method = "TSOP".into(), "invalid_signature";
    Method Empty "empty", |m| m.method.clear(), "no HTTP";
    Method Huge "32 letters", |m| m.method = "P".repeat(32), "invalid_signature";
    Method Huge "33 letters", |m| m.method = "P".repeat(33), "malformed";
    Method NonAscii "UTF-8", |m| m.method = "PÖST".into(), "no HTTP";

    Path Change "another account", |m| path(m, "/api/account/8"), "invalid_signature";
    Path Change "another case", |m| path(m, "/API/account/7"), "invalid_signature";
    Path Change "a slash behind", |m| path(m, "/api/account/7/"), "invalid_signature";
    Path Change "escaped", |m| path(m, "/api/account/%37"), "invalid_signature";
    Path Change "a slash escaped", |m| path(m, "/api%2Faccount/7"), "invalid_signature";
    Path Change "the way back", |m| path(m, "/api/account/x/../7"), "invalid_signature";
    Path Change "a dot", |m| path(m, "/api/./account/7"), "invalid_signature";
    Path Change "an empty segment", |m| path(m, "/api//account/7"), "invalid_signature";
    Path Change "a matrix parameter", |m| path(m, "/api/account/7;v=1"), "invalid_signature";
    Path Change "absolute form", |m| path(m, &format!("http://{HOST}/api/account/7")), "accept";
    Path Change "absolute form of another host", |m| path(m, "http://accounts.internal/api/account/7"), "malformed";
    Path Change "absolute form of another protocol", |m| path(m, &format!("ftp://{HOST}/api/account/7")), "malformed";
    Path Change "authority form", |m| m.target = format!("{HOST}:80"), "malformed";
    Path Change "asterisk", |m| m.target = "*".into(), "malformed";
    Path Drop "the query alone", |m| path(m, ""), "no HTTP";
    Path TwinBefore "twice", |m| path(m, "/api/account/7/api/account/7"), "invalid_signature";
    Path OtherBefore "another in front", |m| path(m, "/admin/api/account/7"), "invalid_signature";
    Path TwinBehind "the last segment twice", |m| path(m, "/api/account/7/7"), "invalid_signature";
    Path OtherBehind "another behind", |m| path(m, "/api/account/7/delete"), "invalid_signature";
    Path Reorder "segments", |m| path(m, "/account/api/7"), "invalid_signature";
    Path Empty "the root", |m| path(m, "/"), "invalid_signature";
    Path Huge "8 KiB with the query", |m| path(m, &format!("/{}", "a".repeat(8192 - 9))), "invalid_signature";
    Path Huge "a byte more", |m| path(m, &format!("/{}", "a".repeat(8192 - 8))), "malformed";
    Path Huge "64 KiB", |m| path(m, &format!("/{}", "a".repeat(65_536))), "no HTTP";
    Path NonAscii "UTF-8", |m| path(m, "/api/account/é"), "invalid_signature";
    Path NonAscii "escaped", |m| path(m, "/api/account/%C3%A9"), "invalid_signature";

    Query Change "another value", |m| query(m, "?x=1&y=3"), "invalid_signature";
    Query Change "another case", |m| query(m, "?X=1&y=2"), "invalid_signature";
    Query Change "a name escaped", |m| query(m, "?%78=1&y=2"), "invalid_signature";
    Query Change "a semicolon", |m| query(m, "?x=1;y=2"), "invalid_signature";
    Query Drop "no query", |m| query(m, ""), "invalid_signature";
    Query Drop "one parameter", |m| query(m, "?x=1"), "invalid_signature";
    Query TwinBefore "x=1 twice", |m| query(m, "?x=1&x=1&y=2"), "invalid_signature";
    Query OtherBefore "x=2 in front", |m| query(m, "?x=2&x=1&y=2"), "invalid_signature";
    Query TwinBehind "y=2 twice", |m| query(m, "?x=1&y=2&y=2"), "invalid_signature";
    Query OtherBehind "x=2 behind", |m| query(m, "?x=1&y=2&x=2"), "invalid_signature";
    Query Reorder "parameters", |m| query(m, "?y=2&x=1"), "invalid_signature";
    Query Empty "a question mark", |m| query(m, "?"), "invalid_signature";
    Query Empty "an ampersand more", |m| query(m, "?x=1&y=2&"), "invalid_signature";
    Query Huge "8 KiB", |m| query(m, &format!("?{}", "y".repeat(8192))), "malformed";
    Query NonAscii "UTF-8", |m| query(m, "?x=1&y=é"), "invalid_signature";

    Host Change "a stranger's", |m| m.set("host", "orders.internal"), "misdirected";
    Host Change "our second name", |m| m.set("host", SECOND_HOST), "invalid_signature";
    Host Change "another case", |m| m.set("host", "User-Service.internal"), "invalid_signature";
    Host Change "a port", |m| m.set("host", "user-service.internal:80"), "misdirected";
    Host Change "a dot behind", |m| m.set("host", "user-service.internal."), "misdirected";
    Host Change "user information", |m| m.set("host", "x@user-service.internal"), "malformed";
    Host Change "a list", |m| m.set("host", "user-service.internal, accounts.internal"), "malformed";
    Host Drop "no host", |m| m.remove("host"), "malformed";
    Host TwinBefore "twice", |m| m.prepend("host", HOST), "malformed";
    Host OtherBefore "another in front", |m| m.prepend("host", SECOND_HOST), "malformed";
    Host TwinBehind "twice", |m| m.append("host", HOST), "malformed";
    Host OtherBehind "another behind", |m| m.append("host", SECOND_HOST), "malformed";
    Host Reorder "the last header", |m| last(m, "host"), "accept";
    Host Empty "empty", |m| m.set("host", ""), "malformed";
    Host Huge "261 characters", |m| m.set("host", "h".repeat(261)), "misdirected";
    Host Huge "262 characters", |m| m.set("host", "h".repeat(262)), "malformed";
    Host NonAscii "UTF-8", |m| m.set("host", "usér-service.internal"), "malformed";
    Host NonAscii "no UTF-8", |m| m.set("host", b"user-service.internal\xff"), "malformed";

    Date Change "a second later", |m| m.set("x-date", "Fri, 02 Jan 2026 03:04:06 GMT"), "invalid_signature";
    Date Change "another weekday", |m| m.set("x-date", "Mon, 02 Jan 2026 03:04:05 GMT"), "invalid_signature";
    Date Change "five minutes and a second later", |m| m.set("x-date", "Fri, 02 Jan 2026 03:09:06 GMT"), "expired";
    Date Change "another year", |m| m.set("x-date", "Fri, 02 Jan 2027 03:04:05 GMT"), "expired";
    Date Change "the same moment in RFC 3339", |m| m.set("x-date", "2026-01-02T03:04:05Z"), "malformed";
    Date Change "a number", |m| m.set("x-date", "1767323045"), "malformed";
    Date Drop "no date", |m| m.remove("x-date"), "malformed";
    Date TwinBefore "twice", |m| { let date = m.header("x-date").to_owned(); m.prepend("x-date", date) }, "malformed";
    Date OtherBefore "another in front", |m| m.prepend("x-date", "Fri, 02 Jan 2026 03:04:06 GMT"), "malformed";
    Date TwinBehind "twice", |m| { let date = m.header("x-date").to_owned(); m.append("x-date", date) }, "malformed";
    Date OtherBehind "another behind", |m| m.append("x-date", "Fri, 02 Jan 2026 03:04:06 GMT"), "malformed";
    Date Reorder "the first header", |m| first(m, "x-date"), "accept";
    Date Reorder "day and month", |m| m.set("x-date", "Fri, Jan 02 2026 03:04:05 GMT"), "malformed";
    Date Empty "empty", |m| m.set("x-date", ""), "malformed";
    Date Huge "30 characters", |m| m.edit("x-date", "2026", "02026"), "malformed";
    Date Huge "64 KiB", |m| m.set("x-date", "2".repeat(65_536)), "malformed";
    Date NonAscii "Arabic digits", |m| m.edit("x-date", "02", "٠٢"), "malformed";
    Date NonAscii "no UTF-8", |m| m.set("x-date", b"Fri, 02 Jan 2026 03:04:05 GMT\xff"), "malformed";

    Hash Change "of another body", |m| m.set("x-content-sha256", hash(b"{}")), "invalid_signature";
    Hash Change "upper case", |m| m.set("x-content-sha256", hash(BODY).to_uppercase()), "malformed";
    Hash Change "UNSIGNED-PAYLOAD", |m| m.set("x-content-sha256", "UNSIGNED-PAYLOAD"), "malformed";
    Hash Drop "no hash", |m| m.remove("x-content-sha256"), "malformed";
    Hash TwinBefore "twice", |m| m.prepend("x-content-sha256", hash(BODY)), "malformed";
    Hash OtherBefore "another in front", |m| m.prepend("x-content-sha256", hash(b"{}")), "malformed";
    Hash TwinBehind "twice", |m| m.append("x-content-sha256", hash(BODY)), "malformed";
    Hash OtherBehind "another behind", |m| m.append("x-content-sha256", hash(b"{}")), "malformed";
    Hash Reorder "the first header", |m| first(m, "x-content-sha256"), "accept";
    Hash Reorder "digits", |m| m.set("x-content-sha256", backwards(&hash(BODY))), "invalid_signature";
    Hash Empty "empty", |m| m.set("x-content-sha256", ""), "malformed";
    Hash Huge "65 digits", |m| m.set("x-content-sha256", hash(BODY) + "0"), "malformed";
    Hash Huge "64 KiB", |m| m.set("x-content-sha256", "0".repeat(65_536)), "malformed";
    Hash NonAscii "UTF-8", |m| m.set("x-content-sha256", "é".repeat(32)), "malformed";
    Hash NonAscii "no UTF-8", |m| m.set("x-content-sha256", [0xff; 64]), "malformed";

    Nonce Change "another", |m| m.set("x-nonce", "0123456789abcdef"), "invalid_signature";
    Nonce Change "another case", |m| m.set("x-nonce", message::NONCE.to_uppercase()), "invalid_signature";
    Nonce Change "15 characters", |m| m.set("x-nonce", "0123456789abcde"), "malformed";
    Nonce Change "a blank in it", |m| m.set("x-nonce", "01234567 89abcdef"), "malformed";
    Nonce Drop "no nonce", |m| m.remove("x-nonce"), "malformed";
    Nonce TwinBefore "twice", |m| m.prepend("x-nonce", message::NONCE), "malformed";
    Nonce OtherBefore "another in front", |m| m.prepend("x-nonce", "0123456789abcdef"), "malformed";
    Nonce TwinBehind "twice", |m| m.append("x-nonce", message::NONCE), "malformed";
    Nonce OtherBehind "another behind", |m| m.append("x-nonce", "0123456789abcdef"), "malformed";
    Nonce Reorder "the first header", |m| first(m, "x-nonce"), "accept";
    Nonce Reorder "characters", |m| m.set("x-nonce", backwards(message::NONCE)), "invalid_signature";
    Nonce Empty "empty", |m| m.set("x-nonce", ""), "malformed";
    Nonce Huge "128 characters", |m| m.set("x-nonce", "n".repeat(128)), "invalid_signature";
    Nonce Huge "129 characters", |m| m.set("x-nonce", "n".repeat(129)), "malformed";
    Nonce NonAscii "UTF-8", |m| m.set("x-nonce", "é".repeat(16)), "malformed";
    Nonce NonAscii "no UTF-8", |m| m.set("x-nonce", [0xff; 16]), "malformed";

    ContentType Change "another", |m| m.set("content-type", "text/plain"), "invalid_signature";
    ContentType Change "another case", |m| m.set("content-type", "Application/json"), "invalid_signature";
    ContentType Change "a parameter", |m| m.set("content-type", "application/json; charset=x"), "invalid_signature";
    ContentType Drop "none", |m| m.remove("content-type"), "malformed";
    ContentType TwinBefore "twice", |m| m.prepend("content-type", "application/json"), "malformed";
    ContentType OtherBefore "another in front", |m| m.prepend("content-type", "text/plain"), "malformed";
    ContentType TwinBehind "twice", |m| m.append("content-type", "application/json"), "malformed";
    ContentType OtherBehind "another behind", |m| m.append("content-type", "text/plain"), "malformed";
    ContentType Reorder "the first header", |m| first(m, "content-type"), "accept";
    ContentType Reorder "exchanged with another value", |m| exchange(m, "content-type", "x-tenant"), "invalid_signature";
    ContentType Empty "empty", |m| m.set("content-type", ""), "invalid_signature";
    ContentType Huge "8 KiB", |m| m.set("content-type", "t".repeat(8192)), "invalid_signature";
    ContentType Huge "a byte more", |m| m.set("content-type", "t".repeat(8193)), "malformed";
    ContentType NonAscii "UTF-8", |m| m.set("content-type", "application/é"), "malformed";
    ContentType NonAscii "no UTF-8", |m| m.set("content-type", b"application/json\xff"), "malformed";

    Tenant Change "another", |m| m.set("x-tenant", "other"), "invalid_signature";
    Tenant Change "another case", |m| m.set("x-tenant", "Acme"), "invalid_signature";
    Tenant Change "a blank behind", |m| m.set("x-tenant", "acme "), "invalid_signature";
    Tenant Change "a line break", |m| m.set("x-tenant", "acme\nx: y"), "no HTTP";
    Tenant Drop "none", |m| m.remove("x-tenant"), "malformed";
    Tenant TwinBefore "twice", |m| m.prepend("x-tenant", "acme"), "malformed";
    Tenant OtherBefore "another in front", |m| m.prepend("x-tenant", "other"), "malformed";
    Tenant TwinBehind "twice", |m| m.append("x-tenant", "acme"), "malformed";
    Tenant OtherBehind "another behind", |m| m.append("x-tenant", "other"), "malformed";
    Tenant Reorder "the first header", |m| first(m, "x-tenant"), "accept";
    Tenant Reorder "letters", |m| m.set("x-tenant", "emca"), "invalid_signature";
    Tenant Empty "empty", |m| m.set("x-tenant", ""), "invalid_signature";
    Tenant Huge "8 KiB", |m| m.set("x-tenant", "t".repeat(8192)), "invalid_signature";
    Tenant Huge "a byte more", |m| m.set("x-tenant", "t".repeat(8193)), "malformed";
    Tenant NonAscii "UTF-8", |m| m.set("x-tenant", "acmé"), "malformed";
    Tenant NonAscii "no UTF-8", |m| m.set("x-tenant", b"acme\xff"), "malformed";

    Body Change "a digit", |m| m.body = b"{\"userId\":124}".to_vec(), "body_mismatch";
    Body Change "a bit", |m| m.body[13] ^= 0x80, "body_mismatch";
    Body Change "body and its hash", |m| { m.body = b"{}".to_vec(); m.set("x-content-sha256", hash(b"{}")) }, "invalid_signature";
    Body Drop "none", |m| m.body.clear(), "body_mismatch";
    Body Drop "the last byte", |m| m.body.truncate(BODY.len() - 1), "body_mismatch";
    Body TwinBefore "twice", |m| m.body = BODY.repeat(2), "body_mismatch";
    Body OtherBefore "a blank in front", |m| m.body.insert(0, b' '), "body_mismatch";
    Body TwinBehind "the last byte twice", |m| m.body.push(b'}'), "body_mismatch";
    Body OtherBehind "a line break behind", |m| m.body.push(b'\n'), "body_mismatch";
    Body Reorder "bytes", |m| m.body.reverse(), "body_mismatch";
    Body Empty "empty JSON", |m| m.body = b"{}".to_vec(), "body_mismatch";
    Body Huge "3 MiB", |m| m.body.resize(3 * 1024 * 1024, b' '), "body_mismatch";
    Body NonAscii "UTF-8", |m| m.body = "{\"userId\":\"é\"}".into(), "body_mismatch";
    Body NonAscii "no UTF-8", |m| m.body[3] = 0xff, "body_mismatch";

    Authorization Change "somebody else's", |m| m.set("authorization", "Bearer abc"), "missing_signature";
    Authorization Change "Basic", |m| m.set("authorization", "Basic YTpi"), "missing_signature";
    Authorization Drop "none", |m| m.remove("authorization"), "missing_signature";
    Authorization Drop "in the query instead", |m| in_query(m), "missing_signature";
    Authorization Drop "as Proxy-Authorization", |m| renamed(m, "authorization", "proxy-authorization"), "missing_signature";
    Authorization TwinBefore "twice", |m| { let value = m.header("authorization").to_owned(); m.prepend("authorization", value) }, "malformed";
    Authorization OtherBefore "another in front", |m| m.prepend("authorization", "Bearer abc"), "malformed";
    Authorization TwinBehind "twice", |m| { let value = m.header("authorization").to_owned(); m.append("authorization", value) }, "malformed";
    Authorization OtherBehind "another behind", |m| m.append("authorization", "Bearer abc"), "malformed";
    Authorization TwinBehind "twice in one header", |m| { let value = m.header("authorization").to_owned(); m.set("authorization", format!("{value}, {value}")) }, "malformed";
    Authorization Reorder "the first header", |m| first(m, "authorization"), "accept";
    Authorization Reorder "parameters backwards", |m| edit(m, |_, parameters| parameters.reverse()), "accept";
    Authorization Empty "empty", |m| m.set("authorization", ""), "missing_signature";
    Authorization Empty "the scheme alone", |m| edit(m, |_, parameters| parameters.clear()), "malformed";
    Authorization Huge "4 KiB and a byte", |m| pad(m, 4097), "malformed";
    Authorization Huge "64 KiB", |m| pad(m, 65_536), "malformed";
    Authorization NonAscii "UTF-8", |m| m.edit("authorization", ", ", ",é "), "malformed";
    Authorization NonAscii "no UTF-8", |m| { let mut value = m.header("authorization").as_bytes().to_vec(); value.push(0xff); m.set("authorization", value) }, "malformed";

    Scheme Change "the other scheme", |m| edit(m, |scheme, _| *scheme = other(scheme)), "malformed";
    Scheme Change "the other scheme, its length", |m| edit(m, |scheme, parameters| { *scheme = other(scheme); fit(scheme, parameters) }), "invalid_signature";
    Scheme Change "lower case", |m| edit(m, |scheme, _| *scheme = scheme.to_lowercase()), "missing_signature";
    Scheme Change "AWS's", |m| edit(m, |scheme, _| *scheme = "AWS4-HMAC-SHA256".into()), "missing_signature";
    Scheme Change "one that begins alike", |m| edit(m, |scheme, _| scheme.push('X')), "missing_signature";
    Scheme Drop "parameters alone", |m| { let value = m.header("authorization").split_once(' ').unwrap().1.to_owned(); m.set("authorization", value) }, "missing_signature";
    Scheme TwinBefore "twice", |m| edit(m, |scheme, _| *scheme = format!("{scheme} {scheme}")), "malformed";
    Scheme OtherBefore "another in front", |m| edit(m, |scheme, _| *scheme = format!("Bearer {scheme}")), "missing_signature";
    Scheme TwinBehind "twice, with a comma", |m| edit(m, |scheme, _| *scheme = format!("{scheme}, {scheme}")), "missing_signature";
    Scheme OtherBehind "another behind", |m| edit(m, |scheme, _| scheme.push_str(" Bearer")), "malformed";
    Scheme Reorder "behind the parameters", |m| { let (scheme, rest) = m.header("authorization").split_once(' ').unwrap(); let value = format!("{rest} {scheme}"); m.set("authorization", value) }, "missing_signature";
    Scheme Empty "a blank alone", |m| edit(m, |scheme, _| scheme.clear()), "missing_signature";
    Scheme Empty "two blanks behind", |m| edit(m, |scheme, _| scheme.push(' ')), "malformed";
    Scheme Huge "2 KiB", |m| edit(m, |scheme, _| *scheme = "H".repeat(2048)), "missing_signature";
    Scheme Huge "4 KiB", |m| edit(m, |scheme, _| *scheme = "H".repeat(4096)), "malformed";
    Scheme NonAscii "UTF-8", |m| edit(m, |scheme, _| scheme.push('é')), "malformed";

    Credential Change "another caller", |m| set(m, "credential", "orders"), "invalid_signature";
    Credential Change "nobody", |m| set(m, "credential", "nobody"), "invalid_signature";
    Credential Change "another case", |m| set(m, "credential", "Billing"), "invalid_signature";
    Credential Change "a key version", |m| set(m, "credential", "billing/1"), "invalid_signature";
    Credential Change "a path", |m| set(m, "credential", "../billing"), "invalid_signature";
    Credential Change "a blank behind", |m| set(m, "credential", "billing "), "malformed";
    Credential Change "quoted", |m| set(m, "credential", "\"billing\""), "malformed";
    Credential Change "an equals sign", |m| set(m, "credential", "billing=x"), "malformed";
    Credential Drop "none", |m| edit(m, |_, parameters| parameters.retain(|(name, _)| name != "credential")), "malformed";
    Credential TwinBefore "twice", |m| repeat(m, "credential", None, &Place::Before), "malformed";
    Credential OtherBefore "another in front", |m| repeat(m, "credential", Some("orders"), &Place::Before), "malformed";
    Credential TwinBehind "twice", |m| repeat(m, "credential", None, &Place::Behind), "malformed";
    Credential OtherBehind "another behind", |m| repeat(m, "credential", Some("orders"), &Place::Behind), "malformed";
    Credential Reorder "the last parameter", |m| edit(m, |_, parameters| parameters.rotate_left(1)), "accept";
    Credential Reorder "letters", |m| set(m, "credential", "gnillib"), "invalid_signature";
    Credential Empty "empty", |m| set(m, "credential", ""), "malformed";
    Credential Huge "128 characters", |m| set(m, "credential", &"b".repeat(128)), "invalid_signature";
    Credential Huge "129 characters", |m| set(m, "credential", &"b".repeat(129)), "malformed";
    Credential NonAscii "UTF-8", |m| set(m, "credential", "bílling"), "malformed";

    SignedHeaders Change "another header", |m| set(m, "signed-headers", &LIST.replace("x-tenant", "user-agent")), "invalid_signature";
    SignedHeaders Change "one more", |m| set(m, "signed-headers", &format!("{LIST};user-agent")), "invalid_signature";
    SignedHeaders Change "one that is absent", |m| set(m, "signed-headers", &format!("{LIST};x-absent")), "malformed";
    SignedHeaders Change "upper case", |m| set(m, "signed-headers", &LIST.replace("x-tenant", "X-Tenant")), "malformed";
    SignedHeaders Change "all in upper case", |m| set(m, "signed-headers", &LIST.to_uppercase()), "insufficient_coverage";
    SignedHeaders Change "the signature itself", |m| set(m, "signed-headers", &format!("{LIST};authorization")), "malformed";
    SignedHeaders Change "a header of the connection", |m| set(m, "signed-headers", &format!("{LIST};connection")), "malformed";
    SignedHeaders Change "commas", |m| set(m, "signed-headers", &LIST.replace(';', ",")), "malformed";
    SignedHeaders Change "blanks", |m| set(m, "signed-headers", &LIST.replace(';', " ")), "insufficient_coverage";
    SignedHeaders Change "quoted", |m| set(m, "signed-headers", &format!("\"{LIST}\"")), "insufficient_coverage";
    SignedHeaders Drop "none", |m| edit(m, |_, parameters| parameters.retain(|(name, _)| name != "signed-headers")), "malformed";
    SignedHeaders Drop "host", |m| set(m, "signed-headers", &LIST.replace("host;", "")), "insufficient_coverage";
    SignedHeaders Drop "x-date", |m| set(m, "signed-headers", &LIST.replace("x-date;", "")), "insufficient_coverage";
    SignedHeaders Drop "x-content-sha256", |m| set(m, "signed-headers", &LIST.replace("x-content-sha256;", "")), "insufficient_coverage";
    SignedHeaders Drop "x-nonce", |m| set(m, "signed-headers", &LIST.replace("x-nonce;", "")), "insufficient_coverage";
    SignedHeaders Drop "content-type", |m| set(m, "signed-headers", &LIST.replace("content-type;", "")), "invalid_signature";
    SignedHeaders Drop "x-tenant", |m| set(m, "signed-headers", &LIST.replace(";x-tenant", "")), "invalid_signature";
    SignedHeaders Drop "header and name", |m| { m.remove("x-tenant"); set(m, "signed-headers", &LIST.replace(";x-tenant", "")) }, "invalid_signature";
    SignedHeaders TwinBefore "twice", |m| repeat(m, "signed-headers", None, &Place::Before), "malformed";
    SignedHeaders OtherBefore "another in front", |m| repeat(m, "signed-headers", Some("host"), &Place::Before), "malformed";
    SignedHeaders TwinBehind "twice", |m| repeat(m, "signed-headers", None, &Place::Behind), "malformed";
    SignedHeaders OtherBehind "another behind", |m| repeat(m, "signed-headers", Some("host"), &Place::Behind), "malformed";
    SignedHeaders TwinBehind "a name twice", |m| set(m, "signed-headers", &format!("{LIST};x-tenant")), "malformed";
    SignedHeaders TwinBehind "host twice", |m| set(m, "signed-headers", &format!("{LIST};host")), "malformed";
    SignedHeaders TwinBefore "host twice in front", |m| set(m, "signed-headers", &format!("host;{LIST}")), "malformed";
    SignedHeaders Reorder "the first parameter", |m| edit(m, |_, parameters| parameters.swap(0, 1)), "accept";
    SignedHeaders Reorder "the first three names", |m| set(m, "signed-headers", &LIST.replace("host;x-date", "x-date;host")), "malformed";
    SignedHeaders Reorder "names behind them", |m| set(m, "signed-headers", &LIST.replace("content-type;x-tenant", "x-tenant;content-type")), "invalid_signature";
    SignedHeaders Reorder "another in front of the three", |m| set(m, "signed-headers", "x-tenant;host;x-date;x-content-sha256;x-nonce;content-type"), "malformed";
    SignedHeaders Empty "empty", |m| set(m, "signed-headers", ""), "insufficient_coverage";
    SignedHeaders Empty "an empty name behind", |m| set(m, "signed-headers", &format!("{LIST};")), "malformed";
    SignedHeaders Empty "an empty name between", |m| set(m, "signed-headers", &LIST.replace(";x-tenant", ";;x-tenant")), "malformed";
    SignedHeaders Huge "32 names", |m| many(m, 32), "invalid_signature";
    SignedHeaders Huge "33 names", |m| many(m, 33), "malformed";
    SignedHeaders Huge "a name of 3 KiB", |m| set(m, "signed-headers", &format!("{LIST};{}", "n".repeat(3072))), "malformed";
    SignedHeaders NonAscii "UTF-8", |m| set(m, "signed-headers", &LIST.replace("x-tenant", "x-ténant")), "malformed";

    Signature Change "the first bit", |m| map_signature(m, |s| flip(s, 0)), "invalid_signature";
    Signature Change "a bit in the middle", |m| map_signature(m, |s| flip(s, s.len() / 2)), "invalid_signature";
    Signature Change "the last bit", |m| map_signature(m, |s| flip(s, s.len() - 1)), "invalid_signature";
    Signature Change "all zeroes", |m| map_signature(m, |s| "0".repeat(s.len())), "invalid_signature";
    Signature Change "all ones", |m| map_signature(m, |s| "f".repeat(s.len())), "invalid_signature";
    Signature Change "upper case", |m| map_signature(m, str::to_uppercase), "accept";
    Signature Change "no hexadecimal digit", |m| map_signature(m, |s| format!("{}g", &s[1..])), "malformed";
    Signature Change "quoted", |m| map_signature(m, |s| format!("\"{s}\"")), "malformed";
    Signature Change "0x in front", |m| map_signature(m, |s| format!("0x{}", &s[2..])), "malformed";
    Signature Change "a blank behind", |m| map_signature(m, |s| format!("{s} ")), "malformed";
    Signature Drop "none", |m| edit(m, |_, parameters| parameters.retain(|(name, _)| name != "signature")), "malformed";
    Signature Drop "the last digit", |m| map_signature(m, |s| s[..s.len() - 1].to_owned()), "malformed";
    Signature Drop "the last byte", |m| map_signature(m, |s| s[..s.len() - 2].to_owned()), "malformed";
    Signature Drop "the second half", |m| map_signature(m, |s| s[..s.len() / 2].to_owned()), "malformed";
    Signature Drop "all but the first byte", |m| map_signature(m, |s| s[..2].to_owned()), "malformed";
    Signature TwinBefore "twice", |m| repeat(m, "signature", None, &Place::Before), "malformed";
    Signature OtherBefore "another in front", |m| repeat(m, "signature", Some("00"), &Place::Before), "malformed";
    Signature TwinBehind "twice", |m| repeat(m, "signature", None, &Place::Behind), "malformed";
    Signature OtherBehind "another behind", |m| repeat(m, "signature", Some("00"), &Place::Behind), "malformed";
    Signature Reorder "the first parameter", |m| edit(m, |_, parameters| parameters.rotate_right(1)), "accept";
    Signature Reorder "digits", |m| map_signature(m, backwards), "invalid_signature";
    Signature Empty "empty", |m| set(m, "signature", ""), "malformed";
    Signature Huge "a digit more", |m| map_signature(m, |s| format!("{s}0")), "malformed";
    Signature Huge "a byte more", |m| map_signature(m, |s| format!("{s}00")), "malformed";
    Signature Huge "twice in a row", |m| map_signature(m, |s| s.repeat(2)), "malformed";
    Signature Huge "2 KiB", |m| map_signature(m, |_| "0".repeat(2048)), "malformed";
    Signature NonAscii "UTF-8", |m| map_signature(m, |s| format!("é{}", &s[2..])), "malformed";
};

fn path(m: &mut Message, path: &str) {
    let (_, query) = m.target.split_once('?').unwrap();
    m.target = format!("{path}?{query}");
}

fn query(m: &mut Message, query: &str) {
    let (path, _) = m.target.split_once('?').unwrap();
    m.target = format!("{path}{query}");
}

fn hash(body: &[u8]) -> String {
    PayloadDigest::of(body).to_string()
}

fn backwards(text: &str) -> String {
    text.chars().rev().collect()
}

fn flip(digits: &str, position: usize) -> String {
    let mut digits = digits.as_bytes().to_vec();
    digits[position] = match digits[position] {
        b'0' => b'1',
        b'a' => b'b',
        digit => digit ^ 1,
    };
    String::from_utf8(digits).unwrap()
}

fn first(m: &mut Message, name: &str) {
    let position = m.headers.iter().position(|(known, _)| known == name);
    let header = m.headers.remove(position.unwrap());
    m.headers.insert(0, header);
}

fn last(m: &mut Message, name: &str) {
    let position = m.headers.iter().position(|(known, _)| known == name);
    let header = m.headers.remove(position.unwrap());
    m.headers.push(header);
}

fn exchange(m: &mut Message, one: &str, other: &str) {
    let (first, second) = (m.header(one).to_owned(), m.header(other).to_owned());
    m.set(one, second);
    m.set(other, first);
}

fn renamed(m: &mut Message, from: &str, to: &str) {
    let header = m.headers.iter_mut().find(|(name, _)| name == from).unwrap();
    to.clone_into(&mut header.0);
}

/// Moves the credentials into the query, where another scheme has them.
fn in_query(m: &mut Message) {
    let value = m.header("authorization").replace(' ', "%20");
    m.target.extend(["&authorization=", &value]);
    m.remove("authorization");
}

type Parameters = Vec<(String, String)>;

/// Changes the scheme and the parameters of the authorization header.
fn edit(m: &mut Message, change: impl FnOnce(&mut String, &mut Parameters)) {
    let (scheme, parameters) = m.header("authorization").split_once(' ').unwrap();
    let mut scheme = scheme.to_owned();
    let mut parameters: Parameters = parameters
        .split(", ")
        .map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect();
    change(&mut scheme, &mut parameters);
    let parameters: Vec<_> = parameters
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let value = format!("{scheme} {}", parameters.join(", "));
    m.set("authorization", value);
}

fn set(m: &mut Message, name: &str, value: &str) {
    edit(m, |_, parameters| {
        let parameter = parameters.iter_mut().find(|(known, _)| known == name);
        value.clone_into(&mut parameter.unwrap().1);
    });
}

fn map_signature(m: &mut Message, change: impl Fn(&str) -> String) {
    edit(m, |_, parameters| {
        let (_, signature) = parameters
            .iter_mut()
            .find(|(name, _)| name == "signature")
            .unwrap();
        *signature = change(signature);
    });
}

enum Place {
    Before,
    Behind,
}

/// One more parameter of this name, with the same value if none is given.
fn repeat(m: &mut Message, name: &str, value: Option<&str>, place: &Place) {
    edit(m, |_, parameters| {
        let position = parameters
            .iter()
            .position(|(known, _)| known == name)
            .unwrap();
        let value = value.unwrap_or(&parameters[position].1).to_owned();
        let position = match place {
            Place::Before => 0,
            Place::Behind => parameters.len(),
        };
        parameters.insert(position, (name.to_owned(), value));
    });
}

/// A list of so many names, all of them there.
fn many(m: &mut Message, names: usize) {
    let mut list = LIST.to_owned();
    for number in LIST.split(';').count()..names {
        m.append(&format!("x-{number}"), "x");
        list.extend([";x-", &number.to_string()]);
    }
    set(m, "signed-headers", &list);
}

/// Brings the authorization header to this length, with a parameter.
fn pad(m: &mut Message, length: usize) {
    let value = m.header("authorization");
    let value = format!("{value}, x={}", "x".repeat(length - value.len() - 4));
    assert_eq!(value.len(), length);
    m.set("authorization", value);
}

fn other(scheme: &str) -> String {
    let other = SCHEMES.iter().find(|other| other.name() != scheme);
    other.unwrap().name().to_owned()
}

/// Brings the signature to the length that the scheme asks for.
fn fit(scheme: &str, parameters: &mut Parameters) {
    let digits = match scheme {
        "HMAC-SHA256" => 64,
        _ => 128,
    };
    let (_, signature) = parameters
        .iter_mut()
        .find(|(name, _)| name == "signature")
        .unwrap();
    *signature = signature.repeat(2);
    signature.truncate(digits);
}

fn key(scheme: Scheme, hex: &str) -> SigningKey {
    match scheme {
        Scheme::HmacSha256 => hmac_key(hex),
        Scheme::Ed25519 => ed25519_key(hex),
        other => panic!("no key of {other}"),
    }
}

fn keyring(scheme: Scheme) -> Keyring {
    let caller_key = |hex| CallerKey::new("1", key(scheme, hex).verifying_key()).unwrap();
    Keyring::builder()
        .caller("billing", caller_key(SECRET))
        .caller("orders", caller_key(OTHER_SECRET))
        .build()
        .unwrap()
}

fn verifier() -> Verifier {
    Verifier::builder()
        .accept(Scheme::Ed25519)
        .expected_hosts([HOST, SECOND_HOST])
        .build()
        .unwrap()
}

fn signed(scheme: Scheme) -> Message {
    let signer = Signer::new("billing", key(scheme, SECRET), [HOST]).unwrap();
    let signer = signer
        .with_covered_header("x-tenant".parse().unwrap())
        .unwrap();
    let message = Message::new("POST", "/api/account/7?x=1&y=2", HOST, BODY)
        .with("user-agent", "tests")
        .with("content-type", "application/json")
        .with("x-tenant", "acme")
        .signed(&signer, NOW);
    let list = message.header("authorization");
    assert!(list.contains(&format!("signed-headers={LIST},")), "{list}");
    message
}

#[test]
fn every_change_is_refused_with_its_code_in_both_schemes() {
    let verifier = verifier();
    let mut wrong = Vec::new();
    for scheme in SCHEMES {
        let keys = keyring(scheme);
        let signed = signed(scheme);
        let untouched = signed.judge(&verifier, &keys, NOW);
        assert!(matches!(untouched, Verdict::Accepted(_)), "{untouched:?}");
        for row in TABLE {
            let name = format!("{scheme}: {:?} {:?}, {}", row.part, row.how, row.name);
            let mut message = signed.clone();
            (row.change)(&mut message);
            assert_ne!(message, signed, "{name}: nothing has changed");
            let found = message.judge(&verifier, &keys, NOW).code();
            if found != row.expect {
                wrong.push(format!("{name}: expected {}, found {found}", row.expect));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_table_has_every_part_under_every_change() {
    for part in PARTS {
        for how in CHANGES {
            let mut rows = TABLE
                .iter()
                .filter(|row| row.part == part && row.how == how);
            assert!(rows.next().is_some(), "no row for {part:?} {how:?}");
        }
    }
    let mut names: Vec<_> = TABLE
        .iter()
        .map(|row| format!("{:?} {:?} {}", row.part, row.how, row.name))
        .collect();
    names.sort_unstable();
    let before = names.len();
    names.dedup();
    assert_eq!(names.len(), before, "a name twice");
}

/// No row is accepted that changes what the signature is over: those that are have the same
/// canonical request, body and signature as the request that was signed.
#[test]
fn what_is_accepted_says_what_was_signed() {
    let verifier = Verifier::builder()
        .accept(Scheme::Ed25519)
        .expected_hosts([HOST, SECOND_HOST])
        .keep_evidence()
        .build()
        .unwrap();
    for scheme in SCHEMES {
        let keys = keyring(scheme);
        let evidence = |message: &Message, name: &str| {
            let verified = message.judge(&verifier, &keys, NOW).verified(name);
            let evidence = verified.evidence().unwrap();
            (
                evidence.canonical_request().to_owned(),
                evidence.signature_hex(),
                verified.caller().to_string(),
                verified.body(),
            )
        };
        let signed = signed(scheme);
        let original = evidence(&signed, "untouched");
        for row in TABLE.iter().filter(|row| row.expect == "accept") {
            let mut message = signed.clone();
            (row.change)(&mut message);
            assert_eq!(
                evidence(&message, row.name),
                original,
                "{scheme}: {}",
                row.name
            );
        }
    }
}

/// A peer that cannot sign learns nothing that only a signer may know: the same table under a wrong
/// signature.
#[test]
fn no_change_under_a_wrong_signature_is_answered_with_a_code_from_after_the_mac() {
    let verifier = verifier();
    for scheme in SCHEMES {
        let keys = keyring(scheme);
        let mut forged = signed(scheme);
        map_signature(&mut forged, |signature| flip(signature, 7));
        for row in TABLE {
            let mut message = forged.clone();
            (row.change)(&mut message);
            let verdict = message.judge(&verifier, &keys, NOW);
            let after_mac = verdict.kind().is_some_and(RejectionKind::is_after_mac);
            assert!(
                !after_mac && !matches!(verdict, Verdict::Accepted(_)),
                "{scheme}: {:?} {:?}, {}: {}",
                row.part,
                row.how,
                row.name,
                verdict.code()
            );
        }
    }
}
