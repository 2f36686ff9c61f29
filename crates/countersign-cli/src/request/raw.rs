//! Reads the bytes of an HTTP/1.1 request (RFC 9112).

use bytes::Bytes;
use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};

use super::{MAX_HEADERS, Read, chunked, head::HeadBuilder};

/// The longest head, in bytes.
const MAX_HEAD: usize = 1024 * 1024;

pub(super) fn read(input: &Bytes) -> Read {
    let mut lines = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut lines);
    let head = input.get(..MAX_HEAD).unwrap_or(input);
    // A record that was cut off after its last header has no empty line.
    let ended;
    let (length, mut notes) = match parse(&mut request, head)? {
        Some(length) => (length, Vec::new()),
        None if input.len() > MAX_HEAD => {
            return Err(format!("expected a head of at most {MAX_HEAD} bytes"));
        }
        None => {
            ended = [input.trim_ascii_end(), b"\r\n\r\n"].concat();
            lines = [httparse::EMPTY_HEADER; MAX_HEADERS];
            request = httparse::Request::new(&mut lines);
            if parse(&mut request, &ended)?.is_none() {
                return Err("expected a complete head, found the start of one".to_owned());
            }
            let note = "the record ends within the head: the last header may be cut off";
            (input.len(), vec![note.to_owned()])
        }
    };
    let mut builder = HeadBuilder::new();
    for line in request.headers.iter() {
        builder.header(line.name.as_bytes(), line.value)?;
    }
    let rest = input.slice(length.min(input.len())..);
    let body = body_of(builder.headers(), rest, &mut notes)?;
    let method = request.method.unwrap_or_default();
    let target = request.path.unwrap_or_default();
    let parts = builder.finish(method.as_bytes(), target.as_bytes())?;
    Ok((parts, Some(body), notes))
}

/// Returns the length of the head. `None` if it is not complete.
fn parse<'b>(
    request: &mut httparse::Request<'_, 'b>,
    input: &'b [u8],
) -> Result<Option<usize>, String> {
    match request.parse(input) {
        Ok(httparse::Status::Complete(length)) => Ok(Some(length)),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            Err(format!("expected at most {MAX_HEADERS} headers"))
        }
        Err(error) => Err(format!("expected an HTTP/1.1 request: {error}").to_lowercase()),
    }
}

/// Reads the body as RFC 9112 section 6 delimits it.
fn body_of(headers: &HeaderMap, rest: Bytes, notes: &mut Vec<String>) -> Result<Bytes, String> {
    let length = content_length(headers)?;
    if let Some(encoding) = headers.get(TRANSFER_ENCODING) {
        if length.is_some() {
            return Err("expected content-length or transfer-encoding, found both".to_owned());
        }
        if !encoding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return Err("transfer-encoding: expected chunked, found another coding".to_owned());
        }
        return chunked::decode(&rest).map(Bytes::from);
    }
    let Some(length) = length else {
        if !rest.is_empty() {
            let found = rest.len();
            notes.push(format!(
                "there is no content-length: all {found} bytes after the head are read as the body"
            ));
        }
        return Ok(rest);
    };
    let body = rest.slice(..length.min(rest.len()));
    if rest.len() < length {
        let found = rest.len();
        notes.push(format!(
            "the body has {found} bytes, and content-length announces {length}"
        ));
    } else if rest.len() > length {
        let left = rest.len().saturating_sub(length);
        notes.push(format!(
            "{left} bytes after the body are ignored, as content-length says"
        ));
    }
    Ok(body)
}

fn content_length(headers: &HeaderMap) -> Result<Option<usize>, String> {
    let mut lines = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = lines.next() else {
        return Ok(None);
    };
    if lines.any(|line| line != first) {
        return Err("content-length: expected one value, found several".to_owned());
    }
    let digits = first
        .to_str()
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    digits
        .and_then(|text| text.parse().ok())
        .map(Some)
        .ok_or_else(|| "content-length: expected a number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(input: &str) -> String {
        read(&Bytes::copy_from_slice(input.as_bytes())).unwrap_err()
    }

    #[test]
    fn reads_head_and_body() {
        let input = "POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nx-a:  1 \r\n\r\nabc";
        let (parts, body, notes) = read(&Bytes::copy_from_slice(input.as_bytes())).unwrap();
        assert_eq!(parts.method, "POST");
        assert_eq!(parts.uri, "/a?b");
        assert_eq!(parts.headers["host"], "x");
        assert_eq!(parts.headers["x-a"], "1");
        assert_eq!(body.unwrap(), &b"abc"[..]);
        assert!(notes.is_empty());
    }

    #[test]
    fn bare_line_feeds_of_an_editor_are_line_ends() {
        let (parts, body, _) = read(&Bytes::from_static(b"GET / HTTP/1.1\nhost: x\n\n")).unwrap();
        assert_eq!(parts.headers["host"], "x");
        assert_eq!(body.unwrap(), &b""[..]);
    }

    #[test]
    fn the_body_ends_where_its_length_says_and_every_doubt_is_noted() {
        for (name, headers, rest, body, noted) in [
            ("as announced", "content-length: 2\r\n", "ab", "ab", false),
            (
                "line end added",
                "content-length: 2\r\n",
                "ab\n",
                "ab",
                true,
            ),
            ("cut off", "content-length: 3\r\n", "ab", "ab", true),
            ("no length", "", "ab", "ab", true),
            ("no length, no body", "", "", "", false),
            (
                "chunked",
                "transfer-encoding: chunked\r\n",
                "2\r\nab\r\n0\r\n\r\n",
                "ab",
                false,
            ),
        ] {
            let input = format!("POST / HTTP/1.1\r\nhost: x\r\n{headers}\r\n{rest}");
            let (_, found, notes) = read(&Bytes::copy_from_slice(input.as_bytes())).unwrap();
            assert_eq!(found.unwrap(), body.as_bytes(), "{name}");
            assert_eq!(!notes.is_empty(), noted, "{name}: {notes:?}");
        }
    }

    #[test]
    fn a_head_without_its_empty_line_is_read_and_noted() {
        let (parts, _, notes) = read(&Bytes::from_static(b"GET / HTTP/1.1\r\nhost: x")).unwrap();
        assert_eq!(parts.headers["host"], "x");
        assert_eq!(notes.len(), 1);
    }

    #[test]
    fn what_two_servers_would_read_differently_is_refused() {
        for (name, head) in [
            (
                "both lengths",
                "content-length: 1\r\ntransfer-encoding: chunked\r\n",
            ),
            ("two lengths", "content-length: 1\r\ncontent-length: 2\r\n"),
            ("signed length", "content-length: +1\r\n"),
            ("other coding", "transfer-encoding: gzip, chunked\r\n"),
            ("space before the colon", "x : 1\r\n"),
            ("folded line", "x: 1\r\n 2\r\n"),
            ("control character", "x: \u{1}\r\n"),
        ] {
            let input = format!("POST / HTTP/1.1\r\nhost: x\r\n{head}\r\na");
            assert!(
                read(&Bytes::copy_from_slice(input.as_bytes())).is_err(),
                "{name}"
            );
        }
        assert!(problem("no request").contains("expected"));
        let many = "x: 1\r\n".repeat(MAX_HEADERS + 1);
        let input = format!("GET / HTTP/1.1\r\n{many}\r\n");
        assert!(problem(&input).contains("at most"));
    }
}
