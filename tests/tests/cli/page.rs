//! The page of `explain`, in a browser.

use std::process::Command;

use countersign::Timestamp;
use serde_json::{Value, json};
use tests::{directory::Directory, peer};

use crate::program::program;

/// The least contrast of a text (WCAG 2.2, success criterion 1.4.3).
const LEAST_CONTRAST: f64 = 4.5;

const KEYS: &str = "[[callers]]\nname = \"billing\"\n[[callers.keys]]\nversion = \"1\"\n\
                    secret_hex = \"9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a\"\n";

/// A request with a signature of zeros, and a header value.
fn record(value: &str) -> String {
    let hash = "c1e7babc5332511b05e97dd5f5823d03293fdccaf402460eb68c6fbbf380b5a2";
    let names = "host;x-date;x-content-sha256;x-nonce;x-value";
    let zeros = "0".repeat(64);
    format!(
        "POST /api/items?{} HTTP/1.1\r\nhost: user-service\r\nx-date: Fri, 02 Jan 2026 03:04:05 \
         GMT\r\nx-content-sha256: {hash}\r\nx-nonce: 6f1c0d5e2b7a49838d21a6b0c4e5f713\r\nx-value: \
         {value}\r\nauthorization: HMAC-SHA256 credential=billing, signed-headers={names}, \
         signature={zeros}\r\ncontent-length: 21\r\n\r\n{{\"b\": 1, \"a\": [2, 3]}}",
        "q=".to_owned() + &"x".repeat(300)
    )
}

/// Writes the page of a request and has a browser measure it.
fn measured(record: &str, theirs: Option<&str>, at: i64) -> Value {
    let directory = Directory::new();
    let keys = directory.write("callers.toml", KEYS);
    let page = directory.join("page.html");
    let (keys, shown) = (keys.to_str().unwrap(), page.to_str().unwrap());
    let mut arguments = vec!["explain", "--keys", keys, "--html", shown];
    let theirs = theirs.map(|text| directory.write("theirs", text));
    if let Some(path) = &theirs {
        arguments.extend(["--theirs", path.to_str().unwrap()]);
    }
    let now = Timestamp::from_unix_seconds(at);
    program(&arguments, record.as_bytes(), now);
    let mut command = Command::new("node");
    command.arg(peer::path("node/page.mjs")).arg(page);
    peer::json(&mut command, &json!(null))
}

#[test]
#[ignore = "needs chromium and node"]
fn the_page_is_readable_at_phone_and_desk_width_and_asks_for_nothing() {
    let long = "a".repeat(3000);
    let markup = "<img src=http://192.0.2.1/x onerror=alert(1)>";
    let now = 1_767_323_045;
    for (name, record, theirs, at) in [
        ("nothing known", record("one"), None, now),
        ("an old request", record("one"), None, now + 86_400),
        ("a long value", record(&long), Some(&*long), now),
        ("markup", record(markup), Some(markup), now),
    ] {
        let measured = measured(&record, theirs, at);
        let views = measured["views"].as_array().unwrap();
        assert_eq!(views.len(), 4, "{name}");
        for view in views {
            let shown = format!("{name}: {view}");
            assert!(view["overflow"].as_i64().unwrap() <= 0, "{shown}");
            assert!(
                view["contrast"].as_f64().unwrap() >= LEAST_CONTRAST,
                "{shown}"
            );
            assert_eq!(view["requests"], json!([]), "{shown}");
            assert_eq!(view["problems"], json!([]), "{shown}");
        }
    }
}
