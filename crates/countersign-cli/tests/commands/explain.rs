use std::fs;

use countersign_cli::Exit;
use serde_json::Value;

use crate::{
    program::{Outcome, program},
    recorded::{HOST, SCHEMES, Signed, TemporaryFile, keys},
};

/// A request that was signed for another host than it is sent to.
fn misdirected() -> Signed {
    let mut signed = Signed::in_scheme("HMAC-SHA256");
    signed.parts.headers.remove("host");
    signed.parts.uri = "http://user-service.internal/api/items?b=2&a=1"
        .parse()
        .unwrap();
    signed
}

fn explain(scheme: &str, record: &[u8], more: &str) -> Outcome {
    let keys = keys(scheme);
    let arguments = format!("explain --keys {}{more}", keys.path());
    program(&arguments).stdin(record).run()
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{outcome:?}"))
}

#[test]
fn the_likeliest_cause_is_in_the_first_lines_with_what_mends_it() {
    let text = explain("HMAC-SHA256", &misdirected().raw(), "").expect(Exit::No);
    let expected = "\
refused: invalid_signature

1. The caller signed the host with a port that the request does not carry.
   cause     host_with_port
   found     signed host: \"user-service.internal:8081\"
   how sure  certain: the signature is right with this change and no other
   fix       at the service that signs: Sign the host as sent: clients omit the default port.

decision
";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn an_accepted_request_has_no_cause() {
    for scheme in SCHEMES {
        let record = Signed::in_scheme(scheme).raw();
        let found = json(&explain(scheme, &record, " --json"));
        assert_eq!(found["accepted"], true, "{scheme}: {found}");
        assert_eq!(found["causes"].as_array().unwrap().len(), 0, "{scheme}");
        assert_eq!(explain(scheme, &record, "").exit, Exit::Yes, "{scheme}");
    }
}

#[test]
fn what_nothing_explains_is_said_with_what_to_collect_next() {
    for scheme in SCHEMES {
        let mut record = Signed::in_scheme(scheme);
        let names = [
            "authorization",
            "signature",
            "webhook-signature",
            "x-hmac-signature",
        ];
        let headers = &mut record.parts.headers;
        for name in names {
            let Some(value) = headers
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
            else {
                continue;
            };
            // The start of the signature: another digit, of which none is special.
            let marks = ["ignature=", "sig1=:", "v1,", ""];
            let mark = marks.iter().find(|mark| value.contains(**mark)).unwrap();
            let at = value.find(mark).unwrap() + mark.len() + 3;
            let other = if &value[at..=at] == "a" { "b" } else { "a" };
            let value = format!("{}{other}{}", &value[..at], &value[at + 1..]);
            headers.insert(name, value.parse().unwrap());
        }
        let text = explain(scheme, &record.raw(), "").expect(Exit::No);
        assert!(
            text.contains("no known mistake explains the refusal"),
            "{scheme}: {text}"
        );
        for option in ["--theirs", "--path-prefix", "compare fingerprints"] {
            assert!(text.contains(option), "{scheme}: {option}: {text}");
        }
        assert!(!text.contains("provide the secret"), "{text}");
    }
}

#[test]
fn an_old_record_is_explained_at_the_time_that_it_was_signed() {
    let keys = keys("HMAC-SHA256");
    let later = countersign::Timestamp::from_unix_seconds(1_800_000_000);
    let run = |at: &str| {
        let program = program(&format!("explain --json --keys {}{at}", keys.path()));
        json(&program.stdin(misdirected().raw()).run_at(later))
    };
    let found = run("");
    assert_eq!(found["code"], "expired");
    assert!(
        found["next"][0].as_str().unwrap().contains("--at signed"),
        "{found}"
    );
    let found = run(" --at signed");
    assert_eq!(found["code"], "invalid_signature");
    assert_eq!(found["causes"][0]["code"], "host_with_port");
}

/// The text that the sender of [`misdirected`] signed.
fn their_text(signed: &Signed) -> String {
    let parts = &signed.parts;
    let value = |name: &str| parts.headers[name].to_str().unwrap();
    let (date, hash, nonce) = (value("x-date"), value("x-content-sha256"), value("x-nonce"));
    format!(
        "POST\n/api/items?b=2&a=1\nhost:{HOST}\nx-date:{date}\nx-content-sha256:{hash}\n\
         x-nonce:{nonce}\ncontent-type:application/json\n\n\
         host;x-date;x-content-sha256;x-nonce;content-type\n{hash}"
    )
}

#[test]
fn two_signed_texts_are_aligned_and_the_first_byte_that_differs_is_marked() {
    let signed = misdirected();
    let theirs = TemporaryFile::new("theirs", their_text(&signed));
    let more = format!(" --theirs {}", theirs.path());
    let text = explain("HMAC-SHA256", &signed.raw(), &more).expect(Exit::No);
    let expected = "
  the signed texts differ first in line 3 at byte 27
  the signature is over the sender's text: key and signature are right
     1  POST
     2  /api/items?b=2&a=1
  -  3  host:user-service.internal
                                  ^
  +  3  host:user-service.internal:8081
                                  ^
     4  x-date:Fri, 02 Jan 2026 03:04:05 GMT
";
    assert!(text.contains(expected), "{text}");
    let found = json(&explain(
        "HMAC-SHA256",
        &signed.raw(),
        &format!(" --json{more}"),
    ));
    let comparison = &found["comparison"];
    assert_eq!(comparison["signed"], true);
    assert_eq!(comparison["lines"].as_array().unwrap().len(), 11);
    assert_eq!(comparison["lines"][2]["side"], "ours");
    assert_eq!(comparison["lines"][3]["theirs"], 3);
}

#[test]
fn invisible_characters_of_the_sender_s_text_are_shown() {
    for (name, from, to, shown) in [
        ("carriage return", "POST\n", "POST\r\n", "+  1  POST\\r\n"),
        (
            "no-break space",
            "Jan 2026",
            "Jan\u{a0}2026",
            "Jan\\u{a0}2026",
        ),
        ("space at the end", "GMT\n", "GMT \n", "GMT\\x20\n"),
        ("line added", "/api", "\n/api", "+  2  \n"),
    ] {
        let signed = misdirected();
        let theirs = TemporaryFile::new("theirs", their_text(&signed).replacen(from, to, 1));
        let more = format!(" --theirs {}", theirs.path());
        let text = explain("HMAC-SHA256", &signed.raw(), &more).expect(Exit::No);
        assert!(text.contains(shown), "{name}: {text}");
    }
}

#[test]
fn a_text_of_another_request_is_not_called_signed() {
    let signed = misdirected();
    let theirs = TemporaryFile::new("theirs", their_text(&signed).replace("POST", "PUT"));
    let more = format!(" --theirs {}", theirs.path());
    let text = explain("HMAC-SHA256", &signed.raw(), &more).expect(Exit::No);
    assert!(
        text.contains("the signature is not over the sender's text"),
        "{text}"
    );
}

#[test]
fn a_file_of_keys_in_place_of_the_text_is_not_shown() {
    let keys = keys("HMAC-SHA256");
    let more = format!(" --theirs {}", keys.path());
    let outcome = explain("HMAC-SHA256", &misdirected().raw(), &more);
    let message = outcome.expect_error(Exit::Usage);
    assert_eq!(
        message,
        "error: --theirs: expected a signed text, found keys\n"
    );
}

#[test]
fn a_prefix_and_a_limit_are_passed_on() {
    let mut signed = Signed::in_scheme("HMAC-SHA256");
    signed.parts.uri = format!("http://{HOST}/items?b=2&a=1").parse().unwrap();
    let record = signed.raw();
    let found = json(&explain(
        "HMAC-SHA256",
        &record,
        " --json --path-prefix /api",
    ));
    assert_eq!(
        found["causes"][0]["code"], "path_prefix_stripped",
        "{found}"
    );
    let found = json(&explain("HMAC-SHA256", &record, " --json --limit 1"));
    assert_eq!(found["complete"], false);
}

/// A request whose texts hold markup wherever a peer can put it.
fn hostile() -> Signed {
    let mut signed = Signed::in_scheme("HMAC-SHA256");
    signed.parts.uri = format!("http://{HOST}/api/'onload=alert(1)'?x")
        .parse()
        .unwrap();
    let authorization = signed.parts.headers["authorization"].to_str().unwrap();
    let authorization = authorization.replace("billing", "<img/src>");
    signed
        .parts
        .headers
        .insert("authorization", authorization.parse().unwrap());
    let kind = "<script>alert(1)</script>".parse().unwrap();
    signed.parts.headers.insert("content-type", kind);
    signed
}

#[test]
fn the_page_loads_nothing_and_holds_no_markup_of_the_peer() {
    let page = TemporaryFile::new("page.html", "");
    let theirs = TemporaryFile::new("theirs", "<script>alert(2)</script>");
    for (record, escaped) in [
        (hostile(), "&lt;img/src&gt;"),
        (misdirected(), "script&gt;alert(2)"),
    ] {
        let more = format!(" --html {} --theirs {}", page.path(), theirs.path());
        explain("HMAC-SHA256", &record.raw(), &more).expect(Exit::No);
        let html = fs::read_to_string(page.path()).unwrap();
        assert!(html.contains("default-src 'none'"));
        for markup in [
            "<script", "<img", "<iframe", "http://", "https://", "url(", "@import",
        ] {
            assert!(!html.contains(markup), "{markup}: {html}");
        }
        assert!(html.contains(escaped), "{html}");
    }
}

#[test]
fn a_page_that_cannot_be_written_is_unavailable() {
    let record = misdirected().raw();
    let outcome = explain("HMAC-SHA256", &record, " --html /nowhere/page.html");
    assert_eq!(outcome.exit, Exit::Unavailable, "{outcome:?}");
}

#[test]
fn neither_text_nor_page_shows_a_signature_or_a_key() {
    for scheme in SCHEMES {
        let mut signed = Signed::in_scheme(scheme);
        signed
            .parts
            .headers
            .insert("content-type", "text/plain".parse().unwrap());
        signed.body.push(b'x');
        let names = [
            "authorization",
            "signature",
            "webhook-signature",
            "x-hmac-signature",
        ];
        let headers = &signed.parts.headers;
        let value = names.iter().find_map(|name| headers.get(*name)).unwrap();
        let value = value.to_str().unwrap().to_owned();
        let signature = &value[value.len() - 30..value.len() - 2];
        let page = TemporaryFile::new("page.html", "");
        let more = format!(" --html {}", page.path());
        let text = explain(scheme, &signed.raw(), &more).expect(Exit::No);
        let html = fs::read_to_string(page.path()).unwrap();
        for hidden in [signature, "9b346041bc9a4957"] {
            assert!(!text.contains(hidden), "{scheme}: {text}");
            assert!(!html.contains(hidden), "{scheme}: {html}");
        }
    }
}
