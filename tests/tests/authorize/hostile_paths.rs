//! Other spellings of a path that an allow names: no allow matches them, and none evades a deny.

use std::{borrow::Cow, fmt::Write};

use axum::{Router, routing::any};
use countersign::{Decision, ExecuteApi, KeyId, Policy, PolicyRequest};
use http::{Request, Uri};
use proptest::{prelude::*, test_runner::FileFailurePersistence};
use tests::{
    raw,
    server::Server,
    signed::{self, billing},
};
use tower_countersign::{AuthorizeLayer, VerifiedCaller, VerifyLayer};

use crate::{ALLOW_ALL, allows, policy};

/// Other spellings of `/admin/keys`, other ways to reach it, and paths that only look similar.
const HOSTILE: &[&str] = &[
    "//admin/keys",
    "///admin/keys",
    "/admin//keys",
    "/admin/keys//",
    "/./admin/keys",
    "/admin/./keys",
    "/admin/keys/.",
    "/admin/keys/..",
    "/public/../admin/keys",
    "/public/..//admin/keys",
    "/admin/x/../keys",
    "/../admin/keys",
    "/%2e/admin/keys",
    "/public/%2e%2e/admin/keys",
    "/public/%2E%2E/admin/keys",
    "/public/.%2e/admin/keys",
    "/public/%2e./admin/keys",
    "/public/%252e%252e/admin/keys",
    "/public/%c0%ae%c0%ae/admin/keys",
    "/public/%C0%AE%C0%AE/admin/keys",
    "/public/%E0%80%AE%E0%80%AE/admin/keys",
    "/public%2f..%2fadmin%2fkeys",
    "/admin%2Fkeys",
    "/admin%2fkeys",
    "/admin%252Fkeys",
    "/admin%5Ckeys",
    "/admin%5ckeys",
    "/%61dmin/keys",
    "/%61%64%6D%69%6E/keys",
    "/admin/%6Beys",
    "/admin/%6beys",
    "/admin/keys%00",
    "/admin/keys%00.json",
    "/admin/keys%0A",
    "/admin/keys%0d%0aX:%20y",
    "/admin/keys%7F",
    "/admin/keys%C2%85",
    "/admin/keys;x=1",
    "/admin;x=1/keys",
    "/admin/keys%3Bx=1",
    "/admin/keys%3b",
    "/admin/..;/admin/keys",
    "/admin/keys%",
    "/admin/keys%2",
    "/admin/keys%zz",
    "/admin/keys%c3%a4",
    "/admin/keys%E4",
    "/admin/keys%25",
    "/admin/keys%40",
    "/admin/keys%3A",
    "/admin/keys%2B",
    "/admin/keys%2A",
    "/admin/keys%7E",
    "/admin/keys%2D",
];

/// Plain paths that no statement names.
const OTHERS: &[&str] = &[
    "/Admin/keys",
    "/admin/Keys",
    "/ADMIN/KEYS",
    "/admin/keys/",
    "/admin/key",
    "/admin/keyss",
    "/admin/keys%20",
    "/admin/%20keys",
    "/admin",
    "/admin/keys/x",
    "/x/admin/keys",
    "/admin/keys.json",
    "/admin/keys/...",
];

fn allow(paths: &str) -> Policy {
    policy(&format!(
        "[[statements]]\nid = \"one\"\neffect = \"allow\"\ncallers = [\"*\"]\nmethods = [\"GET\"]\npaths = [{paths}]\n"
    ))
}

fn json(resource: &str) -> Policy {
    let api = ExecuteApi::new("r", "1", "a", "s").unwrap();
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"{resource}"}}}}"#
    );
    Policy::from_json(&text, &api).unwrap()
}

#[test]
fn no_allow_matches_another_spelling_of_a_path() {
    for (name, policy) in [
        ("literal", allow("\"/admin/keys\"")),
        ("star", allow("\"/admin/*\", \"/*/keys\", \"/*\"")),
        ("double star", allow("\"/**\"")),
        (
            "double star inside",
            allow("\"/**/keys\", \"/public/**/keys\""),
        ),
        ("JSON, literal", json("a/s/GET/admin/keys")),
        ("JSON, everything", json("*")),
        ("JSON, below", json("a/s/GET/*")),
        ("JSON, question marks", json("a/s/GET/??????????*")),
    ] {
        for path in HOSTILE {
            let caller = KeyId::new("billing").unwrap();
            let decision = policy.evaluate(&PolicyRequest::new(&caller, "GET", path));
            assert!(
                matches!(decision, Decision::NotPlain(_)),
                "{name}: {path}: {decision:?}"
            );
        }
    }
}

#[test]
fn no_allow_of_one_path_matches_another() {
    for (name, policy) in [
        ("TOML", allow("\"/admin/keys\"")),
        ("JSON", json("a/s/GET/admin/keys")),
    ] {
        assert!(allows(&policy, "billing", "GET", "/admin/keys"), "{name}");
        for path in OTHERS {
            assert!(!allows(&policy, "billing", "GET", path), "{name}: {path}");
        }
    }
}

/// The reverse: everything is allowed and one path denied. No other spelling evades the deny.
#[test]
fn no_spelling_of_a_path_evades_a_deny() {
    let deny = |paths: &str| {
        policy(&format!(
            "{ALLOW_ALL}\n[[statements]]\nid = \"deny\"\neffect = \"deny\"\ncallers = [\"*\"]\nmethods = [\"*\"]\npaths = [{paths}]\n"
        ))
    };
    for paths in ["\"/admin/keys\"", "\"/admin/**\"", "\"/**\""] {
        let policy = deny(paths);
        for path in HOSTILE.iter().chain(&["/admin/keys"]) {
            assert!(!allows(&policy, "billing", "GET", path), "{paths}: {path}");
        }
    }
    // For a deny of everything, the decision names that statement.
    let policy = deny("\"/**\"");
    for path in HOSTILE {
        assert_eq!(
            crate::ask(&policy, "billing", "GET", path),
            "denied by deny",
            "{path}"
        );
    }
}

/// Over a socket, with each path signed unchanged: the handler of a catch-all router sees none of
/// them.
#[tokio::test]
async fn no_hostile_path_reaches_a_handler() {
    let app = Router::new()
        .fallback(any(async |_: VerifiedCaller, uri: Uri| {
            format!("handled {uri}")
        }))
        .layer(AuthorizeLayer::new(policy(ALLOW_ALL)))
        .layer(VerifyLayer::new(tests::keys::keyring(
            "billing",
            &tests::keys::hmac_key(tests::keys::SECRET),
        )));
    let server = Server::axum(app).await;
    for path in HOSTILE {
        let request: Request<_> = signed::now(&billing(), signed::get(path));
        let answer = raw::exchange(server.addr(), &signed::bytes(&request)).await;
        assert_eq!(raw::status(&answer), 403, "{path}: {answer}");
        assert!(
            answer.ends_with("{\"error\":\"forbidden\"}"),
            "{path}: {answer}"
        );
    }
    for path in OTHERS {
        let request = signed::now(&billing(), signed::get(path));
        let answer = raw::exchange(server.addr(), &signed::bytes(&request)).await;
        assert_eq!(raw::status(&answer), 200, "{path}: {answer}");
    }
}

/// Returns the meaning of a path for a reader that decodes it, resolves dots and double slashes and
/// cuts parameters. `None` if the path has no valid meaning. This code normalizes, unlike the
/// crate, which checks.
fn one_form(path: &str) -> Option<String> {
    let mut segments: Vec<String> = Vec::new();
    let path = path.strip_prefix('/')?;
    let last = path.split('/').count() - 1;
    for (at, segment) in path.split('/').enumerate() {
        let decoded = decode(segment)?;
        match &*decoded {
            "." => {}
            ".." => {
                segments.pop();
            }
            "" if at != last => {}
            _ => segments.push(encode(&decoded)),
        }
    }
    Some(format!("/{}", segments.join("/")))
}

fn decode(segment: &str) -> Option<Cow<'_, str>> {
    let segment = segment.split(';').next().unwrap();
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let [first, behind @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(behind.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    let bad = |c: char| c.is_control() || matches!(c, '/' | '\\' | ';' | '%');
    (!text.contains(bad)).then_some(text.into())
}

fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
    }
    encoded
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    }
}

/// Pieces that are likely to form hostile paths.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just("/".to_owned()),
        2 => "[a-zA-Z0-9]{1,3}",
        2 => "[.]{1,3}",
        2 => "%[0-9A-F]{2}",
        1 => "%[0-9a-fA-F]{2}",
        1 => "%[ -~]{0,2}",
        2 => "[;\\\\%?#*:@!~+=&' \"<>{}|^`\\[\\]]",
        1 => "\\PC",
        1 => proptest::char::any().prop_map(|c| c.to_string().bytes().fold(String::new(), |mut text, byte| {
            write!(text, "%{byte:02X}").unwrap();
            text
        })),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn a_path_is_allowed_only_in_its_one_form(path in hostile()) {
        let plain = one_form(&path).is_some_and(|form| form == path);
        let toml = policy(ALLOW_ALL);
        prop_assert_eq!(allows(&toml, "billing", "GET", &path), plain, "{}", path);
        prop_assert_eq!(allows(&json("*"), "billing", "GET", &path), plain, "{}", path);
    }

    #[test]
    fn no_text_at_all_makes_the_evaluation_panic(path in "\\PC{0,40}", method in "\\PC{0,8}") {
        let policy = allow("\"/a/**/b\", \"/*\"");
        let allowed = allows(&policy, "billing", &method, &path);
        prop_assert!(!allowed || method == "GET");
    }
}
