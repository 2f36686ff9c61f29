//! The canonical request, which is the signed text.
//!
//! ```text
//! METHOD
//! /path?query
//! host:authority
//! x-date:…
//! x-content-sha256:…
//! (each further covered header)
//!
//! host;x-date;x-content-sha256;…
//! content hash
//! ```
//!
//! Lines are joined by `\n`, without one after the last. No part can hold a line break: the `http`
//! types refuse it in methods, targets and header values. So requests that differ in any part have
//! different texts.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::ALWAYS_COVERED;
use crate::{
    crypto::hmac_sha256::{Key, Mac},
    head::Target,
    wire::{Gathered, Sink},
};

/// Number of further covered headers kept without an allocation.
const INLINE: usize = 4;

/// The parts of the signed text. It holds the hash of the body twice: as a header and as the last
/// line.
#[derive(Clone, Debug)]
pub(super) struct CanonicalRequest<'r> {
    pub(super) method: &'r str,
    pub(super) target: Target<'r>,
    pub(super) host: &'r str,
    pub(super) x_date: &'r str,
    pub(super) content_sha256: &'r str,
    pub(super) further: FurtherHeaders<'r>,
    /// The names of the covered headers, joined by semicolons.
    pub(super) signed_headers: &'r str,
}

/// The covered headers after the first three, in signing order.
pub(super) type FurtherHeaders<'r> = SmallVec<[CoveredHeader<'r>; INLINE]>;

/// A covered header: its lower-case name and its only value. A `cookie` sent in pieces is joined to
/// one value.
#[derive(Clone, Debug)]
pub(super) struct CoveredHeader<'r> {
    pub(super) name: &'r str,
    pub(super) value: Cow<'r, str>,
}

impl<'r> CanonicalRequest<'r> {
    /// Yields the covered headers in signing order.
    pub(super) fn covered(&self) -> impl Iterator<Item = (&'r str, &str)> + Clone {
        let always = [self.host, self.x_date, self.content_sha256];
        let further = self.further.iter();
        let further = further.map(|header| (header.name, &*header.value));
        ALWAYS_COVERED.into_iter().zip(always).chain(further)
    }

    /// Writes the signed text to `sink`.
    pub(super) fn write_to(&self, sink: &mut impl Sink) {
        sink.write(self.method);
        sink.write("\n");
        sink.write(self.target.path);
        if let Some(query) = self.target.query {
            sink.write("?");
            sink.write(query);
        }
        sink.write("\nhost:");
        sink.write(self.host);
        sink.write("\nx-date:");
        sink.write(self.x_date);
        sink.write("\nx-content-sha256:");
        sink.write(self.content_sha256);
        sink.write("\n");
        for header in &self.further {
            sink.write(header.name);
            sink.write(":");
            sink.write(&header.value);
            sink.write("\n");
        }
        sink.write("\n");
        sink.write(self.signed_headers);
        sink.write("\n");
        sink.write(self.content_sha256);
    }

    /// Returns the MAC state after the signed text.
    #[inline]
    pub(super) fn mac(&self, key: &Key) -> Mac {
        let mut mac = key.begin();
        let mut gathered = Gathered::new();
        self.write_to(&mut gathered);
        match gathered.text() {
            Some(text) => mac.update(text),
            None => self.write_to(&mut mac),
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'r>(
        query: Option<&'r str>,
        [host, x_date, content_sha256, nonce]: [&'r str; 4],
    ) -> CanonicalRequest<'r> {
        CanonicalRequest {
            method: "GET",
            target: Target { path: "/a", query },
            host,
            x_date,
            content_sha256,
            further: FurtherHeaders::from_iter([CoveredHeader {
                name: "x-nonce",
                value: nonce.into(),
            }]),
            signed_headers: "host;x-date;x-content-sha256;x-nonce",
        }
    }

    #[test]
    fn begins_with_the_headers_that_are_always_covered() {
        let values = ["h", "d", "e3b0", "n"];
        let request = request(None, values);
        let mut text = String::new();
        request.write_to(&mut text);
        let lines = request
            .covered()
            .map(|(name, value)| format!("{name}:{value}\n"));
        assert!(
            text.contains(&format!("\n{}\n", lines.collect::<String>())),
            "{text}"
        );
    }

    #[test]
    fn has_no_newline_at_its_end() {
        let mut text = String::new();
        request(Some(""), ["h", "d", "e3b0", "n"]).write_to(&mut text);
        assert_eq!(
            text,
            "GET\n/a?\nhost:h\nx-date:d\nx-content-sha256:e3b0\nx-nonce:n\n\n\
             host;x-date;x-content-sha256;x-nonce\ne3b0"
        );
    }

    #[test]
    fn gathering_changes_no_byte_at_any_length() {
        let key = Key::new(b"key");
        for len in (0..3000).step_by(7).chain(900..1100) {
            let long = "v".repeat(len);
            let request = request(Some(&long), ["h", &long, "x", "n"]);
            let mut text = String::new();
            request.write_to(&mut text);
            let at_once = key.begin().chain(text.as_bytes()).finish();
            let gathered = request.mac(&key).finish();
            assert_eq!(at_once, gathered, "{len}");
        }
    }
}
