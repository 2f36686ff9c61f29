//! draft-cavage-http-signatures-12 from outside: whatever is signed is accepted, whatever a
//! signature covers cannot be changed, and no request is accepted twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::similar_names,
    reason = "a test that cannot be set up fails by panicking"
)]

use base64ct::{Base64, Encoding as _};

use countersign::{
    Algorithm, CallerKey, CavageSignSettings, CavageVerifySettings, KeyStore, Keyring,
    MemoryReplayStore, RejectionKind, ReplayClaim, ReplayStore, Scheme, Secret, Signer, SigningKey,
    Timestamp, Verified, Verifier,
};
use http::{HeaderName, HeaderValue, Method, Request, request::Parts};
use proptest::prelude::*;
use tests::{
    keys::{NOW, SECRET},
    vectors::shared,
};

const HOST: &str = "user-service.internal";

fn secret() -> Secret {
    Secret::from_hex(SECRET).unwrap()
}

fn keyring(key: &SigningKey) -> Keyring {
    let key = CallerKey::new("1", key.verifying_key()).unwrap();
    Keyring::builder().caller("billing", key).build().unwrap()
}

fn verifier(settings: CavageVerifySettings) -> Verifier {
    let builder = Verifier::builder().expected_hosts([HOST, "accounts.internal"]);
    builder.accept_only(settings).build().unwrap()
}

fn judge(
    verifier: &Verifier,
    keys: &Keyring,
    parts: &Parts,
    body: &[u8],
    now: Timestamp,
) -> Result<Verified, RejectionKind> {
    let judged = || {
        let unverified = verifier.parse(parts, now)?;
        let keys = keys.try_lookup(unverified.key_id()).unwrap().unwrap();
        unverified.authenticate(&keys, now)?.finish_with(body, now)
    };
    judged().map_err(|rejection| rejection.kind())
}

/// Every form: its key, the settings that sign and those that verify.
fn forms() -> Vec<(SigningKey, CavageSignSettings, CavageVerifySettings)> {
    let hmac = || SigningKey::cavage_hmac_sha256(&secret());
    let ed25519 = || SigningKey::cavage_ed25519(&secret()).unwrap();
    let new = |key| CavageSignSettings::new("billing", key).unwrap();
    let times = std::time::Duration::from_secs(60);
    vec![
        (hmac(), new(hmac()), CavageVerifySettings::new()),
        (
            hmac(),
            new(hmac()).with_signature_header().unwrap(),
            CavageVerifySettings::new(),
        ),
        (ed25519(), new(ed25519()), CavageVerifySettings::new()),
        (
            ed25519(),
            new(ed25519()).with_expires_in(times).unwrap(),
            CavageVerifySettings::new().with_algorithm(Algorithm::Ed25519),
        ),
        (
            hmac(),
            CavageSignSettings::kong("billing", hmac()).unwrap(),
            CavageVerifySettings::kong(),
        ),
        (
            hmac(),
            CavageSignSettings::apisix("billing", hmac()).unwrap(),
            CavageVerifySettings::apisix(),
        ),
        (
            hmac(),
            CavageSignSettings::tyk("billing", hmac()).unwrap(),
            CavageVerifySettings::tyk(),
        ),
    ]
}

/// A covered part, and a change of it.
type Change = (&'static str, fn(&mut Parts, &mut Vec<u8>));

fn set(parts: &mut Parts, name: &'static str, value: &'static str) {
    parts.headers.insert(name, HeaderValue::from_static(value));
}

fn carrier(parts: &Parts) -> HeaderName {
    let names = ["signature", "authorization"].map(HeaderName::from_static);
    let mut names = names.into_iter();
    names.find(|name| parts.headers.contains_key(name)).unwrap()
}

/// Changes the parameters of the signature.
fn edit(parts: &mut Parts, from: &str, to: &str) {
    let name = carrier(parts);
    let value = parts.headers[&name].to_str().unwrap();
    assert!(value.contains(from), "{from} in {value}");
    let value = value.replacen(from, to, 1);
    parts
        .headers
        .insert(name, HeaderValue::try_from(value).unwrap());
}

const CHANGES: &[Change] = &[
    ("method", |parts, _| parts.method = Method::PUT),
    ("path", |parts, _| parts.uri = "/api/echo2".parse().unwrap()),
    ("query", |parts, _| {
        parts.uri = "/api/echo?a".parse().unwrap();
    }),
    ("host", |parts, _| set(parts, "host", "accounts.internal")),
    ("another host", |parts, _| set(parts, "host", "elsewhere")),
    ("date", |parts, _| {
        set(parts, "date", "Fri, 02 Jan 2026 03:04:06 GMT");
    }),
    ("digest", |parts, _| {
        set(
            parts,
            "digest",
            "SHA-256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        );
    }),
    ("nonce", |parts, _| {
        set(parts, "x-nonce", "0123456789abcdef");
    }),
    ("content type", |parts, _| {
        set(parts, "content-type", "text/html");
    }),
    ("no host", |parts, _| drop(parts.headers.remove("host"))),
    ("no date", |parts, _| drop(parts.headers.remove("date"))),
    ("no digest", |parts, _| drop(parts.headers.remove("digest"))),
    ("no nonce", |parts, _| drop(parts.headers.remove("x-nonce"))),
    ("two dates", |parts, _| {
        let value = parts.headers["date"].clone();
        parts.headers.append("date", value);
    }),
    ("two hosts", |parts, _| {
        let value = parts.headers["host"].clone();
        parts.headers.append("host", value);
    }),
    ("two digests", |parts, _| {
        let value = parts.headers["digest"].clone();
        parts.headers.append("digest", value);
    }),
    ("an encoding", |parts, _| {
        set(parts, "content-encoding", "gzip");
    }),
    ("a byte of the body", |_, body| body.push(0)),
    ("no body", |_, body| body.clear()),
    ("the caller", |parts, _| edit(parts, "billing", "orders")),
    ("the algorithm", |parts, _| {
        let value = parts.headers[carrier(parts)].to_str().unwrap();
        let from = if value.contains("hs2019") {
            "hs2019"
        } else {
            "hmac-sha256"
        };
        edit(parts, from, "rsa-sha256");
    }),
    ("a name of the list", |parts, _| edit(parts, " x-nonce", "")),
    ("the order of the list", |parts, _| {
        edit(parts, "host date", "date host");
    }),
    ("the digest out of the list", |parts, _| {
        edit(parts, " digest", "");
    }),
    ("a parameter twice", |parts, _| {
        edit(parts, ",headers=", ",headers=\"date\",headers=");
    }),
    ("the signature", |parts, _| {
        let name = carrier(parts);
        let value = parts.headers[&name].to_str().unwrap().to_owned();
        let (start, signature) = value.split_once("signature=\"").unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let value = format!("{start}signature=\"{other}{}", signature.get(1..).unwrap());
        parts
            .headers
            .insert(name, HeaderValue::try_from(value).unwrap());
    }),
    ("the other header too", |parts, _| {
        let value = parts.headers[carrier(parts)].clone();
        let other = if carrier(parts) == "signature" {
            "authorization"
        } else {
            "signature"
        };
        let text = value.to_str().unwrap();
        let parameters = text
            .split_once(' ')
            .map_or(text, |(_, parameters)| parameters);
        let value = if other == "signature" {
            parameters.to_owned()
        } else {
            format!("Signature {text}")
        };
        parts
            .headers
            .insert(other, HeaderValue::try_from(value).unwrap());
    }),
];

fn signed(settings: CavageSignSettings) -> (Parts, Vec<u8>) {
    let body = b"{\"userId\":123}".to_vec();
    let request = Request::post("/api/echo")
        .header("host", HOST)
        .header("content-type", "application/json")
        .header("content-length", body.len());
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let signer = Signer::cavage(settings, [HOST]).unwrap();
    signer.sign(&parts, &*body, NOW).unwrap().apply(&mut parts);
    (parts, body)
}

#[test]
fn nothing_that_a_signature_covers_can_be_changed() {
    for (key, sign, verify) in forms() {
        let name = format!("{verify:?}");
        let reads_both = name.contains("signature_header: true");
        let (verifier, keys) = (verifier(verify), keyring(&key));
        let (parts, body) = signed(sign);
        let verified = judge(&verifier, &keys, &parts, &body, NOW).unwrap();
        assert_eq!(verified.scheme(), Scheme::Cavage);
        for (change, make) in CHANGES {
            // Gateways ignore the header `Signature`.
            if *change == "the other header too" && !reads_both {
                continue;
            }
            let (mut parts, mut body) = (parts.clone(), body.clone());
            make(&mut parts, &mut body);
            let found = judge(&verifier, &keys, &parts, &body, NOW);
            assert!(found.is_err(), "{name}: {change}");
        }
    }
}

#[test]
fn a_form_is_accepted_by_its_own_settings_alone() {
    let forms = forms();
    let shape = |settings: &CavageVerifySettings| {
        let text = format!("{settings:?}");
        text.split("algorithms").next().unwrap().to_owned()
    };
    for (key, sign, own) in &forms {
        let (parts, body) = signed(sign.clone());
        for (_, _, other) in &forms {
            let found = judge(&verifier(other.clone()), &keyring(key), &parts, &body, NOW);
            if shape(own) != shape(other) {
                assert!(found.is_err(), "{own:?} by {other:?}");
            }
        }
    }
}

#[test]
fn a_date_is_accepted_within_the_window_in_both_directions() {
    for (key, sign, verify) in forms() {
        let ends_early = format!("{sign:?}").contains("expires_in: Some");
        let (verifier, keys) = (verifier(verify), keyring(&key));
        let (parts, body) = signed(sign);
        let last = if ends_early { 60 } else { 300 };
        for (offset, fresh) in [(-301, false), (-300, true), (last, true), (last + 1, false)] {
            let now = Timestamp::from_unix_seconds(NOW.as_unix_seconds() + offset);
            let found = judge(&verifier, &keys, &parts, &body, now).map(|_| ());
            let expected = if fresh {
                Ok(())
            } else {
                Err(RejectionKind::Expired)
            };
            assert_eq!(found, expected, "{offset}");
        }
    }
}

#[tokio::test]
async fn a_copy_is_a_replay_and_an_equal_request_of_ours_is_none() {
    for (key, sign, verify) in forms() {
        let store = MemoryReplayStore::new();
        let (verifier, keys) = (verifier(verify), keyring(&key));
        let claim = async |sign: CavageSignSettings| {
            let (parts, body) = signed(sign);
            let verified = judge(&verifier, &keys, &parts, &body, NOW).unwrap();
            let key = verified.replay_key("audience").unwrap();
            let (caller, until) = (verified.caller().clone(), verified.fresh_until());
            let claim = ReplayClaim::new(key, caller, verified.signed_at(), until, NOW);
            store.claim(claim).await.unwrap()
        };
        let first = claim(sign.clone()).await;
        let second = claim(sign.clone()).await;
        assert_eq!(first, second, "two nonces are two requests");
        let once = claim(sign.clone().insecure_omit_nonce()).await;
        let again = claim(sign.insecure_omit_nonce()).await;
        assert_eq!(first, once);
        assert_ne!(once, again, "one signature is one request");
    }
}

proptest! {
    #[test]
    fn whatever_is_signed_is_accepted(
        method in "[A-Z][A-Z-]{0,8}",
        path in "(/[a-zA-Z0-9._~-]{0,8}){1,4}",
        query in proptest::option::of("[a-z0-9=&%+]{0,16}"),
        value in "[!-~]([ -~]{0,20}[!-~])?",
        body in proptest::collection::vec(any::<u8>(), 0..64),
        form in 0..7_usize,
    ) {
        prop_assume!(method != "CONNECT");
        let (key, sign, verify) = forms().swap_remove(form);
        let query = query.filter(|_| form != 6);
        let target = query.map_or(path.clone(), |query| format!("{path}?{query}"));
        let request = Request::builder()
            .method(method.as_str())
            .uri(target)
            .header("host", HOST)
            .header("content-length", body.len())
            .header("x-tenant", value.as_str());
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let sign = sign.with_covered_header(HeaderName::from_static("x-tenant")).unwrap();
        let signer = Signer::cavage(sign, [HOST]).unwrap();
        signer.sign(&parts, &*body, NOW).unwrap().apply(&mut parts);
        let verifier = verifier(verify);
        let verified = judge(&verifier, &keyring(&key), &parts, &body, NOW).unwrap();
        prop_assert_eq!(verified.covered("x-tenant"), Some(value.as_str()));
    }

    /// No text of a peer panics or is accepted, and no reason shows a signature.
    #[test]
    fn no_parameters_panic_or_are_accepted(text in "[ -~]{0,200}") {
        let (key, ..) = forms().swap_remove(0);
        let verifier = verifier(CavageVerifySettings::new());
        let request = Request::get("/").header("host", HOST).header("signature", &text);
        let (parts, ()) = request.body(()).unwrap().into_parts();
        prop_assert!(judge(&verifier, &keyring(&key), &parts, b"", NOW).is_err());
    }
}

/// The documentation of Kong has one request. Its secret is published and short.
#[test]
fn the_published_request_of_kong_is_accepted() {
    let Some(cases) = shared("other-hmac/other_hmac.json") else {
        return;
    };
    for case in cases.as_array().unwrap() {
        if case["kind"] != "kong" {
            continue;
        }
        let text = |name: &str| case[name].as_str().unwrap().to_owned();
        let message = Base64::decode_vec(&text("signed_message_b64")).unwrap();
        let message = String::from_utf8(message).unwrap();
        let (date, line) = message.split_once('\n').unwrap();
        let date = date.strip_prefix("date: ").unwrap();
        let mut line = line.split(' ');
        let request = Request::builder()
            .method(line.next().unwrap())
            .uri(line.next().unwrap())
            .header("host", HOST)
            .header("date", date)
            .header("authorization", text("authorization"));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let secret = Secret::from_text(&text("secret_utf8")).unwrap();
        let key = SigningKey::cavage_hmac_sha256(&secret).verifying_key();
        let key = CallerKey::new("1", key.insecure_allow_weak_key()).unwrap();
        let keys = Keyring::builder();
        let keys = keys.caller(text("username"), key).build().unwrap();
        let kong = CavageVerifySettings::kong().insecure_allow_uncovered_host();
        // Thu, 22 Jun 2017 17:15:21 GMT.
        let now = Timestamp::from_unix_seconds(1_498_151_721);
        let verified = judge(&verifier(kong), &keys, &parts, b"", now).unwrap();
        assert_eq!(verified.caller().as_str(), text("username"));
    }
}
