//! Reads the output of `curl -v`, which shows the head of a request and never its body.

use super::{Read, form::without_time, raw};

pub(super) fn read(input: &[u8]) -> Read {
    let mut heads: Vec<Vec<u8>> = Vec::new();
    let mut is_open = false;
    let mut sends_data = false;
    for line in input.split(|byte| *byte == b'\n') {
        let line = without_time(line.strip_suffix(b"\r").unwrap_or(line));
        let sent = if line == b">" {
            Some(&b""[..])
        } else {
            line.strip_prefix(b"> ")
        };
        match sent {
            Some(text) => {
                if !is_open {
                    heads.push(Vec::new());
                    sends_data = false;
                }
                if let Some(head) = heads.last_mut() {
                    head.extend_from_slice(text);
                    head.extend_from_slice(b"\r\n");
                }
                is_open = !text.is_empty();
            }
            None => sends_data |= line.starts_with(b"} ["),
        }
    }
    let count = heads.len();
    let Some(head) = heads.pop() else {
        return Err("expected a line that begins with \">\", found none".to_owned());
    };
    let head = of_version_1(&head);
    let (parts, body, mut notes) = raw::read(&head.into())?;
    // The record has no body, so that its length is no news.
    notes.retain(|note| !note.starts_with("the body has"));
    if count > 1 {
        notes.push(format!(
            "the record holds {count} requests: the last is read"
        ));
    }
    let announces = ["content-length", "transfer-encoding"];
    let has_body = sends_data
        || announces.iter().any(|name| {
            let value = parts.headers.get(*name);
            value.is_some_and(|value| value.as_bytes() != b"0")
        });
    if has_body {
        notes.push("curl -v does not show the body: give it with --body".to_owned());
        return Ok((parts, None, notes));
    }
    Ok((parts, body, notes))
}

/// Writes the first line of a head as HTTP/1.1 has it. `curl -v` shows HTTP/2 in the same form.
fn of_version_1(head: &[u8]) -> Vec<u8> {
    let end = head.iter().position(|byte| *byte == b'\r');
    let (first, rest) = head.split_at(end.unwrap_or(head.len()));
    for version in [&b" HTTP/2"[..], b" HTTP/3"] {
        if let Some(start) = first.strip_suffix(version) {
            return [start, b" HTTP/1.1", rest].concat();
        }
    }
    head.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_were_sent_are_the_head() {
        let text = "*   Trying 127.0.0.1:1...\n* Connected\n> GET /a HTTP/1.1\n> Host: a\n> \n< \
                    HTTP/1.1 200 OK\n";
        let (parts, body, notes) = read(text.as_bytes()).unwrap();
        assert_eq!(parts.uri, "/a");
        assert_eq!(parts.headers["host"], "a");
        assert_eq!(body.unwrap(), &b""[..]);
        assert!(notes.is_empty());
    }

    #[test]
    fn a_body_is_announced_and_unknown() {
        for text in [
            "> POST / HTTP/1.1\n> Host: a\n> Content-Length: 3\n> \n",
            "> POST / HTTP/2\n> Host: a\n>\n} [3 bytes data]\n",
        ] {
            let (_, body, notes) = read(text.as_bytes()).unwrap();
            assert_eq!(body, None, "{text}");
            assert!(
                notes.iter().any(|note| note.contains("--body")),
                "{notes:?}"
            );
        }
    }

    #[test]
    fn the_last_of_several_requests_is_read() {
        let text = "> GET /1 HTTP/1.1\n> Host: a\n> \n< HTTP/1.1 301\n> GET /2 HTTP/1.1\n> Host: \
                    a\n> \n";
        let (parts, _, notes) = read(text.as_bytes()).unwrap();
        assert_eq!(parts.uri, "/2");
        assert_eq!(notes.len(), 1);
    }

    #[test]
    fn a_record_without_a_request_is_an_error() {
        assert!(read(b"* Could not resolve host").is_err());
        assert!(read(b"> not a request line").is_err());
    }
}
