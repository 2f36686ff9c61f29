//! Section 7: the named cases are in `verify.json`, with the code of the row.

use std::{collections::BTreeMap, time::Duration};

use countersign::{RejectionKind, Timestamp, Verifier};
use http::{HeaderName, HeaderValue, Request, header::HOST, request::Parts};
use tests::{
    keys::{self, NOW, SECRET, hmac_key},
    signed,
    vectors::{self, text},
};

use crate::page;

/// The expected answer of each case, by its name.
fn answers() -> BTreeMap<String, String> {
    let file = vectors::own("verify.json");
    let cases = file["cases"].as_array().unwrap().iter();
    cases
        .map(|case| {
            (
                text(case, "name").to_owned(),
                text(case, "expect").to_owned(),
            )
        })
        .collect()
}

#[test]
fn each_named_case_has_the_code_of_its_row() {
    let answers = answers();
    let rows = page::rows(&page::section(7));
    let mut named = 0_usize;
    let mut last_step = 1;
    for row in &rows {
        let [step, refused, code, cases] = row.as_slice() else {
            panic!("expected four cells, found {row:?}");
        };
        let step: u32 = step.parse().unwrap();
        assert!(step >= last_step, "{refused}: the steps are in order");
        last_step = step;
        let code = code.trim_matches('`');
        for case in page::quoted(cases) {
            let found = answers.get(&case).map(String::as_str);
            assert_eq!(found, Some(code), "{refused}: {case}");
            named = named.saturating_add(1);
        }
    }
    assert!(named > 60, "{named} cases");

    // The clock of bodies and the quota of nonces belong to the layer.
    let of_the_layer = [RejectionKind::Timeout, RejectionKind::OverQuota];
    for kind in RejectionKind::ALL {
        let code = format!("`{}`", kind.code());
        let is_listed = rows.iter().any(|row| row[2] == code);
        assert_eq!(is_listed, !of_the_layer.contains(kind), "{code}");
    }
}

/// Signs a GET with one further covered header, after this change. Returns the code of the refusal.
fn refused(change: impl FnOnce(&mut Parts), now: Timestamp) -> &'static str {
    let signer = keys::signer("billing", hmac_key(SECRET), "users:1");
    let signer = signer
        .with_covered_header(HeaderName::from_static("x-note"))
        .unwrap();
    let request = Request::get("http://users:1/").header("x-note", "a");
    let request = signed::at(NOW, &signer, request.body("").unwrap());
    let (mut parts, _) = request.into_parts();
    change(&mut parts);
    let refused = Verifier::default().parse(&parts, now).map(drop);
    refused.unwrap_err().kind().code()
}

#[test]
fn each_row_without_a_case_has_the_code_of_the_library() {
    let late = NOW.saturating_add(Duration::from_secs(301));
    let beyond_ascii = |parts: &mut Parts| {
        let value = HeaderValue::from_bytes(b"\xe9").unwrap();
        parts.headers.insert("x-note", value);
    };
    assert_eq!(
        refused(beyond_ascii, late),
        "expired",
        "step 5 is before step 6"
    );
    let found = [
        refused(
            |parts| {
                parts
                    .headers
                    .insert(HOST, HeaderValue::from_static("users:2"));
            },
            NOW,
        ),
        refused(
            |parts| {
                let value = "a".repeat(8193).parse().unwrap();
                parts.headers.insert("x-note", value);
            },
            NOW,
        ),
        refused(beyond_ascii, NOW),
        // The answer of the store, which `replay` has tests of.
        RejectionKind::Replayed.code(),
    ];
    let rows = page::rows(&page::section(7));
    let rows = rows.iter().filter(|row| row[3].is_empty());
    let codes: Vec<_> = rows
        .map(|row| row[2].trim_matches('`').to_owned())
        .collect();
    assert_eq!(codes, found);
}

#[test]
fn each_case_that_the_page_says_is_accepted_is_accepted() {
    let section = page::section(7);
    let (_, accepted) = section.split_once("A verifier MUST accept").unwrap();
    let cases = page::quoted(accepted);
    assert_eq!(cases.len(), 6, "{cases:?}");
    for case in cases {
        let found = answers().get(&case).cloned();
        assert_eq!(found.as_deref(), Some("accept"), "{case}");
    }
}

#[test]
fn the_page_counts_the_vectors() {
    let count = |files: [&str; 2]| {
        let counts = files.map(|file| vectors::own(file)["cases"].as_array().unwrap().len());
        counts.iter().sum::<usize>()
    };
    let section = page::section(10).replace('\n', " ");
    for (files, what) in [
        (["hmac-sha256.json", "ed25519.json"], "requests to sign"),
        (["verify.json", "verify-ed25519.json"], "requests to verify"),
    ] {
        let said = format!("{} {what}", count(files));
        assert!(section.contains(&said), "{said}");
    }
}
