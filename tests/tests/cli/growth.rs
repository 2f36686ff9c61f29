//! The readers of recorded requests work no longer than their input is long.

use std::hint::black_box;

use bytes::Bytes;
use countersign_cli::request::RecordedRequest;
use tests::growth::{self, FACTOR};

/// A size at which reading takes longer than starting to read.
const SIZE: usize = 20_000;

#[test]
fn reading_a_record_costs_what_its_length_is() {
    type Input = fn(usize) -> String;
    let cases: [(&str, Input); 12] = [
        ("raw: a body", |size| {
            format!("POST / HTTP/1.1\r\nhost: a\r\n\r\n{}", "x".repeat(size))
        }),
        ("raw: a header", |size| {
            format!("POST / HTTP/1.1\r\nhost: {}\r\n\r\n", "x".repeat(size))
        }),
        ("raw: chunks", |size| {
            let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
            format!("{head}{}0\r\n\r\n", "1\r\nx\r\n".repeat(size))
        }),
        ("raw: no head", |size| "x".repeat(size)),
        ("curl: words", |size| {
            format!("curl http://a {}", "-s ".repeat(size / 8))
        }),
        ("curl: data", |size| {
            format!("curl http://a {}", "-d x ".repeat(size / 20))
        }),
        ("curl: quotes", |size| {
            format!("curl http://a -d {}", "'x'".repeat(size))
        }),
        ("curl: dot segments", |size| {
            format!("curl http://a/{}", "x/../".repeat(size))
        }),
        ("curl: escapes", |size| {
            format!("curl http://a -d $'{}'", "\\x41".repeat(size))
        }),
        ("trace: requests", |size| {
            "=> Send header, 18 bytes (0x12)\n0000: GET / HTTP/1.1\n0010: \n".repeat(size)
        }),
        ("verbose: requests", |size| {
            "> GET / HTTP/1.1\n> host: a\n>\n".repeat(size)
        }),
        ("har: entries", |size| {
            let entry = "{\"request\":{\"method\":\"GET\",\"url\":\"http://a/\"}}";
            let entries = vec![entry; size].join(",");
            format!("{{\"log\":{{\"entries\":[{entries}]}}}}")
        }),
    ];
    for (case, input) in cases {
        let work = |size: usize| {
            let input = Bytes::from(input(size));
            move || {
                let _ = black_box(RecordedRequest::read(&input, None, Some(1)));
            }
        };
        growth::assert_linear(case, &work(SIZE), &work(SIZE * FACTOR));
    }
}
