//! The shared conformance data of the schemes that sign the body: the Django article's as Python
//! ran it, and Standard Webhooks as its libraries, Svix and Python made it.
//!
//! Source: `seed-drf` (signatures and requests) and `standard-webhooks` (signatures `v1` and `v1a`,
//! and requests). Where the data is absent these tests pass and say so on stderr. Cases that are
//! refused here and accepted there are in [`DIFFERENCES`] by name, and each of them is checked to
//! be refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::similar_names,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod message;

use std::{collections::BTreeMap, time::Duration};

use countersign::{
    BodyState, CallerKey, Coverage, DrfVerifySettings, Keyring, Scheme, Secret, SignErrorKind,
    Signer, SigningKey, StandardWebhooksVerifySettings, Timestamp, Verified, Verifier,
    VerifyingKey,
};
use ed25519_dalek::Signer as _;
use http::Method;
use serde_json::Value;
use tests::vectors::{assert_count, base64, is_known_set, shared, text};

use crate::message::{Message, hmac_sha256};

const HOST: &str = "service.internal";

/// The file and the name of a case, its outcome here, and why.
const DIFFERENCES: &[(&str, &str, &str, &str)] = &[
    (
        DRF_SIGN,
        "ts-negative",
        "not signed",
        "a timestamp is 1 to 12 digits, without a sign",
    ),
    (
        DRF_SIGN,
        "ts-i64-max",
        "not signed",
        "a timestamp is 1 to 12 digits",
    ),
    (
        DRF_VERIFY,
        "ts-lenient-plus",
        "malformed",
        "`int` of Python reads a sign",
    ),
    (
        DRF_VERIFY,
        "ts-lenient-spaces",
        "malformed",
        "`int` of Python reads blanks",
    ),
    (
        DRF_VERIFY,
        "ts-lenient-leading-zeros",
        "malformed",
        "13 digits: `int` of Python reads any number of them",
    ),
    (
        WEBHOOKS,
        "secret-unpadded-1",
        "no secret",
        "Base64 that is not canonical: its last two bits are lost",
    ),
    (
        WEBHOOKS,
        "id-4",
        "not signed",
        "an id holds no spaces, as no token does",
    ),
    (
        WEBHOOKS,
        "id-6",
        "not signed",
        "an id is ASCII: HTTP has no encoding for anything else",
    ),
];

const DRF_SIGN: &str = "seed-drf/sign.json";
const DRF_VERIFY: &str = "seed-drf/verify.json";
const WEBHOOKS: &str = "standard-webhooks/standard_webhooks.json";

/// What a file's cases came to: how many there were, how many agreed, and what became of the
/// others.
#[derive(Default)]
struct Found {
    cases: usize,
    agreed: usize,
    differences: BTreeMap<String, String>,
}

impl Found {
    fn agrees(&mut self) {
        self.cases += 1;
        self.agreed += 1;
    }

    /// The case is refused here, with this outcome, and accepted there. The data must say itself
    /// that it is odd.
    #[track_caller]
    fn differs(&mut self, case: &Value, outcome: &str) {
        let is_odd = |feature: &Value| {
            let feature = feature.as_str().unwrap();
            feature.starts_with("quirk") || feature == "timestamp-extreme"
        };
        let odd = !case["quirk"].is_null() || array(&case["features"]).iter().any(is_odd);
        let name = text(case, "id");
        assert!(odd, "{name}: {outcome}");
        self.cases += 1;
        self.differences.insert(name.to_owned(), outcome.to_owned());
    }

    /// Asserts, of the set that is known here, how many cases there are and that the differences
    /// are the known ones.
    fn assert(&self, file: &str, cases: usize) {
        let known = DIFFERENCES.iter().filter(|known| known.0 == file);
        let known: BTreeMap<_, _> = known.map(|known| (known.1, known.2)).collect();
        let differences = self.differences.iter();
        let found: BTreeMap<_, _> = differences.map(|(name, how)| (&**name, &**how)).collect();
        let (agreed, differ) = (self.agreed, found.len());
        eprintln!(
            "{file}: {} cases, {agreed} agree, {differ} differ",
            self.cases
        );
        assert_eq!(agreed + differ, self.cases, "{file}: a case twice");
        assert_count(file, self.cases, cases);
        if is_known_set() {
            assert_eq!(found, known, "{file}");
        } else {
            eprintln!("{file}: {found:?}");
        }
    }
}

fn array(cases: &Value) -> &Vec<Value> {
    cases.as_array().expect("an array of cases")
}

fn keyring(caller: &str, keys: impl IntoIterator<Item = VerifyingKey>) -> Keyring {
    let mut builder = Keyring::builder();
    for (version, key) in keys.into_iter().enumerate() {
        let key = CallerKey::new(&version.to_string(), key.insecure_allow_weak_key()).unwrap();
        builder = builder.caller(caller, key);
    }
    builder.build().unwrap()
}

fn drf_key(case: &Value) -> SigningKey {
    let secret = text(case, "secret_utf8");
    let bytes = base16ct::mixed::decode_vec(text(case, "secret_hex")).unwrap();
    assert_eq!(secret.as_bytes(), bytes, "the key is the text's own bytes");
    SigningKey::drf(&Secret::from_bytes(secret.as_bytes())).insecure_allow_weak_key()
}

fn drf_verifier(method: &str, target: &str, window: Duration) -> Verifier {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let django = DrfVerifySettings::for_caller("django").unwrap();
    let django = django.with_window(window).unwrap();
    let django = django.with_route(method, target).unwrap();
    Verifier::builder().accept_only(django).build().unwrap()
}

#[test]
fn signs_as_the_django_article_does() {
    let Some(cases) = shared(DRF_SIGN) else {
        return;
    };
    let mut found = Found::default();
    let mut weak = 0;
    for case in array(&cases) {
        let name = text(case, "id");
        let (timestamp, signature) = (text(case, "timestamp"), text(case, "signature"));
        let body = base64(case, "body_b64");

        // The intermediate value, and the primitive beside the crate.
        let signed = [timestamp.as_bytes(), b".", &body].concat();
        assert_eq!(signed, base64(case, "message_b64"), "{name}");
        let mac = hmac_sha256(text(case, "secret_utf8").as_bytes(), &signed);
        assert_eq!(base16ct::lower::encode_string(&mac), signature, "{name}");

        let secret = Secret::from_bytes(text(case, "secret_utf8").as_bytes());
        weak += usize::from(Signer::drf(SigningKey::drf(&secret), [HOST]).is_err());
        let key = drf_key(case);
        let signer = Signer::drf(key.clone(), [HOST]).unwrap();
        let now = Timestamp::from_unix_seconds(timestamp.parse().unwrap());
        let message = Message::new("POST", "/v1/infer", HOST, &body);
        let parts = message.parts().unwrap();
        if let Err(error) = signer.sign(&parts, &*body, now) {
            assert_eq!(error.kind(), SignErrorKind::Date, "{name}");
            found.differs(case, "not signed");
            continue;
        }
        let message = message.signed(&signer, now);
        assert_eq!(message.header("x-hmac-timestamp"), timestamp, "{name}");
        assert_eq!(message.header("x-hmac-signature"), signature, "{name}");

        let verifier = drf_verifier("POST", "/v1/infer", Duration::from_secs(60));
        let verified = message
            .judge(&verifier, &keyring("django", [key.verifying_key()]), now)
            .verified(name);
        assert_body_only(&verified, "django", Scheme::Drf, name);
        assert_eq!(
            verified.covered("x-hmac-timestamp"),
            Some(timestamp),
            "{name}"
        );
        found.agrees();
    }
    eprintln!("{DRF_SIGN}: {weak} keys are refused unless they are allowed by name");
    assert!(weak > 0);
    found.assert(DRF_SIGN, 39);
}

#[test]
fn judges_as_the_django_article_does() {
    let Some(cases) = shared(DRF_VERIFY) else {
        return;
    };
    let mut found = Found::default();
    for case in array(&cases) {
        let request = &case["request"];
        let body = base64(request, "body_b64");
        let (method, target) = (text(request, "method"), text(request, "target"));
        let mut message = Message::new(method, target, HOST, &body);
        with_headers(&mut message, &request["headers"]);
        let window = Duration::from_secs(case["max_skew_seconds"].as_u64().unwrap());
        let now = Timestamp::from_unix_seconds(case["now_unix"].as_i64().unwrap());
        let keys = keyring("django", [drf_key(case).verifying_key()]);
        let verdict = message.judge(&drf_verifier(method, target, window), &keys, now);
        compare(&mut found, DRF_VERIFY, case, verdict.code());
    }
    found.assert(DRF_VERIFY, 30);
}

#[test]
fn signs_and_judges_as_the_libraries_of_standard_webhooks_do() {
    let Some(cases) = shared(WEBHOOKS) else {
        return;
    };
    let mut found = Found::default();
    let mut weak = 0;
    for case in array(&cases["sign_v1"]) {
        let name = text(case, "id");
        let bytes = base16ct::mixed::decode_vec(text(case, "secret_hex")).unwrap();
        let signed = base64(case, "signed_content_b64");
        let expected = format!("v1,{}", encode(&hmac_sha256(&bytes, &signed)));
        assert_eq!(expected, text(case, "webhook_signature"), "{name}");
        let Ok(secret) = Secret::from_webhook_secret(text(case, "secret")) else {
            found.differs(case, "no secret");
            continue;
        };
        let key = SigningKey::standard_webhooks(&secret);
        weak += usize::from(Signer::standard_webhooks([key.clone()], [HOST]).is_err());
        let verifying = key.verifying_key();
        sign_webhook(&mut found, case, key, verifying, &signed);
    }
    eprintln!("{WEBHOOKS}: {weak} secrets are refused unless they are allowed by name");
    for case in array(&cases["sign_v1a"]) {
        let name = text(case, "id");
        let seed = base16ct::mixed::decode_vec(text(case, "seed_hex")).unwrap();
        let public = base16ct::mixed::decode_vec(text(case, "public_hex")).unwrap();
        let signed = base64(case, "signed_content_b64");
        let peer = ed25519_dalek::SigningKey::from_bytes(&seed.clone().try_into().unwrap());
        let expected = format!("v1a,{}", encode(&peer.sign(&signed).to_bytes()));
        assert_eq!(expected, text(case, "webhook_signature"), "{name}");
        let key = SigningKey::standard_webhooks_ed25519(text(case, "secret_whsk")).unwrap();
        let seed = format!("whsk_{}", encode(&seed));
        let of_seed = SigningKey::standard_webhooks_ed25519(&seed).unwrap();
        let verifying = VerifyingKey::standard_webhooks_ed25519(text(case, "public_whpk")).unwrap();
        for key in [&key.verifying_key(), &of_seed.verifying_key(), &verifying] {
            assert_eq!(key.public_key().unwrap().as_slice(), public, "{name}");
        }
        sign_webhook(&mut found, case, key, verifying, &signed);
    }
    for case in array(&cases["verify"]) {
        judge_webhook(&mut found, case);
    }
    found.assert(WEBHOOKS, 51);
}

fn sign_webhook(
    found: &mut Found,
    case: &Value,
    key: SigningKey,
    verifying: VerifyingKey,
    signed: &[u8],
) {
    let name = text(case, "id");
    let id = text(case, "webhook_id");
    let seconds = case["webhook_timestamp"].as_i64().unwrap();
    let now = Timestamp::from_unix_seconds(seconds);
    let body = base64(case, "payload_b64");
    let content = [id.as_bytes(), format!(".{seconds}.").as_bytes(), &body].concat();
    assert_eq!(content, signed, "{name}");

    let signer = Signer::standard_webhooks([key.insecure_allow_weak_key()], [HOST]).unwrap();
    let message = Message::new("POST", "/hook", HOST, &body).with("webhook-id", id);
    if let Err(error) = signer.sign(&message.parts().unwrap(), &*body, now) {
        assert_eq!(error.kind(), SignErrorKind::Header, "{name}");
        found.differs(case, "not signed");
        return;
    }
    let message = message.signed(&signer, now);
    assert_eq!(message.header("webhook-id"), id, "{name}");
    assert_eq!(
        message.header("webhook-timestamp"),
        seconds.to_string(),
        "{name}"
    );
    assert_eq!(
        message.header("webhook-signature"),
        text(case, "webhook_signature"),
        "{name}"
    );

    let verifier = webhooks_verifier(Duration::from_secs(300));
    let verified = message
        .judge(&verifier, &keyring("svix", [verifying]), now)
        .verified(name);
    assert_body_only(&verified, "svix", Scheme::StandardWebhooks, name);
    assert_eq!(verified.idempotency_key(), Some(id), "{name}");
    assert_eq!(verified.covered("webhook-id"), Some(id), "{name}");
    found.agrees();
}

fn judge_webhook(found: &mut Found, case: &Value) {
    let mut message = Message::new("POST", "/hook", HOST, &base64(case, "payload_b64"));
    with_headers(&mut message, &case["headers"]);
    let window = Duration::from_secs(case["tolerance_seconds"].as_u64().unwrap());
    let now = Timestamp::from_unix_seconds(case["now_unix"].as_i64().unwrap());
    let code = match Secret::from_webhook_secret(text(case, "secret")) {
        Ok(secret) => {
            let keys = keyring("svix", [VerifyingKey::standard_webhooks(&secret)]);
            message.judge(&webhooks_verifier(window), &keys, now).code()
        }
        Err(_) => "no secret",
    };
    compare(found, WEBHOOKS, case, code);
}

fn webhooks_verifier(window: Duration) -> Verifier {
    let svix = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    let svix = svix.with_route(Method::POST, "/hook").unwrap();
    let svix = svix.with_window(window).unwrap();
    Verifier::builder().accept_only(svix).build().unwrap()
}

/// Agreed is what both accept, and what both refuse for the same reason. Nothing is accepted that
/// is to be refused.
fn compare(found: &mut Found, file: &str, case: &Value, code: &str) {
    let name = text(case, "id");
    match text(case, "expect") {
        "accept" if code == "accept" => found.agrees(),
        "accept" => found.differs(case, code),
        "reject" => {
            let why = case["reason"].as_str();
            let why = why
                .or_else(|| case["seed_result"]["error"].as_str())
                .unwrap();
            let codes = codes_of(why);
            assert!(
                codes.contains(&code) || (codes.is_empty() && !is_known_set()),
                "{file} {name}: {why}: expected {codes:?}, found {code}"
            );
            found.agrees();
        }
        other => panic!("{file} {name}: {other}"),
    }
}

/// The codes of what the data refuses, by the reason that the data gives; none for a reason that is
/// not known here. Where a text is not even of its grammar, the libraries compare it and this
/// project does not read it.
fn codes_of(why: &str) -> &'static [&'static str] {
    match why {
        "Missing HMAC headers" | "missing header" => &["missing_signature", "malformed"],
        "Invalid timestamp" | "bad timestamp" => &["malformed"],
        "Request timestamp too old" | "too new" | "too old" => &["expired"],
        "Invalid HMAC signature" | "no match" => &["invalid_signature", "malformed"],
        "unusable secret" => &["no secret"],
        why if why.starts_with("TypeError") => &["malformed"],
        _ => &[],
    }
}

fn with_headers(message: &mut Message, headers: &Value) {
    for header in array(headers) {
        let [name, value] = [0, 1].map(|at| header[at].as_str().unwrap());
        message.append(name, value);
    }
}

fn assert_body_only(verified: &Verified, caller: &str, scheme: Scheme, name: &str) {
    assert_eq!(verified.caller(), &caller, "{name}");
    assert_eq!(verified.scheme(), scheme, "{name}");
    assert_eq!(verified.coverage(), Coverage::BodyOnly, "{name}");
    assert_eq!(verified.body(), BodyState::Signed, "{name}");
    assert!(
        !verified.audience_checked() && verified.nonce().is_none(),
        "{name}"
    );
    assert!(verified.replay_key("").is_some(), "{name}");
}

fn encode(bytes: &[u8]) -> String {
    use base64ct::Encoding;
    base64ct::Base64::encode_string(bytes)
}
