//! The project's own vectors, `tests/vectors`: what the signer writes, byte for byte with every
//! value between, and what the verifier answers.

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
    fs,
    path::PathBuf,
    process::Command,
    time::Duration,
};

use countersign::{
    BodyState, CallerKey, Keyring, Nonce, PayloadDigest, RejectionKind, Scheme, Secret, Signer,
    SigningKey, Timestamp, Verifier, VerifyingKey,
};
use http::{HeaderName, header::HOST, request::Parts};
use serde_json::Value;
use tests::{
    keys::{SECRET, ed25519_key, hmac_key},
    vectors::{self, text},
};

use crate::message::{Message, Verdict, authenticate};

const SIGN_FILES: [(&str, Scheme, usize); 2] = [
    ("hmac-sha256.json", Scheme::HmacSha256, 55),
    ("ed25519.json", Scheme::Ed25519, 51),
];
const VERIFY_FILES: [(&str, Scheme, usize); 2] = [
    ("verify.json", Scheme::HmacSha256, 178),
    ("verify-ed25519.json", Scheme::Ed25519, 21),
];

/// The cases of a file, which must be of this scheme, so many, and each of another name.
fn cases(file: &str, scheme: Scheme, count: usize) -> (Value, Vec<Value>) {
    let mut content = vectors::own(file);
    assert_eq!(content["scheme"], scheme.name(), "{file}");
    let Value::Array(cases) = content["cases"].take() else {
        panic!("{file}: cases is no array");
    };
    let names: BTreeSet<_> = cases.iter().map(|case| text(case, "name")).collect();
    assert_eq!(names.len(), cases.len(), "{file}: a name twice");
    assert_eq!(cases.len(), count, "{file}");
    (content, cases)
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    serde_json::from_value(value.clone()).unwrap()
}

fn hex(case: &Value, member: &str) -> Secret {
    Secret::from_hex(text(case, member)).unwrap()
}

/// A sign case, and what it takes to sign it.
struct SignCase<'c> {
    case: &'c Value,
    key: SigningKey,
    signer: Signer,
    now: Timestamp,
    body: Vec<u8>,
}

impl<'c> SignCase<'c> {
    fn new(case: &'c Value, scheme: Scheme) -> Self {
        let secret = hex(case, "key_hex");
        let key = match scheme {
            Scheme::HmacSha256 => SigningKey::hmac_sha256(&secret),
            Scheme::Ed25519 => SigningKey::ed25519(&secret).unwrap(),
            other => panic!("no key of {other}"),
        };
        let mut signer =
            Signer::new(text(case, "caller"), key.clone(), [text(case, "host")]).unwrap();
        if case["nonce"].is_null() {
            signer = signer.insecure_three_headers();
        }
        for (name, _) in pairs(&case["extra_headers"]) {
            signer = signer
                .with_covered_header(name.parse::<HeaderName>().unwrap())
                .unwrap();
        }
        Self {
            case,
            key,
            signer,
            now: Timestamp::from_unix_seconds(case["date_unix"].as_i64().unwrap()),
            body: vectors::base64(case, "body_b64"),
        }
    }

    /// The request to be signed, as HTTP/1.1 has it.
    fn parts(&self) -> Parts {
        let case = self.case;
        let mut message = Message::new(
            text(case, "method"),
            text(case, "target"),
            text(case, "host"),
            &self.body,
        );
        if let Some(content_type) = case["content_type"].as_str() {
            message.append("content-type", content_type);
        }
        for (name, value) in pairs(&case["extra_headers"]) {
            message.append(&name, value);
        }
        message.parts().unwrap()
    }

    /// The headers that the signer adds.
    fn sign(&self, parts: &Parts) -> BTreeMap<String, String> {
        let digest = PayloadDigest::of(&self.body);
        let signature = match self.case["nonce"].as_str() {
            Some(nonce) => {
                let nonce = Nonce::new(nonce).unwrap();
                self.signer.sign_with_nonce(parts, digest, nonce, self.now)
            }
            None => self.signer.sign(parts, digest, self.now),
        };
        signature
            .unwrap()
            .headers()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect()
    }

    fn expected_headers(&self) -> BTreeMap<String, String> {
        let mut expected = BTreeMap::new();
        for (name, member) in [
            ("x-date", "x_date"),
            ("x-content-sha256", "content_sha256"),
            ("x-nonce", "nonce"),
            ("authorization", "authorization"),
        ] {
            if let Some(value) = self.case[member].as_str() {
                expected.insert(name.to_owned(), value.to_owned());
            }
        }
        expected
    }

    fn keyring(&self) -> Keyring {
        let mut key = CallerKey::new("1", self.key.verifying_key()).unwrap();
        if self.case["nonce"].is_null() {
            key = key.insecure_three_headers();
        }
        let caller = text(self.case, "caller");
        Keyring::builder().caller(caller, key).build().unwrap()
    }
}

#[test]
fn the_signer_writes_every_value_of_each_case() {
    for (file, scheme, count) in SIGN_FILES {
        for case in &cases(file, scheme, count).1 {
            let name = format!("{file}: {}", text(case, "name"));
            let sign_case = SignCase::new(case, scheme);

            let digest = PayloadDigest::of(&sign_case.body);
            assert_eq!(digest.to_string(), text(case, "content_sha256"), "{name}");
            let date = sign_case.now.to_http_date();
            assert_eq!(date.as_deref(), case["x_date"].as_str(), "{name}");
            let public_key = sign_case.key.verifying_key().public_key().copied();
            let public_key = public_key.map(|key| base16ct::lower::encode_string(&key));
            assert_eq!(
                public_key.as_deref(),
                case["public_key_hex"].as_str(),
                "{name}"
            );

            let headers = sign_case.sign(&sign_case.parts());
            assert_eq!(headers, sign_case.expected_headers(), "{name}");
        }
    }
}

#[test]
fn what_the_signer_wrote_is_verified_and_the_evidence_holds_every_value() {
    for (file, scheme, count) in SIGN_FILES {
        for case in &cases(file, scheme, count).1 {
            let name = format!("{file}: {}", text(case, "name"));
            let sign_case = SignCase::new(case, scheme);
            let mut parts = sign_case.parts();
            for (header, value) in sign_case.sign(&parts) {
                let header: HeaderName = header.parse().unwrap();
                parts.headers.insert(header, value.parse().unwrap());
            }

            let verifier = Verifier::builder()
                .accept_only(scheme)
                .expected_hosts([text(case, "host")])
                .keep_evidence()
                .build()
                .unwrap();
            let keys = sign_case.keyring();
            let mut head = authenticate(&parts, &verifier, &keys, sign_case.now)
                .unwrap_or_else(|rejection| panic!("{name}: {rejection}"));
            let expected = head.expected_digest().unwrap().to_string();
            assert_eq!(expected, text(case, "content_sha256"), "{name}");
            head.update(&sign_case.body);
            let verified = head.finish().unwrap();

            assert_eq!(verified.caller(), &text(case, "caller"), "{name}");
            assert_eq!(verified.key_version(), &"1", "{name}");
            assert_eq!(verified.scheme(), scheme, "{name}");
            assert_eq!(verified.signed_at(), sign_case.now, "{name}");
            assert!(verified.audience_checked(), "{name}");
            assert_eq!(verified.nonce(), case["nonce"].as_str(), "{name}");
            let body = BodyState::Verified(PayloadDigest::of(&sign_case.body));
            assert_eq!(verified.body(), body, "{name}");
            let covered = pairs(&case["covered_headers"]);
            let names: Vec<_> = verified.covered_headers().collect();
            assert_eq!(names.join(";"), text(case, "signed_headers"), "{name}");
            for (header, value) in &covered {
                assert_eq!(verified.covered(header), Some(&**value), "{name}: {header}");
            }

            let evidence = verified.evidence().unwrap();
            let canonical_request = text(case, "canonical_request");
            assert_eq!(evidence.canonical_request(), canonical_request, "{name}");
            let signature = text(case, "signature");
            assert_eq!(evidence.signature_hex(), signature, "{name}");
            assert_eq!(
                evidence.signature(),
                base16ct::lower::decode_vec(signature).unwrap(),
                "{name}"
            );
            assert_eq!(evidence.caller(), verified.caller(), "{name}");
            assert_eq!(evidence.signed_at(), sign_case.now, "{name}");
            assert_eq!(evidence.scheme(), scheme, "{name}");
            assert_eq!(
                evidence.public_key(),
                sign_case.key.verifying_key().public_key(),
                "{name}"
            );
            let trusted = sign_case.key.verifying_key();
            assert!(evidence.is_signed_with(&trusted), "{name}");
            for other in [hmac_key(SECRET), ed25519_key(SECRET)] {
                let other = other.verifying_key();
                assert!(!evidence.is_signed_with(&other), "{name}");
            }
        }
    }
}

/// In HTTP/2 the authority is in the URI and there is no Host.
#[test]
fn the_signature_is_the_same_where_the_authority_stands_in_the_uri() {
    for (file, scheme, count) in SIGN_FILES {
        let mut signed = 0;
        for case in &cases(file, scheme, count).1 {
            let name = format!("{file}: {}", text(case, "name"));
            let sign_case = SignCase::new(case, scheme);
            let mut parts = sign_case.parts();
            if text(case, "target") == "*" {
                // The asterisk form has no authority in the `http` crate's URI.
                continue;
            }
            let uri = format!("http://{}{}", text(case, "host"), text(case, "target"));
            parts.uri = uri.parse().unwrap();
            parts.headers.remove(HOST);
            let headers = sign_case.sign(&parts);
            assert_eq!(headers, sign_case.expected_headers(), "{name}");
            signed += 1;
        }
        assert_eq!(signed, count - 1, "{file}: all but the asterisk");
    }
}

/// The verifier of a verify case. It accepts both schemes, and so must know its hosts: where the
/// case names none, the host of the request is expected, which compares nothing.
fn verifier(case: &Value, request: &Message, window: Duration) -> Verifier {
    let mut hosts: Vec<String> = serde_json::from_value(case["expected_hosts"].clone()).unwrap();
    if hosts.is_empty() {
        let host = request
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("host"));
        hosts.push(host.map_or_else(
            || "nobody.internal".to_owned(),
            |(_, host)| String::from_utf8(host.clone()).unwrap(),
        ));
    }
    Verifier::builder()
        .accept(Scheme::Ed25519)
        .expected_hosts(hosts)
        .window(window)
        .build()
        .unwrap()
}

fn keyring(case: &Value, scheme: Scheme) -> Keyring {
    let mut builder = Keyring::builder();
    for (caller, key) in case["keys"].as_object().unwrap() {
        let key = key.as_str().unwrap();
        let key = match scheme {
            Scheme::HmacSha256 => VerifyingKey::hmac_sha256(&Secret::from_hex(key).unwrap()),
            Scheme::Ed25519 => VerifyingKey::ed25519_from_hex(key).unwrap(),
            other => panic!("no key of {other}"),
        };
        builder = builder.caller(caller.as_str(), CallerKey::new("1", key).unwrap());
    }
    builder.build().unwrap()
}

/// The answer to a verify case. The limit of the body belongs to the layer: it is applied here,
/// where the layer applies it, between the signature and the digest.
fn answer(case: &Value, request: &Message, scheme: Scheme, window: Duration) -> &'static str {
    let now = Timestamp::from_unix_millis(case["now_unix_ms"].as_i64().unwrap());
    let verifier = verifier(case, request, window);
    let keys = keyring(case, scheme);
    let Some(parts) = request.parts() else {
        return Verdict::NotHttp.code();
    };
    let mut head = match authenticate(&parts, &verifier, &keys, now) {
        Ok(head) => head,
        Err(rejection) => return rejection.kind().code(),
    };
    let declared = parts.headers.get("content-length");
    let declared = declared.map_or(0, |length| length.to_str().unwrap().parse().unwrap());
    let length = u64::try_from(request.body.len()).unwrap().max(declared);
    if length > case["body_limit"].as_u64().unwrap() {
        return RejectionKind::TooLarge.code();
    }
    head.update(&request.body);
    head.finish()
        .map_or_else(|rejection| rejection.kind().code(), |_| "accept")
}

#[test]
fn the_verifier_gives_the_code_of_each_case() {
    let mut wrong = Vec::new();
    for (file, scheme, count) in VERIFY_FILES {
        let (content, cases) = cases(file, scheme, count);
        let window = Duration::from_millis(content["window_ms"].as_u64().unwrap());
        for case in &cases {
            let request = Message {
                method: text(&case["request"], "method").to_owned(),
                target: text(&case["request"], "target").to_owned(),
                headers: pairs(&case["request"]["headers"])
                    .into_iter()
                    .map(|(name, value)| (name, value.into_bytes()))
                    .collect(),
                body: vectors::base64(&case["request"], "body_b64"),
            };
            let found = answer(case, &request, scheme, window);
            let expected = text(case, "expect");
            if found != expected {
                let name = text(case, "name");
                wrong.push(format!(
                    "{file}: {name}: expected {expected}, found {found}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_that_a_verifier_alone_can_give_has_a_case() {
    let mut expected: BTreeSet<String> = BTreeSet::new();
    for (file, scheme, count) in VERIFY_FILES {
        let (_, cases) = cases(file, scheme, count);
        expected.extend(cases.iter().map(|case| text(case, "expect").to_owned()));
    }
    let stores_and_clocks = [
        RejectionKind::Timeout,
        RejectionKind::Replayed,
        RejectionKind::OverQuota,
    ];
    let codes = RejectionKind::ALL
        .iter()
        .filter(|kind| !stores_and_clocks.contains(kind))
        .map(|kind| kind.code().to_owned());
    let all: BTreeSet<String> = codes.chain(["accept".to_owned()]).collect();
    assert_eq!(expected, all);
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

#[test]
fn the_readme_counts_the_cases() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    for (file, _, count) in SIGN_FILES.into_iter().chain(VERIFY_FILES) {
        let row = format!("| `{file}` | {count} |");
        assert!(readme.contains(&row), "expected {row:?}");
    }
}

/// Runs a command in the folder of the vectors and asserts that it is content.
fn run(command: &str) {
    let mut words = command.split(' ');
    let output = Command::new(words.next().unwrap())
        .args(words)
        .current_dir(folder())
        .output()
        .unwrap_or_else(|error| panic!("{command}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}{complained}");
}

#[test]
#[ignore = "needs python3"]
fn a_second_verifier_and_a_second_signer_in_python_agree() {
    run("python3 generate.py --check");
    run("python3 check.py");
    run("python3 check.py --peer python3 ../peers/python/canonical.py");
}

#[test]
#[ignore = "needs node and python3"]
fn a_third_signer_in_node_agrees() {
    run("python3 check.py --peer node ../peers/node/canonical.mjs");
}
