//! Section 5: every value of the worked example.

use countersign::{
    CallerKey, KeyStore, Keyring, Nonce, PayloadDigest, Signer, SigningKey, Timestamp, Verifier,
};
use http::{Request, header::HOST, request::Parts};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tests::{
    keys::{ed25519_key, hmac_key},
    vectors::{self, text},
};

use crate::page;

/// The inputs that the page gives.
struct Inputs {
    section: String,
    caller: String,
    key: String,
    method: String,
    target: String,
    host: String,
    now: Timestamp,
    nonce: String,
    content_type: String,
    body: String,
}

/// A request that the library signed, and what the library verified of it.
struct Signed {
    parts: Parts,
    canonical_request: String,
    signature: String,
}

impl Inputs {
    fn of_the_page() -> Self {
        let section = page::section(5);
        let value = |name| page::value(&section, name);
        let rows = page::rows(&section);
        let request = rows.iter().find(|row| row[0] == "method and target");
        let [method, target] = page::quoted(&request.unwrap()[1]).try_into().unwrap();
        Self {
            caller: value("caller"),
            key: value("key"),
            method,
            target,
            host: value("host"),
            now: Timestamp::from_unix_seconds(value("seconds since 1970").parse().unwrap()),
            nonce: value("nonce"),
            content_type: value("content type"),
            body: value("body"),
            section,
        }
    }

    fn signer(&self, key: &SigningKey) -> Signer {
        Signer::new(&self.caller, key.clone(), [&self.host]).unwrap()
    }

    /// Signs the request with the nonce of the page, and verifies it.
    fn signed(&self, key: &SigningKey, signer: &Signer) -> Signed {
        let request = Request::builder()
            .method(&*self.method)
            .uri(&self.target)
            .header(HOST, &self.host)
            .header("content-type", &self.content_type)
            .header("content-length", self.body.len());
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let digest = PayloadDigest::of(self.body.as_bytes());
        let nonce = Nonce::new(&self.nonce).unwrap();
        let headers = signer.sign_with_nonce(&parts, digest, nonce, self.now);
        headers.unwrap().apply(&mut parts);

        let key = CallerKey::new("1", key.verifying_key()).unwrap();
        let key = key.insecure_three_headers();
        let keys = Keyring::builder().caller(&*self.caller, key);
        let keys = keys.build().unwrap();
        let verifier = Verifier::builder()
            .accept_only(signer.scheme())
            .expected_hosts([&self.host])
            .keep_evidence()
            .build()
            .unwrap();
        let received = parts.clone();
        let head = verifier.parse(&received, self.now).unwrap();
        let keys = keys.try_lookup(head.key_id()).unwrap().unwrap();
        let head = head.authenticate(&keys, self.now).unwrap();
        let verified = head.finish_with(self.body.as_bytes(), self.now).unwrap();
        let evidence = verified.evidence().unwrap();
        Signed {
            canonical_request: evidence.canonical_request().to_owned(),
            signature: evidence.signature_hex(),
            parts,
        }
    }

    /// The case of this name, which must have these inputs.
    fn case(&self, file: &str, name: &str) -> Value {
        assert!(times(&self.section, name) > 0, "{name} is named");
        let file = vectors::own(file);
        let mut cases = file["cases"].as_array().unwrap().iter();
        let case = cases.find(|case| case["name"] == name).unwrap().clone();
        for (member, expected) in [
            ("caller", &self.caller),
            ("method", &self.method),
            ("target", &self.target),
            ("host", &self.host),
        ] {
            assert_eq!(text(&case, member), expected, "{name}: {member}");
        }
        assert_eq!(vectors::base64(&case, "body_b64"), self.body.as_bytes());
        let now = case["date_unix"].as_i64().map(Timestamp::from_unix_seconds);
        assert_eq!(now, Some(self.now), "{name}");
        case
    }
}

impl Signed {
    fn header(&self, name: &str) -> &str {
        self.parts.headers[name].to_str().unwrap()
    }

    /// The request as HTTP/1.1 with these headers, in this order.
    fn http(&self, names: &[&str], body: &str) -> String {
        let mut text = format!("{} {} HTTP/1.1\n", self.parts.method, self.parts.uri);
        assert_eq!(self.parts.headers.len(), names.len());
        for name in names {
            text.extend([name, ": ", self.header(name), "\n"]);
        }
        format!("{text}\n{body}\n")
    }
}

/// How often the page writes the text between backticks.
fn times(section: &str, text: &str) -> usize {
    section.matches(&format!("`{text}`")).count()
}

#[test]
fn the_values_of_each_step_are_those_of_the_library() {
    let page = Inputs::of_the_page();
    let key = hmac_key(&page.key);
    let signed = page.signed(&key, &page.signer(&key));

    let hash = PayloadDigest::of(page.body.as_bytes()).to_string();
    assert_eq!(signed.header("x-content-sha256"), hash);
    assert!(
        page.section
            .contains(&format!("The body hash is `{hash}`."))
    );

    let [canonical_request] = page::blocks(&page.section, "text").try_into().unwrap();
    // The block has one line end more than the text.
    assert_eq!(canonical_request, format!("{}\n", signed.canonical_request));
    let len = signed.canonical_request.len();
    let said = format!("The canonical request has {len} bytes.");
    assert!(page.section.contains(&said), "{said}");
    let digest: [u8; 32] = Sha256::digest(&signed.canonical_request).into();
    let digest = base16ct::lower::encode_string(&digest);
    assert_eq!(times(&page.section, &digest), 1, "{digest}");

    let said = format!("The MAC is `{}`.", signed.signature);
    assert!(page.section.contains(&said), "{said}");
    let [request, _] = page::blocks(&page.section, "http").try_into().unwrap();
    let names = [
        "host",
        "content-type",
        "content-length",
        "x-date",
        "x-content-sha256",
    ];
    let names = [&names[..], &["x-nonce", "authorization"]].concat();
    assert_eq!(request, signed.http(&names, &page.body));
    assert_eq!(signed.header("x-nonce"), page.nonce);

    let case = page.case("hmac-sha256.json", "post_json");
    assert_eq!(text(&case, "key_hex"), page.key);
    assert_eq!(text(&case, "nonce"), page.nonce);
    assert_eq!(text(&case, "content_type"), page.content_type);
    assert_eq!(text(&case, "canonical_request"), signed.canonical_request);
    assert_eq!(text(&case, "authorization"), signed.header("authorization"));
}

#[test]
fn the_values_in_ed25519_are_those_of_the_library() {
    let page = Inputs::of_the_page();
    let seed = page::value(&page.section, "seed");
    let key = ed25519_key(&seed);
    let public_key = base16ct::lower::encode_string(key.verifying_key().public_key().unwrap());
    assert_eq!(page::value(&page.section, "public key"), public_key);

    let signed = page.signed(&key, &page.signer(&key));
    let signature = page::value(&page.section, "signature");
    assert_eq!(signature, signed.signature);
    let hmac = hmac_key(&page.key);
    let same = page.signed(&hmac, &page.signer(&hmac)).canonical_request;
    assert_eq!(signed.canonical_request, same, "the same canonical request");

    let case = page.case("ed25519.json", "post_json");
    assert_eq!(text(&case, "key_hex"), seed);
    assert_eq!(text(&case, "public_key_hex"), public_key);
    assert_eq!(text(&case, "signature"), signature);
}

#[test]
fn the_values_in_three_headers_are_those_of_the_library() {
    let page = Inputs::of_the_page();
    let key = hmac_key(&page.key);
    let signer = page.signer(&key);
    let long = page.signed(&key, &signer);
    let short = page.signed(&key, &signer.insecure_three_headers());

    let further = format!(
        "x-nonce:{}\ncontent-type:{}\n",
        page.nonce, page.content_type
    );
    let expected = long.canonical_request.replace(&further, "");
    let expected = expected.replace(";x-nonce;content-type\n", "\n");
    assert_eq!(short.canonical_request, expected);
    assert!(!short.parts.headers.contains_key("x-nonce"));
    let [_, line] = page::blocks(&page.section, "http").try_into().unwrap();
    let authorization = short.header("authorization");
    assert_eq!(line, format!("authorization: {authorization}\n"));

    let case = page.case("hmac-sha256.json", "three_headers_only");
    assert_eq!(text(&case, "key_hex"), page.key);
    assert_eq!(text(&case, "canonical_request"), short.canonical_request);
    assert_eq!(text(&case, "authorization"), authorization);
}

#[test]
fn the_hash_of_no_body_is_the_one_of_section_4() {
    let hash = PayloadDigest::of(b"").to_string();
    assert_eq!(times(&page::section(4), &hash), 1);
}
