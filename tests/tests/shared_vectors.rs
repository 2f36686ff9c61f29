//! The shared conformance data: the article's own scheme as Node ran it, RFC 4231, RFC 8032 and
//! Wycheproof.
//!
//! Where the data is absent these tests pass and say so on stderr. Every case is decided: each is
//! counted in a category, the categories add up to the file, and for the files of the size known
//! here each count is asserted.
//!
//! DIFFERENCE: what the article's code does and this project does not, by the property of a case
//! and not by its name:
//!
//! | property | the article | here |
//! |---|---|---|
//! | a method in lower case | signed in upper case, verified as received | cannot be signed (rule 22) |
//! | an empty path | signed as an empty line | there is no such request: the `http` types refuse it |
//! | a target of raw UTF-8 | signed | signed alike |
//! | an empty host | signed | cannot be signed (rule 5) |
//! | a caller's name with `=`, `,`, `;`, `"` or `\` | signed, then refused | no such signer (rule 2) |
//! | a date outside the years 0 to 9999 | signed, then refused | cannot be signed: no IMF-fixdate has it |
//! | a date in the years 0 to 99 | signed, then refused (`Date.parse` reads 2001) | signed and verified |
//! | parameters in another order, or commas without blanks | refused | accepted (rule 2: `auth-reordered`) |
//! | a fourth parameter, or one twice | accepted (`quirk`) | refused (rule 2) |
//! | a signature with text or an odd digit behind it | accepted (`quirk`) | refused (rule 10) |
//! | other text in the list of signed headers | accepted if it is what was signed (`quirk`) | refused (rule 3) |
//! | a date that is no IMF-fixdate | accepted if `Date.parse` reads it (`quirk`) | refused (rule 11) |
//! | a window of less than a second | possible | run with a window of one second, the least |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::similar_names,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod message;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use countersign::{
    BodyState, CallerKey, ConfigErrorKind, Keyring, PayloadDigest, Scheme, Secret, SignErrorKind,
    Signer, SigningKey, Timestamp, Verifier, VerifyingKey,
};
use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tests::{
    keys::{NOW, SECRET, hmac_key},
    vectors::{assert_count, base64, is_known_set, shared, text},
};

use crate::message::{Message, Verdict, hmac_sha256};

/// Cases by what became of them.
#[derive(Default)]
struct Tally(BTreeMap<&'static str, usize>);

impl Tally {
    fn count(&mut self, category: &'static str) {
        *self.0.entry(category).or_default() += 1;
    }

    /// Asserts that no case is missing and, of the set that is known here, how many are in each
    /// category.
    fn assert(&self, file: &str, cases: usize, known: &[(&str, usize)]) {
        let found: Vec<_> = self.0.iter().map(|(name, count)| (*name, *count)).collect();
        eprintln!("{file}: {cases} cases, {found:?}");
        let sum = |counts: &[(&str, usize)]| counts.iter().map(|(_, count)| count).sum::<usize>();
        assert_eq!(sum(&found), cases, "{file}: a case in no category");
        assert_count(file, cases, sum(known));
        if is_known_set() {
            assert_eq!(found, known, "{file}");
        }
    }
}

fn array(file: &str) -> Option<Vec<Value>> {
    shared(file).map(|cases| serde_json::from_value(cases).unwrap())
}

fn bytes(case: &Value, member: &str) -> Vec<u8> {
    base16ct::mixed::decode_vec(text(case, member)).unwrap()
}

fn array_of<const N: usize>(case: &Value, member: &str) -> [u8; N] {
    bytes(case, member).try_into().unwrap()
}

fn millis(case: &Value, member: &str) -> Timestamp {
    Timestamp::from_unix_millis(case[member].as_i64().unwrap())
}

/// A signer as the article's: three headers, for any host, with any key.
fn article_signer(caller: &str, key: SigningKey) -> Result<Signer, ConfigErrorKind> {
    Signer::new(caller, key.insecure_allow_weak_key(), ["unused"])
        .map(|signer| signer.insecure_three_headers().insecure_any_authority())
        .map_err(|error| error.kind())
}

fn article_keyring(keys: impl IntoIterator<Item = (String, VerifyingKey)>) -> Keyring {
    let mut builder = Keyring::builder();
    for (caller, key) in keys {
        let key = CallerKey::new("1", key.insecure_allow_weak_key()).unwrap();
        builder = builder.caller(caller, key.insecure_three_headers());
    }
    builder.build().unwrap()
}

const SIGN: &str = "seed-hmac-sha256/sign.json";

/// The years 0 to 9999, which an IMF-fixdate can write, in milliseconds of Unix time.
const YEARS: std::ops::Range<i64> = -62_167_219_200_000..253_402_300_800_000;

/// The outcome of a sign case, and the method that a case in lower case means.
fn sign_category(case: &Value) -> &'static str {
    let caller = text(case, "credential");
    if caller.is_empty() || caller.contains(['=', ',', ';', '"', '\\']) {
        "no such caller"
    } else if text(case, "path").is_empty() {
        "no such target"
    } else if text(case, "method") != text(case, "method").to_uppercase() {
        "no such method"
    } else if text(case, "host").is_empty() {
        "no such host"
    } else if !YEARS.contains(&case["date_unix_ms"].as_i64().unwrap()) {
        "no such date"
    } else {
        "signed"
    }
}

/// The request of a sign case. Bodies and targets are taken as bytes: what JSON text they came from
/// is Node's matter.
fn sign_message(case: &Value, method: &str) -> Message {
    let target = String::from_utf8(base64(case, "path_utf8_b64")).unwrap();
    Message::new(
        method,
        &target,
        text(case, "host"),
        &base64(case, "body_b64"),
    )
}

/// The signed message, with every value compared on the way.
fn sign_as_the_article(name: &str, case: &Value, method: &str) -> Message {
    let key = SigningKey::hmac_sha256(&Secret::from_hex(text(case, "secret_hex")).unwrap());
    let signer = article_signer(text(case, "credential"), key).unwrap();
    let message = sign_message(case, method);
    let digest = PayloadDigest::of(&message.body);
    assert_eq!(digest.to_string(), text(case, "content_sha256"), "{name}");
    let signed = message.signed(&signer, millis(case, "date_unix_ms"));
    assert_eq!(signed.header("x-date"), text(case, "x_date"), "{name}");
    assert_eq!(
        signed.header("x-content-sha256"),
        text(case, "content_sha256"),
        "{name}"
    );
    assert_eq!(
        signed.header("authorization"),
        text(case, "authorization"),
        "{name}"
    );
    assert!(!signed.has("x-nonce"), "{name}");
    signed
}

#[test]
fn the_articles_signatures_are_ours_with_every_value_between() {
    let Some(cases) = array(SIGN) else { return };
    let mut tally = Tally::default();
    for case in &cases {
        let name = text(case, "id");
        let category = sign_category(case);
        tally.count(category);
        if category != "signed" {
            continue;
        }
        let signed = sign_as_the_article(name, case, text(case, "method"));

        let now = millis(case, "date_unix_ms");
        let secret = Secret::from_hex(text(case, "secret_hex")).unwrap();
        let caller = text(case, "credential");
        let keys = article_keyring([(caller.to_owned(), VerifyingKey::hmac_sha256(&secret))]);
        let verifier = Verifier::builder().keep_evidence().build().unwrap();
        let verified = signed.judge(&verifier, &keys, now).verified(name);
        let evidence = verified.evidence().unwrap();
        assert_eq!(
            evidence.canonical_request(),
            text(case, "canonical_request"),
            "{name}"
        );
        assert_eq!(evidence.signature_hex(), text(case, "signature"), "{name}");
        assert_eq!(verified.caller(), &caller, "{name}");
        let covered: Vec<_> = verified.covered_headers().collect();
        assert_eq!(covered, ["host", "x-date", "x-content-sha256"], "{name}");
        let body = PayloadDigest::of(&signed.body);
        assert_eq!(verified.body(), BodyState::Verified(body), "{name}");
        assert_eq!(verified.nonce(), None, "{name}");

        // The article refuses its own signature only where `Date.parse` reads another date than was
        // written.
        let two_digit_year = text(case, "x_date").contains(" 00");
        let refused = case["seed_verifier"]["result"] == "reject";
        assert!(!refused || two_digit_year, "{name}: the article refuses it");
    }
    tally.assert(
        SIGN,
        cases.len(),
        &[
            ("no such caller", 1),
            ("no such date", 1),
            ("no such host", 1),
            ("no such method", 1),
            ("no such target", 1),
            ("signed", 61),
        ],
    );
}

#[test]
fn what_the_article_should_not_sign_cannot_be_signed() {
    let Some(cases) = array(SIGN) else { return };
    for case in &cases {
        let name = text(case, "id");
        let key = || SigningKey::hmac_sha256(&Secret::from_hex(text(case, "secret_hex")).unwrap());
        let category = sign_category(case);
        if category == "no such caller" {
            let refused = article_signer(text(case, "credential"), key()).unwrap_err();
            assert_eq!(refused, ConfigErrorKind::Name, "{name}");
            continue;
        }
        let signer = article_signer(text(case, "credential"), key()).unwrap();
        let message = sign_message(case, text(case, "method"));
        let expected = match category {
            "signed" => continue,
            "no such target" => {
                assert!(message.parts().is_none(), "{name}");
                continue;
            }
            "no such method" => {
                // What the article signed is the request in upper case, and that is signed alike.
                sign_as_the_article(name, case, &text(case, "method").to_uppercase());
                SignErrorKind::Method
            }
            "no such host" => SignErrorKind::Authority,
            "no such date" => SignErrorKind::Date,
            other => panic!("{name}: {other}"),
        };
        let parts = message.parts().unwrap();
        let now = millis(case, "date_unix_ms");
        let refused = signer.sign(&parts, PayloadDigest::of(&message.body), now);
        assert_eq!(refused.unwrap_err().kind(), expected, "{name}");
    }
}

const VERIFY: &str = "seed-hmac-sha256/verify.json";

/// The expected outcome of a verify case, and the category that says why.
fn verify_category(case: &Value) -> (&'static str, bool) {
    let accepts = text(case, "expect") == "accept";
    let has = |feature: &str| {
        let features = case["features"].as_array().unwrap();
        features.iter().any(|known| known == feature)
    };
    let quirk = case["quirk"] == Value::Bool(true);
    match (quirk, accepts) {
        (true, _) => ("quirk, refused here", false),
        (false, false) if has("seed-positional") || has("seed-strict") => {
            ("order and blanks, accepted here", true)
        }
        (false, true) => ("accepted by both", true),
        (false, false) => ("refused by both", false),
    }
}

/// The code with which each refused case is refused. The three quirks are the last of `malformed`.
const CODES: [(&str, &[&str]); 7] = [
    (
        "missing_signature",
        &["auth-missing", "auth-scheme-lowercase"],
    ),
    (
        "malformed",
        &[
            "hash-missing",
            "date-missing",
            "date-garbage",
            "date-iso-same-instant",
            "auth-scheme-only",
            "auth-no-signature",
            "auth-empty-signature",
            "cred-empty",
            "signed-headers-reordered",
            "sig-truncated",
            "sig-not-hex",
            "auth-trailing-param",
            "auth-duplicate-signature",
            "sig-odd-extra-digit",
        ],
    ),
    ("insufficient_coverage", &["signed-headers-changed"]),
    (
        "expired",
        &[
            "skew-minus-300.001s",
            "skew-10min-old",
            "custom-skew-60s-late",
        ],
    ),
    (
        "invalid_signature",
        &[
            "method-changed",
            "query-dropped",
            "query-added",
            "path-reencoded",
            "host-port-added",
            "body-and-hash-changed",
            "date-changed-1s",
            "cred-unknown",
            "cred-other-known",
            "sig-bitflip-first",
            "sig-bitflip-last",
            "sig-of-other-key",
        ],
    ),
    (
        "body_mismatch",
        &[
            "body-changed",
            "body-removed",
            "body-absent",
            "body-trailing-newline",
        ],
    ),
    ("no HTTP", &["injected-newline-path"]),
];

#[test]
fn the_articles_verdicts_are_ours_but_for_the_listed_differences() {
    let Some(cases) = array(VERIFY) else { return };
    let mut tally = Tally::default();
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for case in &cases {
        let name = text(case, "id");
        used.insert(name);
        let (category, accept) = verify_category(case);
        tally.count(category);

        let request = &case["request"];
        let headers: Vec<(String, String)> =
            serde_json::from_value(request["headers"].clone()).unwrap();
        let message = Message {
            method: text(request, "method").to_owned(),
            target: text(request, "target").to_owned(),
            headers: headers
                .into_iter()
                .map(|(header, value)| (header, value.into_bytes()))
                .collect(),
            body: base64(request, "body_b64"),
        };
        let secrets: BTreeMap<String, String> =
            serde_json::from_value(case["secrets_hex"].clone()).unwrap();
        let keys = article_keyring(secrets.into_iter().map(|(caller, secret)| {
            let secret = Secret::from_hex(&secret).unwrap();
            (caller, VerifyingKey::hmac_sha256(&secret))
        }));
        let window = Duration::from_millis(case["clock_skew_ms"].as_u64().unwrap());
        let verifier = Verifier::builder()
            .window(window.max(Duration::from_secs(1)))
            .build()
            .unwrap();
        let verdict = message.judge(&verifier, &keys, millis(case, "now_unix_ms"));
        match &verdict {
            Verdict::Accepted(verified) if accept => {
                let caller = case["seed_result"]["caller"].as_str();
                // Where the article refused, it named nobody.
                assert_eq!(verified.caller(), &caller.unwrap_or("service-a"), "{name}");
            }
            Verdict::Refused(_) | Verdict::NotHttp if !accept => {
                let known = CODES.iter().find(|(_, ids)| ids.contains(&name));
                match known {
                    Some((code, _)) if *code == verdict.code() => {}
                    Some((code, _)) => {
                        wrong.push(format!("{name}: expected {code}, found {}", verdict.code()));
                    }
                    None if is_known_set() => wrong.push(format!(
                        "{name}: no code expected, found {}",
                        verdict.code()
                    )),
                    None => eprintln!("{VERIFY}: {name}: refused, with no code expected"),
                }
            }
            other => wrong.push(format!("{name}: {category}, found {}", other.code())),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if is_known_set() {
        for id in CODES.iter().flat_map(|(_, ids)| *ids) {
            assert!(used.contains(id), "{id}: no case has this name");
        }
    }
    tally.assert(
        VERIFY,
        cases.len(),
        &[
            ("accepted by both", 8),
            ("order and blanks, accepted here", 1),
            ("quirk, refused here", 3),
            ("refused by both", 34),
        ],
    );
}

const ED25519: &str = "seed-hmac-sha256/ed25519.json";

/// The parts of a canonical request of three headers. The body of it is known by its hash alone.
fn message_of(canonical_request: &str) -> (Message, [u8; 32]) {
    let lines: Vec<_> = canonical_request.split('\n').collect();
    let [method, target, host, date, hash, "", list, hash_again] = lines[..] else {
        panic!("expected a canonical request, found {canonical_request:?}");
    };
    assert_eq!(list, "host;x-date;x-content-sha256");
    assert_eq!(hash, format!("x-content-sha256:{hash_again}"));
    let host = host.strip_prefix("host:").unwrap();
    let message = Message::new(method, target, host, b"")
        .with("x-date", date.strip_prefix("x-date:").unwrap())
        .with("x-content-sha256", hash_again);
    let digest = base16ct::lower::decode_vec(hash_again).unwrap();
    (message, digest.try_into().unwrap())
}

/// The moment of an IMF-fixdate, computed apart from the crate.
fn date_of(message: &Message) -> Timestamp {
    let text = message.header("x-date");
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (day, year) = (number(5..7), number(12..16));
    let month = i64::try_from(months.iter().position(|m| *m == &text[8..11]).unwrap()).unwrap();
    // Days since 1970-01-01 of a date in the proleptic Gregorian calendar, months counted from
    // March.
    let (year, month) = if month < 2 {
        (year - 1, month + 10)
    } else {
        (year, month - 2)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468;
    let seconds = number(17..19) * 3600 + number(20..22) * 60 + number(23..25);
    Timestamp::from_unix_seconds(days * 86_400 + seconds)
}

#[test]
fn ed25519_signs_the_articles_canonical_requests_as_node_does() {
    let Some(cases) = array(ED25519) else { return };
    let mut tally = Tally::default();
    for case in &cases {
        let name = text(case, "id");
        tally.count("signed");
        let key = SigningKey::ed25519(&Secret::from_hex(text(case, "private_seed_hex")).unwrap());
        let key = key.unwrap();
        let public_key: [u8; 32] = array_of(case, "public_key_hex");
        assert_eq!(
            key.verifying_key().public_key(),
            Some(&public_key),
            "{name}"
        );

        let (message, digest) = message_of(text(case, "canonical_request"));
        let now = date_of(&message);
        assert_eq!(
            now.to_http_date().as_deref(),
            Some(message.header("x-date"))
        );
        let mut unsigned = message.clone();
        unsigned.remove("x-date");
        unsigned.remove("x-content-sha256");
        let mut parts = unsigned.parts().unwrap();
        let signer = article_signer("service-a", key).unwrap();
        signer
            .sign(&parts, PayloadDigest::from_bytes(digest), now)
            .unwrap()
            .apply(&mut parts);
        let expected = format!(
            "ED25519 credential=service-a, signed-headers=host;x-date;x-content-sha256, signature={}",
            text(case, "signature_hex")
        );
        assert_eq!(parts.headers["authorization"], expected, "{name}");

        // The body itself is not in the file: the chain is followed as far as the head goes.
        let verifier = Verifier::builder()
            .accept_only(Scheme::Ed25519)
            .expected_hosts([message.header("host")])
            .build()
            .unwrap();
        let public_key = VerifyingKey::ed25519(&public_key).unwrap();
        let keys = article_keyring([("service-a".to_owned(), public_key)]);
        let head = message::authenticate(&parts, &verifier, &keys, now)
            .unwrap_or_else(|rejection| panic!("{name}: {rejection}"));
        assert_eq!(
            head.expected_digest().unwrap().as_bytes(),
            &digest,
            "{name}"
        );
    }
    tally.assert(ED25519, cases.len(), &[("signed", 15)]);
}

/// Signs a request with this HMAC key through the crate, and computes the MAC over the evidence's
/// text without it. So the keys of the vectors go through the crate; their messages cannot, because
/// no canonical request is such a message. The messages are given to `hmac` itself, which is here
/// the same crate with the same features as the core's.
fn assert_key_is_used_as_it_is(name: &str, key: &[u8]) {
    let signing = SigningKey::hmac_sha256(&Secret::from_bytes(key));
    let keys = article_keyring([("a".to_owned(), signing.verifying_key())]);
    let signer = article_signer("a", signing).unwrap();
    let message = Message::new("GET", "/a", "user-service.internal", b"").signed(&signer, NOW);
    let verifier = Verifier::builder().keep_evidence().build().unwrap();
    let verified = message.judge(&verifier, &keys, NOW).verified(name);
    let evidence = verified.evidence().unwrap();
    let expected = hmac_sha256(key, evidence.canonical_request().as_bytes());
    assert_eq!(evidence.signature(), expected, "{name}");
}

/// Whether `tag` is that of the message. A shorter one, as some vectors have, is compared with the
/// first bytes.
fn hmac_matches(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    let mac = mac.chain_update(message);
    if tag.len() == 32 {
        mac.verify_slice(tag).is_ok()
    } else {
        mac.verify_truncated_left(tag).is_ok()
    }
}

const RFC_4231: &str = "hmac-rfc4231/rfc4231.json";

/// Source: RFC 4231 section 4. Of the four hashes only SHA-256 is a scheme here.
#[test]
fn rfc_4231_holds_for_sha_256() {
    let Some(cases) = array(RFC_4231) else { return };
    let mut tally = Tally::default();
    for (row, case) in cases.iter().enumerate() {
        let name = format!("{RFC_4231}, row {row}");
        if text(case, "alg") != "sha256" {
            tally.count("another hash");
            continue;
        }
        let (key, tag) = (bytes(case, "key_hex"), bytes(case, "mac_hex"));
        let truncated = case["truncated"] == Value::Bool(true);
        tally.count(if truncated { "truncated" } else { "whole" });
        assert_eq!(truncated, tag.len() < 32, "{name}");
        assert!(hmac_matches(&key, &bytes(case, "msg_hex"), &tag), "{name}");
        assert_key_is_used_as_it_is(&name, &key);
    }
    let known = [("another hash", 15), ("truncated", 1), ("whole", 4)];
    tally.assert(RFC_4231, cases.len(), &known);
}

/// The tests of a Wycheproof file, each with its group.
fn wycheproof(file: &str) -> Option<Vec<(Value, Value)>> {
    let content = shared(file)?;
    let mut cases = Vec::new();
    for group in content["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            cases.push((group.clone(), test.clone()));
        }
    }
    let said = content["numberOfTests"].as_u64().unwrap();
    assert_eq!(u64::try_from(cases.len()).unwrap(), said, "{file}");
    Some(cases)
}

const WYCHEPROOF_HMAC: &str = "wycheproof/hmac_sha256_test.json";

#[test]
fn wycheproof_holds_for_hmac_sha256() {
    let Some(cases) = wycheproof(WYCHEPROOF_HMAC) else {
        return;
    };
    let key = hmac_key(SECRET);
    let keys = article_keyring([("a".to_owned(), key.verifying_key())]);
    let request = Message::new("GET", "/a", "user-service.internal", b"")
        .signed(&article_signer("a", key).unwrap(), NOW);
    let mut tally = Tally::default();
    for (group, test) in &cases {
        let name = format!("{WYCHEPROOF_HMAC}: tcId {}", test["tcId"]);
        let (key, tag) = (bytes(test, "key"), bytes(test, "tag"));
        let valid = text(test, "result") == "valid";
        let whole = group["tagSize"] == 256;
        tally.count(match (valid, whole) {
            (true, true) => "valid",
            (false, true) => "invalid",
            (true, false) => "valid, truncated",
            (false, false) => "invalid, truncated",
        });
        let found = hmac_matches(&key, &bytes(test, "msg"), &tag);
        assert_eq!(found, valid, "{name}");
        assert_key_is_used_as_it_is(&name, &key);

        // No truncated tag can be one of ours, whatever it is over.
        let mut forged = request.clone();
        forged.set(
            "authorization",
            format!(
                "HMAC-SHA256 credential=a, signed-headers=host;x-date;x-content-sha256, signature={}",
                text(test, "tag")
            ),
        );
        let verdict = forged.judge(&Verifier::default(), &keys, NOW);
        let expected = if whole {
            "invalid_signature"
        } else {
            "malformed"
        };
        assert_eq!(verdict.code(), expected, "{name}");
    }
    tally.assert(
        WYCHEPROOF_HMAC,
        cases.len(),
        &[
            ("invalid", 36),
            ("invalid, truncated", 36),
            ("valid", 22),
            ("valid, truncated", 22),
        ],
    );
}

const RFC_8032: &str = "ed25519-rfc8032/rfc8032.json";

/// Source: RFC 8032 section 7.1, and sign.input of ed25519.cr.yp.to. The keys go through the crate;
/// the messages are no canonical requests and go to `ed25519-dalek`, the same crate with the same
/// features as the core's.
#[test]
fn rfc_8032_holds_for_ed25519() {
    let Some(cases) = array(RFC_8032) else { return };
    let mut tally = Tally::default();
    for case in &cases {
        let name = format!("{RFC_8032}: {}", text(case, "name"));
        let in_rfc = text(case, "source").starts_with("RFC 8032");
        tally.count(if in_rfc { "section 7.1" } else { "sign.input" });
        let seed: [u8; 32] = array_of(case, "seed_hex");
        let public_key: [u8; 32] = array_of(case, "public_hex");
        let signature: [u8; 64] = array_of(case, "sig_hex");
        let message = bytes(case, "msg_hex");

        let ours = SigningKey::ed25519(&Secret::from_bytes(&seed)).unwrap();
        let verifying = ours.verifying_key();
        assert_eq!(verifying.public_key(), Some(&public_key), "{name}");
        let hex = VerifyingKey::ed25519_from_hex(text(case, "public_hex")).unwrap();
        assert_eq!(hex.public_key(), Some(&public_key), "{name}");

        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        assert_eq!(key.sign(&message).to_bytes(), signature, "{name}");
        assert!(
            strictly_verifies(&public_key, &message, &signature),
            "{name}"
        );
        assert_ed25519_key_is_used_as_it_is(&name, ours);
    }
    let known = [("section 7.1", 3), ("sign.input", 43)];
    tally.assert(RFC_8032, cases.len(), &known);
}

fn strictly_verifies(public_key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let key = ed25519_dalek::VerifyingKey::from_bytes(public_key).unwrap();
    ed25519_dalek::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}

/// Signs and verifies a request with this key through the crate, and verifies the evidence without
/// it.
fn assert_ed25519_key_is_used_as_it_is(name: &str, key: SigningKey) {
    let host = "user-service.internal";
    let verifying = key.verifying_key();
    let keys = article_keyring([("a".to_owned(), verifying.clone())]);
    let signer = article_signer("a", key).unwrap();
    let message = Message::new("GET", "/a", host, b"").signed(&signer, NOW);
    let verifier = Verifier::builder()
        .accept_only(Scheme::Ed25519)
        .expected_hosts([host])
        .keep_evidence()
        .build()
        .unwrap();
    let verified = message.judge(&verifier, &keys, NOW).verified(name);
    let evidence = verified.evidence().unwrap();
    assert!(evidence.is_signed_with(&verifying), "{name}");
    assert!(
        strictly_verifies(
            evidence.public_key().unwrap(),
            evidence.canonical_request().as_bytes(),
            evidence.signature(),
        ),
        "{name}"
    );
}

const WYCHEPROOF_ED25519: &str = "wycheproof/ed25519_test.json";

/// The public keys go through the crate, and so does every signature, on a request of ours: none
/// may match, and those of another length than 64 bytes must not even parse. Over their own
/// messages they go to `verify_strict`, which is what the crate calls.
#[test]
fn wycheproof_holds_for_ed25519() {
    let Some(cases) = wycheproof(WYCHEPROOF_ED25519) else {
        return;
    };
    let host = "user-service.internal";
    let verifier = Verifier::builder()
        .accept_only(Scheme::Ed25519)
        .expected_hosts([host])
        .build()
        .unwrap();
    let signer = article_signer("a", hmac_key(SECRET)).unwrap();
    let request = Message::new("GET", "/a", host, b"").signed(&signer, NOW);
    let mut tally = Tally::default();
    for (group, test) in &cases {
        let name = format!("{WYCHEPROOF_ED25519}: tcId {}", test["tcId"]);
        let public_key: [u8; 32] = array_of(&group["publicKey"], "pk");
        let signature = bytes(test, "sig");
        let valid = text(test, "result") == "valid";
        tally.count(match (valid, signature.len()) {
            (true, 64) => "valid",
            (false, 64) => "invalid",
            (false, _) => "of another length",
            (true, length) => panic!("{name}: valid with {length} bytes"),
        });
        let found = strictly_verifies(&public_key, &bytes(test, "msg"), &signature);
        assert_eq!(found, valid, "{name}");

        let key = VerifyingKey::ed25519(&public_key).unwrap();
        assert_eq!(key.public_key(), Some(&public_key), "{name}");
        let keys = article_keyring([("a".to_owned(), key)]);
        let mut forged = request.clone();
        forged.set(
            "authorization",
            format!(
                "ED25519 credential=a, signed-headers=host;x-date;x-content-sha256, signature={}",
                text(test, "sig")
            ),
        );
        let verdict = forged.judge(&verifier, &keys, NOW);
        let expected = match signature.len() {
            64 => "invalid_signature",
            _ => "malformed",
        };
        assert_eq!(verdict.code(), expected, "{name}");
    }
    tally.assert(
        WYCHEPROOF_ED25519,
        cases.len(),
        &[("invalid", 33), ("of another length", 8), ("valid", 58)],
    );
}
