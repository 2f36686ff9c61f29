//! The schemes other than `HMAC-SHA256`: accepted if the variable is set, refused if its value is
//! wrong.

use base64ct::{Base64, Encoding as _};
use countersign::{
    MessageSignaturesSignSettings, Secret, SigV4Credentials, SigV4SignSettings, Signer, SigningKey,
    VerifyingKey,
};
use http::Request;
use serde_json::json;

use crate::{
    calls::{send, sign},
    process::{Process, output},
};

const HEX: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
const SEED: &str = "c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3";
const SIGV4_SECRET: &str = "correct/Horse+battery/Staple+0123456789";
const BASE64: &str = "Mk5vQ3hRczdXZTFVcjRUeThJejBPcDVBZDZTZjlHaDM=";
const DRF_SECRET: &str = "ahX9queiSh4ieyeeZohf1Aik";
const WEBHOOK_SECRET: &str = "whsec_can7yaa6Ykv/6RJezUuLmvVbmV32vKcvh8idTKbuFk4=";

fn ed25519() -> SigningKey {
    SigningKey::message_ed25519(&Secret::from_hex(SEED).unwrap()).unwrap()
}

fn public_key(key: &VerifyingKey) -> String {
    Base64::encode_string(key.public_key().unwrap())
}

fn sigv4(region: &str, service: &str, authority: &str) -> Signer {
    let key = SigningKey::sigv4(&Secret::from_text(SIGV4_SECRET).unwrap());
    let credentials = SigV4Credentials::new("AKIDBILLING", key).unwrap();
    let settings = SigV4SignSettings::new(region, service, credentials).unwrap();
    Signer::sigv4(settings, [authority]).unwrap()
}

fn message(caller: &str, key: SigningKey, authority: &str) -> Signer {
    let settings = MessageSignaturesSignSettings::new(caller, key).unwrap();
    Signer::message_signatures(settings, [authority]).unwrap()
}

fn message_hmac(authority: &str) -> Signer {
    let key = SigningKey::message_hmac_sha256(&Secret::from_base64(BASE64).unwrap());
    message("billing", key, authority)
}

fn drf(authority: &str) -> Signer {
    let key = SigningKey::drf(&Secret::from_text(DRF_SECRET).unwrap());
    Signer::drf(key, [authority]).unwrap()
}

fn webhook(authority: &str) -> Signer {
    let secret = Secret::from_webhook_secret(WEBHOOK_SECRET).unwrap();
    Signer::standard_webhooks([SigningKey::standard_webhooks(&secret)], [authority]).unwrap()
}

/// A signer with its name, and the caller's name at the service.
type Caller = (&'static str, Signer, &'static str);

/// Calls as each caller, and checks the statuses of the account's page and of the echo.
async fn calls(process: &Process, signed_for: &str, callers: &[Caller], expected: [u16; 2]) {
    for (name, signer, caller) in callers {
        let root = format!("http://{signed_for}");
        let get = Request::get(format!("{root}/api/account/7?b=2&a=1")).body("");
        let post = Request::post(format!("{root}/api/echo")).body("hello");
        for (request, expected) in [get, post].into_iter().zip(expected) {
            let request = request.unwrap();
            let path = request.uri().path().to_owned();
            let mut request = sign(signer, request);
            let uri = request.uri().to_string();
            let uri = uri.replace(signed_for, process.authority());
            request
                .headers_mut()
                .insert("host", signed_for.parse().unwrap());
            *request.uri_mut() = uri.parse().unwrap();
            let (status, answer) = send(request).await;
            assert_eq!(status, expected, "{name} {path}: {answer}");
            if status == 200 {
                assert_eq!(answer["caller"], *caller, "{name} {path}");
            }
        }
    }
}

#[tokio::test]
async fn each_scheme_is_accepted_where_its_variable_is_set() {
    let sigv4_keys = json!({ "AKIDBILLING": SIGV4_SECRET }).to_string();
    let shared = json!({ "billing": BASE64 }).to_string();
    let public = json!({ "audit": public_key(&ed25519().verifying_key()) }).to_string();
    let process = Process::start(&[
        ("SERVICE_SECRETS", "{}"),
        ("EXPECTED_HOSTS", "users.internal"),
        ("SIGV4_KEYS", &sigv4_keys),
        ("SIGV4_REGION", "eu-central-1"),
        ("SIGV4_SERVICE", "users"),
        ("MESSAGE_SIGNATURE_KEYS", &shared),
        ("MESSAGE_SIGNATURE_ED25519_KEYS", &public),
        ("DRF_SECRET", DRF_SECRET),
        ("DRF_CALLER", "billing"),
        ("WEBHOOK_SECRET", WEBHOOK_SECRET),
        ("WEBHOOK_CALLER", "billing"),
    ]);
    let host = "users.internal";
    let whole = [
        ("SigV4", sigv4("eu-central-1", "users", host), "AKIDBILLING"),
        ("RFC 9421, HMAC", message_hmac(host), "billing"),
        (
            "RFC 9421, Ed25519",
            message("audit", ed25519(), host),
            "audit",
        ),
    ];
    calls(&process, host, &whole, [200, 200]).await;
    let body_only = [
        ("DRF", drf(host), "billing"),
        ("Standard Webhooks", webhook(host), "billing"),
    ];
    calls(&process, host, &body_only, [401, 200]).await;
    let elsewhere = [
        ("another region", sigv4("us-east-1", "users", host), ""),
        (
            "another service",
            sigv4("eu-central-1", "billing", host),
            "",
        ),
        ("another's name", message("billing", ed25519(), host), ""),
    ];
    calls(&process, host, &elsewhere, [401, 401]).await;
}

#[tokio::test]
async fn shared_secrets_need_no_expected_hosts() {
    let secrets = json!({ "billing": HEX }).to_string();
    let sigv4_keys = json!({ "AKIDBILLING": SIGV4_SECRET }).to_string();
    let shared = json!({ "billing": BASE64 }).to_string();
    let process = Process::start(&[
        ("SERVICE_SECRETS", &secrets),
        ("SIGV4_KEYS", &sigv4_keys),
        ("MESSAGE_SIGNATURE_KEYS", &shared),
    ]);
    let host = process.authority();
    let key = SigningKey::hmac_sha256(&Secret::from_hex(HEX).unwrap());
    let callers = [
        (
            "native",
            Signer::new("billing", key, [host]).unwrap(),
            "billing",
        ),
        (
            "SigV4",
            sigv4("us-east-1", "execute-api", host),
            "AKIDBILLING",
        ),
        ("RFC 9421", message_hmac(host), "billing"),
    ];
    calls(&process, host, &callers, [200, 200]).await;
}

#[tokio::test]
async fn a_scheme_whose_variable_is_not_set_is_refused() {
    let secrets = json!({ "billing": HEX }).to_string();
    let process = Process::start(&[("SERVICE_SECRETS", &secrets)]);
    let host = process.authority();
    let callers = [
        ("SigV4", sigv4("us-east-1", "execute-api", host), ""),
        ("RFC 9421", message_hmac(host), ""),
        ("DRF", drf(host), ""),
        ("Standard Webhooks", webhook(host), ""),
    ];
    calls(&process, host, &callers, [401, 401]).await;
}

/// A message with the header names of Svix, and a request with the headers of CloudFront and a
/// lenient query.
#[tokio::test]
async fn what_other_peoples_programs_send_is_accepted_where_a_variable_says_so() {
    let sigv4_keys = json!({ "AKIDBILLING": SIGV4_SECRET }).to_string();
    let base = [
        ("SERVICE_SECRETS", "{}"),
        ("SIGV4_KEYS", &*sigv4_keys),
        ("WEBHOOK_SECRET", WEBHOOK_SECRET),
        ("WEBHOOK_CALLER", "svix"),
    ];
    let named = [
        ("SIGV4_UNCOVERED_HEADERS", "x-amz-cf-id, x-amz-cf-pop"),
        ("SIGV4_LENIENT_QUERIES", "repeated-names, any-escapes"),
        ("WEBHOOK_HEADERS", "standard-or-svix"),
    ];
    for (variables, expected) in [(base.to_vec(), 401), ([&base[..], &named].concat(), 200)] {
        let process = Process::start(&variables);
        let host = process.authority();
        let root = format!("http://{host}");
        let signer = sigv4("us-east-1", "execute-api", host);
        let get = |target: &str| {
            let request = Request::get(format!("{root}{target}")).body("");
            sign(&signer, request.unwrap())
        };
        let mut behind_cloudfront = get("/api/account/7");
        let id = "dmlhIGEgQ0RO==".parse().unwrap();
        behind_cloudfront.headers_mut().insert("x-amz-cf-id", id);
        let post = Request::post(format!("{root}/api/echo")).body("hello");
        let mut from_svix = sign(&webhook(host), post.unwrap());
        for name in ["id", "timestamp", "signature"] {
            let headers = from_svix.headers_mut();
            let value = headers.remove(format!("webhook-{name}")).unwrap();
            let name = http::HeaderName::try_from(format!("svix-{name}")).unwrap();
            headers.insert(name, value);
        }
        for (name, request) in [
            ("x-amz-cf-id", behind_cloudfront),
            (
                "a name twice",
                get("/api/account/7?created=ge2000&created=le2024"),
            ),
            ("a needless escape", get("/api/account/7?%61=1")),
            ("Svix", from_svix),
        ] {
            let (status, answer) = send(request).await;
            assert_eq!(status, expected, "{name}: {answer}");
        }
        let mut other = get("/api/account/7");
        let source = "/other".parse().unwrap();
        other.headers_mut().insert("x-amz-copy-source", source);
        assert_eq!(send(other).await.0, 401, "no other header is meant");
    }
}

#[test]
fn refuses_to_start_on_wrong_variables_and_names_them_without_the_key() {
    const SIGV4: &str = "SIGV4_KEYS";
    const SHARED: &str = "MESSAGE_SIGNATURE_KEYS";
    const PUBLIC: &str = "MESSAGE_SIGNATURE_ED25519_KEYS";
    let public = public_key(&ed25519().verifying_key());
    let one = |name: &str, key: &str| json!({ name: key }).to_string();
    let twice = format!(r#"{{"a":"{SIGV4_SECRET}","a":"{SIGV4_SECRET}"}}"#);
    let shared = format!(r#"{{"a":"{SIGV4_SECRET}","b":"{SIGV4_SECRET}"}}"#);
    for (name, variables, part) in [
        (
            "a bare secret",
            vec![(SIGV4, SIGV4_SECRET.to_owned())],
            SIGV4,
        ),
        ("empty", vec![(SIGV4, String::new())], SIGV4),
        ("nobody", vec![(SIGV4, "{}".to_owned())], SIGV4),
        ("no text", vec![(SIGV4, r#"{"a":1}"#.to_owned())], SIGV4),
        (
            "a name twice",
            vec![(SIGV4, twice)],
            "SIGV4_KEYS: member 2 (a): its name is listed twice",
        ),
        ("one key for two", vec![(SIGV4, shared)], "caller b"),
        (
            "no name",
            vec![(SIGV4, one("a b", SIGV4_SECRET))],
            "SIGV4_KEYS: member 1: ",
        ),
        (
            "swapped",
            vec![(SIGV4, one(SIGV4_SECRET, "AKIDBILLING"))],
            "SIGV4_KEYS: member 1: ",
        ),
        (
            "short",
            vec![(SIGV4, one("a", &SIGV4_SECRET[..31]))],
            "SIGV4_KEYS: member 1 (a): ",
        ),
        (
            "no region",
            vec![
                (SIGV4, one("a", SIGV4_SECRET)),
                ("SIGV4_REGION", "a/b".to_owned()),
            ],
            "SIGV4_REGION",
        ),
        (
            "a region alone",
            vec![("SIGV4_REGION", "r".to_owned())],
            SIGV4,
        ),
        (
            "a service alone",
            vec![("SIGV4_SERVICE", "s".to_owned())],
            SIGV4,
        ),
        (
            "no Base64",
            vec![(SHARED, one("a", &format!("!{BASE64}")))],
            SHARED,
        ),
        (
            "a short secret",
            vec![(SHARED, one("a", &BASE64[..40]))],
            SHARED,
        ),
        (
            "a secret's name twice",
            vec![(SHARED, format!(r#"{{"a":"{BASE64}","a":""}}"#))],
            SHARED,
        ),
        (
            "swapped secret",
            vec![(SHARED, one(BASE64, "billing"))],
            SHARED,
        ),
        (
            "a short public key",
            vec![(PUBLIC, one("a", &public[..40]))],
            PUBLIC,
        ),
        ("a public key as hex", vec![(PUBLIC, one("a", HEX))], PUBLIC),
        (
            "no point",
            vec![(PUBLIC, one("a", &Base64::encode_string(&[2; 32])))],
            PUBLIC,
        ),
        (
            "no expected hosts",
            vec![(PUBLIC, one("a", &public))],
            "EXPECTED_HOSTS",
        ),
        (
            "uncovered headers of nobody",
            vec![("SIGV4_UNCOVERED_HEADERS", "x-amz-cf-id".to_owned())],
            SIGV4,
        ),
        (
            "an uncovered header that is none",
            vec![
                (SIGV4, one("a", SIGV4_SECRET)),
                ("SIGV4_UNCOVERED_HEADERS", "x amz".to_owned()),
            ],
            "SIGV4_UNCOVERED_HEADERS",
        ),
        (
            "an uncovered header that the scheme reads",
            vec![
                (SIGV4, one("a", SIGV4_SECRET)),
                ("SIGV4_UNCOVERED_HEADERS", "x-amz-date".to_owned()),
            ],
            "SIGV4_UNCOVERED_HEADERS: uncovered header x-amz-date",
        ),
        (
            "another kind of query",
            vec![
                (SIGV4, one("a", SIGV4_SECRET)),
                ("SIGV4_LENIENT_QUERIES", "all".to_owned()),
            ],
            "SIGV4_LENIENT_QUERIES",
        ),
        (
            "queries of nobody",
            vec![("SIGV4_LENIENT_QUERIES", "any-escapes".to_owned())],
            SIGV4,
        ),
        (
            "names of webhooks of nobody",
            vec![("WEBHOOK_HEADERS", "standard".to_owned())],
            "WEBHOOK_SECRET",
        ),
        (
            "other names of webhooks",
            vec![
                ("WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
                ("WEBHOOK_CALLER", "svix".to_owned()),
                ("WEBHOOK_HEADERS", "svix".to_owned()),
            ],
            "WEBHOOK_HEADERS",
        ),
        (
            "half of DRF",
            vec![("DRF_SECRET", DRF_SECRET.to_owned())],
            "DRF_CALLER",
        ),
        (
            "half of webhooks",
            vec![("WEBHOOK_CALLER", "a".to_owned())],
            "WEBHOOK_SECRET",
        ),
    ] {
        let secrets = one("billing", HEX);
        let mut all = vec![("SERVICE_SECRETS", &*secrets)];
        all.extend(variables.iter().map(|(name, value)| (*name, &**value)));
        let output = output(&all);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}: {error}");
        assert!(error.contains(part), "{name}: {error}");
        assert!(!error.contains("panicked"), "{name}: {error}");
        for key in [HEX, SIGV4_SECRET, BASE64, DRF_SECRET] {
            assert!(!error.contains(&key[1..12]), "{name}: {error}");
        }
    }
}

#[test]
fn without_any_caller_it_does_not_start() {
    let output = output(&[("SERVICE_SECRETS", "{}")]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("at least one caller"), "{error}");
}
