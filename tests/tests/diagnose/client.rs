//! A separate client. It writes the signed text and the signature without the crate's signer, and
//! may sign another request than it sends.

use base64ct::{Base64, Encoding};
use countersign::{
    Algorithm, CallerKey, CavageVerifySettings, DrfVerifySettings, KeyState, Keyring,
    MessageSignaturesVerifySettings, Scheme, Secret, SigV4VerifySettings, SigningKey,
    StandardWebhooksVerifySettings, Timestamp, UriScheme, Verifier,
};
use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request, request::Parts};
use sha2::{Digest, Sha256};

pub const NOW: i64 = 1_767_323_045;
pub const HOST: &str = "user-service.internal:8081";
const NONCE: &str = "6f1c0d5e2b7a49838d21a6b0c4e5f713";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Hmac,
    Ed25519,
    SigV4,
    Rfc9421,
    Cavage,
    Drf,
    Webhooks,
}

pub const HEADS: &[Family] = &[
    Family::Hmac,
    Family::Ed25519,
    Family::SigV4,
    Family::Rfc9421,
    Family::Cavage,
];
pub const BODIES: &[Family] = &[Family::Drf, Family::Webhooks];
pub const ALL: &[Family] = &[
    Family::Hmac,
    Family::Ed25519,
    Family::SigV4,
    Family::Rfc9421,
    Family::Cavage,
    Family::Drf,
    Family::Webhooks,
];

/// The bytes of the caller's key, and those of others.
pub const KEY: [u8; 32] = [
    0x9b, 0x34, 0x60, 0x41, 0xbc, 0x9a, 0x49, 0x57, 0x4e, 0xb2, 0x66, 0x5b, 0x2a, 0xd2, 0xa0, 0xa3,
    0xf9, 0xf9, 0xcc, 0xe4, 0xe4, 0x2f, 0x5d, 0x1f, 0x26, 0xde, 0xb8, 0xa2, 0x56, 0xb5, 0x96, 0x6a,
];

pub fn other_key(number: u8) -> Vec<u8> {
    Sha256::digest([&KEY[..], &[number]].concat()).to_vec()
}

/// A request as one side sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: Option<String>,
    pub host: String,
    /// Covered headers beside those of the scheme, and lines of them.
    pub headers: Vec<(String, String)>,
    pub date: i64,
    /// In place of the text of the date.
    pub date_text: Option<String>,
    /// In place of the hash of the body.
    pub hash: Option<String>,
    pub body: Vec<u8>,
    pub region: String,
    pub day: Option<String>,
    pub caller: String,
    pub scheme_name: Option<&'static str>,
}

impl Seen {
    pub fn usual() -> Self {
        let headers = [
            ("accept-encoding", "gzip"),
            ("content-type", "application/json"),
            ("x-list", "beta, alpha"),
        ];
        Self {
            method: "POST".to_owned(),
            path: "/api/v1/items/caf%C3%A9%20(7)".to_owned(),
            query: Some("b=2&a=1%20x&c".to_owned()),
            host: HOST.to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            date: NOW,
            date_text: None,
            hash: None,
            body: br#"{"b": 1, "a": [2, 3]}"#.to_vec(),
            region: "eu-central-1".to_owned(),
            day: None,
            caller: "billing".to_owned(),
            scheme_name: None,
        }
    }

    pub fn header(&mut self, name: &str, value: &str) {
        let mut headers = self.headers.iter_mut();
        let header = headers.find(|(known, _)| known == name).unwrap();
        header.1 = value.to_owned();
    }

    fn hash(&self) -> String {
        let hash = || base16ct::lower::encode_string(&Sha256::digest(&self.body));
        self.hash.clone().unwrap_or_else(hash)
    }

    fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The date as the family writes it.
    pub fn date_in(&self, family: Family) -> String {
        if let Some(text) = &self.date_text {
            return text.clone();
        }
        let at = Timestamp::from_unix_seconds(self.date);
        match family {
            Family::Hmac | Family::Ed25519 | Family::Cavage => at.to_http_date().unwrap(),
            Family::SigV4 => at.to_string().replace(['-', ':'], ""),
            Family::Rfc9421 | Family::Drf | Family::Webhooks => self.date.to_string(),
        }
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.dedup();
        names
    }

    fn scope(&self) -> String {
        let date = self.date_in(Family::SigV4);
        let day = self.day.clone().unwrap_or_else(|| date[..8].to_owned());
        format!("{day}/{}/user-service/aws4_request", self.region)
    }

    /// `Signature-Input` without its label.
    fn parameters(&self) -> String {
        let names: Vec<_> = self
            .names()
            .iter()
            .map(|name| format!("\"{name}\" "))
            .collect();
        format!(
            "(\"@method\" \"@authority\" \"@path\" \"@query\" {}\"content-digest\");created={};keyid=\"{}\";nonce=\"{NONCE}\"",
            names.concat(),
            self.date_in(Family::Rfc9421),
            self.caller
        )
    }

    fn content_digest(&self) -> String {
        let hash = Sha256::digest(&self.body);
        format!("sha-256=:{}:", Base64::encode_string(&hash))
    }

    fn digest(&self) -> String {
        let hash = Sha256::digest(&self.body);
        format!("SHA-256={}", Base64::encode_string(&hash))
    }

    /// The text that is signed in this family.
    pub fn text(&self, family: Family, sent: &Self) -> Vec<u8> {
        let lines = |between: &str| {
            let lines = self.headers.iter();
            let lines: Vec<_> = lines
                .map(|(name, value)| format!("{name}{between}{value}\n"))
                .collect();
            lines.concat()
        };
        let (method, host, hash) = (&self.method, &self.host, self.hash());
        match family {
            Family::Hmac | Family::Ed25519 => format!(
                "{method}\n{}\nhost:{host}\nx-date:{}\nx-content-sha256:{hash}\nx-nonce:{NONCE}\n{}\nhost;x-date;x-content-sha256;x-nonce;{}\n{hash}",
                self.target(),
                self.date_in(family),
                lines(":"),
                sent.names().join(";"),
            )
            .into_bytes(),
            Family::SigV4 => {
                let query = self.query.as_deref().unwrap_or_default();
                let mut query: Vec<String> = query
                    .split('&')
                    .filter(|parameter| !parameter.is_empty())
                    .map(|parameter| match parameter.split_once('=') {
                        Some(_) => parameter.to_owned(),
                        None => format!("{parameter}="),
                    })
                    .collect();
                query.sort();
                let mut headers = self.headers.clone();
                headers.push(("host".to_owned(), host.clone()));
                headers.push(("x-amz-content-sha256".to_owned(), hash.clone()));
                headers.push(("x-amz-date".to_owned(), self.date_in(family)));
                headers.sort();
                let headers: Vec<_> = headers
                    .iter()
                    .map(|(name, value)| format!("{name}:{value}\n"))
                    .collect();
                format!(
                    "{method}\n{}\n{}\n{}\n{}\n{hash}",
                    encoded(&self.path),
                    query.join("&"),
                    headers.concat(),
                    sent.signed_headers(),
                )
                .into_bytes()
            }
            Family::Rfc9421 => {
                let headers = self.headers.iter();
                let headers: Vec<_> = headers
                    .map(|(name, value)| format!("\"{name}\": {value}\n"))
                    .collect();
                format!(
                    "\"@method\": {method}\n\"@authority\": {host}\n\"@path\": {}\n\"@query\": ?{}\n{}\"content-digest\": {}\n\"@signature-params\": {}",
                    self.path,
                    self.query.as_deref().unwrap_or_default(),
                    headers.concat(),
                    sent.content_digest(),
                    self.parameters(),
                )
                .into_bytes()
            }
            Family::Cavage => format!(
                "(request-target): {} {}\nhost: {host}\ndate: {}\n{}digest: {}\nx-nonce: {NONCE}",
                method.to_lowercase(),
                self.target(),
                self.date_in(family),
                lines(": "),
                sent.digest(),
            )
            .into_bytes(),
            Family::Drf => {
                [self.date_in(family).as_bytes(), b".", &self.body].concat()
            }
            Family::Webhooks => {
                [b"msg_1.", self.date_in(family).as_bytes(), b".", &self.body].concat()
            }
        }
    }

    fn signed_headers(&self) -> String {
        let mut names = self.names();
        names.extend(["host", "x-amz-content-sha256", "x-amz-date"]);
        names.sort_unstable();
        names.join(";")
    }

    /// The head on the wire, with this signature.
    pub fn parts(&self, family: Family, signature: &str) -> Parts {
        let mut request = Request::builder()
            .method(Method::from_bytes(self.method.as_bytes()).unwrap())
            .uri(self.target())
            .header("host", &self.host);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let date = self.date_in(family);
        let caller = &self.caller;
        let request = match family {
            Family::Hmac | Family::Ed25519 => {
                let name = match family {
                    Family::Hmac => "HMAC-SHA256",
                    _ => "ED25519",
                };
                let name = self.scheme_name.unwrap_or(name);
                let names = self.names().join(";");
                request
                    .header("x-date", date)
                    .header("x-content-sha256", self.hash())
                    .header("x-nonce", NONCE)
                    .header(
                        "authorization",
                        format!("{name} credential={caller}, signed-headers=host;x-date;x-content-sha256;x-nonce;{names}, signature={signature}"),
                    )
            }
            Family::SigV4 => request
                .header("x-amz-date", date)
                .header("x-amz-content-sha256", self.hash())
                .header(
                    "authorization",
                    format!(
                        "AWS4-HMAC-SHA256 Credential={caller}/{}, SignedHeaders={}, Signature={signature}",
                        self.scope(),
                        self.signed_headers()
                    ),
                ),
            Family::Rfc9421 => request
                .header("content-digest", self.content_digest())
                .header("signature-input", format!("sig1={}", self.parameters()))
                .header("signature", format!("sig1=:{signature}:")),
            Family::Cavage => request
                .header("date", date)
                .header("digest", self.digest())
                .header("x-nonce", NONCE)
                .header(
                    "authorization",
                    format!(
                        "Signature keyId=\"{caller}\",algorithm=\"hmac-sha256\",headers=\"(request-target) host date {} digest x-nonce\",signature=\"{signature}\"",
                        self.names().join(" ")
                    ),
                ),
            Family::Drf => request
                .header("x-hmac-timestamp", date)
                .header("x-hmac-signature", signature),
            Family::Webhooks => request
                .header("webhook-id", "msg_1")
                .header("webhook-timestamp", date)
                .header("webhook-signature", signature),
        };
        request.body(()).unwrap().into_parts().0
    }
}

/// The signature of a text, in bytes.
pub fn signature(family: Family, key: &[u8], text: &[u8], seen: &Seen) -> Vec<u8> {
    match family {
        Family::Ed25519 => {
            let bytes: [u8; 32] = key.try_into().unwrap();
            let key = ed25519_dalek::SigningKey::from_bytes(&bytes);
            key.sign(text).to_bytes().to_vec()
        }
        Family::SigV4 => {
            let scope = seen.scope();
            let hash = base16ct::lower::encode_string(&Sha256::digest(text));
            let date = seen.date_in(family);
            let string = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hash}");
            let mut key = [b"AWS4", key].concat();
            for part in scope.split('/') {
                key = mac(&key, part.as_bytes());
            }
            mac(&key, string.as_bytes())
        }
        _ => mac(key, text),
    }
}

/// The signature as the family writes it.
pub fn written(family: Family, signature: &[u8]) -> String {
    match family {
        Family::Hmac | Family::Ed25519 | Family::SigV4 | Family::Drf => {
            base16ct::lower::encode_string(signature)
        }
        Family::Rfc9421 | Family::Cavage => Base64::encode_string(signature),
        Family::Webhooks => format!("v1,{}", Base64::encode_string(signature)),
    }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

/// Every byte of a path but unreserved ones and slashes, escaped.
pub fn encoded(path: &str) -> String {
    let escape = |byte: u8| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    path.bytes().map(escape).collect()
}

/// The key of the family with these bytes.
pub fn key(family: Family, bytes: &[u8]) -> SigningKey {
    let secret = Secret::from_bytes(bytes);
    match family {
        Family::Hmac => SigningKey::hmac_sha256(&secret),
        Family::Ed25519 => SigningKey::ed25519(&secret).unwrap(),
        Family::SigV4 => SigningKey::sigv4(&secret),
        Family::Rfc9421 => SigningKey::message_hmac_sha256(&secret),
        Family::Cavage => SigningKey::cavage_hmac_sha256(&secret),
        Family::Drf => SigningKey::drf(&secret),
        Family::Webhooks => SigningKey::standard_webhooks(&secret),
    }
}

/// The verifier of the family, as a service is set up.
pub fn verifier(family: Family) -> Verifier {
    let builder = Verifier::builder().expected_hosts([HOST]);
    let path = Seen::usual().target();
    let builder =
        match family {
            Family::Hmac => builder,
            Family::Ed25519 => builder.accept_only(Scheme::Ed25519),
            Family::SigV4 => builder
                .accept_only(SigV4VerifySettings::new("eu-central-1", "user-service").unwrap()),
            Family::Rfc9421 => builder.accept_only(
                MessageSignaturesVerifySettings::new()
                    .with_algorithm(Algorithm::HmacSha256)
                    .with_scheme(UriScheme::Http),
            ),
            Family::Cavage => builder
                .accept_only(CavageVerifySettings::new().with_algorithm(Algorithm::HmacSha256)),
            Family::Drf => builder.accept_only(
                DrfVerifySettings::for_caller("billing")
                    .unwrap()
                    .with_route(Method::POST, &path)
                    .unwrap(),
            ),
            Family::Webhooks => builder.accept_only(
                StandardWebhooksVerifySettings::for_caller("billing")
                    .unwrap()
                    .with_route(Method::POST, &path)
                    .unwrap(),
            ),
        };
    builder.build().unwrap()
}

/// `billing` with a current and a revoked key, and `audit`.
pub fn keyring(family: Family) -> Keyring {
    let caller_key = |version: &str, bytes: &[u8]| {
        CallerKey::new(version, key(family, bytes).verifying_key()).unwrap()
    };
    let builder = Keyring::builder()
        .caller("billing", caller_key("2026", &KEY))
        .caller(
            "billing",
            caller_key("2025", &other_key(1)).with_validity(KeyState::Revoked),
        )
        .caller("audit", caller_key("1", &other_key(2)));
    builder.build().unwrap()
}
