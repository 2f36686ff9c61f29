//! The text that is signed.
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
//! Lines are joined by `\n`; there is none behind the last. No part can hold a line break: the `http` types refuse it in
//! methods, targets and header values. So two requests that differ in any part differ in this text.

use smallvec::SmallVec;

use crate::{head::Target, scheme::Mac};

/// Up to this many covered headers are kept without an allocation.
const INLINE: usize = 8;

/// The parts of the signed text. The hash of the body stands in it twice: as a header and as the last line.
#[derive(Clone, Debug)]
pub(super) struct CanonicalRequest<'r> {
    pub(super) method: &'r str,
    pub(super) target: Target<'r>,
    pub(super) covered: CoveredHeaders<'r>,
    /// The names of the covered headers, joined by semicolons.
    pub(super) signed_headers: &'r str,
    pub(super) content_sha256: &'r str,
}

/// The covered headers, in the order in which they are signed.
pub(super) type CoveredHeaders<'r> = SmallVec<[CoveredHeader<'r>; INLINE]>;

/// A covered header: its name in lower case and its one value.
#[derive(Clone, Copy, Debug)]
pub(super) struct CoveredHeader<'r> {
    pub(super) name: &'r str,
    pub(super) value: &'r str,
}

impl CanonicalRequest<'_> {
    /// Streams the signed text into `sink`.
    pub(super) fn write_to(&self, sink: &mut impl Sink) {
        sink.write(self.method);
        sink.write("\n");
        sink.write(self.target.path);
        if let Some(query) = self.target.query {
            sink.write("?");
            sink.write(query);
        }
        sink.write("\n");
        for header in &self.covered {
            sink.write(header.name);
            sink.write(":");
            sink.write(header.value);
            sink.write("\n");
        }
        sink.write("\n");
        sink.write(self.signed_headers);
        sink.write("\n");
        sink.write(self.content_sha256);
    }

    /// The MAC state after the signed text.
    pub(super) fn mac(&self, key: &Mac) -> Mac {
        let mut mac = key.clone();
        let mut gathered = Gathered::new();
        self.write_to(&mut gathered);
        match gathered.text() {
            Some(text) => hmac::Mac::update(&mut mac, text),
            None => self.write_to(&mut mac),
        }
        mac
    }
}

/// Where the signed text goes.
pub(in crate::scheme) trait Sink {
    fn write(&mut self, text: &str);
}

impl Sink for String {
    fn write(&mut self, text: &str) {
        self.push_str(text);
    }
}

/// One piece after the other.
impl Sink for Mac {
    fn write(&mut self, text: &str) {
        hmac::Mac::update(self, text.as_bytes());
    }
}

/// The whole text, if it fits: a MAC takes one piece faster than two dozen.
pub(in crate::scheme) struct Gathered {
    buffer: [u8; 1024],
    len: usize,
}

impl Gathered {
    pub(in crate::scheme) fn new() -> Self {
        Self {
            buffer: [0; 1024],
            len: 0,
        }
    }

    /// `None` if it did not fit.
    pub(in crate::scheme) fn text(&self) -> Option<&[u8]> {
        self.buffer.get(..self.len)
    }
}

impl Sink for Gathered {
    // Half of the pieces are one constant byte, which is one store once this is inlined.
    #[inline]
    fn write(&mut self, text: &str) {
        let end = self.len.saturating_add(text.len());
        if let Some(room) = self.buffer.get_mut(self.len..end) {
            room.copy_from_slice(text.as_bytes());
        }
        self.len = end;
    }
}

#[cfg(test)]
mod tests {
    use hmac::{KeyInit, Mac as _};

    use super::*;

    fn request<'r>(query: Option<&'r str>, values: &[&'r str]) -> CanonicalRequest<'r> {
        let names = ["host", "x-date", "x-content-sha256", "x-nonce"];
        CanonicalRequest {
            method: "GET",
            target: Target { path: "/a", query },
            covered: names
                .iter()
                .zip(values)
                .map(|(name, value)| CoveredHeader { name, value })
                .collect(),
            signed_headers: "host;x-date;x-content-sha256;x-nonce",
            content_sha256: "e3b0",
        }
    }

    #[test]
    fn has_no_newline_at_its_end() {
        let mut text = String::new();
        request(Some(""), &["h", "d", "e3b0", "n"]).write_to(&mut text);
        assert_eq!(
            text,
            "GET\n/a?\nhost:h\nx-date:d\nx-content-sha256:e3b0\nx-nonce:n\n\nhost;x-date;x-content-sha256;x-nonce\ne3b0"
        );
    }

    #[test]
    fn gathering_changes_no_byte_at_any_length() {
        let key = Mac::new_from_slice(b"key").unwrap();
        for len in (0..3000).step_by(7).chain(900..1100) {
            let long = "v".repeat(len);
            let request = request(Some(&long), &["h", &long, "x"]);
            let mut text = String::new();
            request.write_to(&mut text);
            let at_once = key
                .clone()
                .chain_update(text.as_bytes())
                .finalize()
                .into_bytes();
            let gathered = request.mac(&key).finalize().into_bytes();
            assert_eq!(at_once[..], gathered[..], "{len}");
        }
    }
}
