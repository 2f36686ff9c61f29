//! Reads one request from what people have at hand: a raw HTTP/1.1 request, a `curl` command, the
//! output of `curl -v`, `--trace` and `--trace-ascii`, or a HAR file.
//!
//! The input is hostile. Every reader is linear in the length, opens no file, and answers any bytes
//! with a request or an [`UnreadableRequest`].

mod chunked;
mod curl_command;
mod curl_trace;
mod curl_verbose;
mod form;
mod har;
mod head;
mod raw;
mod shell_words;
mod unreadable;

pub use self::{form::RequestForm, unreadable::UnreadableRequest};

use bytes::Bytes;
use http::request::Parts;

/// The longest input that is read, in bytes.
pub const MAX_INPUT_BYTES: u64 = 64 * 1024 * 1024;

/// The greatest number of header lines of a request.
pub const MAX_HEADERS: usize = 512;

/// A request as it was recorded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The head, as a server reads it.
    pub parts: Parts,
    /// The body. `None` if the record does not hold it.
    pub body: Option<Bytes>,
    /// The form of the record.
    pub form: RequestForm,
    /// What the record leaves open, one sentence each.
    pub notes: Vec<String>,
}

impl RecordedRequest {
    /// Reads a request. Without a form, recognizes it from the first bytes.
    ///
    /// `entry` is the number of the entry in a HAR file, from 1. It may be omitted if there is only
    /// one.
    ///
    /// # Errors
    ///
    /// [`UnreadableRequest`] if the input is too long, is not in the form, or holds no request.
    pub fn read(
        input: &Bytes,
        form: Option<RequestForm>,
        entry: Option<usize>,
    ) -> Result<Self, UnreadableRequest> {
        let start = if input.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        let input = input.slice(start..);
        let form = form.unwrap_or_else(|| RequestForm::of(&input));
        let wrong = |problem: String| UnreadableRequest { form, problem };
        if u64::try_from(input.len()).unwrap_or(u64::MAX) > MAX_INPUT_BYTES {
            let found = input.len();
            return Err(wrong(format!(
                "expected at most {MAX_INPUT_BYTES} bytes, found {found}"
            )));
        }
        if input.trim_ascii().is_empty() {
            return Err(wrong("expected a request, found nothing".to_owned()));
        }
        let read = match form {
            RequestForm::Raw => raw::read(&input),
            RequestForm::CurlCommand => curl_command::read(&input),
            RequestForm::CurlTrace => curl_trace::read(&input),
            RequestForm::CurlVerbose => curl_verbose::read(&input),
            RequestForm::Har => har::read(&input, entry),
        };
        let (parts, body, notes) = read.map_err(wrong)?;
        Ok(Self {
            parts,
            body,
            form,
            notes,
        })
    }
}

/// Splits a command line into words, without a shell.
pub(crate) fn split_words(line: &[u8]) -> Result<Vec<String>, String> {
    let words = shell_words::split(line)?.into_iter();
    words
        .map(|word| String::from_utf8(word).map_err(|_| "expected UTF-8".to_owned()))
        .collect()
}

/// A head, a body if the record holds one, and notes; or the problem.
type Read = Result<(Parts, Option<Bytes>, Vec<String>), String>;
