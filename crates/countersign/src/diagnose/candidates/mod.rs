//! Known mistakes, one subject per file: each file turns a request into variations.

mod body;
mod date;
mod header;
mod host;
mod path;
mod query;
mod signed_text;
mod sigv4;

use http::HeaderName;

use super::{
    cause::Cause,
    difference::visible,
    head_copy::{Edit, HeadCopy},
    redaction::Redaction,
    text_lines::{Layout, TextEdit, TextLines},
};
use crate::{families::FamilyVerifier, scheme::Scheme, timestamp::Timestamp, verify::Verifier};

/// A request that differs in one point from the refused request.
pub(super) struct Variation {
    pub(super) cause: Cause,
    pub(super) detail: String,
    pub(super) change: Change,
    /// The covered header that varies, if any.
    pub(super) header: Option<HeaderName>,
}

/// The changed part.
pub(super) enum Change {
    /// Another head, read by the same verifier.
    Head(Edit),
    /// The same head, read by another verifier.
    Verifier(Box<Verifier>),
    /// Another path or query that the HTTP types cannot hold.
    Path(String),
    Query(String),
    /// Another signed text.
    Text(TextEdit),
    StringToSign(String),
    Bytes(Vec<u8>),
    /// Another body.
    Body(Vec<u8>),
}

/// The input of the variations.
pub(super) struct Subject<'s> {
    pub(super) head: &'s HeadCopy,
    pub(super) scheme: Scheme,
    pub(super) family: Option<&'s FamilyVerifier>,
    pub(super) verifier: &'s Verifier,
    /// The signed text, if it is made from the head.
    pub(super) text: Option<&'s str>,
    pub(super) string_to_sign: Option<&'s str>,
    /// The part of the signed text before the body, if the text holds the body.
    pub(super) prefix: Option<&'s [u8]>,
    pub(super) body: Option<&'s [u8]>,
    /// The names of the covered headers in lower case.
    pub(super) covered: Vec<String>,
    pub(super) signed_at: Timestamp,
    pub(super) expected_hosts: &'s [String],
    pub(super) path_prefixes: &'s [String],
    pub(super) redaction: &'s Redaction,
}

impl Subject<'_> {
    fn lines(&self) -> Option<TextLines<'_>> {
        let layout = layout_of(self.scheme)?;
        Some(TextLines {
            text: self.text?,
            layout,
        })
    }

    fn is_over_the_body(&self) -> bool {
        self.prefix.is_some()
    }
}

/// Returns the layout of a scheme's signed text, if it is made from the head.
pub(super) fn layout_of(scheme: Scheme) -> Option<Layout> {
    match scheme {
        Scheme::HmacSha256 | Scheme::Ed25519 => Some(Layout::Native),
        Scheme::SigV4 => Some(Layout::SigV4),
        Scheme::MessageSignatures => Some(Layout::SignatureBase),
        Scheme::Cavage => Some(Layout::SigningString),
        Scheme::Drf | Scheme::StandardWebhooks => None,
    }
}

/// Returns the variations, likeliest first, up to `room`.
pub(super) fn of(subject: &Subject<'_>, room: usize) -> Variations {
    let mut found = Variations {
        found: Vec::new(),
        room,
        is_full: false,
    };
    if !subject.is_over_the_body() {
        host::add(subject, &mut found);
        path::add(subject, &mut found);
        query::add(subject, &mut found);
    }
    body::add(subject, &mut found);
    sigv4::add(subject, &mut found);
    signed_text::add(subject, &mut found);
    date::add(subject, &mut found);
    if !subject.is_over_the_body() {
        header::add(subject, &mut found);
    }
    found
}

pub(super) use self::{body::forms_of, header::known_values};

/// The variations so far, up to the limit.
pub(super) struct Variations {
    pub(super) found: Vec<Variation>,
    room: usize,
    /// Whether the limit cut off some.
    pub(super) is_full: bool,
}

impl Variations {
    fn add(&mut self, cause: Cause, detail: impl Into<String>, change: Change) {
        if self.found.len() >= self.room {
            self.is_full = true;
            return;
        }
        self.found.push(Variation {
            cause,
            detail: detail.into(),
            change,
            header: None,
        });
    }

    fn edit(&mut self, cause: Cause, detail: impl Into<String>, edit: Edit) {
        self.add(cause, detail, Change::Head(edit));
    }

    fn text(&mut self, cause: Cause, detail: impl Into<String>, edit: TextEdit) {
        self.add(cause, detail, Change::Text(edit));
    }
}

/// Quotes a value, with invisible characters shown.
fn quoted(value: &str) -> String {
    ["\"", &visible(value), "\""].concat()
}

/// Returns the values of headers that a proxy writes.
fn said_by<'h>(head: &'h HeadCopy, names: &[&'static str]) -> Vec<(&'static str, &'h str)> {
    let said = names.iter().filter_map(|name| {
        let text = head.text_of(&HeaderName::from_static(name))?;
        Some((*name, text.trim()))
    });
    said.collect()
}
