//! A signed request changed in a random way, over and over, in each of the schemes: what still
//! verifies is the request that was signed, and is recognised as the same one when it comes again.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::integer_division_remainder_used,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::time::Duration;

use countersign::{
    CallerKey, DrfVerifySettings, KeyStore as _, Keyring, MessageSignaturesSignSettings,
    MessageSignaturesVerifySettings, Secret, SigV4Credentials, SigV4Presigned, SigV4SignSettings,
    SigV4VerifySettings, Signer, SigningKey, StandardWebhooksVerifySettings, Verified, Verifier,
};
use http::{HeaderName, HeaderValue, Method, Request, Uri, request::Parts};
use tests::keys::{NOW, OTHER_SECRET, SECRET};

const HOST: &str = "a.example";

/// xorshift64*: the same changes in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    method: Vec<u8>,
    target: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
}

impl Message {
    fn of(parts: &Parts, body: &[u8]) -> Self {
        let target = parts.uri.path_and_query().unwrap().as_str();
        let mut headers = vec![(b"host".to_vec(), HOST.as_bytes().to_vec())];
        for (name, value) in &parts.headers {
            headers.push((name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec()));
        }
        Self {
            method: parts.method.as_str().as_bytes().to_vec(),
            target: target.as_bytes().to_vec(),
            headers,
            body: body.to_vec(),
        }
    }

    /// As a server would read it, if it would.
    fn parts(&self) -> Option<Parts> {
        let mut request = Request::new(());
        *request.method_mut() = Method::from_bytes(&self.method).ok()?;
        *request.uri_mut() = Uri::try_from(self.target.as_slice()).ok()?;
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name).ok()?;
            let value = HeaderValue::from_bytes(value).ok()?;
            request.headers_mut().append(name, value);
        }
        Some(request.into_parts().0)
    }

    fn change(&mut self, random: &mut Random) {
        let line = random.below(self.headers.len());
        match random.below(14) {
            0 => edit(&mut self.target, random),
            1 => respell(&mut self.target, random),
            2 => edit(&mut self.headers[line].0, random),
            3..=5 => edit(&mut self.headers[line].1, random),
            6 => {
                let copy = self.headers[line].clone();
                let at = random.below(self.headers.len() + 1);
                self.headers.insert(at, copy);
            }
            7 => {
                self.headers.remove(line);
                if self.headers.is_empty() {
                    self.headers.push((b"x".to_vec(), Vec::new()));
                }
            }
            8 => {
                let other = random.below(self.headers.len());
                self.headers.swap(line, other);
            }
            9 => {
                // One line becomes two, or two members of a list change places.
                let value = &self.headers[line].1;
                let at = [b',', b' ', b';'][random.below(3)];
                let pieces: Vec<_> = value
                    .split(|byte| *byte == at)
                    .map(<[u8]>::to_vec)
                    .collect();
                let name = self.headers[line].0.clone();
                if random.below(2) == 0 {
                    self.headers.remove(line);
                    for piece in pieces.into_iter().rev() {
                        self.headers.insert(line, (name.clone(), piece));
                    }
                } else {
                    let mut pieces = pieces;
                    let (one, other) = (random.below(pieces.len()), random.below(pieces.len()));
                    pieces.swap(one, other);
                    if random.below(3) == 0 {
                        pieces.remove(one);
                    }
                    self.headers[line].1 = pieces.join(&at);
                }
            }
            10 => respell(&mut self.headers[line].1, random),
            11 => edit(&mut self.method, random),
            12 => edit(&mut self.body, random),
            _ => {
                let mut parameters: Vec<_> = self.target.split(|byte| *byte == b'&').collect();
                let (one, other) = (
                    random.below(parameters.len()),
                    random.below(parameters.len()),
                );
                if random.below(2) == 0 {
                    parameters.swap(one, other);
                } else {
                    parameters.insert(one, parameters[other]);
                }
                self.target = parameters.join(&b'&');
            }
        }
    }
}

fn edit(text: &mut Vec<u8>, random: &mut Random) {
    const LIKELY: &[u8] = b" \t,;=&?/.%+\"()-_:aAvV019~\\*#'{}|^`<>@!$[]";
    let at = random.below(text.len() + 1);
    let byte = LIKELY[random.below(LIKELY.len())];
    match random.below(4) {
        0 => text.insert(at, byte),
        1 if at < text.len() => text[at] = byte,
        2 if at < text.len() => {
            text.remove(at);
        }
        _ if at < text.len() => text[at] ^= 0x20,
        _ => text.push(byte),
    }
}

/// Another spelling of what may be the same.
fn respell(text: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(text.len());
    match (random.below(4), text.get(at).copied()) {
        (0, Some(byte)) => {
            text.splice(at..=at, format!("%{byte:02X}").into_bytes());
        }
        (1, Some(byte)) => {
            text.splice(at..=at, format!("%{byte:02x}").into_bytes());
        }
        (2, Some(_)) => text.make_ascii_lowercase(),
        (_, Some(_)) => {
            let escape = text.windows(3).position(|text| text[0] == b'%');
            if let Some(escape) = escape {
                let digits = String::from_utf8_lossy(&text[escape + 1..escape + 3]).into_owned();
                if let Ok(byte) = u8::from_str_radix(&digits, 16) {
                    text.splice(escape..escape + 3, [byte]);
                }
            }
        }
        (_, None) => {}
    }
}

struct Case {
    name: &'static str,
    verifier: Verifier,
    keys: Keyring,
    message: Message,
    /// Whether the signature binds method and target as they are on the wire, escapes and order of
    /// the query aside.
    binds_target: bool,
}

impl Case {
    fn verify(&self, message: &Message) -> Option<Verified> {
        let parts = message.parts()?;
        let unverified = self.verifier.parse(&parts, NOW).ok()?;
        let keys = self.keys.try_lookup(unverified.key_id()).unwrap().unwrap();
        let authentication = unverified.authenticate(&keys, NOW).ok()?;
        authentication.finish_with(&message.body, NOW).ok()
    }

    fn run(&self, rounds: usize) {
        let original = self.verify(&self.message);
        let original = original.unwrap_or_else(|| panic!("{}: the original", self.name));
        let key = original.replay_key("").unwrap();
        let headers: Vec<_> = original.covered_headers().map(str::to_owned).collect();
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut accepted = 0_usize;
        for _ in 0..rounds {
            let mut changed = self.message.clone();
            for _ in 0..=random.below(3) {
                changed.change(&mut random);
            }
            let Some(verified) = self.verify(&changed) else {
                continue;
            };
            accepted += 1;
            let name = self.name;
            let shown = String::from_utf8_lossy(&changed.target).into_owned();
            let case = || format!("{name}: {shown} {changed:?}");
            assert_eq!(verified.replay_key(""), Some(key), "{}", case());
            assert_eq!(verified.caller(), original.caller(), "{}", case());
            assert_eq!(verified.signed_at(), original.signed_at(), "{}", case());
            assert_eq!(changed.body, self.message.body, "{}", case());
            assert_eq!(changed.method, self.message.method, "{}", case());
            for header in &headers {
                assert_eq!(
                    verified.covered(header),
                    original.covered(header),
                    "{}",
                    case()
                );
            }
            if self.binds_target {
                assert_eq!(
                    meaning(&changed.target),
                    meaning(&self.message.target),
                    "{}",
                    case()
                );
            } else {
                assert_eq!(
                    sent(&changed.target),
                    sent(&self.message.target),
                    "{}",
                    case()
                );
            }
        }
        assert!(
            accepted > rounds / 200,
            "{}: {accepted} of {rounds} accepted",
            self.name
        );
    }
}

type Parameters = Vec<(Vec<u8>, Vec<u8>)>;

/// The part of a target that a server reads: the `http` crate drops a fragment.
fn sent(target: &[u8]) -> &[u8] {
    target.split(|byte| *byte == b'#').next().unwrap()
}

/// The path as sent, and the parameters of the query without regard to their order, decoded.
fn meaning(target: &[u8]) -> (Vec<u8>, Parameters) {
    let target = sent(target);
    let (path, query) = match target.iter().position(|byte| *byte == b'?') {
        Some(at) => (&target[..at], &target[at + 1..]),
        None => (target, &[][..]),
    };
    let mut parameters: Vec<_> = query
        .split(|byte| *byte == b'&')
        .filter(|text| !text.is_empty())
        .map(|text| match text.iter().position(|byte| *byte == b'=') {
            Some(at) => (decode(&text[..at]), decode(&text[at + 1..])),
            None => (decode(text), Vec::new()),
        })
        .collect();
    parameters.sort();
    (path.to_vec(), parameters)
}

fn decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| text[at] == b'%');
        let byte = escape
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        decoded.push(byte.unwrap_or(text[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    decoded
}

fn request(method: &str, target: &str) -> Parts {
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{HOST}{target}"))
        .header("content-type", "application/json")
        .header("x-tenant", "one, two")
        .header("x-tenant", "three")
        .header("accept", "*/*");
    request.body(()).unwrap().into_parts().0
}

fn signed(signer: &Signer, mut parts: Parts, body: &[u8]) -> Message {
    let signature = signer.sign(&parts, body, NOW).unwrap();
    signature.apply(&mut parts);
    Message::of(&parts, body)
}

fn keyring(caller: &str, keys: impl IntoIterator<Item = CallerKey>) -> Keyring {
    let mut builder = Keyring::builder();
    for key in keys {
        builder = builder.caller(caller, key);
    }
    builder.build().unwrap()
}

fn secret() -> Secret {
    Secret::from_hex(SECRET).unwrap()
}

const TARGET: &str = "/v1/items/a%20b;x=1,2?b=2&a=%2Fx%20y&c=d%2Bn&e=";

fn sigv4(name: &'static str, service: &str, implied: bool) -> Case {
    let key = SigningKey::sigv4(&secret());
    let credentials = SigV4Credentials::new("AKID", key.clone()).unwrap();
    let settings = SigV4SignSettings::new("r", service, credentials)
        .unwrap()
        .with_nonce();
    let settings = if implied {
        settings.with_implied_payload_hash()
    } else {
        settings
    };
    let signer = Signer::sigv4(settings, [HOST]).unwrap();
    Case {
        name,
        verifier: Verifier::builder()
            .expected_hosts([HOST])
            .accept_only(
                SigV4VerifySettings::new("r", service)
                    .unwrap()
                    .with_presigned(SigV4Presigned::new()),
            )
            .build()
            .unwrap(),
        keys: keyring("AKID", [CallerKey::new("1", key.verifying_key()).unwrap()]),
        message: signed(&signer, request("POST", TARGET), b"{\"a\":1}"),
        binds_target: true,
    }
}

#[test]
fn sigv4_in_the_header() {
    sigv4("declared", "svc", false).run(10_000);
    sigv4("implied", "svc", true).run(10_000);
}

#[test]
fn sigv4_in_the_url() {
    let key = SigningKey::sigv4(&secret());
    let token = Secret::from_text("token+/=token").unwrap();
    let credentials = SigV4Credentials::new("team/AKID", key.clone()).unwrap();
    let credentials = credentials.with_session_token(&token).unwrap();
    let settings = SigV4SignSettings::new("r", "svc", credentials).unwrap();
    let signer = Signer::sigv4(settings, [HOST]).unwrap();
    let mut parts = request("GET", TARGET);
    parts.uri = signer
        .presign(&parts, &b""[..], Duration::from_secs(60), NOW)
        .unwrap();
    let known = key.verifying_key().with_session_token(&token).unwrap();
    let known = CallerKey::new("1", known)
        .unwrap()
        .with_key_id("team/AKID")
        .unwrap();
    let presigned = SigV4Presigned::new().with_single_use();
    Case {
        name: "presigned",
        verifier: Verifier::builder()
            .expected_hosts([HOST])
            .accept_only(
                SigV4VerifySettings::new("r", "svc")
                    .unwrap()
                    .with_presigned(presigned),
            )
            .build()
            .unwrap(),
        keys: keyring("team", [known]),
        message: Message::of(&parts, b""),
        binds_target: true,
    }
    .run(10_000);
}

#[test]
fn message_signatures() {
    for (name, key) in [
        ("hmac", SigningKey::message_hmac_sha256(&secret())),
        ("ed25519", SigningKey::message_ed25519(&secret()).unwrap()),
    ] {
        let signing = MessageSignaturesSignSettings::new("billing", key.clone()).unwrap();
        let signing = signing
            .with_covered_component(HeaderName::from_static("x-tenant"))
            .unwrap();
        let signing = signing.with_alg().with_expires_in(Duration::from_secs(60));
        let signer = Signer::message_signatures(signing, [HOST]).unwrap();
        Case {
            name,
            verifier: Verifier::builder()
                .expected_hosts([HOST])
                .accept_only(MessageSignaturesVerifySettings::new())
                .build()
                .unwrap(),
            keys: keyring(
                "billing",
                [CallerKey::new("1", key.verifying_key()).unwrap()],
            ),
            message: signed(&signer, request("POST", TARGET), b"{\"a\":1}"),
            binds_target: true,
        }
        .run(if name == "hmac" { 10_000 } else { 1_000 });
    }
}

#[test]
fn webhooks() {
    let other = Secret::from_hex(OTHER_SECRET).unwrap();
    let keys = [
        SigningKey::standard_webhooks(&secret()),
        SigningKey::standard_webhooks(&other),
    ];
    let verify_settings = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    let signer = Signer::standard_webhooks(keys.clone(), [HOST]).unwrap();
    let known = keys.iter().zip(["1", "2"]);
    Case {
        name: "webhooks",
        verifier: Verifier::builder()
            .accept_only(verify_settings.with_route(Method::POST, TARGET).unwrap())
            .build()
            .unwrap(),
        keys: keyring(
            "svix",
            known.map(|(key, version)| CallerKey::new(version, key.verifying_key()).unwrap()),
        ),
        message: signed(&signer, request("POST", TARGET), b"{\"a\":1}"),
        binds_target: false,
    }
    .run(10_000);
}

#[test]
fn drf() {
    let key = SigningKey::drf(&Secret::from_text(SECRET).unwrap());
    let verify_settings = DrfVerifySettings::for_caller("django").unwrap();
    let signer = Signer::drf(key.clone(), [HOST]).unwrap();
    Case {
        name: "drf",
        verifier: Verifier::builder()
            .accept_only(verify_settings.with_route(Method::POST, TARGET).unwrap())
            .build()
            .unwrap(),
        keys: keyring(
            "django",
            [CallerKey::new("1", key.verifying_key()).unwrap()],
        ),
        message: signed(&signer, request("POST", TARGET), b"{\"a\":1}"),
        binds_target: false,
    }
    .run(10_000);
}
