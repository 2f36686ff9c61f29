//! The least work that the scheme can be done with: one exact header layout, no policy, no presence
//! checks, a key whose state is precomputed, the signed text gathered on the stack and given to the
//! MAC at once.
//!
//! It is a bound and not a product: it takes requests that a verifier must refuse.

use std::{collections::HashMap, time::SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
    request::Parts,
};
use sha2::{Digest, Sha256};

use crate::request::Layout;

pub mod drf;
pub mod message_signatures;
pub mod sigv4;
pub mod standard_webhooks;

/// The keyed state.
pub type Key = Hmac<Sha256>;

const X_DATE: HeaderName = HeaderName::from_static("x-date");
const X_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-content-sha256");
const X_NONCE: HeaderName = HeaderName::from_static("x-nonce");

const THREE: &str = "host;x-date;x-content-sha256";
const DEFAULT: &str = "host;x-date;x-content-sha256;x-nonce;content-type";

const WINDOW_SECONDS: u64 = 300;

/// The state of a key.
pub fn key(secret: &[u8]) -> Key {
    Key::new_from_slice(secret).expect("HMAC takes keys of every length")
}

/// Verifies the head.
pub fn verify_head(keys: &HashMap<String, Key>, layout: Layout, parts: &Parts) -> bool {
    verified_hash(keys, layout, parts).is_some()
}

/// Verifies the head, then the body.
pub fn verify(keys: &HashMap<String, Key>, layout: Layout, parts: &Parts, body: &[u8]) -> bool {
    verified_hash(keys, layout, parts).is_some_and(|claimed| is_hash_of(claimed, body))
}

/// Verifies the body of a verified head.
pub fn verify_body(parts: &Parts, body: &[u8]) -> bool {
    text(&parts.headers, &X_CONTENT_SHA256).is_some_and(|claimed| is_hash_of(claimed, body))
}

fn is_hash_of(claimed: &str, body: &[u8]) -> bool {
    let actual = hex::<32, 64>(&Sha256::digest(body).into());
    claimed.as_bytes() == actual
}

/// The content hash of a head whose signature matches.
fn verified_hash<'r>(
    keys: &HashMap<String, Key>,
    layout: Layout,
    parts: &'r Parts,
) -> Option<&'r str> {
    let headers = &parts.headers;
    // From its end: then nothing has to be searched for.
    let authorization = text(headers, &AUTHORIZATION)?;
    let (rest, signature) = authorization.split_at_checked(authorization.len().checked_sub(64)?)?;
    let caller = rest
        .strip_prefix("HMAC-SHA256 credential=")?
        .strip_suffix(", signature=")?
        .strip_suffix(list(layout))?
        .strip_suffix(", signed-headers=")?;
    let signature = unhex(signature.as_bytes().try_into().ok()?)?;

    let date = text(headers, &X_DATE)?;
    let hash = text(headers, &X_CONTENT_SHA256)?;
    let signed = signed_text(layout, parts, date, hash, || text(headers, &X_NONCE))?;
    if unix_seconds(date)?.abs_diff(now()) > WINDOW_SECONDS {
        return None;
    }
    let mut mac = keys.get(caller)?.clone();
    mac.update(signed.as_bytes());
    mac.verify_slice(&signature).ok()?;
    Some(hash)
}

/// Signs the head for this body and sets the headers.
pub fn sign(key: &Key, caller: &str, layout: Layout, parts: &mut Parts, body: &[u8]) -> Option<()> {
    let mut nonce = [0; 16];
    match layout {
        Layout::Three => {}
        Layout::Default => getrandom::fill(&mut nonce).ok()?,
    }
    sign_with_nonce(key, caller, layout, nonce, now(), parts, body)
}

/// The same at a given time with a given nonce, which three headers leave out.
pub fn sign_with_nonce(
    key: &Key,
    caller: &str,
    layout: Layout,
    nonce: [u8; 16],
    now: u64,
    parts: &mut Parts,
    body: &[u8],
) -> Option<()> {
    let date = imf_fixdate(now)?;
    let date = str::from_utf8(&date).ok()?;
    let hash = hex::<32, 64>(&Sha256::digest(body).into());
    let hash = str::from_utf8(&hash).ok()?;
    let nonce = hex::<16, 32>(&nonce);
    let nonce = str::from_utf8(&nonce).ok()?;
    let signed = signed_text(layout, parts, date, hash, || Some(nonce))?;

    let mut mac = key.clone();
    mac.update(signed.as_bytes());
    let signature = hex::<32, 64>(&mac.finalize().into_bytes().into());

    let mut authorization = Text::<256>::new();
    authorization.push("HMAC-SHA256 credential=")?;
    authorization.push(caller)?;
    authorization.push(", signed-headers=")?;
    authorization.push(list(layout))?;
    authorization.push(", signature=")?;
    authorization.push(str::from_utf8(&signature).ok()?)?;

    let headers = &mut parts.headers;
    headers.insert(X_DATE, HeaderValue::from_str(date).ok()?);
    headers.insert(X_CONTENT_SHA256, HeaderValue::from_str(hash).ok()?);
    match layout {
        Layout::Three => {}
        Layout::Default => {
            headers.insert(X_NONCE, HeaderValue::from_str(nonce).ok()?);
        }
    }
    let authorization = HeaderValue::from_bytes(authorization.as_bytes()).ok()?;
    headers.insert(AUTHORIZATION, authorization);
    Some(())
}

fn list(layout: Layout) -> &'static str {
    match layout {
        Layout::Three => THREE,
        Layout::Default => DEFAULT,
    }
}

fn signed_text<'r>(
    layout: Layout,
    parts: &'r Parts,
    date: &str,
    hash: &str,
    nonce: impl FnOnce() -> Option<&'r str>,
) -> Option<Text<1024>> {
    let mut signed = Text::new();
    signed.push(parts.method.as_str())?;
    signed.push("\n")?;
    signed.push(parts.uri.path_and_query()?.as_str())?;
    signed.push("\nhost:")?;
    signed.push(text(&parts.headers, &HOST)?)?;
    signed.push("\nx-date:")?;
    signed.push(date)?;
    signed.push("\nx-content-sha256:")?;
    signed.push(hash)?;
    match layout {
        Layout::Three => {}
        Layout::Default => {
            signed.push("\nx-nonce:")?;
            signed.push(nonce()?)?;
            signed.push("\ncontent-type:")?;
            signed.push(text(&parts.headers, &CONTENT_TYPE)?)?;
        }
    }
    signed.push("\n\n")?;
    signed.push(list(layout))?;
    signed.push("\n")?;
    signed.push(hash)?;
    Some(signed)
}

fn text<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Option<&'r str> {
    headers.get(name)?.to_str().ok()
}

/// Text gathered on the stack.
struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    fn push(&mut self, text: &str) -> Option<()> {
        let end = self.len + text.len();
        self.bytes
            .get_mut(self.len..end)?
            .copy_from_slice(text.as_bytes());
        self.len = end;
        Some(())
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Digits without a branch or a table, so that the compiler does many at a time.
fn hex<const N: usize, const DIGITS: usize>(bytes: &[u8; N]) -> [u8; DIGITS] {
    let digit = |nibble: u8| nibble + b'0' + u8::from(nibble > 9) * (b'a' - b'9' - 1);
    let mut digits = [0; DIGITS];
    for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    digits
}

/// Digits of either case, all of them before the first is judged: so the compiler does many at a
/// time.
fn unhex(digits: &[u8; 64]) -> Option<[u8; 32]> {
    let mut nibbles = [0; 64];
    let mut wrong = 0;
    for (nibble, digit) in nibbles.iter_mut().zip(digits) {
        let number = digit.wrapping_sub(b'0');
        let letter = (digit | 32).wrapping_sub(b'a');
        *nibble = if number <= 9 {
            number
        } else {
            letter.wrapping_add(10)
        };
        wrong |= u8::from(number > 9) & u8::from(letter > 5);
    }
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(nibbles.as_chunks().0) {
        *byte = high << 4 | low;
    }
    (wrong == 0).then_some(bytes)
}

/// Unix seconds.
pub fn now() -> u64 {
    SystemTime::UNIX_EPOCH
        .elapsed()
        .expect("the clock is set")
        .as_secs()
}

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];

/// Reads an IMF-fixdate from 1970 on, without a look at the name of its day.
fn unix_seconds(date: &str) -> Option<u64> {
    let date: &[u8; 29] = date.as_bytes().try_into().ok()?;
    let [
        _,
        _,
        _,
        b',',
        b' ',
        d1,
        d2,
        b' ',
        m1,
        m2,
        m3,
        b' ',
        y1,
        y2,
        y3,
        y4,
        b' ',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        b' ',
        b'G',
        b'M',
        b'T',
    ] = *date
    else {
        return None;
    };
    let month = MONTHS.iter().position(|name| **name == [m1, m2, m3])?;
    let month = u64::try_from(month).ok()? + 1;
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let days = days_from_civil(year, month, two(d1, d2)?)?;
    Some(((days * 24 + two(h1, h2)?) * 60 + two(n1, n2)?) * 60 + two(s1, s2)?)
}

fn two(tens: u8, ones: u8) -> Option<u64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u64::from(tens * 10 + ones))
}

/// Days since 1970-01-01. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days_from_civil(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let of_era = year % 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (year / 400 * 146_097 + day_of_era).checked_sub(719_468)
}

/// Year, month and day. Source: as [`days_from_civil`].
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = (month + 2) % 12 + 1;
    let year = year_of_era + shifted / 146_097 * 400 + u64::from(month <= 2);
    (year, month, day)
}

fn two_digits(number: u64) -> Option<[u8; 2]> {
    let number = u8::try_from(number).ok()?;
    Some([b'0' + number / 10, b'0' + number % 10])
}

/// Unix seconds as text, from 2001 to 2286.
fn ten_digits(mut seconds: u64) -> Option<[u8; 10]> {
    let mut digits = [0; 10];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(seconds % 10).ok()?;
        seconds /= 10;
    }
    (seconds == 0 && digits.first() != Some(&b'0')).then_some(digits)
}

/// Reads what [`ten_digits`] writes.
fn from_ten_digits(digits: &str) -> Option<u64> {
    let digits: &[u8; 10] = digits.as_bytes().try_into().ok()?;
    digits.iter().try_fold(0, |seconds, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit <= 9).then(|| seconds * 10 + u64::from(digit))
    })
}

/// Writes an IMF-fixdate.
fn imf_fixdate(seconds: u64) -> Option<[u8; 29]> {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_from_days(days);
    let [w1, w2, w3] = **WEEKDAYS.get(usize::try_from(days % 7).ok()?)?;
    let [m1, m2, m3] = **MONTHS.get(usize::try_from(month - 1).ok()?)?;
    let [d1, d2] = two_digits(day)?;
    let [y1, y2] = two_digits(year / 100)?;
    let [y3, y4] = two_digits(year % 100)?;
    let [h1, h2] = two_digits(second / 3600)?;
    let [n1, n2] = two_digits(second / 60 % 60)?;
    let [s1, s2] = two_digits(second % 60)?;
    Some([
        w1, w2, w3, b',', b' ', d1, d2, b' ', m1, m2, m3, b' ', y1, y2, y3, y4, b' ', h1, h2, b':',
        n1, n2, b':', s1, s2, b' ', b'G', b'M', b'T',
    ])
}
