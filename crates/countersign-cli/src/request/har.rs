//! Reads an entry of a HAR file (HTTP Archive 1.2), as browsers and proxies write it.

use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use serde::Deserialize;

use super::{Read, head::HeadBuilder, unreadable::shown};

#[derive(Deserialize)]
struct File {
    log: Option<Log>,
    /// The file may be one entry.
    request: Option<Request>,
    /// Or the request of one.
    method: Option<String>,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    request: Request,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(rename = "postData")]
    post_data: Option<PostData>,
    #[serde(rename = "bodySize")]
    body_size: Option<f64>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct PostData {
    text: Option<String>,
    encoding: Option<String>,
}

pub(super) fn read(input: &[u8], entry: Option<usize>) -> Read {
    let file: File = serde_json::from_slice(input).map_err(|error| wrong(&error))?;
    let request = match file {
        File { log: Some(log), .. } => choose(log.entries, entry)?.request,
        File {
            request: Some(request),
            ..
        } => request,
        File {
            method: Some(_), ..
        } => serde_json::from_slice(input).map_err(|error| wrong(&error))?,
        File { .. } => return Err("expected log.entries, an entry or a request".to_owned()),
    };
    request.read()
}

fn choose(entries: Vec<Entry>, entry: Option<usize>) -> Result<Entry, String> {
    let count = entries.len();
    let number = match entry {
        Some(number) => number,
        None if count == 1 => 1,
        None => {
            return Err(format!(
                "expected one entry, found {count}: choose one with --entry"
            ));
        }
    };
    let at = number.checked_sub(1);
    let found = at.and_then(|at| entries.into_iter().nth(at));
    found.ok_or_else(|| format!("expected an entry from 1 to {count}, found {number}"))
}

impl Request {
    fn read(self) -> Read {
        let mut notes = Vec::new();
        let url = self.url.as_bytes();
        let start = ["http://", "https://"]
            .iter()
            .find_map(|scheme| self.url.strip_prefix(scheme));
        let Some(rest) = start else {
            return Err(format!("expected a URL, found \"{}\"", shown(url)));
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let target = target.split('#').next().unwrap_or_default();
        let target = match target {
            "" => "/".to_owned(),
            target if target.starts_with('?') => ["/", target].concat(),
            target => target.to_owned(),
        };
        let host = authority.rsplit('@').next().unwrap_or_default();
        let mut builder = HeadBuilder::new();
        let mut pseudo_authority = None;
        for Header { name, value } in &self.headers {
            match name.strip_prefix(':') {
                // HTTP/2 has these in place of the request line and of Host.
                Some("authority") => pseudo_authority = Some(value.as_str()),
                Some(_) => {}
                None => builder.header(name.as_bytes(), value.as_bytes())?,
            }
        }
        if !builder.contains("host") {
            let host = pseudo_authority.unwrap_or(host);
            builder.header(b"host", host.as_bytes())?;
        }
        if !self.headers.iter().any(|header| is_signature(&header.name)) {
            notes.push(
                "no header of a signature is recorded: browsers omit some from HAR files"
                    .to_owned(),
            );
        }
        let body = match self.post_data {
            Some(data) => data.body(&mut notes)?,
            None if self.body_size.is_some_and(|size| size > 0.0) => {
                notes.push("the record does not hold the body: give it with --body".to_owned());
                None
            }
            None => Some(Bytes::new()),
        };
        let parts = builder.finish(self.method.as_bytes(), target.as_bytes())?;
        Ok((parts, body, notes))
    }
}

impl PostData {
    fn body(self, notes: &mut Vec<String>) -> Result<Option<Bytes>, String> {
        let Some(text) = self.text else {
            notes.push("the record does not hold the body: give it with --body".to_owned());
            return Ok(None);
        };
        match self.encoding.as_deref() {
            None | Some("") => {}
            Some("base64") => {
                let body = Base64::decode_vec(&text);
                let body = body.map_err(|_| "postData: expected Base64".to_owned())?;
                return Ok(Some(body.into()));
            }
            Some(other) => {
                let other = shown(other.as_bytes());
                return Err(format!("postData: unknown encoding {other}"));
            }
        }
        if text.contains('\u{fffd}') {
            notes.push("the recorded body is not exact: it was not UTF-8".to_owned());
        }
        Ok(Some(text.into()))
    }
}

fn is_signature(name: &str) -> bool {
    let names = [
        "authorization",
        "signature",
        "webhook-signature",
        "svix-signature",
        "x-hmac-signature",
    ];
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Describes an error without a text of the input.
fn wrong(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let problem = match error.classify() {
        serde_json::error::Category::Data => "expected a HAR file, found other JSON",
        serde_json::error::Category::Eof => "expected JSON, found the start of it",
        _ => "expected JSON",
    };
    format!("line {line}, column {column}: {problem}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"{"method": "POST", "url": "https://a:8081/x?y#z",
        "headers": [{"name": ":authority", "value": "a:8081"}, {"name": "X-A", "value": " 1"}],
        "postData": {"mimeType": "text/plain", "text": "é"}}"#;

    #[test]
    fn a_file_an_entry_and_a_request_are_read_alike() {
        let entry = format!(r#"{{"request": {REQUEST}, "response": {{}}}}"#);
        let file = format!(r#"{{"log": {{"version": "1.2", "entries": [{entry}]}}}}"#);
        for input in [REQUEST, &entry, &file] {
            let (parts, body, _) = read(input.as_bytes(), None).unwrap();
            assert_eq!(parts.method, "POST");
            assert_eq!(parts.uri, "/x?y");
            assert_eq!(parts.headers["host"], "a:8081");
            assert_eq!(parts.headers["x-a"], "1");
            assert_eq!(body.unwrap(), "é".as_bytes());
        }
    }

    #[test]
    fn one_of_several_entries_is_chosen_by_its_number() {
        let entry = |path: &str| {
            format!(r#"{{"request": {{"method": "GET", "url": "http://a{path}", "headers": []}}}}"#)
        };
        let file = format!(
            r#"{{"log": {{"entries": [{}, {}]}}}}"#,
            entry("/1"),
            entry("/2")
        );
        let file = file.as_bytes();
        assert_eq!(read(file, Some(2)).unwrap().0.uri, "/2");
        for wrong in [None, Some(0), Some(3)] {
            assert!(read(file, wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_body_in_base64_is_decoded() {
        let input = REQUEST.replace(r#""text": "é""#, r#""text": "/w==", "encoding": "base64""#);
        let (_, body, _) = read(input.as_bytes(), None).unwrap();
        assert_eq!(body.unwrap(), &b"\xff"[..]);
    }

    #[test]
    fn other_json_is_an_error_that_quotes_nothing() {
        for input in [
            "{",
            "{}",
            "[1]",
            r#"{"log": {}}"#,
            r#"{"log": {"entries": []}}"#,
            r#"{"method": "GET", "url": "/x"}"#,
            r#"{"method": "GET", "url": "http://a/", "headers": [{"name": "a b", "value": ""}]}"#,
            r#"{"method": "hunter2 ", "url": 1}"#,
        ] {
            let problem = read(input.as_bytes(), None).unwrap_err();
            assert!(!problem.contains("hunter"), "{input}: {problem}");
        }
    }
}
