//! Every dialect over the suite of its vectors.

use std::{cell::Cell, collections::HashMap, env, fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, Request, header::HOST, request::Parts};
use serde_json::Value;

use super::normal_uri;
use crate::{
    Algorithm, CallerKey, CallerKeys, Jwk, JwkSet, KeyState,
    MessageSignaturesVerifySettings as Settings, RejectionKind, Secret, Timestamp, UriScheme,
    Verifier, VerifyingKey,
};

/// A request of a suite.
pub(super) struct Case {
    pub(super) id: String,
    pub(super) parts: Option<(Parts, Vec<u8>)>,
    pub(super) now: Timestamp,
    pub(super) expected: String,
    pub(super) identifier: Option<String>,
    pub(super) change: fn(Settings) -> Settings,
    pub(super) keys: Keys,
    pub(super) seen: Vec<String>,
}

/// The keys that a verifier of the case finds by their key ids.
pub(super) type Keys = HashMap<String, (VerifyingKey, KeyState)>;

fn root() -> PathBuf {
    match env::var_os("COUNTERSIGN_VECTORS") {
        Some(named) => PathBuf::from(named),
        None => PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/vectors"
        )),
    }
}

fn shared(path: &str) -> Option<Value> {
    let text = fs::read_to_string(root().join(path)).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn parts(method: &str, uri: &str, headers: &[(String, String)]) -> Option<Parts> {
    let request = Request::builder().method(method).uri(uri).body(()).ok()?;
    let (mut parts, ()) = request.into_parts();
    for (name, value) in headers {
        let name = HeaderName::try_from(name.as_str()).unwrap();
        // An HTTP server refuses such a value.
        let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        parts.headers.append(name, value);
    }
    Some(parts)
}

fn headers(request: &Value) -> Vec<(String, String)> {
    match &request["headers"] {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect(),
        Value::Array(list) => list
            .iter()
            .map(|pair| {
                let half = |at: usize| pair[at].as_str().unwrap().to_owned();
                (half(0), half(1))
            })
            .collect(),
        other => panic!("{other}"),
    }
}

pub(super) fn verify(settings: Settings, case: &Case) -> Result<String, (RejectionKind, bool)> {
    let Some((parts, body)) = &case.parts else {
        return Err((RejectionKind::Malformed, true));
    };
    let host = parts.uri.authority().map(ToString::to_string);
    let host = host.or_else(|| Some(parts.headers.get(HOST)?.to_str().ok()?.to_owned()));
    let verifier = Verifier::builder()
        .accept_only((case.change)(settings))
        .expected_hosts([host.unwrap()])
        .build()
        .unwrap();
    let is_known = Cell::new(true);
    let found = verifier.parse(parts, case.now).and_then(|head| {
        let key_id = head.key_id().to_owned();
        let keys = match case.keys.get(&key_id) {
            None => CallerKeys::unknown(),
            Some((key, state)) => {
                let key = key.clone().insecure_allow_weak_key();
                let key = CallerKey::new("1", key).unwrap().with_validity(*state);
                CallerKeys::new("caller", [key.with_key_id(&key_id).unwrap()]).unwrap()
            }
        };
        is_known.set(!keys.is_unknown());
        let proven = head
            .authenticate(&keys, case.now)?
            .finish_with(body, case.now)?;
        Ok((key_id, proven.nonce().map(str::to_owned)))
    });
    let (key_id, nonce) = found.map_err(|rejection| (rejection.kind(), is_known.get()))?;
    // The caches of the vectors: a store of nonces comes after the verifier.
    match nonce {
        Some(nonce) if case.seen.contains(&nonce) => Err((RejectionKind::Replayed, true)),
        _ => Ok(key_id),
    }
}

/// The words of the suites for what a verifier says.
fn outcome(settings: Settings, case: &Case) -> String {
    match verify(settings, case) {
        Ok(key_id) => {
            let agent = key_id.split(' ').next().unwrap().to_owned();
            if let Some(identifier) = &case.identifier {
                assert_eq!(agent, *identifier, "{}", case.id);
            }
            "verified".to_owned()
        }
        Err((RejectionKind::MissingSignature, _)) => "unsigned".to_owned(),
        Err((_, false)) => "unverified".to_owned(),
        Err((_, true)) => "invalid".to_owned(),
    }
}

/// Whether the outcome is one of the words that the case allows.
fn agrees(case: &Case, found: &str) -> bool {
    match case.expected.as_str() {
        "accept" => found == "verified",
        "reject" => found != "verified",
        "accept_or_reject" => true,
        words => words.split("_or_").any(|word| word == found),
    }
}

fn key_of(key: &Value) -> VerifyingKey {
    if let Some(hex) = key.get("secret_hex") {
        let secret = Secret::from_hex(hex.as_str().unwrap()).unwrap();
        return VerifyingKey::message_hmac_sha256(&secret);
    }
    let key = Jwk::parse(&key["jwk"].to_string()).unwrap();
    key.verifying_key(None).unwrap()
}

fn curl() -> Vec<Case> {
    let Some(data) = shared("curl-httpsig/requests.json") else {
        return Vec::new();
    };
    let keys = data["keys"].as_object().unwrap().iter();
    let keys: Keys = keys
        .filter(|(key_id, _)| key_id.is_ascii() && key_id.len() <= 2048)
        .map(|(key_id, key)| (key_id.clone(), (key_of(key), KeyState::Active)))
        .collect();
    let mut cases = Vec::new();
    for case in data["cases"].as_array().unwrap() {
        let request = &case["request"];
        let body = STANDARD.decode(text(request, "body_b64")).unwrap();
        let found = parts(
            text(request, "method"),
            text(request, "target"),
            &headers(request),
        );
        let plain: [fn(Settings) -> Settings; 2] = match text(request, "scheme") {
            "https" => [
                |settings| settings.with_scheme(UriScheme::Https),
                |settings| {
                    let settings = settings.with_scheme(UriScheme::Https);
                    settings.insecure_allow_unsigned_content()
                },
            ],
            _ => [
                |settings| settings.with_scheme(UriScheme::Http),
                |settings| {
                    let settings = settings.with_scheme(UriScheme::Http);
                    settings.insecure_allow_unsigned_content()
                },
            ],
        };
        let members = ["expect", "expect_where_content_may_be_uncovered"];
        for (member, change) in members.into_iter().zip(plain) {
            if let Some(expected) = case[member].as_str() {
                cases.push(Case {
                    id: format!("{}: {member}", text(case, "id")),
                    parts: found.clone().map(|parts| (parts, body.clone())),
                    now: Timestamp::from_unix_seconds(case["now_unix"].as_i64().unwrap()),
                    expected: expected.to_owned(),
                    identifier: None,
                    change,
                    keys: keys.clone(),
                    seen: Vec::new(),
                });
            }
        }
    }
    cases
}

/// The keys of all directories of a case, as a directory would find them.
fn agents_keys(case: &Value, now: i64) -> Keys {
    let mut keys = Keys::new();
    for key in case["known_keys"].as_array().into_iter().flatten() {
        let key = Jwk::parse(&key.to_string()).unwrap();
        let found = key.verifying_key(None).unwrap();
        keys.insert(key.thumbprint().to_owned(), (found, KeyState::Active));
    }
    for (url, answer) in case["directories"].as_object().into_iter().flatten() {
        let Some(agent) = normal_uri::agent(url).filter(|_| answer["status"] == 200) else {
            continue;
        };
        let Ok(set) = JwkSet::parse(text(answer, "body")) else {
            continue;
        };
        for key in set.keys() {
            let is_named = !url.contains("/.well-known/") || key.kid() == Some(key.thumbprint());
            let is_valid = key.integer("nbf").is_none_or(|from| from <= now)
                && key.integer("exp").is_none_or(|until| now < until);
            let algorithm = (key.algorithms().len() > 1).then_some(Algorithm::RsaPssSha512);
            let found = key.verifying_key(algorithm);
            if let (true, true, Ok(found)) = (is_named, is_valid, found) {
                let key_id = format!("{agent} {}", key.thumbprint());
                keys.insert(key_id, (found, KeyState::Active));
            }
        }
    }
    keys
}

fn web_bot_auth() -> Vec<Case> {
    let Some(data) = shared("web-bot-auth/requests.json") else {
        return Vec::new();
    };
    let cases = data["cases"].as_array().unwrap().iter();
    cases
        .map(|case| {
            let request = &case["request"];
            let now = case["now"].as_i64().unwrap();
            let query = request["query"].as_str();
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            let uri = format!(
                "https://{}{}{query}",
                text(request, "authority"),
                text(request, "path")
            );
            let mut headers = headers(request);
            for (name, member) in [
                ("signature-input", "signature_input"),
                ("signature", "signature"),
            ] {
                let value = case[member].as_str();
                headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
            }
            let body = text(request, "body").as_bytes().to_vec();
            Case {
                id: text(case, "id").to_owned(),
                parts: parts(text(request, "method"), &uri, &headers).map(|parts| (parts, body)),
                now: Timestamp::from_unix_seconds(now),
                expected: text(case, "outcome").to_owned(),
                identifier: case["identifier"].as_str().map(str::to_owned),
                change: |settings| settings,
                keys: agents_keys(case, now),
                seen: Vec::new(),
            }
        })
        .collect()
}

/// DIFFERENCE: what AdCP keeps in other places than the rules of a signature.
const OTHER_PLACES: [&str; 2] = [
    // A quota of the replay store: `MemoryReplayStore` has one.
    "020-rate-abuse.json",
    // The age of a revocation list: the service that fills the keyring judges it.
    "019-revocation-stale.json",
];

fn adcp_case(id: &str, case: &Value, keys: &[Value], uses: &[&str]) -> Case {
    let request = &case["request"];
    let given = &case["jwks_override"];
    let by_kid = given
        .as_object()
        .map(|keys| keys.values().cloned().collect());
    let override_keys: Option<Vec<Value>> = given["keys"].as_array().cloned().or(by_kid);
    let published = |key: &&Value| match (&override_keys, case["jwks_ref"].as_array()) {
        (Some(_), _) | (None, None) => true,
        (None, Some(kids)) => kids.contains(&key["kid"]),
    };
    let revoked: Vec<&str> = [
        &case["test_harness_state"]["revocation_list"]["revoked_kids"],
        &case["test_harness_state"]["revoked_kids"],
    ]
    .into_iter()
    .filter_map(Value::as_array)
    .flatten()
    .filter_map(Value::as_str)
    .collect();
    let all = override_keys.as_deref().unwrap_or(keys).iter();
    let mut known = Keys::new();
    for key in all.filter(published) {
        let Ok(jwk) = Jwk::parse(&key.to_string()) else {
            continue;
        };
        let is_for_it = jwk
            .member("adcp_use")
            .is_some_and(|one| uses.contains(&one))
            && key["use"] == "sig"
            && key["key_ops"].is_array();
        let kid = jwk.kid().unwrap_or_default();
        let state = if revoked.contains(&kid) {
            KeyState::Revoked
        } else {
            KeyState::Active
        };
        if let (true, Ok(found)) = (is_for_it, jwk.verifying_key(None)) {
            known.insert(kid.to_owned(), (found, state));
        }
    }
    let seen = case["test_harness_state"]["replay_cache_entries"].as_array();
    let success = case["expected_outcome"]["success"].as_bool().unwrap();
    let body = text(request, "body").as_bytes().to_vec();
    Case {
        id: id.to_owned(),
        parts: parts(
            text(request, "method"),
            text(request, "url"),
            &headers(request),
        )
        .map(|parts| (parts, body)),
        now: Timestamp::from_unix_seconds(case["reference_now"].as_i64().unwrap()),
        expected: if success { "accept" } else { "reject" }.to_owned(),
        identifier: None,
        change: match text(&case["verifier_capability"], "covers_content_digest") {
            "either" => Settings::insecure_allow_unsigned_content,
            "forbidden" => Settings::insecure_refuse_signed_content,
            _ => |settings| settings,
        },
        keys: known,
        seen: seen
            .into_iter()
            .flatten()
            .map(|entry| text(entry, "nonce").to_owned())
            .collect(),
    }
}

fn adcp(folders: &[&str], file: Option<&str>, uses: &[&str]) -> Vec<Case> {
    let Some(first) = folders.first() else {
        return Vec::new();
    };
    let of = first.split('/').next().unwrap();
    let Some(keys) = shared(&format!("adcp/{of}/keys.json")) else {
        return Vec::new();
    };
    let keys = keys["keys"].as_array().unwrap();
    let mut cases = Vec::new();
    for folder in folders {
        let entries = fs::read_dir(root().join("adcp").join(folder)).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        for name in names {
            if !OTHER_PLACES.contains(&name.as_str()) {
                let case = shared(&format!("adcp/{folder}/{name}")).unwrap();
                cases.push(adcp_case(&format!("{folder}/{name}"), &case, keys, uses));
            }
        }
    }
    if let Some(data) = file.and_then(|file| shared(&format!("adcp/{file}"))) {
        for case in data["cases"].as_array().unwrap() {
            let name = ["id", "name"].map(|member| text(case, member)).concat();
            cases.push(adcp_case(&name, case, keys, uses));
        }
    }
    cases
}

pub(super) type Suite = (&'static str, fn() -> Settings, Vec<Case>);

pub(super) fn suites() -> [Suite; 5] {
    const REQUEST: &[&str] = &["request-signing"];
    [
        ("curl", Settings::curl, curl()),
        ("web_bot_auth", Settings::web_bot_auth, web_bot_auth()),
        (
            "adcp_request_3_2",
            Settings::adcp_request_3_2,
            adcp(
                &[
                    "request-signing/profile-3.2/positive",
                    "request-signing/profile-3.2/negative",
                ],
                Some("request-signing/derived-3.2.json"),
                REQUEST,
            ),
        ),
        (
            "adcp_request_3_1",
            Settings::adcp_request_3_1,
            adcp(
                &["request-signing/positive", "request-signing/negative"],
                None,
                REQUEST,
            ),
        ),
        (
            "adcp_webhook",
            Settings::adcp_webhook,
            adcp(
                &["webhook-signing/positive", "webhook-signing/negative"],
                None,
                &["request-signing", "webhook-signing"],
            ),
        ),
    ]
}

/// DIFFERENCE: cases that this project decides otherwise.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    (
        "a method in small letters: expect",
        "invalid",
        "methods are case-sensitive, and none that is registered has small letters",
    ),
    (
        "another agent URL",
        "unverified",
        "the other URL has no keys here, so that nobody can say whether the signature is good",
    ),
    #[cfg(not(feature = "rsa"))]
    (
        "rsa-pss-sha512",
        "unverified",
        "without its feature, an RSA key is none that is known",
    ),
];

#[test]
fn every_case_of_every_suite_is_as_labelled() {
    let mut wrong = Vec::new();
    for (name, settings, cases) in suites() {
        // A folder under another name must not pass for one whose cases hold.
        assert!(!cases.is_empty() || !root().is_dir(), "{name}: no cases");
        for case in &cases {
            let found = outcome(settings(), case);
            let id = &case.id;
            let difference = DIFFERENCES.iter().find(|(known, ..)| known == id);
            let is_expected = match difference {
                Some((_, expected, _)) => found == *expected,
                None => agrees(case, &found),
            };
            if !is_expected {
                wrong.push(format!("{name}: {id}: {}, found {found}", case.expected));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
