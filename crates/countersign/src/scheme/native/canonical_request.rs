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
    pub(super) covered: SmallVec<[CoveredHeader<'r>; INLINE]>,
    pub(super) content_sha256: &'r str,
}

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
        let mut separator = "\n";
        for header in &self.covered {
            sink.write(separator);
            sink.write(header.name);
            separator = ";";
        }
        sink.write("\n");
        sink.write(self.content_sha256);
    }

    /// The MAC state after the signed text.
    pub(super) fn mac(&self, key: &Mac) -> Mac {
        let mut sink = MacSink::new(key.clone());
        self.write_to(&mut sink);
        sink.finish()
    }
}

/// Where the signed text goes.
pub(super) trait Sink {
    fn write(&mut self, text: &str);
}

impl Sink for String {
    fn write(&mut self, text: &str) {
        self.push_str(text);
    }
}

/// Gathers small pieces before they reach the MAC: a dozen small updates cost more than one copy.
struct MacSink {
    mac: Mac,
    buffer: [u8; 1024],
    len: usize,
}

impl MacSink {
    fn new(mac: Mac) -> Self {
        Self {
            mac,
            buffer: [0; 1024],
            len: 0,
        }
    }

    fn flush(&mut self) {
        // Invariant: len never passes the end of the buffer.
        let gathered = self.buffer.get(..self.len).unwrap_or(&self.buffer);
        hmac::Mac::update(&mut self.mac, gathered);
        self.len = 0;
    }

    fn finish(mut self) -> Mac {
        self.flush();
        self.mac
    }
}

impl Sink for MacSink {
    fn write(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let end = self.len.saturating_add(bytes.len());
        if let Some(room) = self.buffer.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
            self.len = end;
            return;
        }
        self.flush();
        match self.buffer.get_mut(..bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len = bytes.len();
            }
            None => hmac::Mac::update(&mut self.mac, bytes),
        }
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
