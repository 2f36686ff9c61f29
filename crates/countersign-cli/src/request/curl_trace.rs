//! Reads the output of `curl --trace` (exact) and `curl --trace-ascii` (every byte that is not
//! printable is a dot).

use super::{Read, form::without_time, raw};

/// The bytes that `--trace-ascii` writes on one line at most.
const ASCII_WIDTH: usize = 64;

pub(super) fn read(input: &[u8]) -> Read {
    let mut requests = Vec::new();
    let mut section = None;
    let mut has_dots = false;
    for line in input.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(kind) = section_of(without_time(line)) {
            section = Some(kind);
            if kind == Section::Header {
                requests.push(Sent::default());
            }
            continue;
        }
        let (Some(section), Some(request)) = (section, requests.last_mut()) else {
            continue;
        };
        if line.is_empty() {
            continue;
        }
        let part = match section {
            Section::Header => &mut request.head,
            Section::Data => &mut request.body,
            Section::Other => continue,
        };
        has_dots |= part.add(line)? && section == Section::Data;
    }
    let count = requests.len();
    let Some(request) = requests.pop() else {
        return Err("expected a line \"=> Send header\", found none".to_owned());
    };
    let mut bytes = request.head.finish();
    bytes.extend_from_slice(&request.body.finish());
    let (parts, body, mut notes) = raw::read(&bytes.into())?;
    if count > 1 {
        notes.push(format!(
            "the record holds {count} requests: the last is read"
        ));
    }
    if has_dots {
        notes.push(
            "--trace-ascii writes other bytes of the body as dots: use --trace for an exact record"
                .to_owned(),
        );
    }
    Ok((parts, body, notes))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Header,
    Data,
    Other,
}

/// Returns the section that a line begins, if it begins one.
fn section_of(line: &[u8]) -> Option<Section> {
    let is = |start: &[u8]| line.starts_with(start);
    if is(b"=> Send header") {
        Some(Section::Header)
    } else if is(b"=> Send data") {
        Some(Section::Data)
    } else if is(b"=> Send SSL") || is(b"<= Recv") || is(b"== Info") {
        Some(Section::Other)
    } else {
        None
    }
}

#[derive(Default)]
struct Sent {
    head: Dump,
    body: Dump,
}

/// The bytes of the sections of one kind.
#[derive(Default)]
struct Dump {
    done: Vec<u8>,
    /// The section that is read.
    section: Vec<u8>,
}

impl Dump {
    /// Adds one line: `0040: text`, or `0040: 47 45 54 … GET`. Returns whether the line has dots
    /// that may stand for another byte.
    fn add(&mut self, line: &[u8]) -> Result<bool, String> {
        let wrong = || "expected a line with its offset, such as \"0040: text\"".to_owned();
        let at = line
            .iter()
            .position(|byte| *byte == b':')
            .ok_or_else(wrong)?;
        let (offset, text) = line.split_at_checked(at).ok_or_else(wrong)?;
        let offset = str::from_utf8(offset).map_err(|_| wrong())?;
        let offset = usize::from_str_radix(offset, 16).map_err(|_| wrong())?;
        let text = text.strip_prefix(b": ").ok_or_else(wrong)?;
        if offset == 0 {
            self.end_section();
        }
        // Between two lines, --trace-ascii omits a CRLF and nothing else.
        match offset.checked_sub(self.section.len()) {
            Some(0) => {}
            Some(2) => self.section.extend_from_slice(b"\r\n"),
            _ => return Err(format!("expected the next offset, found {offset:04x}")),
        }
        if let Some(bytes) = hexadecimal(text) {
            self.section.extend_from_slice(&bytes);
            return Ok(false);
        }
        if text.len() > ASCII_WIDTH {
            return Err(format!("expected at most {ASCII_WIDTH} bytes on a line"));
        }
        self.section.extend_from_slice(text);
        Ok(text.contains(&b'.'))
    }

    fn end_section(&mut self) {
        self.done.append(&mut self.section);
    }

    fn finish(mut self) -> Vec<u8> {
        self.end_section();
        // The last line of a head is the empty line, whose CRLF no further offset shows.
        if !self.done.is_empty()
            && self.done.ends_with(b"\r\n")
            && !self.done.ends_with(b"\r\n\r\n")
        {
            self.done.extend_from_slice(b"\r\n");
        }
        self.done
    }
}

/// Reads a line of `--trace`: up to 16 bytes in hexadecimal digits, in 48 columns, then as text.
fn hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let columns = text.get(..48)?;
    let mut bytes = Vec::new();
    let mut ended = false;
    for column in columns.chunks(3) {
        let (digits, space) = column.split_at_checked(2)?;
        if space != b" " {
            return None;
        }
        if digits == b"  " {
            ended = true;
            continue;
        }
        if ended {
            return None;
        }
        let digits = str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
    }
    (text.len() == bytes.len().saturating_add(48) && !bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// Writes a section as `curl --trace-ascii` does.
    fn ascii(name: &str, bytes: &[u8]) -> String {
        let mut text = format!("=> Send {name}, {0} bytes (0x{0:x})\n", bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let end = rest
                .windows(2)
                .position(|two| two == b"\r\n")
                .unwrap_or(rest.len())
                .min(64);
            let shown: String = rest[..end]
                .iter()
                .map(|byte| match byte {
                    b' '..=b'~' => char::from(*byte),
                    _ => '.',
                })
                .collect();
            writeln!(text, "{at:04x}: {shown}").unwrap();
            at += end;
            if bytes[at..].starts_with(b"\r\n") {
                at += 2;
            }
        }
        text
    }

    fn binary(name: &str, bytes: &[u8]) -> String {
        let mut text = format!("=> Send {name}, {0} bytes (0x{0:x})\n", bytes.len());
        for (row, chunk) in bytes.chunks(16).enumerate() {
            let hex: String = chunk
                .iter()
                .fold(String::new(), |hex, byte| hex + &format!("{byte:02x} "));
            let shown: String = chunk
                .iter()
                .map(|byte| match byte {
                    b' '..=b'~' => char::from(*byte),
                    _ => '.',
                })
                .collect();
            writeln!(text, "{:04x}: {hex:<48}{shown}", row * 16).unwrap();
        }
        text
    }

    const BODY: &[u8] = b"{\"text\":\n\"\xc3\xa9\"}";

    fn head() -> String {
        format!(
            "POST /{} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
            "x".repeat(200),
            BODY.len()
        )
    }

    #[test]
    fn a_trace_in_hexadecimal_digits_is_exact() {
        let trace = format!(
            "== Info:   Trying 127.0.0.1:1...\n{}{}<= Recv header, 1 bytes (0x1)\n0000: H\n",
            binary("header", head().as_bytes()),
            binary("data", BODY)
        );
        let (parts, body, notes) = read(trace.as_bytes()).unwrap();
        assert_eq!(parts.uri.path().len(), 201);
        assert_eq!(body.unwrap(), BODY);
        assert_eq!(notes, [""; 0]);
    }

    #[test]
    fn an_ascii_trace_keeps_the_head_and_marks_doubtful_bytes() {
        let trace = [ascii("header", head().as_bytes()), ascii("data", BODY)].concat();
        let (parts, body, notes) = read(trace.as_bytes()).unwrap();
        assert_eq!(parts.uri.path().len(), 201);
        assert_eq!(parts.headers["host"], "a");
        assert_eq!(body.unwrap().len(), BODY.len());
        assert!(notes[0].contains("--trace"), "{notes:?}");
    }

    #[test]
    fn the_last_of_several_requests_is_read() {
        let one = |path: &str| {
            let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
            ascii("header", head.as_bytes())
        };
        let (parts, _, notes) = read([one("/1"), one("/2")].concat().as_bytes()).unwrap();
        assert_eq!(parts.uri, "/2");
        assert_eq!(notes.len(), 1);
    }

    #[test]
    fn lines_without_their_offsets_are_an_error() {
        for wrong in [
            "== Info: nothing sent",
            "=> Send header, 1 bytes (0x1)\nGET / HTTP/1.1",
            "=> Send header, 1 bytes (0x1)\n0004: GET / HTTP/1.1",
            "=> Send header, 1 bytes (0x1)\nffffffffffffffff: GET / HTTP/1.1",
        ] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
