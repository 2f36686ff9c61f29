//! What `curl` sends, and what its command and its records are read as.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
    thread,
};

use bytes::Bytes;
use countersign_cli::request::{RecordedRequest, RequestForm};
use http::HeaderMap;

/// The bytes that a client sends to a server, which answers and closes.
fn received(send: impl FnOnce(&str)) -> Bytes {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let length = stream.read(&mut buffer).unwrap();
            bytes.extend_from_slice(&buffer[..length]);
            let head = bytes.windows(4).position(|end| end == b"\r\n\r\n");
            let read = RecordedRequest::read(&Bytes::copy_from_slice(&bytes), None, None);
            let is_whole = head.is_some() && read.is_ok_and(|read| read.notes.is_empty());
            if is_whole || length == 0 {
                break;
            }
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        Bytes::from(bytes)
    });
    send(&address);
    server.join().unwrap()
}

/// The headers that a command shows: not those of the build of curl.
fn shown(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove("user-agent");
    headers.remove("accept-encoding");
    headers
}

fn read(bytes: impl Into<Bytes>, form: RequestForm) -> RecordedRequest {
    let found = RecordedRequest::read(&bytes.into(), None, None).unwrap();
    assert_eq!(found.form, form);
    found
}

#[test]
#[ignore = "needs curl"]
fn commands_and_records_of_curl_are_read_as_curl_sends_them() {
    for (name, arguments) in [
        ("get", "http://ADDRESS/a"),
        ("no path", "http://ADDRESS"),
        ("query and fragment", "'http://ADDRESS/a?b=%20c&d#e'"),
        ("dot segments", "http://ADDRESS/a/../b/./c//d/.."),
        (
            "dot segments as they are",
            "--path-as-is http://ADDRESS/a/../b",
        ),
        ("json", "http://ADDRESS/a --json '{\"b\": 1}'"),
        ("data", "http://ADDRESS/a -d b=1 -d c=2 -X PUT"),
        ("data in the query", "-G http://ADDRESS/a?x -d b=1"),
        (
            "data with escapes",
            "http://ADDRESS/a --data-binary $'a\\n\\x01\\u00e9\\''",
        ),
        (
            "urlencode",
            "http://ADDRESS/ --data-urlencode '=a b' --data-urlencode 'c d'",
        ),
        (
            "headers",
            "http://ADDRESS/a -H 'X-A: 1' -H 'X-B;' -H 'Accept:' -H 'Host: other'",
        ),
        ("user", "-u me:secret http://ADDRESS/a"),
        ("user of the URL", "http://me:secret@ADDRESS/a"),
        (
            "agent, referer, cookie",
            "-A me -e http://x/ -b a=b http://ADDRESS/a",
        ),
        ("two lines", "\\\n  -s \\\n  http://ADDRESS/a"),
    ] {
        let directory = tests::directory::Directory::new();
        let mut command = String::new();
        let bytes = received(|address| {
            command = format!("curl {}", arguments.replace("ADDRESS", address));
            let script = format!(
                "{command} -s -o /dev/null -v --trace-time --trace-ascii ascii --noproxy '*'\n"
            );
            let status = Command::new("bash")
                .args(["-c", &script])
                .current_dir(directory.path())
                .status();
            assert!(status.unwrap().success(), "{name}: {script}");
        });
        let sent = read(bytes.clone(), RequestForm::Raw);
        let command = read(command, RequestForm::CurlCommand);
        let of_trace = std::fs::read(directory.join("ascii")).unwrap();
        let traced = read(of_trace, RequestForm::CurlTrace);
        for (form, found) in [("command", &command), ("trace", &traced)] {
            assert_eq!(found.parts.method, sent.parts.method, "{name}: {form}");
            assert_eq!(found.parts.uri, sent.parts.uri, "{name}: {form}");
            let headers = shown(&found.parts.headers);
            assert_eq!(headers, shown(&sent.parts.headers), "{name}: {form}");
        }
        assert_eq!(command.body, sent.body, "{name}: the body of the command");
        let (traced, sent) = (traced.body.unwrap(), sent.body.unwrap());
        assert_eq!(traced.len(), sent.len(), "{name}: the body of the trace");
    }
}

#[test]
#[ignore = "needs curl"]
fn a_trace_in_hexadecimal_digits_is_what_was_sent() {
    let directory = tests::directory::Directory::new();
    let body: Vec<u8> = (0..=255).cycle().take(5000).collect();
    std::fs::write(directory.join("body"), &body).unwrap();
    let mut verbose = Vec::new();
    let bytes = received(|address| {
        let url = format!("http://{address}/{}", "a".repeat(300));
        let curl = |options: &[&str]| {
            let mut curl = Command::new("curl");
            curl.args(["-s", "--noproxy", "*", "--data-binary", "@body", &url]);
            curl.args(options)
                .current_dir(directory.path())
                .output()
                .unwrap()
        };
        curl(&["--trace", "hex"]);
        // The server has ended, so that only the head is shown.
        verbose = curl(&["-v"]).stderr;
    });
    let traced = std::fs::read(directory.join("hex")).unwrap();
    let traced = read(traced, RequestForm::CurlTrace);
    let sent = read(bytes, RequestForm::Raw);
    assert_eq!(traced.body, sent.body);
    assert_eq!(traced.body.unwrap(), body);
    assert_eq!(traced.parts.headers, sent.parts.headers);
    assert_eq!(traced.parts.uri, sent.parts.uri);
    assert!(!verbose.is_empty());
}
