//! A request as text, which a test signs, changes and has judged.
//!
//! [`Forger`] signs without the crate: it writes the canonical request and computes the signature
//! over it on its own, for requests that the crate's signer refuses to sign.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file is a crate of its own and uses a part"
)]

use countersign::{
    AuthenticatedHead, Authentication, KeyStore, Keyring, Nonce, PayloadDigest, Rejection,
    RejectionKind, Scheme, Signer, Timestamp, Verified, Verifier,
};
use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Method, Request, Uri, request::Parts};
use sha2::Sha256;

/// The nonce of every request that is signed here, but where a test needs another.
pub const NONCE: &str = "6f1c0d5e2b7a49838d21a6b0c4e5f713";

/// The list that the crate's signer writes for a request with a content type.
pub const ALL_FIVE: &str = "host;x-date;x-content-sha256;x-nonce;content-type";

/// A request as on the wire. Header names and order are kept; values are bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// The outcome of a message.
#[derive(Debug)]
pub enum Verdict {
    Accepted(Box<Verified>),
    Refused(Rejection),
    /// No HTTP: the types of the `http` crate, and so every server built on them, refuse it before
    /// a verifier could.
    NotHttp,
}

impl Verdict {
    /// `accept`, the code of the refusal, or `no HTTP`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accept",
            Self::Refused(rejection) => rejection.kind().code(),
            Self::NotHttp => "no HTTP",
        }
    }

    pub fn kind(&self) -> Option<RejectionKind> {
        match self {
            Self::Refused(rejection) => Some(rejection.kind()),
            Self::Accepted(_) | Self::NotHttp => None,
        }
    }

    pub fn verified(self, name: &str) -> Verified {
        match self {
            Self::Accepted(verified) => *verified,
            other => panic!("{name}: expected to be accepted, found {other:?}"),
        }
    }
}

impl Message {
    pub fn new(method: &str, target: &str, host: &str, body: &[u8]) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![("host".to_owned(), host.into())],
            body: body.to_vec(),
        }
    }

    /// The message with one more header, behind the others.
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.append(name, value);
        self
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        let (_, value) = found.unwrap_or_else(|| panic!("no header {name}"));
        std::str::from_utf8(value).unwrap()
    }

    pub fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }

    /// Replaces the value of a header, or appends the header.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let value = value.as_ref().to_vec();
        match self.headers.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.headers.push((name.to_owned(), value)),
        }
    }

    pub fn append(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
    }

    pub fn prepend(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.headers
            .insert(0, (name.to_owned(), value.as_ref().to_vec()));
    }

    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }

    /// Replaces text in the value of a header, once; it must be there.
    pub fn edit(&mut self, name: &str, old: &str, new: &str) {
        let value = self.header(name);
        assert!(value.contains(old), "no {old:?} in {value:?}");
        self.set(name, value.replacen(old, new, 1));
    }

    /// The head as the `http` crate has it, or `None` if it has no room for it.
    pub fn parts(&self) -> Option<Parts> {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = Method::from_bytes(self.method.as_bytes()).ok()?;
        parts.uri = Uri::try_from(self.target.as_str()).ok()?;
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            parts
                .headers
                .append(name, HeaderValue::from_bytes(value).ok()?);
        }
        Some(parts)
    }

    /// Signs with the crate's signer and [`NONCE`].
    pub fn signed(self, signer: &Signer, now: Timestamp) -> Self {
        self.signed_with(signer, NONCE, now)
    }

    pub fn signed_with(mut self, signer: &Signer, nonce: &str, now: Timestamp) -> Self {
        let parts = self.parts().unwrap();
        let signature = signer
            .sign_with_nonce(&parts, &*self.body, Nonce::new(nonce).unwrap(), now)
            .unwrap();
        for (name, value) in signature.headers() {
            self.set(name.as_str(), value);
        }
        self
    }

    /// Takes the message through the whole chain: head, keys, body.
    pub fn judge(&self, verifier: &Verifier, keys: &Keyring, now: Timestamp) -> Verdict {
        self.judge_in_pieces(verifier, keys, now, &[&self.body])
    }

    /// The same with the body in these pieces.
    pub fn judge_in_pieces(
        &self,
        verifier: &Verifier,
        keys: &Keyring,
        now: Timestamp,
        pieces: &[&[u8]],
    ) -> Verdict {
        let Some(parts) = self.parts() else {
            return Verdict::NotHttp;
        };
        let verified = authentication(&parts, verifier, keys, now).and_then(|found| match found {
            Authentication::Head(mut head) => {
                for piece in pieces {
                    head.update(piece);
                }
                head.finish()
            }
            Authentication::Body(mut mac) => {
                for piece in pieces {
                    mac.update(piece);
                }
                mac.finish(now)
            }
        });
        match verified {
            Ok(verified) => Verdict::Accepted(Box::new(verified)),
            Err(rejection) => Verdict::Refused(rejection),
        }
    }

    /// The text that a signature with this list is over. Listed headers must be there.
    pub fn canonical_request(&self, list: &str) -> String {
        let mut text = format!("{}\n{}\n", self.method, self.target);
        for name in list.split(';').filter(|name| !name.is_empty()) {
            let value = self.header(&name.to_ascii_lowercase());
            text.extend([name, ":", value, "\n"]);
        }
        text.extend(["\n", list, "\n", self.header("x-content-sha256")]);
        text
    }
}

/// The first two steps of the chain. The head and the keys are leaked, so that what borrows from
/// them can be returned.
fn authentication<'p>(
    parts: &'p Parts,
    verifier: &Verifier,
    keys: &Keyring,
    now: Timestamp,
) -> Result<Authentication<'p, 'p>, Rejection> {
    let unverified = Box::leak(Box::new(verifier.parse(parts, now)?));
    let found = Box::leak(Box::new(
        keys.try_lookup(unverified.key_id()).unwrap().unwrap(),
    ));
    unverified.authenticate(found, now)
}

/// The same for a signature over the head.
pub fn authenticate<'p>(
    parts: &'p Parts,
    verifier: &Verifier,
    keys: &Keyring,
    now: Timestamp,
) -> Result<AuthenticatedHead<'p, 'p>, Rejection> {
    match authentication(parts, verifier, keys, now)? {
        Authentication::Head(head) => Ok(head),
        Authentication::Body(mac) => panic!("{}: the head says nothing of its body", mac.scheme()),
    }
}

/// Signs anything at all.
#[derive(Clone, Debug)]
pub struct Forger {
    pub scheme: Scheme,
    pub caller: String,
    /// The HMAC key, or the seed of the Ed25519 key.
    pub key: Vec<u8>,
}

impl Forger {
    pub fn new(scheme: Scheme, caller: &str, key_hex: &str) -> Self {
        Self {
            scheme,
            caller: caller.to_owned(),
            key: base16ct::mixed::decode_vec(key_hex).unwrap(),
        }
    }

    /// The message with the three headers that are always covered, as far as it has them not, and a
    /// nonce if the list names one, signed with this list whatever it covers.
    pub fn sign(&self, mut message: Message, list: &str, now: Timestamp) -> Message {
        if !message.has("x-date") {
            message.append("x-date", now.to_http_date().unwrap());
        }
        if !message.has("x-content-sha256") {
            let hash = PayloadDigest::of(&message.body).to_string();
            message.append("x-content-sha256", hash);
        }
        if list.split(';').any(|name| name == "x-nonce") && !message.has("x-nonce") {
            message.append("x-nonce", NONCE);
        }
        let signature = self.signature(&message.canonical_request(list));
        message.append("authorization", self.authorization(list, &signature));
        message
    }

    /// The signature over a text, in hexadecimal digits.
    pub fn signature(&self, text: &str) -> String {
        let bytes = match self.scheme {
            Scheme::HmacSha256 => hmac_sha256(&self.key, text.as_bytes()),
            Scheme::Ed25519 => {
                let seed: [u8; 32] = self.key.as_slice().try_into().unwrap();
                let key = ed25519_dalek::SigningKey::from_bytes(&seed);
                key.sign(text.as_bytes()).to_bytes().to_vec()
            }
            other => panic!("no signature in {other}"),
        };
        base16ct::lower::encode_string(&bytes)
    }

    pub fn authorization(&self, list: &str, signature: &str) -> String {
        format!(
            "{} credential={}, signed-headers={list}, signature={signature}",
            self.scheme, self.caller
        )
    }
}

/// HMAC-SHA256 by the same crate, with the same features, that the core depends on, but not through
/// the core.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.chain_update(message).finalize().into_bytes().to_vec()
}
