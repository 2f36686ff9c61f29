//! Signed requests, as parts and as bytes.

use std::time::SystemTime;

use countersign::{PayloadDigest, Secret, Signer, SigningKey};
use http::{HeaderMap, Request};

use super::proxy::HOST;

/// The secret of `billing`.
pub(crate) const SECRET: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
/// A secret that no caller has.
const OTHER: &str = "c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3";

/// A request that a test changes before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) method: String,
    pub(crate) target: String,
    /// In the order of the wire, `Host` first.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn keys_toml() -> String {
    format!(
        "[[callers]]\nname = \"billing\"\n\
         [[callers.keys]]\nversion = \"2026-01\"\nsecret_hex = \"{SECRET}\"\n"
    )
}

pub(crate) fn signer(host: &str) -> Signer {
    of_secret("billing", SECRET, host)
}

pub(crate) fn of_secret(caller: &str, secret: &str, host: &str) -> Signer {
    let key = SigningKey::hmac_sha256(&Secret::from_hex(secret).unwrap());
    Signer::new(caller, key, [host]).unwrap()
}

/// Signs `GET target`.
pub(crate) fn get(target: &str) -> Signed {
    by(&signer(HOST), "GET", target, HOST, b"", 0)
}

/// Signs `POST target`.
pub(crate) fn post(target: &str, body: &[u8]) -> Signed {
    by(&signer(HOST), "POST", target, HOST, body, 0)
}

/// Signs with a key that no caller has.
pub(crate) fn with_another_key(target: &str, body: &[u8]) -> Signed {
    by(
        &of_secret("billing", OTHER, HOST),
        "POST",
        target,
        HOST,
        body,
        0,
    )
}

/// Signs for a host, `age` seconds ago.
pub(crate) fn for_host(target: &str, host: &str, age: u64) -> Signed {
    by(&signer(host), "GET", target, host, b"", age)
}

pub(crate) fn by(
    signer: &Signer,
    method: &str,
    target: &str,
    host: &str,
    body: &[u8],
    age: u64,
) -> Signed {
    let uri = if target == "*" {
        target.to_owned()
    } else {
        format!("http://{host}{target}")
    };
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header("host", host);
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let now = countersign::Timestamp::from(SystemTime::now());
    let now = now.saturating_sub(std::time::Duration::from_secs(age));
    let signature = signer.sign(&parts, PayloadDigest::of(body), now).unwrap();
    signature.apply(&mut parts);
    let mut headers = lines(&parts.headers);
    if !body.is_empty() {
        headers.push(("content-length".to_owned(), body.len().to_string()));
    }
    Signed {
        method: method.to_owned(),
        target: target.to_owned(),
        headers,
        body: body.to_vec(),
    }
}

fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    let lines = headers.iter();
    lines
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect()
}

impl Signed {
    /// Adds a header line at the end, unsigned.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(found, _)| !found.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn with_target(mut self, target: &str) -> Self {
        target.clone_into(&mut self.target);
        self
    }

    pub(crate) fn with_method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    pub(crate) fn with_body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// The bytes of the request on a connection that stays open.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The same on a connection that the server closes.
    pub(crate) fn closing(&self) -> Vec<u8> {
        let mut closing = self.clone();
        closing
            .headers
            .push(("connection".to_owned(), "close".to_owned()));
        closing.bytes()
    }
}
