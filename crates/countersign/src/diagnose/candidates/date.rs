use http::{HeaderName, header::DATE};

use super::{Change, Subject, Variations, quoted};
use crate::{
    diagnose::{cause::Cause, text_lines::TextEdit},
    scheme::Scheme,
    timestamp::Timestamp,
};

/// The possible differences between two readings of one clock, in seconds.
const APART: [i64; 4] = [-1, 1, -2, 2];

/// Adds the signed date in other forms, and times shortly before or after it.
pub(super) fn add(subject: &Subject<'_>, found: &mut Variations) {
    match subject.scheme {
        Scheme::HmacSha256 | Scheme::Ed25519 => add_header(subject, "x-date", found),
        Scheme::SigV4 => add_sigv4(subject, found),
        Scheme::MessageSignatures => add_created(subject, found),
        Scheme::Cavage => add_header(subject, "date", found),
        Scheme::Drf | Scheme::StandardWebhooks => add_timestamps(subject, found),
    }
}

/// Formats a time in every form that callers are known to sign.
pub(in crate::diagnose) fn forms_of(at: Timestamp) -> Vec<String> {
    let seconds = at.as_unix_seconds();
    let whole = Timestamp::from_unix_seconds(seconds).to_string();
    let bare = whole.trim_end_matches('Z').to_owned();
    let mut forms = vec![
        whole.clone(),
        [&bare, ".000Z"].concat(),
        [&bare, "+00:00"].concat(),
        bare.clone(),
        seconds.to_string(),
        seconds.saturating_mul(1000).to_string(),
        whole.replace(['-', ':'], ""),
    ];
    if let Some(http) = at.to_http_date() {
        forms.push(http.replace("GMT", "+0000"));
        forms.push(http.replace("GMT", "UTC"));
        forms.push(http);
    }
    forms
}

/// Adds other values of the header that holds the signed date.
fn add_header(subject: &Subject<'_>, header: &str, found: &mut Variations) {
    let mut sign = |cause, date: &str| {
        let detail = ["signed date: ", &quoted(date)].concat();
        let edit = TextEdit::Header(header.to_owned(), date.to_owned());
        found.text(cause, detail, edit);
    };
    for form in forms_of(subject.signed_at) {
        sign(Cause::DateForm, &form);
    }
    for name in [DATE, HeaderName::from_static("x-amz-date")] {
        if let Some(date) = subject.head.text_of(&name) {
            sign(Cause::DateOther, date);
        }
    }
    for date in moments(subject.signed_at).filter_map(Timestamp::to_http_date) {
        sign(Cause::DateOther, &date);
    }
}

fn add_sigv4(subject: &Subject<'_>, found: &mut Variations) {
    let Some(text) = subject.string_to_sign else {
        return;
    };
    let Some(own) = text.split('\n').nth(1) else {
        return;
    };
    for at in moments(subject.signed_at) {
        let date = at.to_string().replace(['-', ':'], "");
        let detail = ["signed date: ", &quoted(&date)].concat();
        let other = text.replacen(own, &date, 1);
        found.add(Cause::DateOther, detail, Change::StringToSign(other));
    }
}

fn add_created(subject: &Subject<'_>, found: &mut Variations) {
    let own = subject.signed_at.as_unix_seconds();
    let created = |seconds: i64| [";created=", &seconds.to_string()].concat();
    let mut sign = |cause, seconds: i64| {
        let detail = format!("signed parameter: created={seconds}");
        let edit = TextEdit::Piece {
            from: created(own),
            to: created(seconds),
        };
        found.text(cause, detail, edit);
    };
    sign(Cause::Milliseconds, own.saturating_mul(1000));
    for apart in APART {
        sign(Cause::DateOther, own.saturating_add(apart));
    }
}

fn add_timestamps(subject: &Subject<'_>, found: &mut Variations) {
    let (Some(prefix), Some(body)) = (subject.prefix, subject.body) else {
        return;
    };
    let Ok(prefix) = str::from_utf8(prefix) else {
        return;
    };
    let own = subject.signed_at.as_unix_seconds();
    let mut sign = |cause, timestamp: String| {
        let detail = ["signed timestamp: ", &quoted(&timestamp)].concat();
        let start = prefix.strip_suffix('.').unwrap_or(prefix);
        if let Some(start) = start.strip_suffix(&own.to_string()) {
            let bytes = [start.as_bytes(), timestamp.as_bytes(), b".", body].concat();
            found.add(cause, detail, Change::Bytes(bytes));
        }
    };
    sign(Cause::Milliseconds, own.saturating_mul(1000).to_string());
    for form in forms_of(subject.signed_at) {
        sign(Cause::DateForm, form);
    }
    for apart in APART {
        sign(Cause::DateOther, own.saturating_add(apart).to_string());
    }
}

fn moments(at: Timestamp) -> impl Iterator<Item = Timestamp> {
    let seconds = at.as_unix_seconds();
    APART
        .into_iter()
        .map(move |apart| Timestamp::from_unix_seconds(seconds.saturating_add(apart)))
}
