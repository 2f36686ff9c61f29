//! AWS Signature Version 4 with the key of the day at hand, over every header of the request.
//!
//! The path and the query are taken only if they need no encoding; nothing is normalized.

use std::collections::HashMap;

use hmac::{Hmac, Mac};
use http::{
    HeaderName, HeaderValue, Uri,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT,
    },
    request::Parts,
};
use sha2::{Digest, Sha256};

use super::{Text, WINDOW_SECONDS, civil_from_days, days_from_civil, hex, now, text, two};
use crate::{
    lower_bound::{is_hash_of, two_digits, unhex},
    request::{SIGV4_REGION, SIGV4_SERVICE},
};

/// What a signature covers: everything there is, as the clients of AWS sign it.
pub const COVERED: &str = "accept;accept-encoding;content-length;content-type;host;traceparent;user-agent;x-amz-content-sha256;x-amz-date;x-request-id";

const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const MOST_PAIRS: usize = 16;

/// A secret with the keyed state of one day.
#[derive(Debug)]
pub struct Key {
    secret: String,
    day: [u8; 8],
    scope: String,
    encoded_scope: String,
    mac: Hmac<Sha256>,
}

impl Key {
    /// The key of today.
    pub fn new(secret: &str) -> Self {
        let [date, _] = halves(&date(now()).unwrap());
        Self::of_day(secret.to_string(), date)
    }

    fn of_day(secret: String, day: [u8; 8]) -> Self {
        let scope = format!(
            "{}/{SIGV4_REGION}/{SIGV4_SERVICE}/aws4_request",
            str::from_utf8(&day).unwrap()
        );
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in scope.split('/') {
            let mut mac = super::key(&key);
            mac.update(part.as_bytes());
            key = mac.finalize().into_bytes().to_vec();
        }
        Self {
            mac: super::key(&key),
            encoded_scope: scope.replace('/', "%2F"),
            scope,
            day,
            secret,
        }
    }

    fn signature(&self, date: &str, canonical_request: &[u8]) -> Option<[u8; 32]> {
        let hash = hex::<32, 64>(&Sha256::digest(canonical_request).into());
        let mut string_to_sign = Text::<256>::new();
        string_to_sign.push(ALGORITHM)?;
        string_to_sign.push("\n")?;
        string_to_sign.push(date)?;
        string_to_sign.push("\n")?;
        string_to_sign.push(&self.scope)?;
        string_to_sign.push("\n")?;
        string_to_sign.push(str::from_utf8(&hash).ok()?)?;
        let mut mac = self.mac.clone();
        mac.update(string_to_sign.as_bytes());
        Some(mac.finalize().into_bytes().into())
    }
}

/// Signs the head for this body and sets the headers.
pub fn sign(key: &mut Key, access_key: &str, parts: &mut Parts, body: &[u8]) -> Option<()> {
    sign_at(key, access_key, now(), parts, body)
}

/// The same at a given time.
pub fn sign_at(
    key: &mut Key,
    access_key: &str,
    now: u64,
    parts: &mut Parts,
    body: &[u8],
) -> Option<()> {
    let date = date(now)?;
    renew(key, &date);
    let date = str::from_utf8(&date).ok()?;
    let hash = hex::<32, 64>(&Sha256::digest(body).into());
    let hash = str::from_utf8(&hash).ok()?;
    let query = pairs(parts.uri.query()?)?;
    let canonical_request = canonical_request(parts, &query, date, hash)?;
    let signature = key.signature(date, canonical_request.as_bytes())?;

    let mut authorization = Text::<512>::new();
    authorization.push(ALGORITHM)?;
    authorization.push(" Credential=")?;
    authorization.push(access_key)?;
    authorization.push("/")?;
    authorization.push(&key.scope)?;
    authorization.push(", SignedHeaders=")?;
    authorization.push(COVERED)?;
    authorization.push(", Signature=")?;
    authorization.push(str::from_utf8(&hex::<32, 64>(&signature)).ok()?)?;

    let headers = &mut parts.headers;
    headers.insert(X_AMZ_DATE, HeaderValue::from_str(date).ok()?);
    headers.insert(X_AMZ_CONTENT_SHA256, HeaderValue::from_str(hash).ok()?);
    let authorization = HeaderValue::from_bytes(authorization.as_bytes()).ok()?;
    headers.insert(AUTHORIZATION, authorization);
    Some(())
}

/// Verifies the head, then the body.
pub fn verify(keys: &HashMap<String, Key>, parts: &Parts, body: &[u8]) -> bool {
    verified_hash(keys, parts).is_some_and(|claimed| is_hash_of(claimed, body))
}

fn verified_hash<'r>(keys: &HashMap<String, Key>, parts: &'r Parts) -> Option<&'r str> {
    let headers = &parts.headers;
    let authorization = text(headers, &AUTHORIZATION)?;
    let (rest, signature) = authorization.split_at_checked(authorization.len().checked_sub(64)?)?;
    let (access_key, scope) = rest
        .strip_prefix("AWS4-HMAC-SHA256 Credential=")?
        .strip_suffix(", Signature=")?
        .strip_suffix(COVERED)?
        .strip_suffix(", SignedHeaders=")?
        .split_once('/')?;
    let date = text(headers, &X_AMZ_DATE)?;
    if unix_seconds(date)?.abs_diff(now()) > WINDOW_SECONDS {
        return None;
    }
    let hash = text(headers, &X_AMZ_CONTENT_SHA256)?;
    let query = pairs(parts.uri.query()?)?;
    let canonical_request = canonical_request(parts, &query, date, hash)?;
    let key = keys.get(access_key)?;
    if scope != key.scope || !date.as_bytes().starts_with(&key.day) {
        return None;
    }
    matches(key, date, &canonical_request, signature).then_some(hash)
}

/// Signs a request without a body, in the query. Only `host` is covered.
pub fn presign(key: &mut Key, access_key: &str, expires_in: u64, parts: &mut Parts) -> Option<()> {
    presign_at(key, access_key, now(), expires_in, parts)
}

/// The same at a given time.
pub fn presign_at(
    key: &mut Key,
    access_key: &str,
    now: u64,
    expires_in: u64,
    parts: &mut Parts,
) -> Option<()> {
    let date = date(now)?;
    renew(key, &date);
    let date = str::from_utf8(&date).ok()?;
    let target = format!(
        "{}&X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={access_key}%2F{}&X-Amz-Date={date}&X-Amz-Expires={expires_in}&X-Amz-SignedHeaders=host",
        parts.uri.path_and_query()?,
        key.encoded_scope,
    );
    parts.uri = Uri::try_from(&target).ok()?;
    let query = pairs(parts.uri.query()?)?;
    let canonical_request = canonical_presigned_request(parts, query.sorted())?;
    let signature = hex::<32, 64>(&key.signature(date, canonical_request.as_bytes())?);
    let signature = str::from_utf8(&signature).ok()?;
    parts.uri = Uri::try_from(format!("{target}&X-Amz-Signature={signature}")).ok()?;
    Some(())
}

/// Verifies a request without a body that is signed in the query.
pub fn verify_presigned(keys: &HashMap<String, Key>, parts: &Parts) -> bool {
    verified_presigned(keys, parts).is_some_and(|matches| matches)
}

fn verified_presigned(keys: &HashMap<String, Key>, parts: &Parts) -> Option<bool> {
    let query = pairs(parts.uri.query()?)?;
    let [
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", credential),
        ("X-Amz-Date", date),
        ("X-Amz-Expires", expires),
        ("X-Amz-Signature", signature),
        ("X-Amz-SignedHeaders", "host"),
        ..,
    ] = *query.sorted()
    else {
        return None;
    };
    let signed_at = unix_seconds(date)?;
    let now = now();
    let expires_at = signed_at.checked_add(expires.parse().ok()?)?;
    if signed_at > now + WINDOW_SECONDS || now > expires_at {
        return None;
    }
    let canonical_request = canonical_presigned_request(parts, query.sorted())?;
    let (access_key, scope) = credential.split_once("%2F")?;
    let key = keys.get(access_key)?;
    if scope != key.encoded_scope || !date.as_bytes().starts_with(&key.day) {
        return None;
    }
    Some(matches(key, date, &canonical_request, signature))
}

fn matches(key: &Key, date: &str, canonical_request: &Text<2048>, signature: &str) -> bool {
    let signature = signature.as_bytes().try_into().ok().and_then(unhex);
    let expected = key.signature(date, canonical_request.as_bytes());
    let (Some(signature), Some(expected)) = (signature, expected) else {
        return false;
    };
    let difference = signature.iter().zip(expected);
    difference.fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

fn renew(key: &mut Key, date: &[u8; 16]) {
    let [day, _] = halves(date);
    if key.day != day {
        *key = Key::of_day(std::mem::take(&mut key.secret), day);
    }
}

fn canonical_request(
    parts: &Parts,
    query: &Pairs<'_>,
    date: &str,
    hash: &str,
) -> Option<Text<2048>> {
    let mut canonical = Text::new();
    push_target(&mut canonical, parts, query.sorted())?;
    for (name, line) in [
        (ACCEPT, "accept:"),
        (ACCEPT_ENCODING, "\naccept-encoding:"),
        (CONTENT_LENGTH, "\ncontent-length:"),
        (CONTENT_TYPE, "\ncontent-type:"),
        (HOST, "\nhost:"),
        (TRACEPARENT, "\ntraceparent:"),
        (USER_AGENT, "\nuser-agent:"),
    ] {
        canonical.push(line)?;
        canonical.push(text(&parts.headers, &name)?)?;
    }
    canonical.push("\nx-amz-content-sha256:")?;
    canonical.push(hash)?;
    canonical.push("\nx-amz-date:")?;
    canonical.push(date)?;
    canonical.push("\nx-request-id:")?;
    canonical.push(text(&parts.headers, &X_REQUEST_ID)?)?;
    canonical.push("\n\n")?;
    canonical.push(COVERED)?;
    canonical.push("\n")?;
    canonical.push(hash)?;
    Some(canonical)
}

fn canonical_presigned_request(parts: &Parts, query: &[(&str, &str)]) -> Option<Text<2048>> {
    let mut canonical = Text::new();
    push_target(&mut canonical, parts, query)?;
    canonical.push("host:")?;
    canonical.push(text(&parts.headers, &HOST)?)?;
    canonical.push("\n\nhost\n")?;
    canonical.push(NOTHING)?;
    Some(canonical)
}

fn push_target(canonical: &mut Text<2048>, parts: &Parts, query: &[(&str, &str)]) -> Option<()> {
    let path = parts.uri.path();
    if !path.bytes().all(|byte| byte == b'/' || is_unreserved(byte)) {
        return None;
    }
    canonical.push(parts.method.as_str())?;
    canonical.push("\n")?;
    canonical.push(path)?;
    canonical.push("\n")?;
    let mut separator = "";
    for (name, value) in query {
        if *name != "X-Amz-Signature" {
            canonical.push(separator)?;
            canonical.push(name)?;
            canonical.push("=")?;
            canonical.push(value)?;
            separator = "&";
        }
    }
    canonical.push("\n")
}

/// The parameters of a query, in their canonical order.
struct Pairs<'q> {
    pairs: [(&'q str, &'q str); MOST_PAIRS],
    len: usize,
}

impl<'q> Pairs<'q> {
    fn sorted(&self) -> &[(&'q str, &'q str)] {
        self.pairs.get(..self.len).unwrap_or_default()
    }
}

/// Expects text that is encoded already.
fn pairs(query: &str) -> Option<Pairs<'_>> {
    let encoded = |byte: u8| is_unreserved(byte) || matches!(byte, b'%' | b'=' | b'&');
    if !query.bytes().all(encoded) {
        return None;
    }
    let mut pairs = [("", ""); MOST_PAIRS];
    let mut len = 0;
    for pair in query.split('&') {
        *pairs.get_mut(len)? = pair.split_once('=').unwrap_or((pair, ""));
        len += 1;
    }
    pairs.get_mut(..len)?.sort_unstable();
    Some(Pairs { pairs, len })
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

/// Writes `YYYYMMDDTHHMMSSZ`.
fn date(seconds: u64) -> Option<[u8; 16]> {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_from_days(days);
    let [y1, y2] = two_digits(year / 100)?;
    let [y3, y4] = two_digits(year % 100)?;
    let [m1, m2] = two_digits(month)?;
    let [d1, d2] = two_digits(day)?;
    let [h1, h2] = two_digits(second / 3600)?;
    let [n1, n2] = two_digits(second / 60 % 60)?;
    let [s1, s2] = two_digits(second % 60)?;
    Some([
        y1, y2, y3, y4, m1, m2, d1, d2, b'T', h1, h2, n1, n2, s1, s2, b'Z',
    ])
}

/// Reads `YYYYMMDDTHHMMSSZ`.
pub fn unix_seconds(date: &str) -> Option<u64> {
    let date: &[u8; 16] = date.as_bytes().try_into().ok()?;
    let [
        y1,
        y2,
        y3,
        y4,
        m1,
        m2,
        d1,
        d2,
        b'T',
        h1,
        h2,
        n1,
        n2,
        s1,
        s2,
        b'Z',
    ] = *date
    else {
        return None;
    };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let days = days_from_civil(year, two(m1, m2)?, two(d1, d2)?)?;
    Some(((days * 24 + two(h1, h2)?) * 60 + two(n1, n2)?) * 60 + two(s1, s2)?)
}

/// The day, and the rest.
fn halves(date: &[u8; 16]) -> [[u8; 8]; 2] {
    let mut halves = [[0; 8]; 2];
    for (half, part) in halves.iter_mut().zip(date.as_chunks().0) {
        *half = *part;
    }
    halves
}
